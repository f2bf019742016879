/* What this is: a snapshot of which something was cut, swapped, lost or forged is refused, with the object named.
 * Rests on: snapshot_yard.h.
 * Does not: make the store fail; test_snapshot_faults.c does. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal/object_impl.h"
#include "unit/repo/snapshot_yard.h"

enum damage {
    FLIP_HEAD,
    FLIP_CHUNK,
    FLIP_TABLE,
    FLIP_TAIL,
    CUT_TAIL,
    CUT_HALF,
    GROWN,
    EMPTY,
    MISSING,
    SWAPPED,
    DAMAGES
};

static void damage_path(const struct rsp_ref *ref, char out[512], char name[NAME_MAX_BYTES])
{
    name_object(name, ref->kind, ref->epoch, ref->object);
    yard_path(&y, name, out);
}

static void damage(const struct rsp_record *r, size_t which, enum damage how)
{
    char path[512], other[512], third[540], name[NAME_MAX_BYTES];
    long size = (long)r->refs[which].stored;
    damage_path(&r->refs[which], path, name);
    switch (how) {
    case FLIP_HEAD: yard_flip(path, 40); break;
    case FLIP_CHUNK: yard_flip(path, 104 + 20); break;
    case FLIP_TABLE: yard_flip(path, size - 24 - 10); break;
    case FLIP_TAIL: yard_flip(path, size - 1); break;
    case CUT_TAIL: ck_assert_int_eq(truncate(path, size - 1), 0); break;
    case CUT_HALF: ck_assert_int_eq(truncate(path, size / 2), 0); break;
    case GROWN: ck_assert_int_eq(truncate(path, size + 1), 0); break;
    case EMPTY: ck_assert_int_eq(truncate(path, 0), 0); break;
    case MISSING: ck_assert_int_eq(unlink(path), 0); break;
    case SWAPPED:
        damage_path(&r->refs[which + 1], other, name);
        snprintf(third, sizeof third, "%s.x", path);
        ck_assert(!rename(path, third) && !rename(other, path) && !rename(third, other));
        break;
    default: ck_abort();
    }
}

/* Chunk by chunk around damage: every byte outside the damaged objects, each of which is told once. */
static void read_around(struct rsp_snapshot *s, const uint8_t *data, size_t n, enum damage how)
{
    struct rsp_chunk_info info;
    uint64_t at = 0, i = 0, bad = 0;
    uint8_t *out = malloc(n + 1);
    int rc;
    while ((rc = rsp_snapshot_chunk_info(s, 0, i, &info)) != RSP_END) {
        ck_assert_uint_eq(info.offset, at);
        if (rc) {
            ck_assert_int_eq(rc, RSP_EINTEGRITY);
            ck_assert_int_eq(y.error.code, rc);
            ck_assert_str_eq(y.error.subject, info.object);
            ck_assert_uint_eq(info.plain, 9000);
            ck_assert_int_eq(rsp_snapshot_chunk_read(s, 0, i, out), RSP_EINTEGRITY);
            bad++;
        } else if ((rc = rsp_snapshot_chunk_read(s, 0, i, out)) != RSP_OK) {
            ck_assert_int_eq(rc, RSP_EINTEGRITY);
            ck_assert_int_eq(y.error.code, rc);
            ck_assert_str_eq(y.error.subject, info.object);
            ck_assert_uint_eq(info.number, 0);
            ck_assert_int_eq(how, FLIP_CHUNK);
            bad++;
        } else {
            ck_assert_mem_eq(out, data + at, info.plain);
        }
        at += info.plain;
        i++;
    }
    ck_assert_uint_eq(at, n);
    ck_assert_uint_eq(bad, how == GROWN ? 0 : how == SWAPPED ? 2 : 1);
    ck_assert_uint_eq(i, how == GROWN || how == FLIP_CHUNK ? 34 : how == SWAPPED ? 30 : 32);
    /* back again: numbers stay, though the tables were put away */
    ck_assert_int_eq(rsp_snapshot_chunk_info(s, 0, 1, &info), RSP_OK);
    ck_assert_uint_eq(info.offset, 3000);
    free(out);
}

