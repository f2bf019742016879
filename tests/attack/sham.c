/* What this is: see sham.h. */
#include "sham.h"

#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seal/envelope.h"
#include "seal/object.h"

struct yard y;
struct rsp_env env;
struct rsp_log *log_one, *log_two;
struct rsp_record *first, *second;
struct rsp_identity *thief;
uint8_t one[9000], two[700], evil[9000];
struct known known[2] = {{one, sizeof one}, {two, sizeof two}};

static void noise(uint8_t *p, size_t n, uint64_t x) /* does not compress: sizes tell nothing of what it is */
{
    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        p[i] = (uint8_t)(x >> 56);
    }
}

void sham_setup(void)
{
    yard_open(&y);
    env_init(&env, &y.env);
    noise(one, sizeof one, 1);
    noise(two, sizeof two, 2);
    noise(evil, sizeof evil, 3);
    first = yard_snapshot(&y, &log_one, one, sizeof one, 4096);
    second = yard_snapshot(&y, &log_two, two, sizeof two, 0);
    ck_assert_int_eq(rsp_identity_new(&y.env, "thief", &thief), RSP_OK);
}

void sham_teardown(void)
{
    rsp_log_free(log_one);
    rsp_log_free(log_two);
    rsp_identity_free(thief);
    yard_close(&y);
}

/* ---- verdicts ---- */

void sound(size_t snapshots)
{
    struct verdict v;
    judge(&y, y.reader, 0, known, 2, &v);
    ck_assert_msg(v.status == RSP_OK, "%s\n%.1500s", rsp_status_name(v.status), v.words);
    ck_assert_uint_eq(v.read, snapshots);
    ck_assert_int_eq(v.lied, 0);
}

/* Refused with the words that name it; still snapshots of ours are read, and nothing else is. */
void refused(const char *what, const char *name, size_t snapshots)
{
    struct verdict v;
    judge(&y, y.reader, 0, known, 2, &v);
    ck_assert_msg(!v.lied, "%s: other data came out", what);
    ck_assert_msg(v.status == RSP_EINTEGRITY, "%s: %s\n%.1500s", what, rsp_status_name(v.status), v.words);
    ck_assert_msg(!name || names_it(v.words, name), "%s: %s is not named in\n%.1500s", what, name, v.words);
    ck_assert_msg(v.read == snapshots, "%s: %zu snapshots were read\n%.1500s", what, v.read, v.words);
}

struct rsp_log *honest_log(struct rsp_repo **repo)
{
    ck_assert_msg(yard_repo(&y, 0, &y.reader, 1, repo) == RSP_OK, "%s", y.error.message);
    return yard_log(*repo);
}

/* The record is there, is not believed, and is named with these words. */
void record_refused(const uint8_t hash[32], const char *words)
{
    struct rsp_repo *repo;
    struct rsp_log *log = honest_log(&repo);
    const struct rsp_record *r = rsp_log_by_hash(log, hash);
    int told = 0;
    struct rsp_record *latest = NULL;
    ck_assert_ptr_nonnull(r);
    ck_assert_int_eq(rsp_record_living(r), 0);
    ck_assert_uint_eq(r->state & RSP_RECORD_LOADED, 0);
    for (size_t i = 0; i < log->troubles_n; i++)
        told |= log->troubles[i].status == RSP_EINTEGRITY && names_it(log->troubles[i].name, r->name) &&
                strstr(log->troubles[i].text, words) != NULL;
    ck_assert_msg(told, "%s is not refused as \"%s\"", r->name, words);
    ck_assert_int_eq(rsp_log_find(log, "latest", NULL, &latest), RSP_OK);
    ck_assert_mem_eq(latest->hash, second->hash, 32);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

/* ---- objects of his own ---- */

/* The bytes evil sealed under key into an object with the ids of ours. */
static void sham(const struct rsp_ref *ref, int kind, const uint8_t key[32], const uint8_t *p, size_t n, size_t chunk,
                 struct buf *out)
{
    struct object_head head = {
        .suite = SUITE_CHACHA, .codec = CODEC_ZSTD, .kind = (uint8_t)kind, .chunk_bytes = (uint32_t)chunk};
    struct object_done done;
    memcpy(head.lineage, y.lineage, 16);
    memcpy(head.epoch, ref->epoch, 16);
    memcpy(head.object, ref->object, 16);
    buf_init(out, &env);
    ck_assert_int_eq(object_seal_small(&env, &head, key, (struct rsp_span){p, n}, out, &done), RSP_OK);
}

void sham_over(const struct rsp_ref *ref, int kind, const uint8_t key[32], const uint8_t *p, size_t n, size_t chunk)
{
    char name[NAME_MAX_BYTES];
    struct buf b;
    sham(ref, kind, key, p, n, chunk, &b);
    name_object(name, kind, ref->epoch, ref->object);
    tree_write(&y, name, b.p, b.n);
    buf_free(&b);
}

/* An envelope of that epoch with a key of the attacker's, for the reader. */
void sham_envelope(const uint8_t epoch[16], const uint8_t key[32], char name[NAME_MAX_BYTES])
{
    struct rsp_public reader;
    uint8_t hash[32];
    struct buf b;
    buf_init(&b, &env);
    rsp_identity_public(y.reader, &reader);
    ck_assert_int_eq(envelope_write(&env, epoch, key, &reader, 1, &b), RSP_OK);
    hash256(hash, b.p, b.n);
    name_envelope(name, epoch, hash);
    tree_write(&y, name, b.p, b.n);
    buf_free(&b);
}

void stored_refused(const char *name) /* by one without any secret */
{
    struct rsp_repo *repo = NULL;
    struct rsp_verify_options vo = {.size = sizeof vo, .read_stored = 1};
    struct rsp_verify_report report = {.size = sizeof report};
    int told = 0;
    ck_assert_int_eq(yard_repo(&y, 0, NULL, 0, &repo), RSP_OK);
    struct rsp_log *log = yard_log(repo);
    ck_assert_int_eq(rsp_verify(log, &vo, &report), RSP_OK);
    for (size_t i = 0; i < log->troubles_n; i++)
        told |= log->troubles[i].status == RSP_EINTEGRITY && names_it(log->troubles[i].name, name);
    ck_assert_msg(told, "%s: verify --read-stored does not name it", name);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

size_t stored_size(const char *name)
{
    size_t n;
    free(yard_read(&y, name, &n));
    return n;
}
