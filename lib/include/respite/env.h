/* What this is: the environment every handle is made with: allocator, limits, error record,
 *   log hook, clock and randomness.
 * Rests on: status.h.
 * Does not: hold global state. One env per thread or job; two threads never share a record. */
#ifndef RESPITE_ENV_H
#define RESPITE_ENV_H

#include <stddef.h>
#include <stdint.h>

#include <respite/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A borrowed view: n bytes at p. Whoever hands one out says how long it lives.
 * p may be NULL only when n is 0. Never freed. */
struct rsp_span {
    const uint8_t *p;
    size_t n;
};

/* The words of a fault. Caller-owned, of fixed size, never allocated; all zero means "no fault".
 * The floor that sees the fault writes it (the first writer wins until it is cleared); floors
 * above may only append to the trail. */
struct rsp_error {
    int32_t code;      /* an rsp_status below zero, or 0 */
    int32_t sys_errno; /* errno at the fault, or 0 */
    uint64_t offset;   /* byte offset in the input, when has_offset is not 0 */
    uint8_t has_offset;
    uint8_t retryable; /* the same call may succeed later (network, busy) */
    uint8_t reserved[6];
    char subject[128]; /* on what: a file name, a key, a URL; printable, may be cut */
    char message[256]; /* what was tried, what is wrong */
    char trail[256];   /* what the floors above were doing, "; " between the lines */
};

/* Limits of one handle; 0 means the default that stands beside it. Hostile input that would
 * exceed one ends in RSP_ELIMIT. */
struct rsp_limits {
    uint64_t alloc_bytes;  /* largest single allocation that follows the input (1 GiB) */
    uint64_t key_bytes;    /* largest key, AUX value or function source (512 MiB; at least 64 bytes) */
    uint64_t expand_ratio; /* largest expansion of a compressed file (2000 : 1, after the first 64 MiB) */
};

enum rsp_log_level { RSP_LOG_ERROR = 0, RSP_LOG_WARN = 1, RSP_LOG_INFO = 2, RSP_LOG_DEBUG = 3 };

/* Every handle copies the env it is made with; what its pointers name must outlive the handle.
 * A NULL env, or any member left 0, means the default: the C library's allocator, no error
 * record, no log, the system's clock and random source. Members are only ever appended. */
struct rsp_env {
    size_t size; /* sizeof(struct rsp_env), so that a newer library reads no further */

    /* The one allocator: ptr NULL allocates, new_size 0 frees (and returns NULL), else resizes.
     * old_size is what was asked for before. NULL on failure leaves the old block as it was. */
    void *(*resize)(void *opaque, void *ptr, size_t old_size, size_t new_size);
    void *resize_opaque;

    struct rsp_limits limits;
    struct rsp_error *error;

    /* Called with one line, without a newline. Never called with data of keys or values. */
    void (*log)(void *opaque, int level, const char *line);
    void *log_opaque;

    int64_t (*now_ms)(void *opaque);                    /* milliseconds since the epoch */
    int (*random)(void *opaque, void *bytes, size_t n); /* 0, or RSP_EIO */
    void *clock_opaque, *random_opaque;
};

/* Zeroes the record. */
RSP_API void rsp_error_clear(struct rsp_error *error);

/* Writes the whole record as one line, "subject: message (offset N): errno text; trail", into
 * out (always terminated). Returns the length without the terminator, cut to size - 1. */
RSP_API size_t rsp_error_format(const struct rsp_error *error, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