START_TEST(damaged_data)
{
    struct snap_options o = {.source = "web", .chunk = 4096, .used = 3000, .object = 9000};
    struct rsp_snapshot *s;
    struct rsp_record *r;
    struct rsp_log *log;
    char name[NAME_MAX_BYTES], path[512];
    size_t n = 100000;
    uint8_t *data = snap_data(n, 5);
    enum damage how = (enum damage)_i;
    r = snap_make(&o, data, n, &log);
    ck_assert_uint_eq(r->refs_n, 12);
    damage(r, 4, how);
    damage_path(&r->refs[4], path, name);
    s = opened(r); /* the manifest is whole */
    for (unsigned threads = 0; threads < 3; threads++) {
        int rc = read_from(s, 0, 0, threads, data, n);
        ck_assert_int_eq(rc, RSP_EINTEGRITY);
        ck_assert_str_eq(y.error.subject, name);
        /* from within it, bytes behind the signed size are nobody's: they are for whoever compares sizes */
        rc = read_from(s, 0, 4 * 9000 + 1, threads, data, n);
        ck_assert_int_eq(rc, how == GROWN ? RSP_END : RSP_EINTEGRITY);
    }
    ck_assert_int_eq(read_from(s, 0, 6 * 9000, 2, data, n), RSP_END);
    read_around(s, data, n, how);
    rsp_snapshot_free(s);
    rsp_log_free(log);
    free(data);
}
END_TEST

/* ---- resealed by one who may read ---- */

/* Noise is stored by zstd as it is, and so can be changed within its frame. */
static uint8_t *noise(size_t n)
{
    uint8_t *p = malloc(n + 1);
    uint64_t x = 77;
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        p[i] = (uint8_t)(x >> 56);
    }
    return p;
}

