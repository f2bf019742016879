/* What this is: tests of the file: store: opening, names, publishing, reading, deleting, links, memory.
 * Rests on: store_dir.h.
 * Does not: list (test_store_list.c), make system calls fail (test_store_faults.c), run threads (test_store_race.c). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/store/store_dir.h"

START_TEST(test_urls)
{
    static const struct {
        const char *url;
        int status;
    } bad[] = {{"", RSP_EINVAL},
               {"/tmp", RSP_EINVAL},
               {"file:", RSP_EINVAL},
               {"file:tmp", RSP_EINVAL},
               {"file://host/tmp", RSP_EINVAL},
               {"file:/tmp/../etc", RSP_EINVAL},
               {"file:/a\nb", RSP_EINVAL},
               {"s3://b/p", RSP_EINVAL}, /* nobody says who asks */
               {"s3://B/p", RSP_EINVAL},
               {"sftp://u:geheim@host/p", RSP_EINVAL},
               {"dav://192.0.2.1/p", RSP_EINVAL},
               {"ftp://u:geheim@host/p", RSP_EUNSUPPORTED},
               {"ftp://u:geheim/geheim@host/p", RSP_EUNSUPPORTED},
               {"ftp://u:geheim?geheim@host/p", RSP_EUNSUPPORTED},
               {"ftp:u:geheim@host", RSP_EUNSUPPORTED},
               {"ftp://host/p?secret=geheim", RSP_EUNSUPPORTED},
               {"ftp://host/p?secret=a@geheim", RSP_EUNSUPPORTED},
               {"u:geheim@host", RSP_EUNSUPPORTED},
               {"//u:geheim@host", RSP_EINVAL},
               {"s3://u:geheim@bucket", RSP_EINVAL},
               {"s3://bucket?endpoint=https://u:geheim@host", RSP_EINVAL},
               {"davs://u:geheim/geheim@host/p", RSP_EINVAL},
               {"filex:/tmp", RSP_EUNSUPPORTED},
               {"file:/respite/not/there", RSP_ENOTFOUND},
               {"file:/dev/null", RSP_ENOTFOUND}};
    char other[160];
    struct rsp_store *t = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rsp_error_clear(&error);
        ck_assert_int_eq(rsp_store_open(&env, bad[i].url, NULL, &t), bad[i].status);
        ck_assert_int_eq(error.code, bad[i].status);
        ck_assert_ptr_null(strstr(error.subject, "geheim"));
        ck_assert_ptr_null(strstr(error.message, "geheim"));
        ck_assert_ptr_null(t);
    }
    rsp_error_clear(&error);
    ck_assert_str_eq(rsp_store_url(s), url);
    snprintf(other, sizeof other, "file://%s//a/./b//", dir);
    t = opened(other, 0, 0);
    ck_assert_str_eq(rsp_store_url(t), url);
    rsp_store_free(t);
    t = opened("file:/", 0, 1);
    ck_assert_str_eq(rsp_store_url(t), "file:/");
    rsp_store_free(t);
    memset(other, 'x', sizeof other);
    rsp_store_free(NULL);
}
END_TEST

START_TEST(test_url_too_long)
{
    static char u[6000];
    struct rsp_store *t;
    memset(u, 'x', sizeof u - 1);
    memcpy(u, "file:/", 6);
    ck_assert_int_eq(rsp_store_open(&env, u, NULL, &t), RSP_EINVAL);
}
END_TEST

