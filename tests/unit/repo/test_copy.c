/* What this is: tests of copying into another repository of the lineage: what arrives, what is resumed, what is refused.
 * Rests on: copy_yard.h. */
#include "copy_yard.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/bytes.h"

/* ---- what arrives ---- */

START_TEST(whole)
{
    struct rsp_copy_report r;
    struct opened a, b;
    copy_all(&r);
    ck_assert_uint_eq(r.made, 3);
    ck_assert_uint_eq(r.failed + r.there + r.went, 0);
    ck_assert_uint_eq(r.envelopes, 3);
    ck_assert_uint_eq(r.kept_objects, 0);
    sound_in(&z, 3);
    a = open_by(&y, y.reader);
    b = open_by(&z, y.reader);
    for (size_t i = 0; i < 3; i++) {
        const struct rsp_record *was = rsp_log_by_hash(a.log, made[i]), *is = b.log->records[i];
        struct rsp_public keeper, host;
        rsp_identity_public(y.keeper, &keeper);
        rsp_identity_public(y.host, &host);
        ck_assert(is->copied && rsp_record_living(is));
        ck_assert_mem_eq(is->origin_hash, was->hash, 32);
        ck_assert_mem_eq(is->origin_repository, y.id, 16);
        ck_assert_mem_eq(is->origin_signer, host.sign, 32);
        ck_assert_mem_eq(is->signer, keeper.sign, 32);
        ck_assert_mem_eq(is->snapshot, was->snapshot, 16);
        ck_assert_mem_eq(is->manifest.sha256, was->manifest.sha256, 32);
        ck_assert_uint_eq(is->refs_n, was->refs_n);
        ck_assert(is->keys == was->keys && is->plain == was->plain && is->flags == was->flags);
        ck_assert_int_eq(is->effective_ms, was->effective_ms);
        ck_assert_uint_eq(is->origin.n, was->bytes_n);
        ck_assert_mem_eq(is->origin.p, was->bytes, was->bytes_n);
    }
    close_one(&a);
    close_one(&b);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 0);
    ck_assert_uint_eq(r.there, 3);
    ck_assert_uint_eq(r.objects + r.envelopes, 0);
}
END_TEST

START_TEST(who_and_what)
{
    struct rsp_copy_options o = {.dry_run = 1};
    struct rsp_copy_report r;
    struct opened a;
    ck_assert_int_eq(copy_by(y.reader, &o, &r), RSP_OK); /* a dry run needs no right */
    ck_assert_uint_eq(r.made, 3);
    o.dry_run = 0;
    ck_assert_int_eq(copy_by(y.reader, &o, &r), RSP_ERIGHT);
    sound_in(&z, 0);
    a = open_by(&y, y.host);
    r.size = sizeof r;
    ck_assert_int_eq(rsp_copy(a.log, a.log, &o, &r), RSP_EINVAL); /* into itself */
    struct rsp_record *one = rsp_log_by_hash(a.log, made[1]);
    struct opened to = open_by(&z, y.keeper);
    o.only = &one;
    o.only_n = 1;
    ck_assert_int_eq(rsp_copy(a.log, to.log, &o, &r), RSP_OK);
    ck_assert_uint_eq(r.made, 1);
    close_one(&to);
    close_one(&a);
    sound_in(&z, 1);
}
END_TEST

/* ---- faults ---- */

START_TEST(damaged_here)
{
    struct rsp_copy_report r;
    struct opened a = open_by(&y, y.reader);
    char name[NAME_MAX_BYTES], path[512];
    object_of(rsp_log_by_hash(a.log, made[1]), 0, name);
    close_one(&a);
    yard_path(&y, name, path);
    yard_flip(path, 20000);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 2);
    ck_assert_uint_eq(r.failed, 1);
    ck_assert_ptr_nonnull(strstr(why, name));
    yard_path(&z, name, path);
    ck_assert_int_ne(access(path, F_OK), 0); /* never published */
    sound_in(&z, 2);
}
END_TEST

static volatile int stop;
static void stop_at(void *opaque, uint64_t done, uint64_t of)
{
    (void)of;
    if (done > *(const uint64_t *)opaque) stop = 1;
}