/* Changes the last byte of a chunk and seals it again: every size stays, the table too. at < 0: from the last. */
static void reseal(const struct object_run *run, size_t which, int at, char name[NAME_MAX_BYTES])
{
    const struct full_ref *ref = &run->refs[which];
    struct object_reader o;
    struct object_nonce nonce;
    char path[512];
    struct rsp_env e;
    uint32_t i;
    size_t n;
    uint8_t *c;
    FILE *f;
    env_init(&e, &y.env);
    ck_assert_int_eq(run_object_open(&e, run, which, 0, &o), RSP_OK);
    i = at < 0 ? o.chunks_n - 1 : (uint32_t)at;
    n = o.chunks[i].stored;
    c = malloc(n);
    nonce = object_chunk_nonce(i, i == o.chunks_n - 1);
    name_object(name, ref->kind, ref->epoch, ref->object);
    yard_path(&y, name, path);
    f = fopen(path, "r+");
    ck_assert(f && c);
    ck_assert_int_eq(fseek(f, (long)o.chunks[i].stored_offset, SEEK_SET), 0);
    ck_assert_uint_eq(fread(c, 1, n, f), n);
    ck_assert(object_open(o.head.suite, c, c, n, &nonce, o.object_key));
    c[n - TAG_BYTES - 1] ^= 1;
    object_seal(o.head.suite, c, c, n - TAG_BYTES, &nonce, o.object_key);
    ck_assert_int_eq(fseek(f, (long)o.chunks[i].stored_offset, SEEK_SET), 0);
    ck_assert_uint_eq(fwrite(c, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
    free(c);
    object_reader_close(&o);
}

static const struct {
    size_t n, chunk, used;
    uint64_t object;
    size_t which;
    int at;
} sealings[] = {
    {5000, 4096, 0, 0, 0, 0},         {100, 4096, 0, 0, 0, -1},           /* its only chunk */
    {100000, 4096, 3000, 9000, 0, 0},                                     /* small objects, opened whole */
    {100000, 4096, 3000, 9000, 4, 1}, {100000, 4096, 3000, 9000, 11, -1}, /* the last chunk of all */
    {700000, 65536, 0, 196608, 1, 2},                                     /* opened by their ends */
    {200000, 4096, 100, 0, 0, 700}, /* a table larger than what is guessed of an end */
    {9000000, 0, 0, 4 << 20, 1, 0},
};

/* How much is handed out before the fault. */
static uint64_t handed_out(struct rsp_snapshot *s, uint64_t from, unsigned threads, int *status)
{
    struct rsp_source *source = NULL;
    static uint8_t out[70001];
    uint64_t at = from;
    size_t got;
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_snapshot_source(s, 0, from, threads, &source), RSP_OK);
    while ((*status = rsp_source_read(source, out, sizeof out, &got)) == RSP_OK) at += got;
    rsp_source_free(source);
    return at;
}

START_TEST(resealed)
{
    struct snap_options o = {
        .source = "web", .chunk = sealings[_i].chunk, .used = sealings[_i].used, .object = sealings[_i].object};
    size_t n = sealings[_i].n;
    uint8_t *data = noise(n);
    struct rsp_log *log;
    struct rsp_record *r = snap_make(&o, data, n, &log);
    struct rsp_snapshot *s = opened(r);
    struct object_run run;
    char name[NAME_MAX_BYTES];
    snapshot_run(s, 0, &run);
    const struct full_ref *ref = &run.refs[sealings[_i].which];
    ck_assert_int_eq(read_from(s, 0, 0, 2, data, n), RSP_END);
    reseal(&run, sealings[_i].which, sealings[_i].at, name);
    for (unsigned threads = 0; threads < 4; threads++) {
        uint64_t froms[] = {0, ref->offset};
        int rc;
        for (size_t k = 0; k < 2; k++) {
            ck_assert_uint_lt(handed_out(s, froms[k], threads, &rc), ref->offset + ref->plain);
            ck_assert_int_eq(rc, RSP_EINTEGRITY);
            ck_assert_int_eq(y.error.code, rc);
            ck_assert_str_eq(y.error.subject, name);
            ck_assert_ptr_nonnull(strstr(y.error.message, "not those that were signed"));
        }
        /* what begins within it is only opened: its sum cannot be made */
        ck_assert_uint_eq(handed_out(s, ref->offset + 1, threads, &rc), n);
        ck_assert_int_eq(rc, RSP_END);
    }
    rsp_snapshot_free(s);
    rsp_log_free(log);
    free(data);
}
END_TEST

/* Proving looks at it too. */
START_TEST(resealed_before_the_commit)
{
    struct rsp_snapshot_options o = {
        .size = sizeof o, .source = "web", .chunk_bytes = 4096, .object_bytes = 9000, .threads = 2};
    struct rsp_snapshot_writer *w = NULL;
    struct rsp_stream_writer *s = NULL;
    uint8_t *data = noise(30000);
    char name[NAME_MAX_BYTES];
    ck_assert_int_eq(rsp_snapshot_begin(repo, &o, &w), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, "dump.rdb", RSP_STREAM_RDB, 0, 0, &s), RSP_OK);
    snap_feed(s, data, 30000, 3000, 0);
    ck_assert_int_eq(rsp_stream_end(s, NULL), RSP_OK);
    struct object_run run = {
        .store = y.store, .key = w->key, .lineage = y.lineage, .refs = s->refs, .refs_n = s->refs_n};
    reseal(&run, 2, 0, name);
    ck_assert_int_eq(rsp_snapshot_prove(w), RSP_EINTEGRITY);
    ck_assert_str_eq(y.error.subject, name);
    rsp_snapshot_writer_free(w);
    free(data);
}
END_TEST

START_TEST(damaged_manifest)
{
    struct snap_options o = {.source = "web"};
    struct rsp_log *log, *log2;
    struct rsp_record *a = snap_make(&o, (const uint8_t *)"abc", 3, &log);
    struct rsp_record *b = snap_make(&o, (const uint8_t *)"def", 3, &log2);
    char name[NAME_MAX_BYTES], path[512], other[512];
    damage_path(&b->manifest, other, name);
    damage_path(&a->manifest, path, name);
    for (long i = 0; i < (long)a->manifest.stored; i++) {
        yard_flip(path, i);
        ck_assert_int_eq(open_status(a), RSP_EINTEGRITY);
        ck_assert_str_eq(y.error.subject, name);
        yard_flip(path, i);
    }
    ck_assert_int_eq(open_status(a), RSP_OK);
    ck_assert_int_eq(truncate(path, 200), 0);
    ck_assert_int_eq(open_status(a), RSP_EINTEGRITY);
    ck_assert_int_eq(rename(other, path), 0); /* another snapshot's */
    ck_assert_int_eq(open_status(a), RSP_EINTEGRITY);
    ck_assert_str_eq(y.error.subject, name);
    ck_assert_int_eq(open_status(b), RSP_EINTEGRITY); /* missing */
    rsp_log_free(log);
    rsp_log_free(log2);
}
END_TEST

