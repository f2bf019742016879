/* What this is: a store in a scratch directory, for the tests of this folder.
 * Rests on: store_dir.h.
 * Does not: hold a test. */
#include "unit/store/store_dir.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rsp_error error;
struct rsp_env env;
char dir[64], url[96];
struct rsp_store *s;

struct rsp_store *opened(const char *u, int create, int read_only)
{
    struct rsp_store_options o = {.size = sizeof o, .create = create, .read_only = read_only};
    struct rsp_store *ret = NULL;
    ck_assert_int_eq(rsp_store_open(&env, u, &o, &ret), RSP_OK);
    return ret;
}

void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    snprintf(dir, sizeof dir, "%s", "/tmp/respite-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(url, sizeof url, "file:%s/a/b", dir);
    s = opened(url, 1, 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void teardown(void)
{
    rsp_store_free(s);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *path(const char *name)
{
    static char p[512];
    snprintf(p, sizeof p, "%s/a/b/%s", dir, name);
    return p;
}

void make_file(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

int put(const char *name, const char *text)
{
    return rsp_store_put(s, name, text, strlen(text));
}

char listed[4096];
int join(void *opaque, const struct rsp_store_item *item)
{
    size_t n = strlen(listed);
    (void)opaque;
    snprintf(listed + n, sizeof listed - n, "%s ", item->name);
    return RSP_OK;
}
const char *list(const char *prefix)
{
    listed[0] = 0;
    ck_assert_int_eq(rsp_store_list(s, prefix, join, NULL), RSP_OK);
    return listed;
}

void check_bytes(const char *name, const char *text)
{
    uint8_t *p;
    size_t n;
    ck_assert_int_eq(rsp_store_get(s, name, 1000, &p, &n), RSP_OK);
    ck_assert_uint_eq(n, strlen(text));
    ck_assert_int_eq(memcmp(p, text, n), 0);
    rsp_store_release(s, p, n);
}
