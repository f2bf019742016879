/* What this is: the reader over every sound file of tests/data: the same events whatever the source
 *   and its pace, every byte accounted for, headers, checksums, skipping, truncations, bytes behind.
 * Rests on: libcheck, rdb_drive.h, files in DATA.
 * Does not: say what a value holds; the expectations of tests/data do that. */
#include <check.h>
#undef fail

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#define MUST(condition)                                                               \
    do {                                                                              \
        if (!(condition)) ck_abort_msg("%s: %s does not hold", now_path, #condition); \
    } while (0)
static const char *now_path = "";

#include "rdb_drive.h"

struct file {
    char path[1024];
    uint8_t *p;
    size_t n;
};
static struct file files[512];
static size_t files_n;

static void load(const char *path)
{
    struct file *f = &files[files_n];
    struct stat st;
    FILE *in = fopen(path, "rb");
    MUST(in && !fstat(fileno(in), &st) && files_n < sizeof files / sizeof *files);
    snprintf(f->path, sizeof f->path, "%s", path);
    f->n = (size_t)st.st_size;
    f->p = malloc(f->n); /* exact, so that a sanitizer sees overreads */
    MUST(f->p && fread(f->p, 1, f->n, in) == f->n);
    fclose(in);
    if (f->n > 9 && (!memcmp(f->p, "REDIS", 5) || !memcmp(f->p, "VALKEY", 6))) files_n++;
    else free(f->p); /* compressed as a whole: not the reader's matter */
}

static void load_folder(const char *path)
{
    struct dirent *e;
    char name[1024];
    DIR *d = opendir(path);
    if (!d) return;
    while ((e = readdir(d))) {
        size_t n = strlen(e->d_name);
        if (n < 4 || strcmp(e->d_name + n - 4, ".rdb") != 0) continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        load(name);
    }
    closedir(d);
}

static void load_all(void)
{
    const char *data = getenv("DATA") ? getenv("DATA") : "tests/data";
    struct dirent *e;
    char name[512];
    DIR *d = opendir(data);
    if (!d) return;
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.' || !strcmp(e->d_name, "bad") || !strcmp(e->d_name, "make")) continue;
        snprintf(name, sizeof name, "%s/%s", data, e->d_name);
        load_folder(name);
    }
    closedir(d);
}

static const struct file *file_named(const char *name)
{
    for (size_t i = 0; i < files_n; i++)
        if (strstr(files[i].path, name)) return &files[i];
    ck_abort_msg("no %s", name);
    return NULL;
}

static struct rsp_source *memory(const void *p, size_t n)
{
    struct rsp_source *s;
    MUST(rsp_source_memory(NULL, p, n, &s) == RSP_OK);
    return s;
}

static uint64_t sum_of(const struct file *f, struct rsp_source *s, int depth, uint64_t *events)
{
    struct trace t;
    struct rsp_error error = {0};
    struct rsp_env env = {.size = sizeof env, .error = &error};
    int rc;
    now_path = f->path;
    MUST(s);
    rc = drive(&env, s, depth, &t, UINT64_MAX);
    if (rc)
        ck_abort_msg("%s: depth %d: %d %s (%llu)", f->path, depth, rc, error.message, (unsigned long long)error.offset);
    MUST(!error.code && t.events >= 2);
    rsp_source_free(s);
    *events = t.events;
    return t.crc;
}

START_TEST(there_are_files)
{
    ck_assert_uint_gt(files_n, 200);
}
END_TEST

START_TEST(any_source)
{
    static const size_t steps[] = {1, 7, 4096};
    for (size_t i = 0; i < files_n; i++) {
        const struct file *f = &files[i];
        for (int depth = RSP_RDB_RAW; depth <= RSP_RDB_LOGICAL; depth++) {
            struct rsp_source *s;
            uint64_t events, others, want = sum_of(f, memory(f->p, f->n), depth, &events);
            MUST(rsp_source_file(NULL, f->path, &s) == RSP_OK);
            MUST(sum_of(f, s, depth, &others) == want && others == events);
            MUST(rsp_source_mmap(NULL, f->path, &s) == RSP_OK);
            MUST(sum_of(f, s, depth, &others) == want && others == events);
            for (size_t k = f->n > 200000; k < 3; k++) {
                struct drip d = {f->p, f->n, 0, steps[k], 0, 0, 0};
                MUST(sum_of(f, drip_source(NULL, &d), depth, &others) == want && others == events);
            }
        }
    }
}
END_TEST

