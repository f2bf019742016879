/* What this is: the dataset by BGSAVE: the server saves to its disk, and its file, which must be on this host, is
 * read.
 * Rests on: server_impl.h, respite/source.h.
 * Does not: reach into another host; change the server's settings. */
#ifndef REPL_BGSAVE_H
#define REPL_BGSAVE_H

#include <sys/stat.h>

#include "repl/server_impl.h"

/* Saves, waits until that save is over and was a good one, and opens its file. *source gives exactly the file's bytes
 * as of then, decompressed when the server compresses it whole; RSP_EIO when they change under it.
 * RSP_EDENIED: the server refuses, or its save failed; RSP_EBUSY: something else saves or rewrites and does not end
 * within patience_ms; RSP_ENOTFOUND, RSP_EPERM: the file is not on this host or not readable. */
int bgsave_open(struct rsp_server *s, const struct rsp_capture_options *o, int64_t *taken_ms,
                struct rsp_source **source);

/* ---- the file (bgsave_file.c) ---- */

struct bgsave_file {
    char path[4400];
    int64_t begun_s, saved_s; /* the save, by the server's clock and by this host's, which are the same one */
    struct stat before;       /* what lay there; st_ino 0: nothing */
};
/* What lies at path before the save. RSP_ENOTFOUND, RSP_EPERM: the directory is not on this host. */
int bgsave_file_before(struct rsp_server *s, struct bgsave_file *f);
/* The file that the save has left. */
int bgsave_file_open(struct rsp_server *s, const struct bgsave_file *f, struct rsp_source **source);

#endif
