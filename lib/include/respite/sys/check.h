/* What this is: is an RDB file sound? Framing, checksum and the inside of every encoding.
 * Rests on: sys/rdb_run.h.
 * Does not: repair. No stable promise (sys). */
#ifndef RESPITE_SYS_CHECK_H
#define RESPITE_SYS_CHECK_H

#include <respite/sys/rdb_run.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One thing that is wrong. Spans and strings live during the call only. */
struct rsp_finding {
    size_t size;
    uint64_t offset; /* in the file (of the decompressed RDB) */
    uint32_t db;
    struct rsp_span key; /* p NULL: no key concerned */
    const char *kind;    /* a short fixed word for scripts: "framing", "checksum", "truncated", "version", "listpack",
                             "ziplist", "intset", "zipmap", "lzf", "duplicate-key", "duplicate-member", "order", "score",
                             "stream", "empty", "ttl", "template", "module", "trailing", "unprotected", "array", "string" */
    const char *reason;  /* a sentence */
};

struct rsp_dd1_table; /* sys/digest.h */

struct rsp_check_options {
    size_t size;
    int quick;            /* framing and checksum only */
    int no_duplicates;    /* do not look for duplicate keys */
    int require_checksum; /* a file without a checksum is a finding */
    int digest;           /* compute dd1 */
    size_t dups_bytes;    /* budget of the duplicate search; 0: 48 MiB */
    const char *tmpdir;
    struct rsp_rdb_run_options run;
    /* In the order of the file as far as it can be (duplicate keys come last). A status below
     * zero stops the check. */
    int (*found)(void *opaque, const struct rsp_finding *finding);
    void *opaque;
    struct rsp_dd1_table *dd1; /* with digest: the caller's table, filled in (not with quick) */
    /* What else is made of the same reading (not with quick): called as rsp_rdb_run would call it, by the check's own
     * threads, each batch after the check has looked at it. Its faults stop the check. */
    const struct rsp_rdb_run_ops *beside;
    void *beside_ctx;
};

struct rsp_check_report {
    size_t size;
    struct rsp_rdb_run_result run;
    uint64_t findings;
    int deep;            /* the inside of encodings was looked at */
    int duplicates_done; /* the search for duplicate keys is complete */
    int not_rdb;         /* the input is no RDB file at all: nothing could be judged, nothing was found */
};

/* RSP_OK whenever the file could be judged, whatever was found (and with not_rdb set, when it is none); a fault otherwise (source, memory,
 * tmpdir, cancelled, the caller's function). */
RSP_API RSP_NODISCARD int rsp_check_file(const struct rsp_env *env, struct rsp_source *source,
                                         const struct rsp_check_options *options, struct rsp_check_report *report);

#ifdef __cplusplus
}
#endif
#endif
