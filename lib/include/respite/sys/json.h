/* What this is: records of an RDB file as JSON (the schema of man rdbtool, "JSON").
 * Rests on: sys/rdb_run.h, sink.h.
 * Does not: parse JSON. No stable promise (sys). */
#ifndef RESPITE_SYS_JSON_H
#define RESPITE_SYS_JSON_H

#include <respite/sink.h>
#include <respite/sys/rdb_run.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rsp_json_bytes { RSP_JSON_UTF8 = 0, RSP_JSON_LATIN1 = 1, RSP_JSON_BASE64 = 2 };

struct rsp_json_options {
    size_t size;
    int bytes;          /* enum rsp_json_bytes */
    int array;          /* 0: JSON Lines; 1: one JSON array */
    int with_meta;      /* AUX, functions, module aux as lines of their own */
    int values_only;    /* only the value of each record, for `get` */
    const char *tmpdir; /* for values that must be seen whole before their first byte is written */
    struct rsp_rdb_run_options run;
};

/* Exports everything that the run's filter accepts. Neither commits nor frees sink. */
RSP_API RSP_NODISCARD int rsp_json_export(const struct rsp_env *env, struct rsp_source *source,
                                          const struct rsp_json_options *options, struct rsp_sink *sink,
                                          struct rsp_rdb_run_result *result);

#ifdef __cplusplus
}
#endif
#endif
