/* What this is: dd1, the dataset digest: equal for equal data whatever the order of keys and
 *   members, the encodings and the file they stand in.
 * Rests on: sys/rdb_batch.h, sys/rdb_run.h.
 * Does not: prove who wrote the data: it finds accidents, a signature finds forgery. No stable
 *   promise (sys); the digest's own definition is pinned (below) and never changes.
 *
 * H(x) is SipHash-2-4-128 of x under the key "respite dd1 key." (16 bytes), read as two little-endian uint64, a 128-bit number;
 * sums and products are mod 2^128. u64(n) is 8 bytes little endian; str(s) is u64(length) then the bytes.
 *   string   V = H("s" str(value))
 *   list     V = fold over the elements of H("l" str(element))
 *   set      V = sum over the members of H("m" str(member))
 *   zset     V = sum of H("z" str(member) u64(bits of the score, -0 as 0))
 *   hash     V = sum of H("h" str(field) str(value) u64(field expiry in ms, or 0 without one)), of a path hash
 *            with str(path) behind that
 *   array    V = sum of H("a" u64(index) str(text))
 *   module   V = H("o" and the raw value from the module id on, without a length: it is not known ahead)
 *   stream   V = fold over the entries of H("e" u64(ms) u64(seq) then str(...) of each field and value in order)
 *            + sum over groups of G + H("i" u64(length) u64(last ms) u64(last seq)
 *              u64(entries_added, or length when not stored) u64(max deleted ms) u64(seq), 0 when not stored)
 *            + sum over IDMP producers and iids of H("p" str(producer) str(iid) u64(ms) u64(seq))
 *   G = H("g" str(name) u64(last ms) u64(last seq) u64(entries_read, or 2^64-1) u64(sum over pending
 *       and consumers, low) u64(high)) with that sum over: pending H("n" u64(ms) u64(seq)
 *       u64(delivery ms) u64(count)), consumers H("c" str(name) u64(seen) u64(active, or seen when not stored)),
 *       owned H("w" str(consumer) u64(ms) u64(seq))
 * fold: acc = acc * M + x with M = 0x2545F4914F6CDD1D5851F42D4C957F2D, acc starting at 0: in order, and parts can
 * be computed apart and joined.
 * A record: R(with expiry) = H(u64(value type) str(key) u64(number of elements) u64(V low) u64(V high) u64(expire_ms or 2^63 without one)),
 * R(without) the same with 2^63 always. The number of elements of a string or module is 1, of a stream its entries. The dataset's
 * digest is the sum of R over the records, per db, per group of slots (slot / 64: 256 groups), and in all. */
#ifndef RESPITE_SYS_DIGEST_H
#define RESPITE_SYS_DIGEST_H

#include <respite/sys/rdb_run.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_dd1_sum {
    uint64_t lo, hi; /* mod 2^128 */
};

/* The digest of one value (or of a part of one), and how parts join. */
struct rsp_dd1_value {
    struct rsp_dd1_sum fold, power; /* ordered part and M^(elements folded) */
    struct rsp_dd1_sum sum;         /* unordered part */
    uint64_t count;
};

struct rsp_dd1;
RSP_API RSP_NODISCARD int rsp_dd1_new(const struct rsp_env *env, struct rsp_dd1 **ret);
/* For values carried over parts with big strings or streams' groups: begins a record. */
RSP_API void rsp_dd1_begin(struct rsp_dd1 *dd1);
/* One element, as rsp_rdb_value_next gives it. */
RSP_API RSP_NODISCARD int rsp_dd1_element(struct rsp_dd1 *dd1, const struct rsp_rdb_element *element);
/* The record's V so far, ready to be joined with that of a later part. */
RSP_API RSP_NODISCARD int rsp_dd1_take(struct rsp_dd1 *dd1, struct rsp_dd1_value *value);
RSP_API void rsp_dd1_join(struct rsp_dd1_value *value, const struct rsp_dd1_value *later);
/* R of a record, with its expiry and without. */
RSP_API void rsp_dd1_record(const struct rsp_dd1_value *value, int value_type, struct rsp_span key, int64_t expire_ms,
                            struct rsp_dd1_sum *with_expiry, struct rsp_dd1_sum *without);
RSP_API void rsp_dd1_add(struct rsp_dd1_sum *sum, const struct rsp_dd1_sum *more);
/* "dd1:" and 32 hexadecimal digits (hi then lo), and a terminator. */
#define RSP_DD1_TEXT 37
RSP_API void rsp_dd1_text(const struct rsp_dd1_sum *sum, char out[RSP_DD1_TEXT]);
RSP_API void rsp_dd1_free(struct rsp_dd1 *dd1);

/* ---- a whole file, with rsp_rdb_run ---- */

/* Sums of records. groups[g] is over the slots g*64 .. g*64+63. */
struct rsp_dd1_row {
    uint64_t keys, expires;
    struct rsp_dd1_sum with_expiry, without;
};

#define RSP_DD1_GROUPS 256
struct rsp_dd1_table;
RSP_API RSP_NODISCARD int rsp_dd1_table_new(const struct rsp_env *env, struct rsp_dd1_table **ret);
/* The whole dataset; one group of slots (RSP_DD1_GROUPS of them); the dbs in ascending order, NULL past the
 * last one. */
RSP_API const struct rsp_dd1_row *rsp_dd1_table_total(const struct rsp_dd1_table *table);
RSP_API const struct rsp_dd1_row *rsp_dd1_table_group(const struct rsp_dd1_table *table, unsigned group);
RSP_API const struct rsp_dd1_row *rsp_dd1_table_db(struct rsp_dd1_table *table, size_t index, uint32_t *db);
/* Records whose value is malformed: when not 0, the sums are not those of the dataset. *offset (may be NULL)
 * becomes that of the first. */
RSP_API uint64_t rsp_dd1_table_broken(const struct rsp_dd1_table *table, uint64_t *offset);
RSP_API void rsp_dd1_table_free(struct rsp_dd1_table *table);

/* One per worker. */
struct rsp_dd1_worker;
RSP_API RSP_NODISCARD int rsp_dd1_worker_new(const struct rsp_env *env, struct rsp_dd1_worker **ret);
RSP_API void rsp_dd1_worker_free(struct rsp_dd1_worker *worker);

/* For work: the accepted records of task's batch into *part, whatever order batches come in. */
struct rsp_dd1_part;
RSP_API RSP_NODISCARD int rsp_dd1_batch(struct rsp_dd1_worker *worker, const struct rsp_rdb_task *task,
                                        struct rsp_dd1_part **part);
/* For join, in order: adds it to the table and frees part. */
RSP_API RSP_NODISCARD int rsp_dd1_fold(struct rsp_dd1_table *table, const struct rsp_rdb_task *task,
                                       struct rsp_dd1_part *part);
/* For drop. NULL does nothing. */
RSP_API void rsp_dd1_drop(struct rsp_dd1_part *part);

#ifdef __cplusplus
}
#endif
#endif
