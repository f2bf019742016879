/* What this is: dd1 is the same whoever walks the values: the check, the workers of a run, or one element after the
 *   other by the definition's own functions.
 * Rests on: file_test.h, sys/check.h, sys/digest.h; tests/data.
 * Does not: pin the digest: test_digest.c does. */
#include <ftw.h>

#include <respite/sys/check.h>
#include <respite/sys/digest.h>

#include "file_test.h"

struct sums {
    struct rsp_dd1_sum with, without;
    uint64_t keys, broken;
    int status;
};

static void sums_of_table(struct rsp_dd1_table *t, struct sums *s)
{
    const struct rsp_dd1_row *row = rsp_dd1_table_total(t);
    struct rsp_dd1_row groups = {0, 0, {0, 0}, {0, 0}};
    for (unsigned g = 0; g < RSP_DD1_GROUPS; g++) {
        rsp_dd1_add(&groups.with_expiry, &rsp_dd1_table_group(t, g)->with_expiry);
        groups.keys += rsp_dd1_table_group(t, g)->keys;
    }
    MUST(groups.keys == row->keys && groups.with_expiry.lo == row->with_expiry.lo);
    s->with = row->with_expiry;
    s->without = row->without;
    s->keys = row->keys;
    s->broken = rsp_dd1_table_broken(t, NULL);
}

static struct sums by_check(const struct file *f)
{
    struct rsp_check_options o = {.size = sizeof o, .digest = 1, .run = {.size = sizeof o.run, .threads = 1}};
    struct rsp_check_report r = {.size = sizeof r};
    struct rsp_source *source = NULL;
    struct sums s;
    memset(&s, 0, sizeof s);
    MUST(rsp_source_memory(NULL, f->p, f->n, &source) == RSP_OK);
    MUST(rsp_dd1_table_new(NULL, &o.dd1) == RSP_OK);
    s.status = rsp_check_file(NULL, source, &o, &r);
    sums_of_table(o.dd1, &s);
    rsp_dd1_table_free(o.dd1);
    rsp_source_free(source);
    return s;
}

/* One record, whose parts come one after the other. */
struct record {
    struct rsp_rdb_value *value;
    struct rsp_dd1 *dd1;
    struct rsp_dd1_value v;
    struct rsp_scratch key;
    int64_t expire_ms;
    int bad;
};

static void plain_item(struct record *x, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, struct sums *s)
{
    struct rsp_rdb_element e = {.size = sizeof e};
    struct rsp_dd1_sum with, without;
    struct rsp_span key;
    int rc = RSP_OK;
    if (i->flags & RSP_ITEM_FIRST) {
        rsp_rdb_value_open(x->value, b, i);
        rsp_dd1_begin(x->dd1);
        MUST(rsp_dd1_take(x->dd1, &x->v) == RSP_OK);
        x->expire_ms = i->expire_ms;
        x->bad = 0;
    } else {
        rsp_rdb_value_continue(x->value, b, i);
    }
    while (!x->bad && !(rc = rsp_rdb_value_next(x->value, &e))) MUST(rsp_dd1_element(x->dd1, &e) == RSP_OK);
    if (rc < 0) x->bad = 1;
    if (!(i->flags & RSP_ITEM_LAST)) return;
    if (!x->bad && rsp_rdb_batch_key(NULL, b, i, &x->key, &key)) x->bad = 1;
    if (x->bad) {
        s->broken++;
        return;
    }
    MUST(rsp_dd1_take(x->dd1, &x->v) == RSP_OK);
    rsp_dd1_record(&x->v, rsp_rdb_value_type(b->dialect, i->type), key, x->expire_ms, &with, &without);
    rsp_dd1_add(&s->with, &with);
    rsp_dd1_add(&s->without, &without);
    s->keys++;
}

/* From one feed: plainly into *plain, by a worker into *run. */
static void by_feed(const struct file *f, size_t block_bytes, struct sums *plain, struct sums *run)
{
    struct rsp_rdb_feed_options o = {.size = sizeof o, .block_bytes = block_bytes};
    struct rsp_rdb_feed *feed = NULL;
    struct rsp_source *source = NULL;
    struct rsp_dd1_table *table = NULL;
    struct rsp_dd1_worker *worker = NULL;
    struct rsp_rdb_batch *batch = NULL;
    struct record x;
    memset(plain, 0, sizeof *plain);
    memset(run, 0, sizeof *run);
    memset(&x, 0, sizeof x);
    MUST(rsp_source_memory(NULL, f->p, f->n, &source) == RSP_OK);
    MUST(rsp_rdb_feed_new(NULL, source, &o, &feed) == RSP_OK);
    MUST(rsp_dd1_table_new(NULL, &table) == RSP_OK);
    MUST(rsp_dd1_worker_new(NULL, &worker) == RSP_OK);
    MUST(rsp_rdb_value_new(NULL, &x.value) == RSP_OK && rsp_dd1_new(NULL, &x.dd1) == RSP_OK);
    while (rsp_rdb_feed_next(feed, &batch) == RSP_OK) {
        struct rsp_rdb_task task = {batch, NULL, NULL};
        struct rsp_dd1_part *part = NULL;
        for (size_t i = 0; i < batch->count; i++)
            if (batch->items[i].kind == RSP_RDB_KEY) plain_item(&x, batch, &batch->items[i], plain);
        MUST(rsp_dd1_batch(worker, &task, &part) == RSP_OK);
        MUST(rsp_dd1_fold(table, &task, part) == RSP_OK);
        rsp_rdb_batch_release(batch);
    }
    sums_of_table(table, run);
    rsp_rdb_value_free(x.value);
    rsp_dd1_free(x.dd1);
    rsp_scratch_free(NULL, &x.key);
    rsp_dd1_worker_free(worker);
    rsp_dd1_table_free(table);
    rsp_rdb_feed_free(feed);
    rsp_source_free(source);
}

