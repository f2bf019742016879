/* What this is: tests of the roles records of a repository: new ones, damaged, forged, missing, forked, given up.
 * Rests on: libcheck, repo_test.h.
 * Does not: test their encoding; seal's tests do. */
#include "unit/repo/repo_test.h"

/* ---- roles ---- */

START_TEST(roles_advance)
{
    struct rsp_repo *repo = must_open(y.state), *other = must_open(NULL);
    const struct rsp_roles *first = rsp_repo_roles(repo);
    struct rsp_roles draft;
    uint8_t hash[32];
    ck_assert_uint_eq(first->n, 1);
    ck_assert_uint_eq(first->members_n, 4);
    ck_assert_uint_eq(rsp_roles_find_name(first, "root")->flags, 31);
    memcpy(hash, first->hash, 32);
    draft = *rsp_repo_roles(repo);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_repo_set_roles(repo, &draft, y.keeper), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    advance(repo);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 2);
    ck_assert_uint_eq(rsp_repo_roles(repo)->members_n, 3);
    ck_assert_mem_eq(rsp_repo_roles(repo)->previous, hash, 32);
    ck_assert_mem_eq(rsp_repo_roles(repo)->lineage, y.lineage, 16);
    ck_assert_uint_eq(rsp_repo_roles(repo)->time_ms, (uint64_t)y.now_ms);
    ck_assert_ptr_eq(repo_roles_by_hash(repo, hash), first); /* still there */
    memset(hash, 0, 32);
    ck_assert_ptr_null(repo_roles_by_hash(repo, hash));
    /* Somebody who opened before is told. */
    draft = *rsp_repo_roles(other);
    y.now_ms += 7;
    ck_assert_int_eq(rsp_repo_set_roles(other, &draft, y.root), RSP_EEXIST);
    ck_assert_uint_eq(rsp_repo_roles(other)->n, 1);
    rsp_repo_free(other);
    rsp_repo_free(repo);
    /* A file that only pretends to be the next one holds nobody up. */
    put("roles/0000000003-0000000000000000000000000000000000000000000000000000000000000000", "x", 1);
    repo = must_open(y.state);
    advance(repo);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 3);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(roles_damaged)
{
    struct rsp_repo *repo = must_open(y.state);
    const struct rsp_trouble *t;
    char name[300], path[512], two[300], path_two[512];
    size_t n;
    advance(repo);
    rsp_repo_free(repo);
    only("roles", "0000000001", name, path);
    only("roles", "0000000002", two, path_two);
    yard_flip(path, 100);
    /* Known to the state: one trouble, and the way out works. */
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 1);
    t = trouble(repo, "roles", "its bytes");
    ck_assert(t && !strcmp(t->name, name) && strstr(t->way_out, "backupd key republish"));
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 2);
    ck_assert_int_eq(rsp_repo_republish_roles(repo, &n), RSP_OK);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(y.error.code, 0);
    ck_assert_int_eq(rsp_repo_republish_roles(repo, &n), RSP_OK);
    ck_assert_uint_eq(n, 0);
    rsp_repo_free(repo);
    repo = must_open(NULL);
    ck_assert_uint_eq(repo->troubles_n, 0);
    rsp_repo_free(repo);
    /* Not known: the file itself, and the hole in the chain. */
    yard_flip(path, 100);
    repo = must_open(NULL);
    ck_assert_uint_eq(faults(repo), 2);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 2);
    rsp_repo_free(repo);
    /* All damaged. */
    yard_flip(path_two, 100);
    ck_assert_int_eq(open_with(NULL, &y.root_public, NULL, 0, &repo), RSP_EINTEGRITY);
    ck_assert_int_eq(open_with(y.state, NULL, NULL, 0, &repo), RSP_OK);
    ck_assert_uint_eq(faults(repo), 2);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(roles_every_byte)
{
    struct rsp_repo *repo = must_open(y.state);
    struct stat st;
    char name[300], path[512];
    advance(repo);
    rsp_repo_free(repo);
    only("roles", "0000000002", name, path);
    ck_assert_int_eq(stat(path, &st), 0);
    for (long at = 0; at < st.st_size; at++) {
        const struct rsp_trouble *t;
        yard_flip(path, at);
        repo = must_open(NULL);
        t = trouble(repo, "roles", "its bytes");
        ck_assert(t && t->status == RSP_EINTEGRITY && !strcmp(t->name, name));
        ck_assert_uint_eq(rsp_repo_roles(repo)->n, 1);
        rsp_repo_free(repo);
        yard_flip(path, at);
    }
    for (size_t cut = 0; cut < (size_t)st.st_size; cut += 7) {
        uint8_t bytes[4096];
        file_bytes(path, bytes, (size_t)st.st_size, 0);
        ck_assert_int_eq(truncate(path, (off_t)cut), 0);
        repo = must_open(NULL);
        ck_assert_ptr_nonnull(trouble(repo, "roles", "its bytes"));
        rsp_repo_free(repo);
        file_bytes(path, bytes, (size_t)st.st_size, 1);
    }
}
END_TEST

