/* What this is: commands for several keys ahead, and each key's replies up to its value.
 * Rests on: scan.h.
 * Does not: read values (scan_value.c). */
#include "base/bytes.h"
#include "repl/scan.h"

#define WINDOW_MOST 256
#define WINDOW_BYTES (2u << 20)   /* of replies that may wait in the server for us, by what values have had so far */
#define COMMAND_BYTES (64u << 10) /* sent at once, but for one longer key */

static const struct scan_key *keys_of(const struct scan *c)
{
    return (const struct scan_key *)(const void *)c->keys.p;
}

struct rsp_span scan_key_name(const struct scan *c)
{
    const struct scan_key *k = &keys_of(c)[c->key];
    struct rsp_span name = {c->page.p + k->at, k->n};
    return name;
}

/* ---- asking ---- */

static int add(struct buf *out, const char *word, const char *sub, struct rsp_span key)
{
    int rc = resp_begin(out, sub ? 3 : 2);
    if (!rc) rc = resp_text(out, word);
    if (!rc && sub) rc = resp_text(out, sub);
    return rc ? rc : resp_bulk(out, key.p, key.n);
}

static int add_key(struct scan *c, struct rsp_span key)
{
    struct buf *out = &c->command;
    int rc = c->atomic ? resp_words(out, "MULTI") : RSP_OK;
    if (!rc) rc = add(out, c->absolute ? "PEXPIRETIME" : "PTTL", NULL, key);
    /* before DUMP, which is a use of the key */
    if (!rc && c->rank) rc = add(out, "OBJECT", c->rank == 'f' ? "FREQ" : "IDLETIME", key);
    if (!rc) rc = add(out, "DUMP", NULL, key);
    if (!rc && c->atomic) rc = resp_words(out, "EXEC");
    return rc;
}

static int ask_ahead(struct scan *c)
{
    const struct scan_key *keys = keys_of(c);
    size_t all = c->keys.n / sizeof *keys;
    uint64_t window = WINDOW_BYTES / (c->average + 64);
    int rc = RSP_OK;
    if (window > WINDOW_MOST) window = WINDOW_MOST;
    if (!window) window = 1;
    if (c->sent == all || (c->sent - c->key) * 2 > window - 1) return RSP_OK;
    c->command.n = 0;
    while (!rc && c->sent < all && c->sent - c->key < window && c->command.n < COMMAND_BYTES) {
        struct rsp_span key = {c->page.p + keys[c->sent].at, keys[c->sent].n};
        rc = add_key(c, key);
        c->sent++;
    }
    return rc ? rc : server_send(c->s, &c->command);
}

/* ---- answers ---- */

static int unexpected(struct scan *c)
{
    c->s->dead = RSP_EFORMAT;
    return fail(&c->env, RSP_EFORMAT, c->s->name, "an answer of a type that none of the commands has");
}

/* MULTI's "OK" and a "QUEUED" for each command, up to EXEC's array. */
static int take_queued(struct scan *c)
{
    int64_t number, commands = c->rank ? 3 : 2;
    struct rsp_span line;
    int rc;
    for (int64_t i = 0; i <= commands; i++) {
        rc = pull_line(&c->in, &line, &number);
        if (rc) return rc;
        if (*line.p == '-') {
            line.p++, line.n--;
            c->s->dead = RSP_EDENIED; /* what else was sent is not taken any more */
            return server_refused(c->s, i ? "DUMP" : "MULTI", line);
        }
        if (*line.p != '+') return unexpected(c);
    }
    rc = pull_line(&c->in, &line, &number);
    if (rc) return rc;
    if (*line.p == '-') {
        line.p++, line.n--;
        c->s->dead = RSP_EDENIED;
        return server_refused(c->s, "EXEC", line);
    }
    return *line.p == '*' && number == commands ? RSP_OK : unexpected(c);
}

/* *v: the number; -1 for nothing. Errors of OBJECT are nothing: the policy may have been changed. */
static int take_number(struct scan *c, const char *what, int lenient, int64_t *v)
{
    struct rsp_span line;
    int rc = pull_line(&c->in, &line, v);
    if (rc) return rc;
    if (*line.p == '-') {
        *v = -1;
        if (lenient) return RSP_OK;
        line.p++, line.n--;
        c->s->dead = RSP_EDENIED;
        return server_refused(c->s, what, line);
    }
    if (*line.p == ':' || (lenient && *v == -1)) return RSP_OK;
    return unexpected(c);
}

/* *bytes: of the value, -1 when the key has gone. */
static int take_dump(struct scan *c, int64_t *bytes)
{
    struct rsp_span line;
    int rc = pull_line(&c->in, &line, bytes);
    if (rc) return rc;
    if (*line.p == '-') {
        line.p++, line.n--;
        c->s->dead = RSP_EDENIED;
        return server_refused(c->s, "DUMP", line);
    }
    return *line.p == '$' || *line.p == '_' ? RSP_OK : unexpected(c);
}

static void settle_expiry(struct scan *c)
{
    const struct rsp_env *env = &c->env;
    if (c->expiry < 0 || c->absolute) return;
    if (c->expiry > INT64_MAX / 2) c->expiry = INT64_MAX / 2;
    c->expiry += env->now_ms(env->clock_opaque) + c->clock_ms;
}

int scan_next_key(struct scan *c)
{
    int64_t bytes = -1, ttl = -1;
    int rc, gone;
    if (c->key == c->keys.n / sizeof(struct scan_key)) return RSP_END;
    rc = ask_ahead(c);
    if (!rc && c->atomic) rc = take_queued(c);
    if (!rc) rc = take_number(c, "PTTL", 0, &ttl);
    c->expiry = ttl;
    settle_expiry(c);
    c->ranked = -1;
    if (!rc && c->rank) rc = take_number(c, "OBJECT", 1, &c->ranked);
    if (!rc && c->rank == 'f' && c->ranked > UINT8_MAX) c->ranked = -1;
    if (!rc) rc = take_dump(c, &bytes);
    if (rc) return rc;
    /* Without MULTI it may have come back between the two: as of the first it was not there. Its value is taken out of
     * the way all the same. */
    gone = bytes < 0;
    if (!gone && ttl == -2) {
        while (bytes > 0) {
            struct rsp_span some;
            rc = pull_some(&c->in, (uint64_t)bytes, &some);
            if (rc) return rc;
            bytes -= (int64_t)some.n;
        }
        rc = pull_exact(&c->in, (uint8_t[2]){0}, 2);
        gone = 1;
    } else if (!gone) {
        rc = scan_value_begin(c, (uint64_t)bytes);
    }
    if (rc || !gone) return rc;
    c->key++;
    return RSP_AGAIN;
}