START_TEST(test_names)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "/a",
                                      "a/",
                                      "a//b",
                                      ".",
                                      "..",
                                      "a/../b",
                                      ".a",
                                      "a/.b",
                                      "A",
                                      "a b",
                                      "a\\b",
                                      "a:b",
                                      "a\n",
                                      "\xc3\xa4",
                                      "1/2/3/4/5/6/7/8/9",
                                      "U",
                                      "a~"};
    static const char *const good[] = {
        "a", "a/b.c-d_e", "0", "log/x/0000000001-20260101T000000Z-commit-ab", "1/2/3/4/5/6/7/8", "-", "_"};
    char whole[600];
    struct rsp_store_item item;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t *p = NULL;
        size_t n = 0;
        struct rsp_upload *u;
        rsp_error_clear(&error);
        ck_assert_int_eq(put(bad[i], "x"), RSP_EINVAL);
        ck_assert_int_eq(error.code, RSP_EINVAL);
        ck_assert_int_eq(rsp_store_stat(s, bad[i], &item), RSP_EINVAL);
        ck_assert_int_eq(rsp_store_read(s, bad[i], 0, whole, 0), RSP_EINVAL);
        ck_assert_int_eq(rsp_store_get(s, bad[i], 9, &p, &n), RSP_EINVAL);
        ck_assert_int_eq(rsp_store_begin(s, bad[i], &u), RSP_EINVAL);
        ck_assert_int_eq(rsp_store_delete(s, bad[i]), RSP_EINVAL);
        ck_assert_int_eq(rsp_store_repair(s, bad[i], "x", 1), RSP_EINVAL);
    }
    ck_assert_str_eq(list(""), "");
    ck_assert_int_eq(rsp_store_list(s, "a", join, NULL), RSP_EINVAL);
    ck_assert_int_eq(rsp_store_list(s, "/", join, NULL), RSP_EINVAL);
    ck_assert_int_eq(rsp_store_list(s, "../", join, NULL), RSP_EINVAL);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        rsp_error_clear(&error);
        ck_assert_int_eq(put(good[i], good[i]), RSP_OK);
        check_bytes(good[i], good[i]);
        ck_assert_int_eq(rsp_store_delete(s, good[i]), RSP_OK);
    }
    memset(whole, 'x', sizeof whole);
    whole[200] = '/';
    whole[400] = 0;
    ck_assert_int_eq(put(whole, "long"), RSP_OK);
    check_bytes(whole, "long");
    ck_assert_int_eq((int)strlen(list("")), 401);
    ck_assert_int_eq(rsp_store_repair(s, whole, "again", 5), RSP_OK);
    check_bytes(whole, "again");
    whole[400] = 'x';
    whole[401] = 0;
    ck_assert_int_eq(put(whole, "x"), RSP_EINVAL);
    whole[200] = 'x';
    whole[256] = 0;
    ck_assert_int_eq(put(whole, "x"), RSP_EINVAL);
    whole[255] = 0;
    ck_assert_int_eq(put(whole, "x"), RSP_OK);
}
END_TEST

