/* What this is: the input of a verb: a file, a pipe or standard input, unpacked when it is compressed.
 * Rests on: respite/source.h.
 * Does not: know RDB. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <respite/source.h>

struct input {
    const char *name;          /* as given; "standard input" for "-" */
    const char *codec;         /* "none", "zstd", "gzip", "lz4", "vcs+lz4", "vcs+zstd" */
    uint64_t size;             /* of the file as it lies there; 0: not known */
    struct rsp_source *source; /* what comes out */
    const struct rsp_env *env;
    int fd;
    int own_fd;
};

/* RSP_OK, or a fault with words in env's record, which is cleared before; env must outlive the input. A fault of a compressed envelope is EUNSUPPORTED,
 * EFORMAT or ETRUNCATED. input_close is due either way. */
int input_open(struct input *in, const struct rsp_env *env, const char *path);
/* The same in two steps: the bytes as they lie there; then unpacked when they are compressed. Between them source may be
 * replaced by one that owns it. */
int input_open_stored(struct input *in, const struct rsp_env *env, const char *path);
int input_detect(struct input *in);
void input_close(struct input *in);

#endif
