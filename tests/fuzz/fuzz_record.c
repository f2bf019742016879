/* What this is: the fuzz target of records, lists of references, repository objects and names.
 * Rests on: fuzz.h, repo/repo_open.h, seal/items.h.
 * Does not: need a key to get past the signature: it signs what the input says with one of its own. */
#include "fuzz.h"

#include "base/bytes.h"
#include "repo/record_impl.h"
#include "repo/repo_open.h"
#include "seal/identity.h"
#include "seal/items.h"

static struct rsp_env env;
static struct rsp_identity *signer;

static void once(void)
{
    static const uint8_t secret[32] = {1};
    if (signer) return;
    env_init(&env, NULL);
    MUST(!crypt_init(&env));
    MUST(!identity_from_secret(&env, secret, "fuzz", &signer));
}

/* The name that such a record would have to have, as far as its items tell. */
static struct rsp_record *name_of(const uint8_t *p, size_t n)
{
    struct rsp_record *r = record_new(&env);
    char name[NAME_MAX_BYTES];
    struct items list;
    struct item item;
    MUST(r);
    r->seq = 1;
    r->kind = RSP_REC_COMMIT;
    if (n > 72) {
        items_begin(&list, p + 8, n - 72);
        while (!items_next(&list, &item)) {
            unsigned number = ITEM_NUMBER(item.tag);
            if (number == 2 && item.v.n == ID_BYTES) memcpy(r->source, item.v.p, ID_BYTES);
            if (number == 3 && item.v.n == 1) r->kind = item.v.p[0];
            if (number == 4 && item.v.n == 8) r->seq = load_le64(item.v.p);
            if (number == 5 && item.v.n == 8) r->time_ms = load_le64(item.v.p);
        }
    }
    hash256(r->hash, p, n);
    name_record(name, r->seq, r->time_ms, r->kind, r->hash);
    memcpy(r->name, name, sizeof r->name - 1);
    return r;
}

/* Puts the target's key into item 6 and signs; first in the record that it carries. */
static void sign_anew(uint8_t *p, size_t n, int deep)
{
    struct rsp_public key;
    struct items list;
    struct item item;
    if (n <= 72) return;
    rsp_identity_public(signer, &key);
    items_begin(&list, p + 8, n - 72);
    while (!items_next(&list, &item)) {
        if (ITEM_NUMBER(item.tag) == 6 && item.v.n == 32) memcpy(p + (item.v.p - p), key.sign, 32);
        else if (ITEM_NUMBER(item.tag) == 26 && !deep) sign_anew(p + (item.v.p - p), item.v.n, 1);
    }
    identity_sign(signer, p, n - 64, p + n - 64);
}

static void check(const struct rsp_record *r, const uint8_t *p, size_t n)
{
    size_t items = r->refs_apart ? 0 : r->refs_n;
    MUST(r->bytes_n == n && !memcmp(r->bytes, p, n));
    MUST(r->parents_n <= PARENTS_MAX);
    MUST(r->parents_n * PARENT_BYTES + r->hashes_n * 32 + r->links_n * 64 + items * REF_BYTES <= n);
    for (size_t i = 1; i < r->parents_n; i++) MUST(memcmp(r->parents[i - 1].hash, r->parents[i].hash, 32) < 0);
    MUST(!r->text || strlen(r->text) < n);
    MUST((!r->links_n && !r->went_n) || r->kind == RSP_REC_GONE);
    MUST(!r->copied == !r->origin.n && (!r->copied || r->kind == RSP_REC_COMMIT || r->kind == RSP_REC_RECEIPT));
    MUST(!r->copied || (r->origin.p > r->bytes && r->origin.n < n && r->origin_ms));
    MUST((r->kind == RSP_REC_COMMIT) == !r->hashes || r->kind == RSP_REC_LOST);
}

static void record(const uint8_t *p, size_t n, int own)
{
    uint8_t *bytes = mem_alloc(&env, n ? n : 1), *copy = malloc(n ? n : 1), repository[ID_BYTES];
    struct rsp_record *r;
    int rc;
    MUST(bytes && copy);
    memcpy(copy, p, n);
    if (own) sign_anew(copy, n, 0);
    memcpy(bytes, copy, n);
    r = name_of(copy, n);
    rc = record_decode(&env, r, bytes, n, repository);
    MUST(rc == RSP_OK || rc == RSP_EINTEGRITY || rc == RSP_EVERSION);
    if (rc == RSP_OK) check(r, copy, n);
    if (rc == RSP_EINTEGRITY) MUST(!r->bytes && !r->parents && !r->hashes && !r->refs && !r->text && !r->links);
    record_free(&env, r);
    free(copy);
}

static void references(const uint8_t *p, size_t n)
{
    struct rsp_record *r = record_new(&env);
    struct buf again;
    MUST(r);
    buf_init(&again, &env);
    r->refs_apart = 1;
    r->refs_n = n > 8 ? (n - 8) / REF_BYTES : 0;
    hash256(r->refs_hash, p, n);
    if (!refs_decode(&env, r, (struct rsp_span){p, n})) {
        MUST(!refs_encode(&again, r->refs, r->refs_n));
        MUST(again.n == n && !memcmp(again.p, p, n));
    }
    buf_free(&again);
    record_free(&env, r);
}

static void object(const uint8_t *p, size_t n)
{
    struct repository_object o, back;
    struct buf again;
    buf_init(&again, &env);
    if (!repository_parse((struct rsp_span){p, n}, &o)) {
        MUST(!repository_encode(&again, &o));
        MUST(!repository_parse((struct rsp_span){again.p, again.n}, &back));
        MUST(back.time_ms == o.time_ms && !memcmp(back.id, o.id, 16) && !memcmp(back.lineage, o.lineage, 16));
    }
    buf_free(&again);
}

/* What is taken for a name is the only way to write it. */
static void names(const uint8_t *p, size_t n)
{
    char *text = malloc(n + 1), made[NAME_MAX_BYTES];
    struct rsp_record r;
    uint8_t hash[HASH_BYTES];
    uint64_t number;
    MUST(text);
    memcpy(text, p, n);
    text[n] = 0;
    if (name_record_parse(text, &r)) {
        name_record(made, r.seq, r.time_ms, r.kind, r.hash);
        MUST(!strcmp(made, r.name));
        name_record_path(made, &r);
        MUST(!strcmp(made, text));
    }
    if (name_roles_parse(text, &number, hash)) {
        name_roles(made, number, hash);
        MUST(!strcmp(made + 6, text));
    }
    if (name_hashed_parse(text, "refs", hash)) {
        name_hashed(made, "refs", hash);
        MUST(!strcmp(made, text));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    once();
    if (!n) return 0;
    switch (data[0] % 5) {
    case 0: record(data + 1, n - 1, 0); break;
    case 1: record(data + 1, n - 1, 1); break;
    case 2: references(data + 1, n - 1); break;
    case 3: object(data + 1, n - 1); break;
    default: names(data + 1, n - 1);
    }
    return 0;
}
