/* What this is: tests of snapshots of several streams once they are there: copied, sealed anew, repaired from a mirror, pruned
 *   at both ends; what a dropped stream left is none of theirs.
 * Rests on: copy_yard.h, repo/log_impl.h.
 * Does not: write several at once (test_streams.c). */
#include "copy_yard.h"

#include "repo/log_impl.h"
#include "repo/snapshot_impl.h"

#define STREAMS 3
#define CHUNK 4096u
#define OBJECTS 5 /* of a stream: of 9000 bytes, so two chunks, each */

static uint8_t bytes[STREAMS][40000];
static uint8_t hash[32], epoch[16];

static const char *const names[STREAMS] = {"shard-0-5460.rdb", "shard-5461-10922.rdb", "shard-10923-16383.rdb"};

static struct rsp_stream_info facts_of(size_t i)
{
    struct rsp_stream_info s = {.records = 10 + i, .has_dd1 = 1, .has_offset = 1, .offset = 1000 * i, .db = 0};
    static const char *const slots[STREAMS] = {"0-5460", "5461-10922", "10923-16383"};
    static const char *const places[STREAMS] = {"10.0.0.1:7000", "10.0.0.2:7000", "[fe80::3]:7000"};
    static const char *const nodes[STREAMS] = {"aaaa", "bbbb", "cccc"};
    s.slots = (struct rsp_span){(const uint8_t *)slots[i], strlen(slots[i])};
    s.place = (struct rsp_span){(const uint8_t *)places[i], strlen(places[i])};
    s.node = (struct rsp_span){(const uint8_t *)nodes[i], strlen(nodes[i])};
    s.taken_ms = 1700000000000 + i;
    memset(s.dd1, 0xd0 + (int)i, sizeof s.dd1);
    return s;
}

/* Chunk k of the stream, with a note that says so. */
static void feed(struct rsp_stream_writer *s, size_t stream, size_t k)
{
    uint8_t *chunk = NULL, note[2] = {(uint8_t)stream, (uint8_t)k};
    size_t cap = 0, at = k * CHUNK, n = sizeof bytes[0] - at < CHUNK ? sizeof bytes[0] - at : CHUNK;
    ck_assert_int_eq(rsp_stream_chunk(s, &chunk, &cap), RSP_OK);
    memcpy(chunk, bytes[stream] + at, n);
    ck_assert_int_eq(rsp_stream_submit(s, chunk, n, note, sizeof note), RSP_OK);
}

/* Chunks of the three in turn; the second is dropped on its way and begun anew, so it is the last. */
static void sharded(void)
{
    struct rsp_snapshot_options o = {
        .size = sizeof o, .source = "shards", .threads = 1, .chunk_bytes = CHUNK, .object_bytes = 9000};
    struct rsp_commit_facts cf = {.size = sizeof cf, .flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL, .keys = 33};
    struct rsp_manifest m = {.size = sizeof m};
    struct opened a;
    struct rsp_snapshot_writer *w = NULL;
    struct rsp_stream_writer *s[STREAMS];
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    setup();
    y.now_ms += YARD_DAY;
    a = open_by(&y, y.host);
    ck_assert_int_eq(rsp_snapshot_begin(a.repo, &o, &w), RSP_OK);
    for (size_t i = 0; i < STREAMS; i++) {
        y.env.random(&y, bytes[i], sizeof bytes[i]);
        ck_assert_int_eq(rsp_snapshot_stream(w, NULL, names[i], RSP_STREAM_RDB, 0, 0, &s[i]), RSP_OK);
    }
    for (size_t k = 0; k < 6; k++) feed(s[1], 1, k);
    rsp_stream_drop(s[1]);
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, names[1], RSP_STREAM_RDB, 0, 0, &s[1]), RSP_OK);
    for (size_t k = 0; k * CHUNK < sizeof bytes[0]; k++)
        for (size_t i = 0; i < STREAMS; i++) feed(s[i], i, k);
    for (size_t i = 0; i < STREAMS; i++) {
        struct rsp_stream_info info = facts_of(i);
        ck_assert_int_eq(rsp_stream_end(s[i], &info), RSP_OK);
    }
    ck_assert_msg(rsp_snapshot_commit(w, &m, &cf, &log, &r) == RSP_OK, "%s", y.error.message);
    ck_assert_uint_eq(r->refs_n, STREAMS * OBJECTS);
    memcpy(hash, r->hash, 32);
    memcpy(epoch, r->epoch, 16);
    rsp_log_free(log);
    rsp_snapshot_writer_free(w);
    close_one(&a);
    z.now_ms = y.now_ms;
}

