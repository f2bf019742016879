/* What this is: what the tests of records share: a draft of each kind, its bytes, and the verdict on bytes.
 * Rests on: libcheck, repo/record_impl.h, seal/items.h.
 * Does not: test. */
#ifndef TESTS_UNIT_REPO_RECORD_TEST_H
#define TESTS_UNIT_REPO_RECORD_TEST_H

#include <check.h>
#undef fail
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "repo/record_impl.h"
#include "seal/identity.h"
#include "seal/items.h"

#define C(number) (uint16_t)(ITEM_CRITICAL | (number))
#define TIME 1795132800123ull

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_identity *signer;
static uint8_t repository[16];

/* Counts down to the allocation that fails; below 0: none does. */
static long fail_after = -1;
static long blocks;
static inline void *counted(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        if (p) blocks--;
        free(p);
        return NULL;
    }
    if (fail_after == 0) return NULL;
    if (fail_after > 0) fail_after--;
    if (!p) blocks++;
    return realloc(p, n);
}

static inline void setup(void)
{
    uint8_t secret[32];
    memset(&error, 0, sizeof error);
    env_init(&env, &(struct rsp_env){.error = &error, .resize = counted});
    memset(secret, 7, sizeof secret);
    memset(repository, 9, sizeof repository);
    ck_assert_int_eq(identity_from_secret(&env, secret, "host", &signer), RSP_OK);
}

static inline void teardown(void)
{
    fail_after = -1;
    rsp_identity_free(signer);
    ck_assert_int_eq(blocks, 0);
}

/* ---- drafts: one of each kind; what they point to is static ---- */

static struct rsp_parent parents[3];
static uint8_t hashes[3][32], links[2][64];
static struct rsp_ref refs[2];
static const char *const tags[] = {"place=rack 4", "empty="};
static const char *const names[] = {"data/x/y"};

static inline void draft(struct rsp_record *r, int kind)
{
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < 3; i++) {
        parents[i].seq = 40 + i;
        memset(parents[i].hash, (int)(3 - i), 32); /* not ascending: encode sorts */
        memset(hashes[i], (int)(0x30 + i), 32);
    }
    for (size_t i = 0; i < 2; i++) {
        memset(&refs[i], (int)(0x60 + i), sizeof refs[i]);
        refs[i].kind = (uint8_t)(1 + i);
        refs[i].stored = 1000 + i;
        memset(links[i], (int)(0x70 + i), sizeof links[i]);
    }
    r->kind = (uint8_t)kind;
    r->seq = 43;
    r->time_ms = TIME;
    memset(r->source, 5, sizeof r->source);
    memset(r->roles, 6, sizeof r->roles);
    r->parents = parents;
    r->parents_n = 3;
    if (kind != RSP_REC_COMMIT) {
        r->hashes = hashes;
        r->hashes_n = kind == RSP_REC_PIN || kind == RSP_REC_RECEIPT || kind == RSP_REC_NOTE ? 1 : 3;
    }
    if (kind == RSP_REC_GONE) r->links = links, r->links_n = 2;
    if (kind == RSP_REC_RETIRE) r->detail = 2;
    if (kind == RSP_REC_RECEIPT) r->detail = 1;
    if (kind == RSP_REC_PIN || kind == RSP_REC_RECEIPT || kind == RSP_REC_NOTE) r->text = "words for people";
    if (kind != RSP_REC_COMMIT) return;
    memset(r->snapshot, 1, 16);
    memset(r->epoch, 2, 16);
    memset(r->commitment, 3, 32);
    r->flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL;
    r->keys = 11, r->plain = 12, r->stored = 13, r->objects = 14;
    r->manifest = refs[1];
    r->refs = refs;
    r->refs_n = 2;
    r->origin_ms = 99;
}

static inline int encode(struct rsp_record *r)
{
    size_t n = r->kind == RSP_REC_NOTE ? 2 : r->kind == RSP_REC_LOST ? 1 : 0;
    return record_encode(&env, r, repository, signer, r->kind == RSP_REC_NOTE ? tags : names, n);
}

/* The bytes of an encoded draft; free with drop. */
static inline struct buf made(int kind)
{
    struct rsp_record r;
    struct buf b;
    buf_init(&b, &env);
    draft(&r, kind);
    ck_assert_int_eq(encode(&r), RSP_OK);
    ck_assert_int_eq(buf_add(&b, r.bytes, r.bytes_n), RSP_OK);
    mem_free(&env, r.bytes, r.bytes_n);
    return b;
}

/* What the name of such bytes would say. */
static inline struct rsp_record *named(const struct buf *b, int kind)
{
    struct rsp_record like, *r = record_new(&env);
    char path[NAME_MAX_BYTES] = "log/05050505050505050505050505050505/";
    draft(&like, kind);
    hash256(like.hash, b->p, b->n);
    name_record(path + 37, like.seq, like.time_ms, kind, like.hash);
    ck_assert_ptr_nonnull(r);
    ck_assert_int_eq(name_record_parse(path, r), 1);
    return r;
}

static inline int decode(struct rsp_record *r, const struct buf *b)
{
    uint8_t *copy = mem_alloc(&env, b->n ? b->n : 1), its[16];
    int rc;
    if (!copy) return RSP_ENOMEM;
    memcpy(copy, b->p, b->n);
    rsp_error_clear(&error);
    rc = record_decode(&env, r, copy, b->n, its);
    if (!rc) ck_assert_mem_eq(its, repository, 16);
    if (rc) ck_assert_int_eq(error.code, rc);
    return rc;
}

/* Decodes bytes under the name that they would have. */
static inline int verdict(const struct buf *b, int kind)
{
    struct rsp_record *r = named(b, kind);
    int rc = decode(r, b);
    if (rc == RSP_EINTEGRITY) {
        ck_assert_ptr_null(r->bytes);
        ck_assert_ptr_null(r->parents);
        ck_assert_uint_eq(r->time_ms, TIME / 1000 * 1000);
        ck_assert_int_eq(strncmp(error.subject, "log/0505", 8), 0);
        ck_assert_int_ne(error.message[0], 0);
    }
    record_free(&env, r);
    return rc;
}

#endif
