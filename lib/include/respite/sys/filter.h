/* What this is: which keys are meant: by name, type, db, size, expiry, slot.
 * Rests on: env.h.
 * Does not: know where a key comes from: the caller fills in struct rsp_key_facts. No stable promise (sys). */
#ifndef RESPITE_SYS_FILTER_H
#define RESPITE_SYS_FILTER_H

#include <respite/env.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_filter;

/* What is known of a key when it is judged. */
struct rsp_key_facts {
    struct rsp_span key;
    uint64_t db;
    int value_type; /* enum rsp_rdb_value_type of rdb.h */
    int has_expire;
    int64_t expire_ms;   /* absolute */
    uint64_t size_bytes; /* serialised bytes of the whole record seen so far */
    int size_known;      /* 0: more bytes follow, size_bytes is a lower bound */
};

enum rsp_filter_verdict {
    RSP_FILTER_REFUSE = 0,
    RSP_FILTER_ACCEPT = 1,
    RSP_FILTER_UNSURE = 2 /* only the final size will tell: ask again with size_known */
};

RSP_API RSP_NODISCARD int rsp_filter_new(const struct rsp_env *env, struct rsp_filter **ret);

/* Adds one condition. name is the option's long name, text its argument:
 *   "key" GLOB (as KEYS: * ? [a-z] [^x] \x), "key-regex" ERE, "not-key" GLOB, "not-key-regex" ERE,
 *   "type" string|list|set|zset|hash|stream|array|module (also str, sortedset, several joined by commas),
 *   "db" N or N~M or N,M, "size" a~b (bytes; 1KB = 1024; either side may be empty or inf),
 *   "ttl" a~b (durations from now: 30s 5m 2h 1d, plain = seconds) | none | any | expired,
 *   "slot" N, a-b, lists with commas, "now" milliseconds since the epoch.
 * Conditions of one name are alternatives (not-*: none may match), of different names all must hold.
 * RSP_EINVAL with a message that says what is wrong with text. */
RSP_API RSP_NODISCARD int rsp_filter_add(struct rsp_filter *filter, const char *name, const char *text);

/* 1 when nothing was added that could refuse a key. */
RSP_API int rsp_filter_empty(const struct rsp_filter *filter);

/* Milliseconds since the epoch that expiries are judged by: "now" as added, or the time of
 * rsp_filter_new. */
RSP_API int64_t rsp_filter_now_ms(const struct rsp_filter *filter);

/* Safe from several threads at once. A regular expression is matched in time linear in the key:
 * it is run by our own automaton, so no pattern can hang a run. */
RSP_API int rsp_filter_match(const struct rsp_filter *filter, const struct rsp_key_facts *facts);
RSP_API void rsp_filter_free(struct rsp_filter *filter);

/* Glob as the KEYS command has it; 1 when it matches. Linear but for '*': no exponential case. */
RSP_API int rsp_glob_match(const char *pattern, size_t pattern_n, const uint8_t *text, size_t text_n);
/* The cluster slot of a key, 0..16383: CRC16 of what stands in the first {...}, else of the key. */
RSP_API unsigned rsp_key_slot(struct rsp_span key);

/* "1KB", "2M", "3GiB", "17" -> bytes (powers of 1024). RSP_EINVAL. */
RSP_API RSP_NODISCARD int rsp_parse_size(const char *text, uint64_t *bytes);
/* "30s", "5m", "2h", "1d", "1w", "250ms", "90" (seconds) -> milliseconds. RSP_EINVAL. */
RSP_API RSP_NODISCARD int rsp_parse_duration(const char *text, int64_t *ms);

#ifdef __cplusplus
}
#endif
#endif
