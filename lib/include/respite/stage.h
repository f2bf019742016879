/* What this is: the one shape of everything that rewrites a stream of bytes: a step over an
 *   input cursor and an output cursor. Compression, encryption and counting are stages; a chain
 *   of stages is a stage.
 * Rests on: env.h.
 * Does not: read or write anything but memory.
 *
 * The contract of every stage:
 *  1. Any window sizes are taken, one byte of output and no input included; a call moves at
 *     least one cursor if it can.
 *  2. Pointers into the input are not kept after the call; in->pos passes only bytes that are
 *     truly absorbed.
 *  3. RSP_STAGE_END says that no input follows what in holds. The caller repeats it until the stage answers
 *     RSP_END; after that no call but result, free.
 *  4. A stage may learn of the end only by an empty END call and must be able to finish then.
 *  5. Input that stops too early is RSP_ETRUNCATED at END, never a quiet RSP_END.
 * After a fault the stage is dead: step answers RSP_ESTATE. */
#ifndef RESPITE_STAGE_H
#define RESPITE_STAGE_H

#include <respite/env.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_stage;

struct rsp_in {
    const uint8_t *p;
    size_t n;   /* bytes at p */
    size_t pos; /* 0..n: how many of them are absorbed */
};

struct rsp_out {
    uint8_t *p;
    size_t n;   /* room at p */
    size_t pos; /* 0..n: how many bytes have been written */
};

enum rsp_stage_op {
    RSP_STAGE_RUN = 0,   /* more input may follow */
    RSP_STAGE_FLUSH = 1, /* make all that was absorbed come out, if the stage can */
    RSP_STAGE_END = 2    /* no more input follows */
};

/* RSP_OK: call again (with more input or more room). RSP_END: finished; for a decompressing stage
 * also before the input is used up when its frame has ended and the rest is not its own. */
RSP_API RSP_NODISCARD int rsp_stage_step(struct rsp_stage *stage, struct rsp_in *in, struct rsp_out *out,
                                         enum rsp_stage_op op);
RSP_API const char *rsp_stage_name(const struct rsp_stage *stage);
RSP_API void rsp_stage_free(struct rsp_stage *stage);

/* Stages in order, first to last; the chain owns them once it returns RSP_OK, none on a fault.
 * count 1..16. */
RSP_API RSP_NODISCARD int rsp_chain_new(const struct rsp_env *env, struct rsp_stage *const *stages, size_t count,
                                        struct rsp_stage **ret);

/* A stage of the caller's own. step follows the contract above; close may be NULL. */
struct rsp_stage_ops {
    size_t size;
    const char *name;
    int (*step)(void *opaque, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op);
    void (*close)(void *opaque);
};
RSP_API RSP_NODISCARD int rsp_stage_custom(const struct rsp_env *env, const struct rsp_stage_ops *ops, void *opaque,
                                           struct rsp_stage **ret);

/* Compression. Decompressors take frames end to end (as zstd, gzip and lz4 do) and check the
 * checksums of their formats; expansion is bounded by env's limits. level 0 is the default. */
RSP_API RSP_NODISCARD int rsp_stage_zstd_compress(const struct rsp_env *env, int level, struct rsp_stage **ret);
RSP_API RSP_NODISCARD int rsp_stage_zstd_decompress(const struct rsp_env *env, struct rsp_stage **ret);
RSP_API RSP_NODISCARD int rsp_stage_lz4_decompress(const struct rsp_env *env, struct rsp_stage **ret);
RSP_API RSP_NODISCARD int rsp_stage_gzip_decompress(const struct rsp_env *env, struct rsp_stage **ret);

#ifdef __cplusplus
}
#endif
#endif