struct first_name {
    const char *prefix;
    char name[NAME_MAX_BYTES];
    unsigned n;
};

static int keep_name(void *opaque, const struct rsp_store_item *item)
{
    struct first_name *f = opaque;
    snprintf(f->name, sizeof f->name, "%s", item->name);
    f->n++;
    return RSP_OK;
}

START_TEST(damaged_envelope)
{
    struct snap_options o = {.source = "web"};
    struct rsp_log *log;
    struct rsp_record *r = snap_make(&o, (const uint8_t *)"abc", 3, &log);
    struct first_name f = {0};
    struct stat st;
    char path[512];
    ck_assert_int_eq(rsp_store_list(y.store, "keys/", keep_name, &f), RSP_OK);
    ck_assert_uint_eq(f.n, 1);
    yard_path(&y, f.name, path);
    ck_assert_int_eq(stat(path, &st), 0);
    for (long i = 0; i < st.st_size; i += 7) {
        int rc;
        yard_flip(path, i);
        rc = open_status(r);
        ck_assert(rc == RSP_EKEY || rc == RSP_EINTEGRITY);
        yard_flip(path, i);
    }
    ck_assert_int_eq(open_status(r), RSP_OK);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_ne(open_status(r), RSP_OK);
    rsp_log_free(log);
}
END_TEST

/* ---- forged by one who may write ---- */

enum forgery {
    HONEST,
    OTHER_SNAPSHOT,
    OTHER_SOURCE,
    NOT_REFERRED,
    OTHER_STORED,
    OTHER_EPOCH,
    OTHER_TABLE,
    OTHER_PLAIN,
    NO_MANIFEST,
    MANIFEST_EPOCH,
    MANIFEST_HUGE,
    FORGERIES
};

/* A manifest of r's own epoch that names r's first object as the forger likes; what it is to the commit goes to ref. */
static void forge_manifest(const struct rsp_record *r, const struct full_ref *full, enum forgery how,
                           struct rsp_ref *ref)
{
    struct object_head head = {.suite = SUITE_CHACHA, .codec = CODEC_ZSTD, .kind = OBJECT_MANIFEST};
    struct rsp_manifest m = {.size = sizeof m, .source = {(const uint8_t *)"web", 3}};
    struct rsp_stream_info info = {.name = {(const uint8_t *)"x", 1}, .kind = RSP_STREAM_RDB, .plain = full->plain};
    struct object_done done;
    struct buf stream, plain, sealed;
    struct rsp_env e;
    uint8_t *key = NULL;
    char name[NAME_MAX_BYTES];
    env_init(&e, &y.env);
    buf_init(&stream, &e);
    buf_init(&plain, &e);
    buf_init(&sealed, &e);
    if (how == OTHER_SOURCE) m.source.n = 2;
    memcpy(m.snapshot, r->snapshot, 16);
    m.snapshot[3] ^= how == OTHER_SNAPSHOT;
    ck_assert_int_eq(epoch_open(repo, r->epoch, r->commitment, 0, &key), RSP_OK);
    memcpy(head.lineage, y.lineage, 16);
    memcpy(head.epoch, r->epoch, 16);
    ck_assert_int_eq(random_bytes(&e, head.object, 16), RSP_OK);
    ck_assert_int_eq(manifest_stream_encode(&stream, &info, full, 1), RSP_OK);
    ck_assert_int_eq(manifest_encode(&plain, &m, &stream, 1), RSP_OK);
    ck_assert_int_eq(object_seal_small(&e, &head, key, (struct rsp_span){plain.p, plain.n}, &sealed, &done), RSP_OK);
    ref->kind = OBJECT_MANIFEST;
    memcpy(ref->epoch, r->epoch, 16);
    memcpy(ref->object, head.object, 16);
    memcpy(ref->sha256, done.sha256, 32);
    ref->stored = done.stored;
    name_object(name, OBJECT_MANIFEST, ref->epoch, ref->object);
    ck_assert_int_eq(rsp_store_put(y.store, name, sealed.p, sealed.n), RSP_OK);
    secret_free(key);
    buf_free(&stream);
    buf_free(&plain);
    buf_free(&sealed);
}