static int same(struct rsp_span a, struct rsp_span b)
{
    return a.n == b.n && !memcmp(a.p, b.p, a.n);
}

/* Every stream with its facts, its chunks' notes and its bytes. */
static void same_streams(struct rsp_repo *of, const struct rsp_record *r)
{
    static const size_t order[STREAMS] = {0, 2, 1};
    struct rsp_snapshot *s = NULL;
    const struct rsp_manifest *m;
    ck_assert_msg(rsp_snapshot_open(of, r, &s) == RSP_OK, "%s", y.error.message);
    m = rsp_snapshot_manifest(s);
    ck_assert_uint_eq(m->streams_n, STREAMS);
    for (size_t i = 0; i < STREAMS; i++) {
        const struct rsp_stream_info *is = &m->streams[i], want = facts_of(order[i]);
        struct rsp_chunk_info info;
        uint8_t out[CHUNK];
        size_t at = 0;
        ck_assert(is->name.n == strlen(names[order[i]]) && !memcmp(is->name.p, names[order[i]], is->name.n));
        ck_assert(same(is->slots, want.slots) && same(is->place, want.place) && same(is->node, want.node));
        ck_assert(is->taken_ms == want.taken_ms && is->records == want.records && is->offset == want.offset);
        ck_assert_mem_eq(is->dd1, want.dd1, 16);
        ck_assert_uint_eq(is->plain, sizeof bytes[0]);
        for (uint64_t k = 0; rsp_snapshot_chunk_info(s, i, k, &info) == RSP_OK; k++) {
            ck_assert(info.note.n == 2 && info.note.p[0] == order[i] && info.note.p[1] == k);
            ck_assert_uint_le(info.plain, sizeof out);
            ck_assert_int_eq(rsp_snapshot_chunk_read(s, i, k, out), RSP_OK);
            ck_assert_mem_eq(out, bytes[order[i]] + at, (size_t)info.plain);
            at += (size_t)info.plain;
        }
        ck_assert_uint_eq(at, sizeof bytes[0]);
    }
    rsp_snapshot_free(s);
}

static void same_in(struct yard *of, const uint8_t commit[32])
{
    struct opened o = open_by(of, y.reader);
    struct rsp_record *r = rsp_log_by_hash(o.log, commit);
    ck_assert_ptr_nonnull(r);
    same_streams(o.repo, r);
    close_one(&o);
}

static size_t count_of(const struct yard *of)
{
    char(*all)[256], prefix[64], hex[33];
    size_t n = yard_names(of, &all), found = 0;
    hex_text(hex, epoch, 16);
    snprintf(prefix, sizeof prefix, "data/%s/", hex);
    for (size_t i = 0; i < n; i++) found += !strncmp(all[i], prefix, strlen(prefix));
    free(all);
    return found;
}

/* The commit in z that carries ours. */
static void hash_in_z(uint8_t out[32])
{
    struct opened o = open_by(&z, y.reader);
    struct rsp_record *r = NULL;
    ck_assert_int_eq(rsp_log_find(o.log, "latest", NULL, &r), RSP_OK);
    ck_assert_mem_eq(r->origin_hash, hash, 32);
    memcpy(out, r->hash, 32);
    close_one(&o);
}

START_TEST(copied)
{
    struct rsp_copy_report r;
    uint8_t there[32];
    same_in(&y, hash);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 4);
    ck_assert_uint_gt(count_of(&y), STREAMS * OBJECTS);
    ck_assert_uint_eq(count_of(&z), STREAMS * OBJECTS); /* what was dropped does not go along */
    hash_in_z(there);
    same_in(&z, there);
    sound_in(&z, 4);
}
END_TEST

/* One damaged object of one stream: the snapshot is not copied, the others are. */
START_TEST(damaged_here)
{
    struct opened a = open_by(&y, y.reader);
    const struct rsp_record *was = rsp_log_by_hash(a.log, hash);
    struct rsp_copy_report r;
    char name[NAME_MAX_BYTES], path[512];
    name_object(name, OBJECT_DATA, epoch, was->refs[(size_t)_i * OBJECTS + 2].object);
    close_one(&a);
    yard_path(&y, name, path);
    yard_flip(path, 300);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 3);
    ck_assert_uint_eq(r.failed, 1);
    sound_in(&z, 3);
}
END_TEST