START_TEST(again_before_every_byte)
{
    for (size_t i = 0; i < files_n; i++) {
        const struct file *f = &files[i];
        if (f->n > 300000) continue;
        for (int depth = RSP_RDB_RAW; depth <= RSP_RDB_LOGICAL; depth++) {
            uint64_t events, others, want = sum_of(f, memory(f->p, f->n), depth, &events);
            struct drip d = {f->p, f->n, 0, f->n > 20000 ? 97 : 1, 1, 0, 0};
            MUST(sum_of(f, drip_source(NULL, &d), depth, &others) == want);
        }
    }
}
END_TEST

/* A socket stays open behind the file: the end is seen all the same. */
START_TEST(open_end)
{
    for (size_t i = 0; i < files_n; i++) {
        const struct file *f = &files[i];
        struct trace t;
        for (int depth = RSP_RDB_RAW; depth <= RSP_RDB_LOGICAL; depth++) {
            struct drip d = {f->p, f->n, 0, 5000, i % 2 != 0, 0, 1};
            struct rsp_source *s = drip_source(NULL, &d);
            now_path = f->path;
            MUST(drive(NULL, s, depth, &t, 100 * f->n) == RSP_OK);
            rsp_source_free(s);
        }
    }
}
END_TEST

/* RSP_AGAIN leaves the event, the offset and everything else alone. */
START_TEST(again_changes_nothing)
{
    const struct file *f = file_named("hand/hashes.rdb");
    struct drip d = {f->p, f->n, 0, 1, 1, 0, 0};
    struct rsp_source *s = drip_source(NULL, &d);
    struct rsp_rdb_reader *r;
    struct rsp_rdb_event e = {.size = sizeof e}, before;
    uint64_t agains = 0;
    int rc;
    now_path = f->path;
    MUST(rsp_rdb_reader_new(NULL, s, RSP_RDB_LOGICAL, &r) == RSP_OK);
    do {
        uint64_t at = rsp_rdb_offset(r);
        memset(&before, 0x5a, sizeof before);
        before.size = sizeof before;
        e = before;
        rc = rsp_rdb_next(r, &e);
        if (rc != RSP_AGAIN) continue;
        agains++;
        MUST(!memcmp(&before, &e, sizeof e) && rsp_rdb_offset(r) == at);
    } while (rc == RSP_OK || rc == RSP_AGAIN);
    MUST(rc == RSP_END && agains > f->n / 2);
    rsp_rdb_reader_free(r);
    rsp_source_free(s);
    /* freed in the middle of waiting */
    for (size_t stop = 1; stop < 60; stop++) {
        d.at = 0;
        s = drip_source(NULL, &d);
        MUST(rsp_rdb_reader_new(NULL, s, RSP_RDB_RAW, &r) == RSP_OK);
        for (size_t k = 0; k < stop; k++) MUST(rsp_rdb_next(r, &e) >= 0);
        rsp_rdb_reader_free(r);
        rsp_source_free(s);
    }
}
END_TEST

static void take(const struct file *f, uint64_t *at, struct rsp_span s)
{
    MUST(s.n <= f->n - *at && !memcmp(f->p + *at, s.p, s.n));
    *at += s.n;
}