START_TEST(roles_forged)
{
    struct rsp_repo *repo = must_open(y.state);
    struct rsp_roles draft = *rsp_repo_roles(repo), *forged = NULL;
    struct rsp_member m = {.flags = 31, .name = "thief"};
    struct rsp_public thief;
    char name[NAME_MAX_BYTES];
    rsp_identity_public(y.keeper, &thief);
    m.key = thief;
    rsp_lineage_of(&thief, draft.lineage);
    memcpy(draft.root, thief.sign, 32);
    draft.n = 2;
    memcpy(draft.previous, rsp_repo_roles(repo)->hash, 32);
    draft.members = &m;
    draft.members_n = 1;
    ck_assert_int_eq(rsp_roles_sign(&y.env, &draft, y.keeper, &forged), RSP_OK);
    name_roles(name, 2, forged->hash);
    put(name, forged->bytes, forged->bytes_n);
    rsp_repo_free(repo);
    repo = must_open(y.state);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 1);
    ck_assert_uint_eq(faults(repo), 1);
    ck_assert_ptr_nonnull(trouble(repo, "roles", "not signed by root"));
    ck_assert_ptr_null(rsp_roles_find_name(rsp_repo_roles(repo), "thief"));
    /* Root may give it up: the way out on a store that deletes nothing. */
    draft = *rsp_repo_roles(repo);
    draft.lost = &forged->hash;
    draft.lost_n = 1;
    ck_assert_int_eq(rsp_repo_set_roles(repo, &draft, y.root), RSP_OK);
    rsp_repo_free(repo);
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 0);
    ck_assert_ptr_nonnull(trouble(repo, "roles", "given it up"));
    rsp_repo_free(repo);
    rsp_roles_free(forged);
}
END_TEST

