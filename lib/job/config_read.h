/* What this is: a server's configuration file, line by line.
 * Rests on: respite/sys/live.h.
 * Does not: know directives other than those that decide where data lies and where the server answers. */
#ifndef JOB_CONFIG_READ_H
#define JOB_CONFIG_READ_H

#include <respite/sys/live.h>

#include "base/buf.h"

#define CONFIG_FILES 16
#define CONFIG_DEPTH 4
#define CONFIG_BYTES (4u << 20) /* of one file */

struct config_reader {
    struct rsp_env env;
    struct rsp_server_config c;
    unsigned files, depth;
    int no_include; /* 1: "include" is passed over */
    struct buf word, value;
};
void config_reader_init(struct config_reader *r, const struct rsp_env *env);
/* The file's text; name is the subject of faults. */
int config_read_text(struct config_reader *r, const char *name, const uint8_t *p, size_t n);
void config_reader_free(struct config_reader *r);

#endif
