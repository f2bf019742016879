/* What this is: what the tests of opening, roles and epochs share: a repository, its troubles, its files.
 * Rests on: libcheck, fixture/yard.h, repo/repo_open.h.
 * Does not: test. */
#ifndef TESTS_UNIT_REPO_REPO_TEST_H
#define TESTS_UNIT_REPO_REPO_TEST_H

#include <check.h>
#undef fail
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture/yard.h"
#include "repo/repo_open.h"
#include "seal/identity.h"

static struct yard y;
static struct rsp_env full; /* y's, with the defaults filled in, as the inner functions take it */

static inline void setup(void)
{
    yard_open(&y);
    env_init(&full, &y.env);
}
static inline void teardown(void)
{
    yard_close(&y);
}

/* ---- helpers ---- */

static inline int open_with(struct rsp_state *state, const struct rsp_public *root, struct rsp_identity *const *ids,
                            size_t n, struct rsp_repo **ret)
{
    struct rsp_repo_options o = {
        .size = sizeof o, .store = y.store, .state = state, .root = root, .identities = ids, .identities_n = n};
    rsp_error_clear(&y.error);
    return rsp_repo_open(&y.env, &o, ret);
}

static inline struct rsp_repo *must_open(struct rsp_state *state)
{
    struct rsp_repo *repo = NULL;
    int rc = open_with(state, &y.root_public, NULL, 0, &repo);
    ck_assert_msg(rc == RSP_OK, "%s %s", rsp_status_name(rc), y.error.message);
    ck_assert_int_eq(y.error.code, 0);
    return repo;
}

/* The only file in a folder of the store that begins with prefix, and its name. */
static inline void only(const char *folder, const char *prefix, char name[300], char path[512])
{
    struct dirent *e;
    unsigned n = 0;
    DIR *d;
    yard_path(&y, folder, path);
    d = opendir(path);
    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d)))
        if (e->d_name[0] != '.' && !strncmp(e->d_name, prefix, strlen(prefix)))
            snprintf(name, 300, "%s/%s", folder, e->d_name), n++;
    closedir(d);
    ck_assert_uint_eq(n, 1);
    yard_path(&y, name, path);
}

static inline const struct rsp_trouble *trouble(const struct rsp_repo *repo, const char *kind, const char *text)
{
    for (size_t i = 0; i < repo->troubles_n; i++)
        if (!strcmp(repo->troubles[i].kind, kind) && strstr(repo->troubles[i].text, text)) return &repo->troubles[i];
    return NULL;
}

static inline size_t faults(const struct rsp_repo *repo)
{
    size_t n = 0;
    for (size_t i = 0; i < repo->troubles_n; i++) n += repo->troubles[i].status != RSP_OK;
    return n;
}

static inline void put(const char *name, const void *p, size_t n)
{
    ck_assert_int_eq(rsp_store_put(y.store, name, p, n), RSP_OK);
}

/* One more roles record by root, with another member list: the same members, one left out. */
static inline void advance(struct rsp_repo *repo)
{
    struct rsp_roles draft = *rsp_repo_roles(repo);
    draft.members_n--;
    y.now_ms += 1000;
    ck_assert_int_eq(rsp_repo_set_roles(repo, &draft, y.root), RSP_OK);
}

static inline void file_bytes(const char *path, uint8_t *p, size_t n, int put_back)
{
    FILE *f = fopen(path, put_back ? "w" : "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_le(n, 4096);
    ck_assert_uint_eq(put_back ? fwrite(p, 1, n, f) : fread(p, 1, n, f), n);
    fclose(f);
}

static inline void forget_state(const char *name)
{
    char path[512];
    ck_assert_int_eq(rsp_state_path(y.state, y.lineage, name, path, sizeof path), RSP_OK);
    ck_assert_int_eq(unlink(path), 0);
}

#endif