START_TEST(newest_missing)
{
    struct rsp_repo *repo = must_open(y.state);
    struct rsp_repo_options o = {.size = sizeof o, .store = y.store, .state = y.state, .accept_rollback = 1};
    const struct rsp_trouble *t;
    char name[300], path[512];
    size_t n;
    advance(repo);
    rsp_repo_free(repo);
    only("roles", "0000000002", name, path);
    ck_assert_int_eq(unlink(path), 0);
    repo = must_open(NULL); /* without memory it cannot be seen */
    ck_assert_uint_eq(repo->troubles_n, 0);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 1);
    rsp_repo_free(repo);
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 1);
    t = trouble(repo, "roles", "does not show it");
    ck_assert(t && t->status == RSP_EINTEGRITY && !strcmp(t->name, name) && strstr(t->way_out, "key republish"));
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 2); /* what root said holds, whatever the store shows */
    rsp_repo_free(repo);
    ck_assert_int_eq(rsp_repo_open(&y.env, &o, &repo), RSP_OK);
    ck_assert_uint_eq(faults(repo), 0);
    ck_assert_uint_eq(repo->troubles_n, 1);
    ck_assert_int_eq(rsp_repo_republish_roles(repo, &n), RSP_OK);
    ck_assert_uint_eq(n, 1);
    rsp_repo_free(repo);
    repo = must_open(y.state);
    ck_assert_uint_eq(repo->troubles_n, 0);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(middle_missing)
{
    struct rsp_repo *repo = must_open(y.state);
    struct rsp_roles draft;
    char name[300], path[512], state_name[300];
    uint8_t lost[1][32];
    advance(repo);
    memcpy(lost[0], rsp_repo_roles(repo)->hash, 32);
    advance(repo);
    rsp_repo_free(repo);
    only("roles", "0000000002", name, path);
    ck_assert_int_eq(unlink(path), 0);
    repo = must_open(y.state); /* the state has it: republish helps */
    ck_assert_uint_eq(faults(repo), 1);
    ck_assert_ptr_nonnull(trouble(repo, "roles", "does not show it"));
    rsp_repo_free(repo);
    snprintf(state_name, sizeof state_name, "%s", name);
    forget_state(state_name);
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 1);
    ck_assert_str_eq(trouble(repo, "roles", "it is not there")->name, name);
    /* Nobody has it any more: root gives it up. */
    draft = *rsp_repo_roles(repo);
    draft.lost = lost;
    draft.lost_n = 1;
    ck_assert_int_eq(rsp_repo_set_roles(repo, &draft, y.root), RSP_OK);
    rsp_repo_free(repo);
    repo = must_open(NULL);
    ck_assert_uint_eq(repo->troubles_n, 0);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 4);
    rsp_repo_free(repo);
}
END_TEST

static int forget(struct rsp_repo *repo, const char *const *names, size_t n, const struct rsp_identity *root,
                  uint8_t (*hashes)[32], size_t *added)
{
    struct rsp_log_options o = {.size = sizeof o};
    struct rsp_log *log = NULL;
    int rc;
    rsp_error_clear(&y.error);
    rc = rsp_log_load(repo, &o, &log);
    if (!rc) rc = rsp_roles_forget(log, names, n, root, hashes, added);
    rsp_log_free(log);
    return rc;
}

/* Records 1 and 2 of 3 are gone from the store and from the state. */
START_TEST(forgotten)
{
    struct rsp_repo *repo = must_open(y.state);
    const struct rsp_trouble *t;
    uint8_t hash[2][32], hashes[3][32];
    char hex[65], name[300], path[512];
    const char *names[3] = {hex, name, hex};
    size_t added = 9;
    memcpy(hash[0], rsp_repo_roles(repo)->hash, 32);
    advance(repo);
    memcpy(hash[1], rsp_repo_roles(repo)->hash, 32);
    advance(repo);
    rsp_repo_free(repo);
    only("roles", "0000000001", name, path);
    ck_assert_int_eq(unlink(path), 0);
    only("roles", "0000000002", name, path);
    yard_flip(path, 100);
    /* What the state knows is put back, not given up. */
    repo = must_open(y.state);
    hex_text(hex, hash[0], 32);
    ck_assert_int_eq(forget(repo, names, 1, y.root, hashes, &added), RSP_EDENIED);
    ck_assert_uint_eq(added, 0);
    ck_assert_ptr_nonnull(strstr(y.error.message, "key republish"));
    rsp_repo_free(repo);
    repo = must_open(NULL);
    ck_assert_uint_eq(faults(repo), 2);
    t = trouble(repo, "roles", "its bytes");
    hex_text(hex, hash[1], 32);
    ck_assert(t && strstr(t->way_out, "key republish") && strstr(t->way_out, "backupd key forget "));
    ck_assert_ptr_nonnull(strstr(t->way_out, hex));
    t = trouble(repo, "roles", "it is not there");
    ck_assert(t && strstr(t->way_out, hex)); /* the damaged one hides that the first is missing */
    hex_text(hex, rsp_repo_roles(repo)->hash, 32);
    ck_assert_int_eq(forget(repo, names, 1, y.root, hashes, &added), RSP_EDENIED);
    hex_text(hex, hash[0], 32); /* nothing names it any more */
    ck_assert_int_eq(forget(repo, names, 1, y.root, hashes, &added), RSP_ENOTFOUND);
    names[0] = "0123456";
    ck_assert_int_eq(forget(repo, names, 1, y.root, hashes, &added), RSP_ENOTFOUND);
    names[0] = name;
    ck_assert_int_eq(forget(repo, names, 2, y.keeper, hashes, &added), RSP_ERIGHT);
    ck_assert_uint_eq(added, 0);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 3);
    ck_assert_int_eq(forget(repo, names, 2, y.root, hashes, &added), RSP_OK);
    ck_assert_uint_eq(added, 1);
    ck_assert_mem_eq(hashes[0], hash[1], 32);
    ck_assert_mem_eq(hashes[1], hash[1], 32);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 4);
    ck_assert_uint_eq(rsp_repo_roles(repo)->members_n, 2);
    ck_assert_int_eq(forget(repo, names, 2, y.root, hashes, &added), RSP_OK);
    ck_assert_uint_eq(added, 0);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 4);
    rsp_repo_free(repo);
    repo = must_open(NULL);
    ck_assert_uint_eq(faults(repo), 0);
    ck_assert_uint_eq(rsp_repo_roles(repo)->lost_n, 1);
    ck_assert_mem_eq(rsp_repo_roles(repo)->lost[0], hash[1], 32);
    rsp_repo_free(repo);
}
END_TEST