START_TEST(resumed)
{
    struct rsp_copy_report r;
    uint64_t at = 70000; /* in the second snapshot */
    struct rsp_copy_options o = {.cancel = &stop, .progress = stop_at, .opaque = &at};
    stop = 0;
    ck_assert_int_eq(copy_by(y.keeper, &o, &r), RSP_ECANCELED);
    ck_assert_uint_eq(r.made, 1);
    sound_in(&z, 1);
    copy_all(&r);
    ck_assert_uint_eq(r.there, 1);
    ck_assert_uint_eq(r.made, 2);
    sound_in(&z, 3);
}
END_TEST

/* Of an interrupted run: there with the right size, but not the right bytes. */
START_TEST(verified_there)
{
    struct rsp_copy_report r;
    struct rsp_copy_options o = {.verify = 1};
    struct opened a;
    char name[NAME_MAX_BYTES], path[512];
    copy_all(&r);
    a = open_by(&y, y.reader);
    object_of(rsp_log_by_hash(a.log, made[0]), 0, name);
    close_one(&a);
    yard_path(&z, name, path);
    yard_flip(path, 30000);
    ck_assert_int_eq(copy_by(y.keeper, &o, &r), RSP_OK);
    ck_assert_uint_eq(r.there, 3);
    ck_assert_uint_eq(r.objects, 1);
    sound_in(&z, 3);
}
END_TEST

/* A writer commits to other bytes of an object that the target has: that one stays. */
START_TEST(rival_claim)
{
    struct rsp_copy_report r;
    struct opened a;
    struct rsp_record draft;
    struct rsp_ref ref;
    struct sha256 *sum = NULL;
    char name[NAME_MAX_BYTES];
    copy_all(&r);
    a = open_by(&y, y.host);
    ref = rsp_log_by_hash(a.log, made[0])->refs[0];
    object_of(rsp_log_by_hash(a.log, made[0]), 0, name);
    ck_assert_int_eq(rsp_store_repair(y.store, name, "evil", 4), RSP_OK);
    ck_assert_int_eq(sha256_new(&a.repo->env, &sum), RSP_OK);
    ck_assert_int_eq(sha256_add(sum, "evil", 4), RSP_OK);
    ck_assert_int_eq(sha256_end(sum, ref.sha256), RSP_OK);
    sha256_free(sum);
    ref.stored = 4;
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_COMMIT;
    memcpy(draft.source, y.source, 16);
    memset(draft.snapshot, 0x44, 16);
    memcpy(draft.epoch, ref.epoch, 16);
    draft.manifest = rsp_log_by_hash(a.log, made[0])->manifest;
    draft.refs = &ref;
    draft.refs_n = 1;
    ck_assert_int_eq(rsp_record_publish(a.log, &draft, NULL, 0, NULL), RSP_OK);
    close_one(&a);
    copy_all(&r);
    ck_assert_uint_eq(r.failed, 1);
    ck_assert_ptr_nonnull(strstr(why, name));
    sound_in(&z, 3);
}
END_TEST

/* ---- what was removed there ---- */

static void prune_first(void)
{
    struct rsp_prune_options po = {.size = sizeof po, .quarantine_ms = 0, .debris_age_ms = YARD_DAY};
    struct rsp_prune_report pr = {.size = sizeof pr};
    struct opened b = open_by(&z, y.keeper);
    struct rsp_record *oldest = b.log->records[0];
    ck_assert_int_eq(rsp_retire(b.log, &oldest, 1, 0), RSP_OK);
    ck_assert_int_eq(rsp_prune(b.log, &po, &pr), RSP_OK);
    ck_assert_uint_eq(pr.commits, 1);
    close_one(&b);
}

static void in_one_second(void) /* as a store that counts seconds may have it */
{
    struct timespec t[2] = {{1790000000, 0}, {1790000000, 0}};
    struct opened a = open_by(&y, y.reader);
    char path[512];
    for (size_t i = 0; i < 3; i++) {
        yard_record_path(&y, rsp_log_by_hash(a.log, made[i]), path);
        ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
    }
    close_one(&a);
}

