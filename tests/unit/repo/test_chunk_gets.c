/* What this is: how many requests it takes to read one chunk of a snapshot: one, once the object's head and table are known.
 *   On every store that a yard can lie on: tests/live/store/gets_ceph.sh counts the same where S3's requests pass.
 * Rests on: libcheck, fixture/judge.h. */
#include <check.h>
#undef fail
#include <stdlib.h>
#include <string.h>

#include "fixture/judge.h"

#define CHUNK 4096u
#define CHUNKS 9u

static struct yard y;
static uint8_t data[CHUNK * CHUNKS];

static uint64_t requests_so_far(void)
{
    struct rsp_store_counts c;
    rsp_store_count(y.store, &c);
    return c.gets;
}

START_TEST(one_chunk_is_one_get)
{
    struct rsp_log *log = NULL;
    struct rsp_repo *repo = NULL;
    struct rsp_snapshot *s = NULL;
    struct rsp_store_counts before, after;
    struct rsp_chunk_info info;
    uint8_t back[CHUNK];
    uint64_t known;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * i / 251 + i);
    struct rsp_record *r = yard_snapshot(&y, &log, data, sizeof data, CHUNK);
    ck_assert_int_eq(yard_repo(&y, 0, &y.reader, 1, &repo), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_open(repo, r, &s), RSP_OK);
    known = requests_so_far();
    ck_assert_int_eq(rsp_snapshot_chunk_info(s, 0, CHUNKS - 1, &info), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_chunk_read(s, 0, CHUNKS - 1, back), RSP_OK);
    ck_assert_uint_le(requests_so_far() - known, 4); /* its size, head, table, and the chunk itself */
    for (size_t i = 0; i < CHUNKS; i++) {
        rsp_store_count(y.store, &before);
        ck_assert_int_eq(rsp_snapshot_chunk_read(s, 0, i, back), RSP_OK);
        ck_assert_mem_eq(back, data + i * CHUNK, CHUNK);
        rsp_store_count(y.store, &after);
        ck_assert_uint_eq(after.gets - before.gets, 1);
        ck_assert_uint_eq(after.lists + after.puts + after.deletes, before.lists + before.puts + before.deletes);
    }
    rsp_snapshot_free(s);
    rsp_repo_free(repo);
    rsp_log_free(log);
}
END_TEST

static void setup(void)
{
    yard_open(&y);
}

static void teardown(void)
{
    yard_close(&y);
}

int main(void)
{
    Suite *s = suite_create("chunk gets");
    TCase *c = tcase_create("chunk gets");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, one_chunk_is_one_get);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
