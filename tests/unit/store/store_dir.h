/* What this is: a store in a scratch directory, for the tests of this folder.
 * Rests on: libcheck.
 * Does not: hold a test. */
#ifndef STORE_STORE_DIR_H
#define STORE_STORE_DIR_H

#include <respite/sys/store.h>

extern struct rsp_error error;
extern struct rsp_env env;
extern char dir[64], url[96]; /* the store is in a/b below dir, and made by setup */
extern struct rsp_store *s;

void setup(void);
void teardown(void);
struct rsp_store *opened(const char *u, int create, int read_only);
const char *path(const char *name); /* of an object's file; until the next call */
void make_file(const char *name, const char *text);
int put(const char *name, const char *text);
void check_bytes(const char *name, const char *text);

/* All names of a walk, each with a blank behind it. */
extern char listed[4096];
int join(void *opaque, const struct rsp_store_item *item);
const char *list(const char *prefix);

#endif