START_TEST(not_again)
{
    struct rsp_copy_report r;
    struct rsp_copy_options o = {.again = 1};
    in_one_second();
    copy_all(&r);
    prune_first();
    copy_all(&r);
    ck_assert_uint_eq(r.went, 1);
    ck_assert_uint_eq(r.made, 0);
    prune_first(); /* the gone records are merged: both are remembered */
    copy_all(&r);
    ck_assert_uint_eq(r.went, 2);
    sound_in(&z, 1);
    ck_assert_int_eq(copy_by(y.keeper, &o, &r), RSP_OK);
    ck_assert_uint_eq(r.made, 2);
    sound_in(&z, 3);
    struct opened b = open_by(&z, y.reader);
    struct rsp_record *latest = NULL;
    ck_assert_int_eq(rsp_log_find(b.log, "latest", NULL, &latest), RSP_OK);
    ck_assert_mem_eq(latest->origin_hash, made[2], 32); /* not what was copied last */
    close_one(&b);
}
END_TEST

/* ---- receipts ---- */

static void prove(struct yard *of, const uint8_t about[32])
{
    struct opened a = open_by(of, y.host);
    struct rsp_record draft;
    uint8_t hash[32];
    memset(&draft, 0, sizeof draft);
    memcpy(hash, about, 32);
    draft.kind = RSP_REC_RECEIPT;
    memcpy(draft.source, y.source, 16);
    draft.detail = 1;
    draft.text = "proof=decoded keys=10";
    draft.hashes = &hash;
    draft.hashes_n = 1;
    y.now_ms += 1000;
    ck_assert_int_eq(rsp_record_publish(a.log, &draft, NULL, 0, NULL), RSP_OK);
    close_one(&a);
}

START_TEST(receipts)
{
    struct rsp_copy_report r;
    struct opened b;
    size_t seen = 0;
    prove(&y, made[1]);
    copy_all(&r);
    ck_assert_uint_eq(r.receipts, 1);
    copy_all(&r);
    ck_assert_uint_eq(r.receipts, 0);
    b = open_by(&z, y.reader);
    ck_assert_int_eq(b.log->faults, 0);
    for (size_t i = 0; i < b.log->records_n; i++) {
        const struct rsp_record *is = b.log->records[i], *about;
        if (is->kind != RSP_REC_RECEIPT) continue;
        seen++;
        ck_assert(is->copied && is->detail == 1);
        ck_assert_str_eq(is->text, "proof=decoded keys=10");
        about = rsp_log_by_hash(b.log, is->hashes[0]);
        ck_assert_ptr_nonnull(about);
        ck_assert_mem_eq(about->origin_hash, made[1], 32);
    }
    ck_assert_uint_eq(seen, 1);
    close_one(&b);
}
END_TEST

/* ---- each rule broken in turn ---- */

struct sham {
    int kind;
    const struct rsp_identity *signer;
    const uint8_t *source, *origin, *about;
    size_t origin_n;
    int own_item, no_time;
};

/* A first record of z's log that carries such an origin; its hash. */
static void plant(const struct sham *s, uint8_t hash[32])
{
    struct opened b = open_by(&z, y.reader);
    struct rsp_public key;
    struct rsp_record r;
    struct buf bytes;
    uint8_t signature[64];
    char path[NAME_MAX_BYTES];
    memset(&r, 0, sizeof r);
    buf_init(&bytes, &b.repo->env);
    rsp_identity_public(s->signer, &key);
    ck_assert_int_eq(buf_add(&bytes, RECORD_MAGIC, RECORD_MAGIC_BYTES), RSP_OK);
    ck_assert_int_eq(item_add(&bytes, C(1), z.id, 16), RSP_OK);
    ck_assert_int_eq(item_add(&bytes, C(2), s->source, 16), RSP_OK);
    ck_assert_int_eq(item_u8(&bytes, C(3), (uint8_t)s->kind), RSP_OK);
    ck_assert_int_eq(item_u64(&bytes, C(4), 1), RSP_OK);
    ck_assert_int_eq(item_u64(&bytes, C(5), (uint64_t)y.now_ms), RSP_OK);
    ck_assert_int_eq(item_add(&bytes, C(6), key.sign, 32), RSP_OK);
    ck_assert_int_eq(item_add(&bytes, C(7), rsp_repo_roles(b.repo)->hash, 32), RSP_OK);
    ck_assert_int_eq(item_add(&bytes, C(8), NULL, 0), RSP_OK);
    if (s->own_item) ck_assert_int_eq(item_u32(&bytes, C(19), 1), RSP_OK);
    if (!s->no_time) ck_assert_int_eq(item_u64(&bytes, 25, (uint64_t)y.now_ms), RSP_OK);
    ck_assert_int_eq(item_add(&bytes, C(26), s->origin, s->origin_n), RSP_OK);
    if (s->about) ck_assert_int_eq(item_add(&bytes, C(32), s->about, 32), RSP_OK);
    identity_sign(s->signer, bytes.p, bytes.n, signature);
    ck_assert_int_eq(buf_add(&bytes, signature, 64), RSP_OK);
    hash256(hash, bytes.p, bytes.n);
    memcpy(r.source, s->source, 16);
    name_record(r.name, 1, (uint64_t)y.now_ms, s->kind, hash);
    name_record_path(path, &r);
    ck_assert_int_eq(rsp_store_put(z.store, path, bytes.p, bytes.n), RSP_OK);
    buf_free(&bytes);
    close_one(&b);
}

