/* What this is: what the files of the state directory share: its handle, its paths, whole files in and out.
 * Rests on: repo_impl.h.
 * Does not: leave this folder. */
#ifndef REPO_STATE_IMPL_H
#define REPO_STATE_IMPL_H

#include "repo/repo_impl.h"

#define STATE_PATH_MAX 4096
#define STATE_LOCKS 16 /* lineages that one process may hold at once */

struct rsp_state {
    struct rsp_env env;
    char *dir;
    int locks_n;
    struct {
        uint8_t lineage[ID_BYTES];
        int fd;
    } locks[STATE_LOCKS];
};

/* "DIR", "DIR/NAME", "DIR/<lineage>", or "DIR/<lineage>/NAME" into out (STATE_PATH_MAX). lineage and name may be
 * NULL. */
int state_path(const struct rsp_state *state, const uint8_t *lineage, const char *name, char *out);
/* Makes the folder (0700) and those above it as far as they are missing. */
int state_mkdir(const struct rsp_state *state, const char *path);
/* The whole file, which must be a regular one, appended to out: RSP_ELIMIT above max; RSP_ENOTFOUND without words when
 * it is not there. */
int state_read(const struct rsp_state *state, const char *path, size_t max, struct buf *out);
/* The file appears whole and durable or stays as it was. */
int state_write(const struct rsp_state *state, const char *path, const void *p, size_t n);
/* Held while something is read, changed and written back; -1: the fault is in *rc. state_leave gives it back. */
int state_enter(const struct rsp_state *state, int *rc);
void state_leave(int fd);
/* One line of the *left bytes at *p, without its line feed; moves both on. 0: there is none. */
int state_line(const uint8_t **p, size_t *left, struct rsp_span *line);

#endif
