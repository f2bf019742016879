/* What this is: tests of opening and making repositories: the pin, the repository object, who signs.
 * Rests on: libcheck, repo_test.h.
 * Does not: read the log; test_log.c does. */
#include "unit/repo/repo_test.h"

/* ---- the pin ---- */

START_TEST(pins)
{
    struct rsp_repo *repo;
    struct rsp_public host;
    uint8_t id[16];
    /* None at all. */
    ck_assert_int_eq(open_with(NULL, NULL, NULL, 0, &repo), RSP_EINVAL);
    ck_assert_ptr_null(repo);
    ck_assert_ptr_nonnull(strstr(y.error.message, "--root"));
    ck_assert_ptr_nonnull(strstr(y.error.message, "--identity"));
    ck_assert_int_eq(open_with(NULL, NULL, &y.host, 1, &repo), RSP_EINVAL); /* it names no root */
    /* Each that counts. */
    ck_assert_int_eq(open_with(NULL, &y.root_public, NULL, 0, &repo), RSP_OK);
    ck_assert_int_eq(repo->id_sure, 1);
    rsp_repo_free(repo);
    ck_assert_int_eq(open_with(y.state, NULL, NULL, 0, &repo), RSP_OK);
    rsp_repo_id(repo, id);
    ck_assert_mem_eq(id, y.id, 16);
    rsp_repo_lineage(repo, id);
    ck_assert_mem_eq(id, y.lineage, 16);
    ck_assert_uint_eq(repo->troubles_n, 0);
    rsp_repo_free(repo);
    ck_assert_int_eq(open_with(NULL, NULL, &y.root, 1, &repo), RSP_OK); /* the recovery seed */
    rsp_repo_free(repo);
    ck_assert_int_eq(rsp_identity_set_root(y.host, &y.root_public), RSP_OK);
    ck_assert_int_eq(open_with(NULL, NULL, &y.host, 1, &repo), RSP_OK);
    rsp_repo_free(repo);
    /* Wrong ones. */
    rsp_identity_public(y.reader, &host);
    ck_assert_int_eq(open_with(NULL, &host, NULL, 0, &repo), RSP_EINTEGRITY);
    ck_assert_ptr_null(repo);
    ck_assert_int_eq(open_with(y.state, &host, NULL, 0, &repo), RSP_EINTEGRITY); /* what is said outright goes first */
    ck_assert_int_eq(rsp_identity_set_root(y.reader, &host), RSP_OK);
    ck_assert_int_eq(open_with(NULL, NULL, &y.reader, 1, &repo), RSP_EINTEGRITY);
}
END_TEST

START_TEST(nothing_there)
{
    struct rsp_store_options so = {.size = sizeof so, .create = 1};
    struct rsp_store *kept = y.store;
    struct rsp_repo *repo;
    char url[128];
    snprintf(url, sizeof url, "file:%s/empty", y.dir);
    ck_assert_int_eq(rsp_store_open(&y.env, url, &so, &y.store), RSP_OK);
    ck_assert_int_eq(open_with(y.state, &y.root_public, NULL, 0, &repo), RSP_ENOREPO);
    ck_assert_int_eq(open_with(NULL, NULL, NULL, 0, &repo), RSP_ENOREPO);
    put("readme", "hello", 5);
    put("repository/readme", "hello", 5);
    ck_assert_int_eq(open_with(NULL, &y.root_public, NULL, 0, &repo), RSP_ENOREPO);
    /* An object, and no roles: an init that was cut short. */
    struct repository_object object = {{0}, {1}, {0}, 0};
    uint8_t id[16];
    memcpy(object.lineage, y.lineage, 16);
    ck_assert_int_eq(repository_put(&full, y.store, &object), RSP_OK);
    ck_assert_int_eq(open_with(NULL, &y.root_public, NULL, 0, &repo), RSP_ENOREPO);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_repo_init(&y.env, y.store, NULL, y.root, NULL, 0, NULL, id), RSP_EEXIST);
    ck_assert_ptr_nonnull(strstr(y.error.message, "cut short"));
    put("roles/0000000001-0000000000000000000000000000000000000000000000000000000000000000", "x", 1);
    ck_assert_int_eq(open_with(NULL, &y.root_public, NULL, 0, &repo), RSP_EINTEGRITY);
    rsp_store_free(y.store);
    y.store = kept;
}
END_TEST

/* ---- the repository object ---- */

START_TEST(two_objects)
{
    struct repository_object second = {{0}, {1}, {0}, 5};
    struct rsp_repo *repo;
    uint8_t id[16];
    memcpy(second.lineage, y.lineage, 16);
    ck_assert_int_eq(repository_put(&full, y.store, &second), RSP_OK);
    repo = must_open(y.state);
    rsp_repo_id(repo, id);
    ck_assert_mem_eq(id, y.id, 16); /* the one that is known */
    ck_assert_int_eq(repo->id_sure, 1);
    ck_assert_uint_eq(faults(repo), 0);
    ck_assert_ptr_nonnull(trouble(repo, "foreign", "another repository object"));
    rsp_repo_free(repo);
    repo = must_open(NULL);
    ck_assert_int_eq(repo->id_sure, 0);
    rsp_repo_free(repo);
    /* One of another lineage is no candidate. */
    memset(second.lineage, 9, 16);
    second.id[0] = 2;
    ck_assert_int_eq(repository_put(&full, y.store, &second), RSP_OK);
    repo = must_open(y.state);
    ck_assert_ptr_nonnull(trouble(repo, "foreign", "another lineage"));
    rsp_repo_free(repo);
}
END_TEST