/* RAW: the bytes handed out, one behind the other, are the file. */
START_TEST(raw_is_the_file)
{
    for (size_t i = 0; i < files_n; i++) {
        const struct file *f = &files[i];
        struct rsp_source *s = memory(f->p, f->n);
        struct rsp_rdb_reader *r;
        struct rsp_rdb_event e = {.size = sizeof e};
        uint64_t at = 0;
        int rc;
        now_path = f->path;
        MUST(rsp_rdb_reader_new(NULL, s, RSP_RDB_RAW, &r) == RSP_OK);
        while ((rc = rsp_rdb_next(r, &e)) == RSP_OK) {
            MUST(e.offset == at);
            switch (e.kind) {
            case RSP_RDB_HEADER: at = 9; break;
            case RSP_RDB_VALUE: take(f, &at, e.value); break;
            case RSP_RDB_EOF: at += f->p[8] >= '5' || f->p[7] != '0' ? 9u : 1u; break;
            default: take(f, &at, e.raw);
            }
            if (e.meta.n) MUST(e.meta.p >= e.raw.p && e.meta.p + e.meta.n < e.raw.p + e.raw.n && e.meta.p[0] == 0xf3);
            MUST(rsp_rdb_offset(r) == at || e.kind == RSP_RDB_KEY);
        }
        MUST(rc == RSP_END && at == f->n && rsp_rdb_offset(r) == at);
        rsp_rdb_reader_free(r);
        rsp_source_free(s);
    }
}
END_TEST

/* Passing over values, at once or after some of their events, leaves all other events as they are. */
START_TEST(skipping)
{
    for (size_t i = 0; i < files_n; i++) {
        const struct file *f = &files[i];
        uint64_t want = 0;
        now_path = f->path;
        for (int round = 0; round < 9; round++) {
            int depth = round % 3, after = round / 3 - 1; /* -1: never */
            struct rsp_source *s = memory(f->p, f->n);
            struct rsp_rdb_reader *r;
            struct rsp_rdb_event e = {.size = sizeof e};
            struct trace t = {0};
            int rc, seen = 0;
            MUST(rsp_rdb_reader_new(NULL, s, (enum rsp_rdb_depth)depth, &r) == RSP_OK);
            while ((rc = rsp_rdb_next(r, &e)) == RSP_OK) {
                int inside = e.kind >= RSP_RDB_VALUE && e.kind <= RSP_RDB_KEY_END;
                if (!inside) {
                    sum_event(&t, &e);
                    seen = 0;
                }
                if (after == 0) MUST(!inside);
                if ((e.kind == RSP_RDB_KEY || inside) && seen++ == after) MUST(rsp_rdb_skip(r) == RSP_OK);
            }
            MUST(rc == RSP_END);
            if (!round) want = trace_end(&t);
            else MUST(trace_end(&t) == want);
            rsp_rdb_reader_free(r);
            rsp_source_free(s);
        }
    }
}
END_TEST

START_TEST(header_and_end)
{
    for (size_t i = 0; i < files_n; i++) {
        const struct file *f = &files[i];
        struct rsp_source *s = memory(f->p, f->n);
        struct rsp_rdb_reader *r;
        struct rsp_rdb_event e = {.size = sizeof e};
        struct rsp_span rest;
        char digits[5] = "";
        unsigned version;
        uint64_t stored = 0;
        int rc, valkey = f->p[0] == 'V';
        now_path = f->path;
        memcpy(digits, f->p + (valkey ? 6 : 5), valkey ? 3 : 4);
        version = (unsigned)atoi(digits);
        MUST(rsp_rdb_reader_new(NULL, s, RSP_RDB_RAW, &r) == RSP_OK);
        MUST(rsp_rdb_rest(r, &rest) == RSP_ESTATE);
        MUST(rsp_rdb_next(r, &e) == RSP_OK && e.kind == RSP_RDB_HEADER);
        MUST(e.number == version && e.dialect == (valkey ? RSP_RDB_VALKEY : RSP_RDB_REDIS));
        while ((rc = rsp_rdb_next(r, &e)) == RSP_OK && e.kind != RSP_RDB_EOF) MUST(e.kind != RSP_RDB_HEADER);
        MUST(rc == RSP_OK && e.dialect == (valkey ? RSP_RDB_VALKEY : RSP_RDB_REDIS));
        if (version >= 5) {
            for (int k = 8; k; k--) stored = stored << 8 | f->p[f->n - 9 + (size_t)k];
            MUST(e.offset == f->n - 9 && e.number == stored);
            MUST(e.number2 == crc64(0, f->p, f->n - 8));
            MUST(e.number3 == (stored ? RSP_RDB_CRC_OK : RSP_RDB_CRC_DISABLED));
        } else {
            MUST(e.offset == f->n - 1 && e.number3 == RSP_RDB_CRC_NONE);
        }
        MUST(rsp_rdb_rest(r, &rest) == RSP_OK && !rest.n);
        rsp_rdb_reader_free(r);
        rsp_source_free(s);
    }
}
END_TEST

