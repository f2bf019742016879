/* What this is: the file that a restore makes: written beside its name, which it gets when it is whole.
 * Rests on: respite/env.h.
 * Does not: replace an existing file unless it is told to, follow a symbolic link, or widen the mode 0600. */
#ifndef JOB_TARGET_H
#define JOB_TARGET_H

#include <respite/env.h>

struct target {
    struct rsp_env env;
    char *path;
    size_t path_n;
    const char *base; /* in path */
    int fd, dir;      /* -1: closed */
    int force, keep;  /* keep: what is written stays for the next run */
    char part[256];   /* its name in dir; "": it has none */
    uint64_t had;     /* bytes that an earlier run left */
    uint64_t flushed; /* so far the kernel was asked to write */
};

/* keep: under ".NAME.respite-restore.part", which may be there from an earlier run; else without a name if the file system
 * can do that. RSP_EEXIST; RSP_ELOCKED: another restore writes it. */
int target_open(struct target *t, const struct rsp_env *env, const char *path, int force, int keep);
/* The same in a folder that is open already: of path only the last part is used, the whole in words. */
int target_open_at(struct target *t, const struct rsp_env *env, int dir, const char *path, int force, int keep);
/* Writes n bytes at offset and asks the kernel now and then to bring them to the disk. */
int target_write(struct target *t, const void *p, size_t n, uint64_t offset);
/* The bytes [offset, offset + n) that an earlier run left are these. */
int target_same(struct target *t, const void *p, size_t n, uint64_t offset, void *scratch, int *same);
/* Cuts to size, makes it durable, gives it its name. */
int target_commit(struct target *t, uint64_t size);
void target_close(struct target *t); /* without commit: removed, or kept for the next run */

#endif