/* Two that begin alike: what is meant has to be said. */
START_TEST(forget_ambiguous)
{
    struct rsp_repo *repo;
    uint8_t hashes[1][32];
    const char *names[1] = {"abcdef01"};
    size_t added;
    put("roles/0000000002-abcdef0100000000000000000000000000000000000000000000000000000000", "x", 1);
    put("roles/0000000003-abcdef0110000000000000000000000000000000000000000000000000000000", "x", 1);
    repo = must_open(y.state);
    ck_assert_int_eq(forget(repo, names, 1, y.root, hashes, &added), RSP_EINVAL);
    names[0] = "abcdef011";
    ck_assert_int_eq(forget(repo, names, 1, y.root, hashes, &added), RSP_OK);
    ck_assert_uint_eq(added, 1);
    ck_assert_uint_eq(hashes[0][4], 0x10);
    rsp_repo_free(repo);
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 1);
    rsp_repo_free(repo);
}
END_TEST

static struct {
    unsigned at, fail;
} allocations;

static void *sparse(void *opaque, void *p, size_t old, size_t n)
{
    (void)opaque;
    (void)old;
    if (!n) {
        free(p);
        return NULL;
    }
    return ++allocations.at == allocations.fail ? NULL : realloc(p, n);
}

START_TEST(forget_without_memory)
{
    struct rsp_log_options o = {.size = sizeof o};
    const char *names[1] = {"roles/0000000002-abcdef0100000000000000000000000000000000000000000000000000000000"};
    unsigned failures = 0;
    put(names[0], "x", 1);
    y.env.resize = sparse;
    for (int rc = RSP_ENOMEM; rc;) {
        struct rsp_repo *repo;
        struct rsp_log *log = NULL;
        uint8_t hashes[1][32];
        size_t added;
        allocations.fail = 0;
        repo = must_open(NULL);
        ck_assert_int_eq(rsp_log_load(repo, &o, &log), RSP_OK);
        allocations.at = 0;
        allocations.fail = ++failures;
        rc = rsp_roles_forget(log, names, 1, y.root, hashes, &added);
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        ck_assert_uint_eq(added, !rc);
        allocations.fail = 0;
        rsp_log_free(log);
        rsp_repo_free(repo);
        ck_assert_uint_lt(failures, 500);
        if (!rc) break;
        /* What failed behind the publishing is published. */
        repo = must_open(NULL);
        if (rsp_repo_roles(repo)->n > 1) rc = RSP_OK;
        rsp_repo_free(repo);
    }
    ck_assert_uint_gt(failures, 4);
}
END_TEST

