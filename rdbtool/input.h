/* What this is: the input of a verb: a file, a pipe or standard input, unpacked when it is compressed.
 * Rests on: respite/source.h.
 * Does not: know RDB. */
#ifndef RDBTOOL_INPUT_H
#define RDBTOOL_INPUT_H

#include <respite/source.h>

#include "rdbtool/options.h"

struct input {
    const char *name;          /* as given; "standard input" for "-" */
    const char *codec;         /* "none", "zstd", "gzip", "lz4", "vcs+lz4", "vcs+zstd" */
    uint64_t size;             /* of the file as it lies there; 0: not known */
    struct rsp_source *source; /* what comes out */
    struct rsp_source *inner;  /* the file itself, as long as source does not own it */
    struct job *job;
    int fd;
    int own_fd;
};

/* RSP_OK, or a fault with words in the job's error record. A fault of a compressed envelope is EUNSUPPORTED,
 * EFORMAT or ETRUNCATED. input_close is due either way. */
int input_open(struct input *in, struct job *job, const char *path);
void input_close(struct input *in);

#endif