START_TEST(object_damaged)
{
    struct rsp_repo *repo;
    const struct rsp_trouble *t;
    char name[300], path[512];
    size_t n;
    only("repository", "", name, path);
    for (long at = 0; at < 50; at++) {
        yard_flip(path, at);
        repo = must_open(y.state);
        ck_assert_int_eq(repo->id_sure, 1);
        t = trouble(repo, "object", "damaged");
        ck_assert(t && t->status == RSP_EINTEGRITY && !strcmp(t->name, name) && t->way_out);
        ck_assert_ptr_nonnull(trouble(repo, "object", "is not there"));
        rsp_repo_free(repo);
        repo = must_open(NULL);
        ck_assert_int_eq(repo->id_sure, 0);
        ck_assert_uint_eq(faults(repo), 1);
        rsp_repo_free(repo);
        yard_flip(path, at);
    }
    /* Gone: whoever knows the id makes one anew. */
    ck_assert_int_eq(unlink(path), 0);
    repo = must_open(NULL);
    ck_assert_int_eq(repo->id_sure, 0);
    ck_assert_uint_eq(faults(repo), 1);
    rsp_repo_free(repo);
    ck_assert_int_eq(open_with(NULL, NULL, &y.root, 1, &repo), RSP_OK); /* the seed alone still opens it */
    rsp_repo_free(repo);
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 1);
    ck_assert_int_eq(rsp_repo_republish_roles(repo, &n), RSP_OK);
    ck_assert_uint_eq(n, 1);
    rsp_repo_free(repo);
    repo = must_open(NULL);
    ck_assert_uint_eq(repo->troubles_n, 0);
    ck_assert_mem_eq(repo->id, y.id, 16);
    rsp_repo_free(repo);
}
END_TEST

static int parsed(const struct buf *b, size_t n)
{
    struct repository_object o;
    uint8_t *copy = malloc(n ? n : 1);
    int rc;
    memcpy(copy, b->p, n);
    rc = repository_parse((struct rsp_span){copy, n}, &o);
    free(copy);
    return rc;
}

START_TEST(object_bytes)
{
    struct repository_object o = {{0}, {1}, {2}, 0}, back;
    struct buf b;
    buf_init(&b, &full);
    ck_assert_int_eq(repository_encode(&b, &o), RSP_OK);
    for (size_t n = 0; n < b.n; n++) ck_assert_int_eq(parsed(&b, n), RSP_EINTEGRITY);
    ck_assert_int_eq(parsed(&b, b.n), RSP_OK);
    b.p[14] = 2; /* the version */
    ck_assert_int_eq(parsed(&b, b.n), RSP_EVERSION);
    b.p[14] = 1;
    size_t n = b.n;
    ck_assert_int_eq(buf_add(&b, "\x05\x00\x01\x00\x00\x00x", 7), RSP_OK);
    ck_assert_int_eq(parsed(&b, b.n), RSP_OK);
    b.p[n + 1] = 0x80; /* critical */
    ck_assert_int_eq(parsed(&b, b.n), RSP_EVERSION);
    b.p[n] = 3; /* 3! again */
    ck_assert_int_eq(parsed(&b, b.n), RSP_EINTEGRITY);
    b.n = 0;
    o.time_ms = 77;
    ck_assert_int_eq(repository_encode(&b, &o), RSP_OK);
    ck_assert_int_eq(repository_parse((struct rsp_span){b.p, b.n}, &back), RSP_OK);
    ck_assert(back.time_ms == 77 && !memcmp(back.id, o.id, 16) && !memcmp(back.lineage, o.lineage, 16));
    buf_free(&b);
}
END_TEST