static int equal(const struct sums *a, const struct sums *b)
{
    return a->keys == b->keys && a->broken == b->broken && !memcmp(&a->with, &b->with, sizeof a->with) &&
           !memcmp(&a->without, &b->without, sizeof a->without);
}

/* The number of keys, or -1 when the file cannot be read at all. */
static long same(const struct file *f, size_t block_bytes, const char *name)
{
    struct sums plain, run, check = by_check(f);
    by_feed(f, block_bytes, &plain, &run);
    if (!equal(&plain, &run)) ck_abort_msg("%s: a worker's digest is not that of its elements", name);
    if (check.status) return -1;
    if (!equal(&plain, &check)) ck_abort_msg("%s: the check's digest is not that of the elements", name);
    return (long)plain.keys;
}

static unsigned files, broken_files;

static int one_file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    size_t n = strlen(path);
    struct file f;
    FILE *in;
    (void)at;
    if (kind != FTW_F || n < 4 || strcmp(path + n - 4, ".rdb") || st->st_size > 4 << 20) return 0;
    memset(&f, 0, sizeof f);
    in = fopen(path, "rb");
    f.p = malloc((size_t)st->st_size + 1);
    MUST(in && f.p);
    f.n = fread(f.p, 1, (size_t)st->st_size, in);
    fclose(in);
    if (same(&f, 0, path) < 0) broken_files++;
    free(f.p);
    files++;
    return 0;
}

START_TEST(whole_corpus)
{
    MUST(nftw(getenv("DATA") ? getenv("DATA") : "tests/data", one_file, 16, FTW_PHYS) == 0);
    ck_assert_uint_gt(files, 300);
    ck_assert_uint_lt(broken_files, files / 10);
}
END_TEST

/* As many letters as that; no two numbers give the same. */
static char *word(char *out, size_t n, unsigned number)
{
    memset(out, 'a' + (int)(n % 26), n);
    out[n] = 0;
    for (size_t i = 0; i < n && number; i++, number /= 10) out[i] = (char)('0' + number % 10);
    return out;
}

/* More records than wait at once, with and without expiry, of every length around those that are hashed side by side. */
START_TEST(many_lengths)
{
    char w[600], name[32];
    struct file f;
    begin(&f);
    for (unsigned i = 0; i < 1500; i++) {
        if (i % 3 == 0) {
            byte(&f, 0xfc);
            le64(&f, 1700000000000 + i);
        }
        snprintf(name, sizeof name, "key:%u", i);
        key(&f, 0, name);
        text(&f, word(w, i % 520, i));
    }
    finish(&f);
    ck_assert_int_eq(same(&f, 0, "strings"), 1500);
    free(f.p);
}
END_TEST

/* Values of more elements than hashes are kept of, in one block and cut. */
START_TEST(many_elements)
{
    static const unsigned types[] = {1, 2, 3, 4, 5};
    char w[64];
    for (unsigned k = 0; k < 5; k++) {
        unsigned type = types[k];
        struct file f;
        begin(&f);
        key(&f, type, "k");
        length(&f, 7000);
        for (unsigned i = 0; i < 7000; i++) {
            word(w, 6 + i % 40, i + 1);
            if (i % 7) text(&f, w);
            else lzf(&f, (const uint8_t *)w, strlen(w));
            if (type == 3) text(&f, i % 2 ? "1.5" : "-3");
            if (type == 4 && i % 5) text(&f, word(w, i % 60, i));
            if (type == 4 && i % 5 == 0) lzf(&f, (const uint8_t *)w, strlen(w));
            if (type == 5) le64(&f, i ? 0x3ff0000000000000ULL + i : 1ULL << 63);
        }
        finish(&f);
        ck_assert_int_eq(same(&f, 0, "one block"), 1);
        ck_assert_int_eq(same(&f, 16384, "cut"), 1);
        free(f.p);
    }
}
END_TEST

/* What is wrong with one of two records does not touch the other, and a member that is there twice counts twice. */
START_TEST(beside_findings)
{
    static const char *const twice[] = {"a", "1", "a", "2"};
    static const char *const good[] = {"b", "1", "c", "22"};
    static const char *const odd[] = {"a", "1", "b"};
    static const unsigned types[] = {16, 17, 20};
    for (unsigned k = 0; k < 3; k++) {
        struct file f;
        begin(&f);
        key(&f, types[k], "twice");
        listpack(&f, twice, 4);
        key(&f, types[k], "good");
        listpack(&f, good, 4);
        key(&f, types[k], "odd");
        listpack(&f, odd, 3);
        key(&f, types[k], "none");
        text(&f, "");
        finish(&f);
        ck_assert_int_eq(same(&f, 0, "findings"), types[k] == 20 ? 3 : 2);
        free(f.p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("digest walks");
    TCase *t = tcase_create("digest walks");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 300);
    tcase_add_test(t, whole_corpus);
    tcase_add_test(t, many_lengths);
    tcase_add_test(t, many_elements);
    tcase_add_test(t, beside_findings);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