/* words NULL: believed. The file is removed again. */
static void judged(const uint8_t hash[32], const char *words)
{
    struct opened b = open_by(&z, y.reader);
    const struct rsp_record *r = rsp_log_by_hash(b.log, hash);
    char path[NAME_MAX_BYTES];
    ck_assert_ptr_nonnull(r);
    if (!words) ck_assert_msg(r->state & RSP_RECORD_LOADED, "%s", b.log->troubles_n ? b.log->troubles[0].text : "");
    else {
        int found = 0;
        ck_assert(!(r->state & RSP_RECORD_LOADED) && !rsp_record_living(r));
        for (size_t i = 0; i < b.log->troubles_n; i++)
            found |= b.log->troubles[i].status == RSP_EINTEGRITY && strstr(b.log->troubles[i].text, words) != NULL;
        ck_assert_msg(found, "not said: %s; but: %s", words, b.log->troubles[0].text);
    }
    name_record_path(path, r);
    ck_assert_int_eq(rsp_store_delete(z.store, path), RSP_OK);
    close_one(&b);
}

START_TEST(rules)
{
    struct opened a = open_by(&y, y.reader);
    const struct rsp_record *r = rsp_log_by_hash(a.log, made[0]);
    struct sham s = {RSP_REC_COMMIT, y.keeper, r->source, r->bytes, NULL, r->bytes_n, 0, 0};
    uint8_t hash[32], other[16], *copy = malloc(r->bytes_n);
    memcpy(copy, r->bytes, r->bytes_n);
    plant(&s, hash);
    judged(hash, NULL);
    s.signer = y.root; /* root has every flag */
    plant(&s, hash);
    judged(hash, NULL);
    s.signer = y.reader;
    plant(&s, hash);
    judged(hash, "no right to a copied commit");
    s.signer = y.keeper;
    s.no_time = 1;
    plant(&s, hash);
    judged(hash, "when the origin's store");
    s.no_time = 0;
    s.own_item = 1;
    plant(&s, hash);
    judged(hash, "says things of its own");
    s.own_item = 0;
    s.kind = RSP_REC_RECEIPT;
    s.about = made[0];
    plant(&s, hash);
    judged(hash, "another kind");
    s.kind = RSP_REC_COMMIT;
    s.about = NULL;
    memset(other, 0x77, sizeof other);
    s.source = other;
    plant(&s, hash);
    judged(hash, "another source");
    s.source = r->source;
    copy[r->bytes_n - 1] ^= 1;
    s.origin = copy;
    plant(&s, hash);
    judged(hash, "signature");
    s.origin_n = r->bytes_n - 1;
    plant(&s, hash);
    judged(hash, "that it carries");
    s.origin = (const uint8_t *)"RSPLOG1\n0123456789012345678901234567890123456789012345678901234567890123456789";
    s.origin_n = 72;
    plant(&s, hash);
    judged(hash, "no record");
    free(copy);
    close_one(&a);
}
END_TEST