START_TEST(wrong_checksum)
{
    const struct file *f = file_named("hand/strings.rdb");
    uint8_t *p = malloc(f->n);
    struct rsp_rdb_reader *r;
    struct rsp_rdb_event e = {.size = sizeof e};
    struct rsp_source *s;
    memcpy(p, f->p, f->n);
    p[f->n - 1] ^= 1;
    s = memory(p, f->n);
    MUST(rsp_rdb_reader_new(NULL, s, RSP_RDB_RAW, &r) == RSP_OK);
    while (rsp_rdb_next(r, &e) == RSP_OK) {}
    MUST(e.kind == RSP_RDB_EOF && e.number3 == RSP_RDB_CRC_WRONG && e.number != e.number2);
    rsp_rdb_reader_free(r);
    rsp_source_free(s);
    free(p);
}
END_TEST

/* An AOF whose base is an RDB: what was drawn from the source behind the file is not lost. */
START_TEST(bytes_behind)
{
    static const size_t tails[] = {1, 15, 4095, 4096, 4097, 100000, 1500000};
    static const size_t steps[] = {1, 1000, 1 << 20};
    const struct file *f = file_named("hand/lists.rdb");
    uint8_t *p = malloc(f->n + 1500000), *got = malloc(1500001);
    memcpy(p, f->p, f->n);
    for (size_t i = 0; i < 1500000; i++) p[f->n + i] = (uint8_t)(i * 7919 >> 3);
    for (size_t i = 0; i < 21; i++) {
        size_t tail = tails[i / 3], k = 0, n = 0;
        struct drip d = {p, f->n + tail, 0, steps[i % 3], 0, 0, 0};
        struct rsp_source *s = drip_source(NULL, &d);
        struct rsp_rdb_reader *r;
        struct rsp_rdb_event e = {.size = sizeof e};
        struct rsp_span rest;
        int rc;
        MUST(rsp_rdb_reader_new(NULL, s, RSP_RDB_RAW, &r) == RSP_OK);
        while ((rc = rsp_rdb_next(r, &e)) == RSP_OK) {}
        MUST(rc == RSP_END && rsp_rdb_offset(r) == f->n);
        MUST(rsp_rdb_rest(r, &rest) == RSP_OK && rest.n <= tail);
        if (rest.n) memcpy(got, rest.p, rest.n);
        n = rest.n;
        while ((rc = rsp_source_read(s, got + n, 1500001 - n, &k)) == RSP_OK) n += k;
        MUST(n == tail && !memcmp(got, p + f->n, tail));
        rsp_rdb_reader_free(r);
        rsp_source_free(s);
        s = memory(p, f->n + tail);
        MUST(rsp_rdb_reader_new(NULL, s, RSP_RDB_RAW, &r) == RSP_OK);
        while ((rc = rsp_rdb_next(r, &e)) == RSP_OK) {}
        MUST(rsp_rdb_rest(r, &rest) == RSP_OK && rest.n == tail && !memcmp(rest.p, p + f->n, tail));
        rsp_rdb_reader_free(r);
        rsp_source_free(s);
    }
    free(p);
    free(got);
}
END_TEST