START_TEST(test_put_and_read)
{
    struct rsp_store_item item;
    struct rsp_store_counts c;
    struct stat st;
    uint8_t *p, b[8];
    size_t n;
    ck_assert_int_eq(put("data/e1/o1", "hello"), RSP_OK);
    ck_assert_int_eq(put("data/e1/empty", ""), RSP_OK);
    ck_assert_int_eq(stat(path("data/e1/o1"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(path("data/e1"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(put("data/e1/o1", "hello"), RSP_OK); /* the same bytes: a retry */
    ck_assert_int_eq(error.code, 0);
    ck_assert_int_eq(put("data/e1/o1", "hallo"), RSP_EEXIST);
    ck_assert_int_eq(error.code, RSP_EEXIST);
    ck_assert_ptr_nonnull(strstr(error.subject, "/a/b/data/e1/o1"));
    rsp_error_clear(&error);
    ck_assert_int_eq(put("data/e1/o1", "hello, longer"), RSP_EEXIST);
    ck_assert_int_eq(put("data/e1", "a folder is there"), RSP_EEXIST);
    ck_assert_int_eq(put("data/e1/empty", ""), RSP_OK);
    check_bytes("data/e1/o1", "hello");
    check_bytes("data/e1/empty", "");
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_store_stat(s, "data/e1/o1", &item), RSP_OK);
    ck_assert_str_eq(item.name, "data/e1/o1");
    ck_assert_uint_eq(item.bytes, 5);
    ck_assert_int_gt(item.mtime_ms, 1500000000000);
    ck_assert_int_eq(rsp_store_stat(s, "data/e1/o2", &item), RSP_ENOTFOUND);
    ck_assert_int_eq(rsp_store_stat(s, "data/e2/o2", &item), RSP_ENOTFOUND);
    ck_assert_int_eq(rsp_store_stat(s, "data/e1/o1/x", &item), RSP_ENOTFOUND);
    ck_assert_int_eq(rsp_store_stat(s, "data/e1", &item), RSP_ENOTFOUND);
    ck_assert_int_eq(rsp_store_read(s, "data/e1/o1", 1, b, 3), RSP_OK);
    ck_assert_int_eq(memcmp(b, "ell", 3), 0);
    ck_assert_int_eq(rsp_store_read(s, "data/e1/o1", 5, b, 0), RSP_OK);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_store_read(s, "data/e1/o1", 3, b, 3), RSP_ETRUNCATED);
    ck_assert_int_eq(error.code, RSP_ETRUNCATED);
    ck_assert_int_eq(rsp_store_read(s, "data/e1/o1", UINT64_MAX, b, 1), RSP_ETRUNCATED);
    ck_assert_int_eq(rsp_store_read(s, "data/e1/o1", 6, b, 0), RSP_ETRUNCATED);
    ck_assert_int_eq(rsp_store_read(s, "data/e1", 0, b, 0), RSP_ENOTFOUND);
    ck_assert_int_eq(rsp_store_read(s, "nothing", 0, b, 1), RSP_ENOTFOUND);
    ck_assert_int_eq(rsp_store_get(s, "nothing", 9, &p, &n), RSP_ENOTFOUND);
    ck_assert_ptr_null(p);
    ck_assert_int_eq(rsp_store_get(s, "data/e1/o1", 4, &p, &n), RSP_ELIMIT);
    ck_assert_int_eq(rsp_store_get(s, "data/e1/o1", 5, &p, &n), RSP_OK);
    rsp_store_release(s, p, n);
    rsp_store_count(s, &c);
    ck_assert_uint_eq(c.puts, 7);
    ck_assert_uint_eq(c.deletes, 0);
    ck_assert_uint_eq(c.lists, 0);
    ck_assert_uint_eq(c.gets, 17 + 8); /* 8: puts that met something; a folder is asked for again */
}
END_TEST

START_TEST(test_below_an_object)
{
    ck_assert_int_eq(put("a", "object"), RSP_OK);
    ck_assert_int_lt(put("a/b", "x"), 0);
    ck_assert_int_eq(error.code, RSP_EIO);
    ck_assert_int_eq(rsp_store_delete(s, "a/b"), RSP_OK);
    check_bytes("a", "object");
}
END_TEST

START_TEST(test_upload)
{
    struct rsp_upload *u, *v;
    struct rsp_store_item item;
    static char block[100000];
    ck_assert_int_eq(rsp_store_begin(s, "data/e/o", &u), RSP_OK);
    ck_assert_int_eq(rsp_store_begin(s, "data/e/o", &v), RSP_OK);
    for (int i = 0; i < 200; i++) ck_assert_int_eq(rsp_upload_write(u, block, sizeof block), RSP_OK);
    ck_assert_int_eq(rsp_upload_write(v, "v", 1), RSP_OK);
    ck_assert_str_eq(list(""), "");
    ck_assert_int_eq(rsp_store_stat(s, "data/e/o", &item), RSP_ENOTFOUND);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_upload_commit(u), RSP_OK);
    ck_assert_int_eq(rsp_upload_commit(u), RSP_ESTATE);
    ck_assert_int_eq(rsp_upload_write(u, "x", 1), RSP_ESTATE);
    ck_assert_int_eq(rsp_store_stat(s, "data/e/o", &item), RSP_OK);
    ck_assert_uint_eq(item.bytes, 200 * sizeof block);
    ck_assert_int_eq(rsp_upload_commit(v), RSP_EEXIST);
    ck_assert_int_eq(error.code, RSP_EEXIST);
    ck_assert_int_eq(rsp_upload_commit(v), RSP_ESTATE);
    rsp_upload_free(u);
    rsp_upload_free(v);
    rsp_upload_free(NULL);
    ck_assert_int_eq(rsp_store_begin(s, "other/e/o", &u), RSP_OK);
    rsp_upload_free(u);
    ck_assert_int_eq(access(path("other"), F_OK), -1); /* no empty folders either */
    ck_assert_str_eq(list(""), "data/e/o ");
}
END_TEST

START_TEST(test_links_are_not_followed)
{
    struct rsp_store_item item;
    uint8_t b[8];
    char other[128];
    snprintf(other, sizeof other, "%s/secret", dir);
    ck_assert_int_eq(mkdir(other, 0700), 0);
    ck_assert_int_eq(symlink(other, path("data")), 0);
    ck_assert_int_eq(symlink("/etc/passwd", path("file")), 0);
    ck_assert_int_eq(symlink("/respite/not/there", path("dangling")), 0);
    ck_assert_int_eq(put("data/x", "x"), RSP_EIO);
    ck_assert_ptr_nonnull(strstr(error.message, "symbolic link"));
    ck_assert_int_eq(put("file", "x"), RSP_EIO);
    ck_assert_int_eq(put("dangling", "x"), RSP_EIO);
    ck_assert_int_eq(rsp_store_stat(s, "file", &item), RSP_EIO);
    ck_assert_int_eq(rsp_store_stat(s, "data/x", &item), RSP_EIO);
    ck_assert_int_eq(rsp_store_read(s, "file", 0, b, 1), RSP_EIO);
    ck_assert_int_eq(rsp_store_delete(s, "data/x"), RSP_EIO);
    ck_assert_int_eq(rsp_store_list(s, "data/", join, NULL), RSP_EIO);
    ck_assert_int_eq(put("good", "x"), RSP_OK);
    ck_assert_str_eq(list(""), "good ");
    ck_assert_int_eq(rsp_store_repair(s, "file", "mine", 4), RSP_OK); /* takes the link's place */
    check_bytes("file", "mine");
    ck_assert_int_eq(rmdir(other), 0); /* nothing came to be in it */
}
END_TEST

START_TEST(test_delete)
{
    ck_assert_int_eq(put("data/e1/o1", "x"), RSP_OK);
    ck_assert_int_eq(put("data/e1/o2", "x"), RSP_OK);
    ck_assert_int_eq(put("log/r", "x"), RSP_OK);
    ck_assert_int_eq(rsp_store_delete(s, "data/e1/o1"), RSP_OK);
    ck_assert_int_eq(rsp_store_delete(s, "data/e1/o1"), RSP_OK);
    ck_assert_int_eq(rsp_store_delete(s, "data/e9/o1"), RSP_OK);
    ck_assert_int_eq(rsp_store_delete(s, "data/e1"), RSP_OK); /* a folder is no object */
    ck_assert_str_eq(list(""), "data/e1/o2 log/r ");
    ck_assert_int_eq(rsp_store_delete(s, "data/e1/o2"), RSP_OK);
    ck_assert_int_eq(access(path("data"), F_OK), -1);
    ck_assert_int_eq(put("data/e1/o1", "again"), RSP_OK); /* the folder that was kept open is gone */
    check_bytes("data/e1/o1", "again");
    ck_assert_int_eq(error.code, 0);
}
END_TEST

START_TEST(test_folder_goes_during_upload)
{
    struct rsp_upload *u;
    struct rsp_store *t = opened(url, 0, 0);
    ck_assert_int_eq(put("data/e1/o1", "x"), RSP_OK);
    ck_assert_int_eq(rsp_store_begin(s, "data/e1/o2", &u), RSP_OK);
    ck_assert_int_eq(rsp_upload_write(u, "two", 3), RSP_OK);
    ck_assert_int_eq(rsp_store_delete(t, "data/e1/o1"), RSP_OK);
    ck_assert_int_eq(access(path("data"), F_OK), -1);
    ck_assert_int_eq(rsp_upload_commit(u), RSP_OK);
    rsp_upload_free(u);
    rsp_store_free(t);
    check_bytes("data/e1/o2", "two");
}
END_TEST

START_TEST(test_repair)
{
    ck_assert_int_eq(put("data/o", "damaged"), RSP_OK);
    ck_assert_int_eq(rsp_store_repair(s, "data/o", "whole", 5), RSP_OK);
    check_bytes("data/o", "whole");
    ck_assert_int_eq(rsp_store_repair(s, "new/o", "whole", 5), RSP_OK);
    check_bytes("new/o", "whole");
    ck_assert_str_eq(list(""), "data/o new/o ");
}
END_TEST

START_TEST(test_read_only)
{
    struct rsp_upload *u;
    struct rsp_store *t;
    int64_t ms = 0;
    ck_assert_int_eq(put("a", "x"), RSP_OK);
    t = opened(url, 1, 1);
    ck_assert_int_eq(rsp_store_put(t, "b", "x", 1), RSP_EPERM);
    ck_assert_int_eq(error.code, RSP_EPERM);
    ck_assert_int_eq(rsp_store_begin(t, "b", &u), RSP_EPERM);
    ck_assert_ptr_null(u);
    ck_assert_int_eq(rsp_store_delete(t, "a"), RSP_EPERM);
    ck_assert_int_eq(rsp_store_repair(t, "a", "x", 1), RSP_EPERM);
    ck_assert_int_eq(rsp_store_now(t, &ms), RSP_OK);
    ck_assert_int_gt(ms, 1500000000000);
    rsp_store_free(t);
    ck_assert_str_eq(list(""), "a ");
}
END_TEST

START_TEST(test_now_and_space)
{
    int64_t ms = 0;
    uint64_t bytes = 0;
    struct rsp_store_item item;
    ck_assert_int_eq(put("a", "x"), RSP_OK);
    ck_assert_int_eq(rsp_store_stat(s, "a", &item), RSP_OK);
    ck_assert_int_eq(rsp_store_now(s, &ms), RSP_OK);
    ck_assert_int_ge(ms, item.mtime_ms);
    ck_assert_int_lt(ms, item.mtime_ms + 600000);
    ck_assert_int_eq(rsp_store_space(s, &bytes), RSP_OK);
    ck_assert_uint_gt(bytes, 0);
    ck_assert_str_eq(list(""), "a ");
    listed[0] = 0;
    ck_assert_int_eq(rsp_store_leftovers(s, join, NULL), RSP_OK);
    ck_assert_str_eq(listed, "");
}
END_TEST

/* A limit on allocations: the nth fails, for every n. */
static int budget;
static long balance;
static void *limited(void *opaque, void *p, size_t old_n, size_t n)
{
    void *q;
    (void)opaque;
    if (n == 0) {
        balance -= (long)old_n;
        free(p);
        return NULL;
    }
    if (budget-- <= 0) return NULL;
    q = realloc(p, n);
    if (q) balance += (long)n - (long)old_n;
    return q;
}

static int everything(void)
{
    struct rsp_store *t = NULL;
    struct rsp_upload *u = NULL;
    uint8_t *p;
    size_t n;
    int rc = rsp_store_open(&env, url, NULL, &t);
    if (!rc) rc = rsp_store_put(t, "data/x", "text", 4);
    if (!rc) rc = rsp_store_get(t, "data/x", 10, &p, &n);
    if (!rc) rsp_store_release(t, p, n);
    if (!rc) rc = rsp_store_list(t, "", join, NULL);
    if (!rc) rc = rsp_store_leftovers(t, join, NULL);
    if (!rc) rc = rsp_store_begin(t, "data/y", &u);
    rsp_upload_free(u);
    rsp_store_free(t);
    return rc;
}

START_TEST(test_no_memory)
{
    int n = 0, rc = RSP_ENOMEM;
    env.resize = limited;
    for (; rc == RSP_ENOMEM && n < 1000; n++) {
        listed[0] = 0;
        rsp_error_clear(&error);
        budget = n;
        rc = everything();
        ck_assert_int_eq(balance, 0);
        if (rc) ck_assert_int_eq(error.code, RSP_ENOMEM);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 8);
}
END_TEST

static int no_random(void *opaque, void *bytes, size_t n)
{
    (void)opaque;
    (void)bytes;
    (void)n;
    return RSP_EIO;
}

START_TEST(test_no_random)
{
    struct rsp_store *t;
    env.random = no_random;
    t = opened(url, 0, 0);
    ck_assert_int_eq(rsp_store_repair(t, "a/b", "x", 1), RSP_EIO);
    ck_assert_int_eq(error.code, RSP_EIO);
    rsp_store_free(t);
    ck_assert_int_eq(access(path("a"), F_OK), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *t = tcase_create("file");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_urls);
    tcase_add_test(t, test_url_too_long);
    tcase_add_test(t, test_names);
    tcase_add_test(t, test_put_and_read);
    tcase_add_test(t, test_below_an_object);
    tcase_add_test(t, test_upload);
    tcase_add_test(t, test_links_are_not_followed);
    tcase_add_test(t, test_delete);
    tcase_add_test(t, test_folder_goes_during_upload);
    tcase_add_test(t, test_repair);
    tcase_add_test(t, test_read_only);
    tcase_add_test(t, test_now_and_space);
    tcase_add_test(t, test_no_memory);
    tcase_add_test(t, test_no_random);
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