START_TEST(inner_without_right)
{
    struct opened a = open_by(&y, y.reader);
    const struct rsp_record *r = rsp_log_by_hash(a.log, made[0]);
    struct yard_plan plan = {.signer = y.keeper, .kind = RSP_REC_COMMIT, .about = r};
    struct sham s = {.kind = RSP_REC_COMMIT, .signer = y.keeper};
    char path[512];
    uint8_t hash[32], *copy;
    FILE *f;
    yard_plant(&y, &plan, hash); /* a keeper is no writer, there as here */
    close_one(&a);
    a = open_by(&y, y.reader);
    r = rsp_log_by_hash(a.log, hash);
    copy = malloc(r->stored_bytes);
    yard_record_path(&y, r, path);
    f = fopen(path, "rb");
    ck_assert_uint_eq(fread(copy, 1, r->stored_bytes, f), r->stored_bytes);
    fclose(f);
    s.source = r->source;
    s.origin = copy;
    s.origin_n = r->stored_bytes;
    plant(&s, hash);
    judged(hash, "had no right");
    free(copy);
    close_one(&a);
}
END_TEST

START_TEST(nested_and_bare)
{
    struct rsp_copy_report rep;
    struct opened a = open_by(&y, y.reader), b;
    const struct rsp_record *r = rsp_log_by_hash(a.log, made[0]);
    struct sham s = {RSP_REC_COMMIT, y.keeper, r->source, r->bytes, NULL, r->bytes_n, 0, 0};
    char path[NAME_MAX_BYTES];
    uint8_t hash[32];
    name_record_path(path, r);
    ck_assert_int_eq(rsp_store_put(z.store, path, r->bytes, r->bytes_n), RSP_OK);
    judged(r->hash, "another repository");
    copy_all(&rep);
    b = open_by(&z, y.reader);
    s.origin = b.log->records[0]->bytes;
    s.origin_n = b.log->records[0]->bytes_n;
    plant(&s, hash);
    judged(hash, "carries another");
    close_one(&a);
    close_one(&b);
}
END_TEST

START_TEST(false_receipt)
{
    struct rsp_copy_report rep;
    struct opened a, b;
    struct sham s;
    uint8_t hash[32], about[2][32];
    copy_all(&rep);
    b = open_by(&z, y.reader);
    for (size_t i = 0; i < 2; i++) memcpy(about[i], b.log->records[i]->hash, 32);
    close_one(&b);
    prove(&y, made[1]);
    a = open_by(&y, y.reader);
    for (size_t i = 0; i < a.log->records_n; i++) {
        const struct rsp_record *r = a.log->records[i];
        if (r->kind != RSP_REC_RECEIPT) continue;
        s = (struct sham){RSP_REC_RECEIPT, y.keeper, r->source, r->bytes, about[1], r->bytes_n, 0, 0};
        plant(&s, hash);
        judged(hash, NULL);
        s.about = about[0]; /* a proof of one snapshot told of another */
        plant(&s, hash);
        judged(hash, "about another snapshot");
    }
    close_one(&a);
}
END_TEST

/* ---- memory ---- */

static long fail_after = -1;
static void *counted(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    if (fail_after == 0) return NULL;
    if (fail_after > 0) fail_after--;
    return realloc(p, n);
}

/* Whatever allocation fails, z stays sound, and the next run goes on. */
START_TEST(each_allocation)
{
    struct rsp_copy_report r = {.size = sizeof r};
    struct rsp_copy_options o = {.size = sizeof o, .threads = 1};
    struct rsp_env kept = y.env;
    struct opened from = open_by(&y, y.reader), to;
    int rc = RSP_ENOMEM;
    for (long n = 0; rc == RSP_ENOMEM && n < 2000; n++) {
        struct yard hooked = z;
        hooked.env = kept;
        hooked.env.resize = counted;
        fail_after = -1;
        to = open_by(&hooked, y.keeper);
        fail_after = n;
        rc = rsp_copy(from.log, to.log, &o, &r);
        fail_after = -1;
        close_one(&to);
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%ld: %s: %s", n, rsp_status_name(rc), y.error.message);
    }
    ck_assert_int_eq(rc, RSP_OK);
    close_one(&from);
    sound_in(&z, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("copy");
    TCase *t = tcase_create("copy");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, whole);
    tcase_add_test(t, who_and_what);
    tcase_add_test(t, damaged_here);
    tcase_add_test(t, resumed);
    tcase_add_test(t, verified_there);
    tcase_add_test(t, rival_claim);
    tcase_add_test(t, not_again);
    tcase_add_test(t, receipts);
    tcase_add_test(t, rules);
    tcase_add_test(t, inner_without_right);
    tcase_add_test(t, nested_and_bare);
    tcase_add_test(t, false_receipt);
    tcase_add_test(t, each_allocation);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