START_TEST(garbage)
{
    struct rsp_repo *repo;
    put("roles/readme", "x", 1);
    put("roles/0000000001", "x", 1);
    put("repository/x/y", "x", 1);
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 0);
    ck_assert_uint_eq(repo->troubles_n, 3);
    ck_assert_ptr_nonnull(trouble(repo, "foreign", "no name"));
    rsp_repo_free(repo);
    /* A name that promises roles, and bytes that are none. */
    put("roles/0000000009-0000000000000000000000000000000000000000000000000000000000000000", "x", 1);
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 1);
    ck_assert_ptr_nonnull(trouble(repo, "roles", "its bytes"));
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 1);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(signers)
{
    struct rsp_identity *all[] = {y.reader, y.keeper, y.host, y.root};
    struct rsp_repo *repo;
    ck_assert_int_eq(yard_repo(&y, 1, all, 4, &repo), RSP_OK);
    ck_assert_ptr_eq(rsp_repo_signer(repo, RSP_ROLE_KEEP, NULL), y.keeper);
    ck_assert_ptr_eq(rsp_repo_signer(repo, RSP_ROLE_WRITE, y.source), y.host);
    ck_assert_ptr_eq(rsp_repo_signer(repo, RSP_ROLE_READ, NULL), y.reader);
    ck_assert_ptr_eq(rsp_repo_signer(repo, RSP_ROLE_PROVE, NULL), y.root);
    rsp_repo_free(repo);
    ck_assert_int_eq(yard_repo(&y, 1, all, 1, &repo), RSP_OK);
    ck_assert_ptr_null(rsp_repo_signer(repo, RSP_ROLE_KEEP, NULL));
    rsp_repo_free(repo);
    ck_assert_int_eq(yard_repo(&y, 1, NULL, 0, &repo), RSP_OK);
    ck_assert_ptr_null(rsp_repo_signer(repo, RSP_ROLE_READ, NULL));
    rsp_repo_free(repo);
}
END_TEST

/* ---- init ---- */

START_TEST(init)
{
    struct rsp_store_options so = {.size = sizeof so, .create = 1};
    struct rsp_repo_options o = {.size = sizeof o, .state = y.state};
    struct rsp_repo *repo = must_open(y.state), *mirror;
    struct rsp_store *second;
    uint8_t id[16], back[16];
    char url[128];
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_repo_init(&y.env, y.store, NULL, y.root, NULL, 0, NULL, id), RSP_EEXIST);
    snprintf(url, sizeof url, "file:%s/second", y.dir);
    ck_assert_int_eq(rsp_store_open(&y.env, url, &so, &second), RSP_OK);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_repo_init(&y.env, second, NULL, NULL, NULL, 0, NULL, id), RSP_EINVAL);
    ck_assert_int_eq(rsp_repo_init(&y.env, second, NULL, y.root, NULL, 0, repo, id), RSP_EINVAL);
    rsp_error_clear(&y.error);
    advance(repo);
    ck_assert_int_eq(rsp_repo_init(&y.env, second, y.state, NULL, NULL, 0, repo, id), RSP_OK);
    ck_assert_int_ne(memcmp(id, y.id, 16), 0);
    o.store = second;
    ck_assert_int_eq(rsp_repo_open(&y.env, &o, &mirror), RSP_OK);
    rsp_repo_id(mirror, back);
    ck_assert_mem_eq(back, id, 16);
    ck_assert_uint_eq(rsp_repo_roles(mirror)->n, 2);
    ck_assert_uint_eq(mirror->troubles_n, 0);
    rsp_repo_free(mirror);
    rsp_store_free(second);
    rsp_repo_free(repo);
    /* The state knows a repository at a URL where there is none any more. */
    char command[256];
    snprintf(command, sizeof command, "rm -r %s/second && mkdir %s/second", y.dir, y.dir);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(rsp_store_open(&y.env, url, &so, &second), RSP_OK);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_repo_init(&y.env, second, y.state, y.root, NULL, 0, NULL, id), RSP_EEXIST);
    rsp_store_free(second);
}
END_TEST

/* ---- allocations that fail ---- */

static long alloc_after = -1;
static void *counted(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    if (alloc_after == 0) return NULL;
    if (alloc_after > 0) alloc_after--;
    return realloc(p, n);
}

START_TEST(allocations_fail)
{
    struct rsp_repo *repo = must_open(y.state);
    struct rsp_env env = y.env;
    long k;
    int rc = RSP_ENOMEM;
    advance(repo);
    rsp_repo_free(repo);
    put("roles/readme", "x", 1);
    env.resize = counted;
    for (k = 0; rc && k < 3000; k++) {
        struct rsp_store_options so = {.size = sizeof so};
        struct rsp_repo_options o = {.size = sizeof o, .identities = &y.host, .identities_n = 1, .expect_head = "ab"};
        struct rsp_store *store = NULL;
        struct rsp_state *state = NULL;
        repo = NULL;
        rsp_error_clear(&y.error);
        alloc_after = k;
        rc = rsp_store_open(&env, y.url, &so, &store);
        if (!rc) rc = rsp_state_open(&env, y.state_dir, 0, &state);
        o.store = store;
        o.state = state;
        if (!rc) rc = rsp_repo_open(&env, &o, &repo);
        alloc_after = -1;
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (rc) ck_assert_int_eq(y.error.code, RSP_ENOMEM);
        ck_assert(!rc == !!repo);
        rsp_repo_free(repo);
        rsp_state_free(state);
        rsp_store_free(store);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(k, 20);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("repo");
    TCase *t = tcase_create("repo");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, pins);
    tcase_add_test(t, nothing_there);
    tcase_add_test(t, two_objects);
    tcase_add_test(t, object_damaged);
    tcase_add_test(t, object_bytes);
    tcase_add_test(t, garbage);
    tcase_add_test(t, signers);
    tcase_add_test(t, init);
    tcase_add_test(t, allocations_fail);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
