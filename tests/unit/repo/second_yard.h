/* What this is: a second repository of the yard's lineage, over a store that may falter.
 * Rests on: snapshot_yard.h, fixture/falter.h; check.h before it.
 * Does not: outlive the yard. */
#ifndef TESTS_UNIT_REPO_SECOND_YARD_H
#define TESTS_UNIT_REPO_SECOND_YARD_H

#include <stdio.h>

#include "fixture/falter.h"
#include "unit/repo/snapshot_yard.h"

struct second {
    struct falter f;
    struct rsp_store *inner, *store;
    struct rsp_repo *repo;
    struct rsp_error error; /* of its own, as a program's second context has */
    uint8_t id[16];
};

static inline void second_open(struct second *s, const char *name)
{
    struct rsp_store_options so = {.size = sizeof so, .create = 1};
    struct rsp_identity *both[2] = {y.host, y.reader};
    struct rsp_repo_options o = {.size = sizeof o, .identities = both, .identities_n = 2, .root = &y.root_public};
    struct rsp_env env = y.env;
    char url[128];
    memset(s, 0, sizeof *s);
    env.error = &s->error;
    snprintf(url, sizeof url, "file:%s/%s", y.dir, name);
    ck_assert_int_eq(rsp_store_open(&env, url, &so, &s->inner), RSP_OK);
    ck_assert_int_eq(rsp_repo_init(&env, s->inner, NULL, NULL, NULL, 0, repo, s->id), RSP_OK);
    s->store = falter_open(s->inner, &s->f);
    o.store = s->store;
    ck_assert_msg(rsp_repo_open(&env, &o, &s->repo) == RSP_OK, "%s", s->error.message);
    s->f.seen = 0;
}

static inline void second_close(struct second *s)
{
    rsp_repo_free(s->repo);
    rsp_store_free(s->store);
    rsp_store_free(s->inner);
}

#endif