START_TEST(sealed_anew)
{
    struct rsp_rekey_options o = {.size = sizeof o, .threads = 1};
    struct yard other;
    struct opened a = open_by(&y, y.reader);
    struct rsp_repo *repo = NULL;
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    uint8_t made_there[32];
    yard_open_seeded(&other, 99);
    ck_assert_int_eq(yard_repo(&other, 0, &other.host, 1, &repo), RSP_OK);
    ck_assert_int_eq(rsp_rekey(a.repo, rsp_log_by_hash(a.log, hash), repo, &o, &log, &r), RSP_OK);
    ck_assert(r->keys == 33 && r->plain == sizeof bytes);
    memcpy(made_there, r->hash, 32);
    rsp_log_free(log);
    rsp_repo_free(repo);
    close_one(&a);
    a = open_by(&other, other.reader);
    same_streams(a.repo, rsp_log_by_hash(a.log, made_there));
    close_one(&a);
    yard_close(&other);
}
END_TEST

static size_t repaired;
static void on_object(void *opaque, const char *name, int status, const char *words)
{
    (void)opaque, (void)name, (void)words;
    ck_assert_int_eq(status, RSP_OK);
    repaired++;
}

/* One object of each stream, each harmed in another way. */
START_TEST(repaired_from_the_mirror)
{
    struct rsp_repair_options o = {.size = sizeof o, .told = on_object};
    struct rsp_repair_report report = {.size = sizeof report};
    struct rsp_copy_report r;
    struct opened a;
    copy_all(&r);
    a = open_by(&y, y.reader);
    for (size_t i = 0; i < STREAMS; i++) {
        char name[NAME_MAX_BYTES], path[512];
        name_object(name, OBJECT_DATA, epoch, rsp_log_by_hash(a.log, hash)->refs[i * OBJECTS + i].object);
        yard_path(&y, name, path);
        if (i == 0) yard_flip(path, 300);
        else if (i == 1) ck_assert_int_eq(truncate(path, 100), 0);
        else ck_assert_int_eq(unlink(path), 0);
    }
    close_one(&a);
    repaired = 0;
    a = open_by(&y, y.keeper);
    ck_assert_int_eq(rsp_repair(a.log, z.store, &o, &report), RSP_OK);
    close_one(&a);
    ck_assert_uint_eq(repaired, STREAMS);
    ck_assert_uint_eq(report.repaired, STREAMS);
    same_in(&y, hash);
    sound_in(&y, 4);
}
END_TEST

/* What the host retires and a keeper prunes is remembered by a gone record: a copy does not bring it back. */
START_TEST(gone)
{
    struct rsp_prune_options o = {.size = sizeof o};
    struct rsp_prune_report report = {.size = sizeof report};
    struct rsp_copy_report r;
    struct rsp_record draft;
    struct opened a;
    uint8_t there[1][32];
    copy_all(&r);
    hash_in_z(there[0]);
    a = open_by(&z, y.keeper);
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_RETIRE;
    memcpy(draft.source, rsp_log_by_hash(a.log, there[0])->source, 16);
    draft.hashes = there;
    draft.hashes_n = 1;
    y.now_ms += 1000;
    ck_assert_int_eq(rsp_record_publish(a.log, &draft, NULL, 0, NULL), RSP_OK);
    close_one(&a);
    a = open_by(&z, y.keeper);
    ck_assert_int_eq(rsp_prune(a.log, &o, &report), RSP_OK);
    close_one(&a);
    /* it was the last good one of its source: it stays until there is another */
    ck_assert_uint_eq(report.commits, 0);
    ck_assert_uint_eq(count_of(&z), STREAMS * OBJECTS);
    a = open_by(&z, y.host);
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_COMMIT;
    memcpy(draft.source, rsp_log_by_hash(a.log, there[0])->source, 16);
    memset(draft.snapshot, 7, 16);
    memset(draft.epoch, 7, 16);
    draft.manifest.kind = REF_MANIFEST;
    memset(draft.manifest.epoch, 7, 16);
    draft.flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL;
    ck_assert_msg(rsp_record_publish(a.log, &draft, NULL, 0, NULL) == RSP_OK, "%s", y.error.message);
    close_one(&a);
    a = open_by(&z, y.keeper);
    ck_assert_int_eq(rsp_prune(a.log, &o, &report), RSP_OK);
    close_one(&a);
    ck_assert_uint_eq(report.commits, 1);
    ck_assert_uint_eq(count_of(&z), 0);
    copy_all(&r);
    ck_assert_uint_eq(r.went, 1);
    ck_assert_uint_eq(r.made, 0);
    ck_assert_uint_eq(count_of(&z), 0);
    same_in(&y, hash);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("streams kept");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, sharded, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, copied);
    tcase_add_loop_test(t, damaged_here, 0, STREAMS);
    tcase_add_test(t, sealed_anew);
    tcase_add_test(t, repaired_from_the_mirror);
    tcase_add_test(t, gone);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