/* A file that ends too early: the fault stands at its size, whatever the source. */
START_TEST(truncations)
{
    static const char *const names[] = {"hand/hashes.rdb",    "hand/stream5.rdb",         "hand/modules.rdb",
                                        "hand/templates.rdb", "hand/key-meta.rdb",        "hand/functions.rdb",
                                        "hand/slot-info.rdb", "hand/valkey81-update.rdb", "hand/rdb1-plain.rdb",
                                        "hand/arrays.rdb"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct file *f = file_named(names[i]);
        size_t step = f->n / 1500 + 1;
        now_path = f->path;
        for (size_t n = 0; n < f->n; n += step) {
            struct drip d = {f->p, n, 0, 64, n & 1, 0, 0};
            for (int k = 0; k < 2; k++) {
                struct rsp_error error = {0};
                struct rsp_env env = {.size = sizeof env, .error = &error};
                uint8_t *exact = malloc(n ? n : 1);
                struct rsp_source *s;
                struct trace t;
                memcpy(exact, f->p, n);
                s = k ? drip_source(NULL, &d) : memory(exact, n);
                MUST(drive(&env, s, RSP_RDB_RAW, &t, UINT64_MAX) == RSP_ETRUNCATED);
                MUST(error.code == RSP_ETRUNCATED && error.has_offset && error.offset == n && error.message[0]);
                rsp_source_free(s);
                free(exact);
            }
        }
    }
}
END_TEST

static int open_text(const char *text, size_t n, struct rsp_error *error)
{
    struct rsp_env env = {.size = sizeof env, .error = error};
    struct rsp_source *s = memory(text, n);
    struct trace t;
    int rc;
    memset(error, 0, sizeof *error);
    rc = drive(&env, s, RSP_RDB_LOGICAL, &t, UINT64_MAX);
    rsp_source_free(s);
    return rc;
}

START_TEST(headers_refused)
{
    struct rsp_error e;
    now_path = "headers";
    MUST(open_text("REDIS0016\xff", 10, &e) == RSP_EVERSION && e.offset == 0);
    MUST(open_text("REDIS0000\xff", 10, &e) == RSP_EVERSION);
    MUST(open_text("REDIS0080\xff", 10, &e) == RSP_EVERSION);
    MUST(open_text("VALKEY079\xff", 10, &e) == RSP_EVERSION);
    MUST(open_text("VALKEY082\xff", 10, &e) == RSP_EVERSION);
    MUST(open_text("VALKEY011\xff", 10, &e) == RSP_EVERSION);
    MUST(open_text("REDIX0009\xff", 10, &e) == RSP_EFORMAT);
    MUST(open_text("REDIS00a9\xff", 10, &e) == RSP_EFORMAT);
    MUST(open_text("*1\r\n", 4, &e) == RSP_EFORMAT);
    MUST(open_text("REDIS000", 8, &e) == RSP_ETRUNCATED && e.offset == 8);
    MUST(open_text("REDIS0001\xff", 10, &e) == RSP_OK);
    MUST(open_text("REDIS0003\x06\x01k\x01v\xff", 15, &e) == RSP_EUNSUPPORTED && e.offset == 9);
    MUST(open_text("REDIS0003\xf1\x01k\x01v\xff", 15, &e) == RSP_EUNSUPPORTED && e.offset == 9);
    MUST(open_text("REDIS0003\0\x01k\x90v\xff", 15, &e) == RSP_EFORMAT && e.offset == 12);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rdb reader");
    TCase *c = tcase_create("reader");
    tcase_set_timeout(c, 240);
    tcase_add_test(c, there_are_files);
    tcase_add_test(c, any_source);
    tcase_add_test(c, again_before_every_byte);
    tcase_add_test(c, open_end);
    tcase_add_test(c, again_changes_nothing);
    tcase_add_test(c, raw_is_the_file);
    tcase_add_test(c, skipping);
    tcase_add_test(c, header_and_end);
    tcase_add_test(c, wrong_checksum);
    tcase_add_test(c, bytes_behind);
    tcase_add_test(c, truncations);
    tcase_add_test(c, headers_refused);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    SRunner *r;
    int failed;
    load_all();
    r = srunner_create(suite());
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    for (size_t i = 0; i < files_n; i++) free(files[i].p);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
