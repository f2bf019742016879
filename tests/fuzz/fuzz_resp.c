/* What this is: fuzz target: replies of a server, in pieces; the first byte says how large they are.
 * Rests on: fuzz.h, resp/resp.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include "resp/resp.h"

#define MAX_BYTES 3072 /* so few that skim and next have the same limits */

struct seen {
    int rc;
    unsigned replies;
    int type[64];
    int64_t integer[64];
    uint64_t words[64]; /* of the first error, its length and bytes */
};

static uint64_t sum(struct rsp_span text)
{
    uint64_t s = text.n;
    for (size_t i = 0; i < text.n; i++) s = s * 31 + text.p[i];
    return s;
}

/* The first error in the order of the bytes. Of an empty one skim shows its first byte: so short ones count alike. */
static int first_error(const struct rsp_reply *v, uint64_t *words, int depth)
{
    MUST(depth <= RESP_DEPTH);
    if (v->type == RSP_REPLY_ERROR) {
        *words = v->text.n > 1 ? sum(v->text) : 1;
        return 1;
    }
    if (v->type != RSP_REPLY_ARRAY) {
        MUST(!v->child && !v->n);
        return 0;
    }
    for (const struct rsp_reply *e = v->child; e; e = e->next)
        if (first_error(e, words, depth + 1)) return 1;
    return 0;
}

static void take(struct resp_reader *r, int skim, struct seen *s)
{
    for (;;) {
        const struct rsp_reply *reply;
        struct rsp_span words = {NULL, 0};
        unsigned i = s->replies % 64;
        uint64_t first = 0;
        int64_t integer;
        int type;
        s->rc = skim ? resp_reader_skim(r, &type, &integer, &words) : resp_reader_next(r, &reply);
        if (s->rc) return;
        if (skim) {
            first = words.n > 1 ? sum(words) : words.n;
        } else {
            type = reply->type;
            integer = reply->integer;
            first_error(reply, &first, 0);
        }
        s->type[i] = type;
        s->integer[i] = integer;
        s->words[i] = first;
        s->replies++;
    }
}

static void run(const uint8_t *data, size_t n, size_t piece, int skim, struct seen *s)
{
    struct rsp_error error = {0};
    struct rsp_env env = {.size = sizeof env, .error = &error};
    struct resp_reader r;
    resp_reader_init(&r, &env, "fuzz", MAX_BYTES);
    memset(s, 0, sizeof *s);
    s->rc = RSP_AGAIN;
    for (size_t at = 0; at < n && s->rc == RSP_AGAIN; at += piece) {
        size_t some = n - at < piece ? n - at : piece, cap;
        uint8_t *p;
        MUST(!resp_reader_room(&r, some, &p, &cap) && cap >= some);
        memcpy(p, data + at, some);
        resp_reader_fed(&r, some);
        take(&r, skim, s);
    }
    MUST(s->rc == RSP_AGAIN || ((s->rc == RSP_EFORMAT || s->rc == RSP_ELIMIT) && error.code == s->rc));
    resp_reader_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct seen whole, pieces, skimmed;
    size_t piece = n ? (size_t)data[0] % 32 + 1 : 1;
    if (n < 2) return 0;
    run(data + 1, n - 1, n, 0, &whole);
    run(data + 1, n - 1, piece, 0, &pieces);
    run(data + 1, n - 1, piece, 1, &skimmed);
    MUST(!memcmp(&whole, &pieces, sizeof whole));
    MUST(!memcmp(&pieces, &skimmed, sizeof pieces));
    return 0;
}