/* Root gave up two records that were lost; the storage brings them back. */
START_TEST(forgotten_come_back)
{
    struct rsp_repo *repo = must_open(NULL);
    struct rsp_roles draft = *rsp_repo_roles(repo), *made[3];
    uint8_t lost[2][32];
    char name[NAME_MAX_BYTES];
    memcpy(draft.previous, rsp_repo_roles(repo)->hash, 32);
    for (unsigned i = 0; i < 3; i++) {
        draft.n = i == 1 ? 3 : 2;
        draft.time_ms = 1000 + i;
        if (i == 1) memcpy(draft.previous, made[0]->hash, 32);
        if (i == 2) { /* the one that gives them up */
            memcpy(draft.previous, rsp_repo_roles(repo)->hash, 32);
            memcpy(lost[0], made[0]->hash, 32);
            memcpy(lost[1], made[1]->hash, 32);
            draft.lost = lost;
            draft.lost_n = 2;
        }
        ck_assert_int_eq(rsp_roles_sign(&y.env, &draft, y.root, &made[i]), RSP_OK);
        name_roles(name, made[i]->n, made[i]->hash);
        put(name, made[i]->bytes, made[i]->bytes_n);
    }
    rsp_repo_free(repo);
    repo = must_open(NULL);
    ck_assert_uint_eq(faults(repo), 0);
    ck_assert_mem_eq(rsp_repo_roles(repo)->hash, made[2]->hash, 32);
    draft = *rsp_repo_roles(repo);
    ck_assert_int_eq(rsp_repo_set_roles(repo, &draft, y.root), RSP_OK);
    ck_assert_uint_eq(rsp_repo_roles(repo)->n, 3);
    ck_assert_mem_eq(rsp_repo_roles(repo)->previous, made[2]->hash, 32);
    rsp_repo_free(repo);
    for (unsigned i = 0; i < 3; i++) rsp_roles_free(made[i]);
}
END_TEST

START_TEST(roles_fork)
{
    struct rsp_repo *repo = must_open(NULL);
    struct rsp_roles draft = *rsp_repo_roles(repo), *made[2];
    char name[NAME_MAX_BYTES];
    const uint8_t *low;
    for (unsigned i = 0; i < 2; i++) {
        draft.n = 2;
        draft.time_ms = 1000 + i;
        memcpy(draft.previous, rsp_repo_roles(repo)->hash, 32);
        ck_assert_int_eq(rsp_roles_sign(&y.env, &draft, y.root, &made[i]), RSP_OK);
        name_roles(name, 2, made[i]->hash);
        put(name, made[i]->bytes, made[i]->bytes_n);
    }
    rsp_repo_free(repo);
    repo = must_open(y.state);
    low = memcmp(made[0]->hash, made[1]->hash, 32) < 0 ? made[0]->hash : made[1]->hash;
    ck_assert_mem_eq(rsp_repo_roles(repo)->hash, low, 32);
    ck_assert_uint_eq(faults(repo), 0);
    ck_assert_ptr_nonnull(trouble(repo, "fork", "number 2"));
    rsp_repo_free(repo);
    rsp_roles_free(made[0]);
    rsp_roles_free(made[1]);
}
END_TEST

/* What one handle publishes another host's state remembers once it has opened the repository. */
START_TEST(remembered)
{
    struct rsp_repo *repo = must_open(NULL), *seen;
    char name[300], path[512];
    advance(repo);
    rsp_repo_free(repo);
    seen = must_open(y.state);
    rsp_repo_free(seen);
    only("roles", "0000000002", name, path);
    ck_assert_int_eq(unlink(path), 0);
    repo = must_open(y.state);
    ck_assert_uint_eq(faults(repo), 1);
    rsp_repo_free(repo);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("roles_chain");
    TCase *t = tcase_create("roles_chain");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, roles_advance);
    tcase_add_test(t, roles_damaged);
    tcase_add_test(t, roles_every_byte);
    tcase_add_test(t, roles_forged);
    tcase_add_test(t, newest_missing);
    tcase_add_test(t, middle_missing);
    tcase_add_test(t, forgotten);
    tcase_add_test(t, forget_ambiguous);
    tcase_add_test(t, forget_without_memory);
    tcase_add_test(t, forgotten_come_back);
    tcase_add_test(t, roles_fork);
    tcase_add_test(t, remembered);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