static int forgery_verdict(enum forgery how)
{
    switch (how) {
    case HONEST:
    case OTHER_TABLE:
    case OTHER_PLAIN: return RSP_OK; /* until the object is opened */
    case OTHER_EPOCH:
    case MANIFEST_EPOCH: return RSP_EVERSION;
    case MANIFEST_HUGE: return RSP_ELIMIT;
    default: return RSP_EINTEGRITY;
    }
}

START_TEST(forged)
{
    struct snap_options o = {.source = "web"};
    struct rsp_log *log;
    struct rsp_record *r = snap_make(&o, (const uint8_t *)"abc", 3, &log), draft = {0}, *made = NULL;
    struct rsp_snapshot *s = opened(r);
    struct full_ref full;
    struct rsp_ref refs[1];
    enum forgery how = (enum forgery)_i;
    size_t n;
    full = *manifest_refs(s->manifest, 0, &n);
    rsp_snapshot_free(s);
    refs[0] = r->refs[0];
    if (how == OTHER_STORED) full.stored++;
    if (how == OTHER_TABLE) full.table_hash[0] ^= 1;
    if (how == OTHER_PLAIN) full.plain++;
    if (how == NOT_REFERRED) refs[0].object[0] ^= 1;
    if (how == OTHER_EPOCH) full.epoch[0] ^= 1, refs[0].epoch[0] ^= 1;
    draft.kind = RSP_REC_COMMIT;
    memcpy(draft.source, y.source, 16);
    memcpy(draft.snapshot, r->snapshot, 16);
    memcpy(draft.epoch, r->epoch, 16);
    memcpy(draft.commitment, r->commitment, 32);
    draft.refs = refs;
    draft.refs_n = 1;
    forge_manifest(r, &full, how, &draft.manifest);
    if (how == NO_MANIFEST) draft.manifest.object[0] ^= 1;
    if (how == MANIFEST_EPOCH) draft.manifest.epoch[0] ^= 1;
    if (how == MANIFEST_HUGE) draft.manifest.stored = MANIFEST_MAX + 1;
    ck_assert_int_eq(rsp_record_publish(log, &draft, NULL, 0, &made), RSP_OK);
    ck_assert_int_eq(open_status(made), forgery_verdict(how));
    if (how != OTHER_TABLE && how != OTHER_PLAIN) goto out;
    s = opened(made);
    ck_assert_int_eq(read_from(s, 0, 0, 1, (const uint8_t *)"abcd", 4), RSP_EINTEGRITY);
    rsp_snapshot_free(s);
out:
    rsp_log_free(log);
}
END_TEST

/* Only a commit that was judged valid is opened. */
START_TEST(not_loaded)
{
    struct snap_options o = {.source = "web"};
    struct rsp_log *log;
    struct rsp_record *r = snap_make(&o, (const uint8_t *)"abc", 3, &log), other = *r;
    other.state = 0;
    ck_assert_int_eq(open_status(&other), RSP_EINVAL);
    other.state = RSP_RECORD_BROKEN;
    ck_assert_int_eq(open_status(&other), RSP_EINVAL);
    other.state = RSP_RECORD_LOADED;
    other.kind = RSP_REC_NOTE;
    ck_assert_int_eq(open_status(&other), RSP_EINVAL);
    rsp_log_free(log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot damage");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, damaged_data, 0, DAMAGES);
    tcase_add_loop_test(t, resealed, 0, sizeof sealings / sizeof *sealings);
    tcase_add_test(t, resealed_before_the_commit);
    tcase_add_test(t, damaged_manifest);
    tcase_add_test(t, damaged_envelope);
    tcase_add_loop_test(t, forged, 0, FORGERIES);
    tcase_add_test(t, not_loaded);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
