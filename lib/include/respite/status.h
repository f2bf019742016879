/* What this is: every status that a call of librespite can return.
 * Rests on: version.h.
 * Does not: carry words about a fault; those stand in struct rsp_error (env.h). */
#ifndef RESPITE_STATUS_H
#define RESPITE_STATUS_H

#include <respite/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 0 is success, positive is progress (not a fault), negative is a fault.
 * The numbers are pinned for ever; families are spaced by ten:
 * -10 resources, -20 data, -30 secrets, -40 local input and output, -50 remote,
 * -60 use of the interface, -70 a callback's own verdict. */
#define RSP_STATUS_LIST(X)                                            \
    X(RSP_OK, 0, "success")                                           \
    X(RSP_END, 1, "end of data")                                      \
    X(RSP_AGAIN, 2, "no data yet, try again")                         \
    X(RSP_ENOMEM, -10, "out of memory")                               \
    X(RSP_ELIMIT, -11, "a limit set by the caller would be exceeded") \
    X(RSP_EFORMAT, -20, "malformed data")                             \
    X(RSP_ETRUNCATED, -21, "data ends too early")                     \
    X(RSP_ECHECKSUM, -22, "wrong checksum")                           \
    X(RSP_EVERSION, -23, "version not supported")                     \
    X(RSP_EUNSUPPORTED, -24, "feature not supported")                 \
    X(RSP_EAUTH, -30, "authentication failed")                        \
    X(RSP_EKEY, -31, "no key opens it")                               \
    X(RSP_EINTEGRITY, -32, "not what was signed")                     \
    X(RSP_ERIGHT, -33, "no key at hand has that right")               \
    X(RSP_EIO, -40, "input or output error")                          \
    X(RSP_ENOTFOUND, -41, "not found")                                \
    X(RSP_EEXIST, -42, "exists already")                              \
    X(RSP_EPERM, -43, "permission denied")                            \
    X(RSP_ENOSPACE, -44, "no space left")                             \
    X(RSP_ENOREPO, -45, "no repository there")                        \
    X(RSP_ELOCKED, -46, "in use by another process")                  \
    X(RSP_ENET, -50, "network error")                                 \
    X(RSP_ETIMEOUT, -51, "timed out")                                 \
    X(RSP_EDENIED, -52, "refused by the remote side")                 \
    X(RSP_EBUSY, -53, "remote side is busy")                          \
    X(RSP_EINVAL, -60, "invalid argument")                            \
    X(RSP_ESTATE, -61, "call not allowed in this state")              \
    X(RSP_EUSER, -70, "stopped by the caller's function")             \
    X(RSP_ECANCELED, -71, "cancelled")

enum rsp_status {
#define RSP_STATUS_ENUM(name, value, text) name = value,
    RSP_STATUS_LIST(RSP_STATUS_ENUM)
#undef RSP_STATUS_ENUM
};

/* The name ("RSP_EFORMAT") and the sentence ("malformed data") of a status. Static strings;
 * for a number that is none of the list "RSP_UNKNOWN" and "unknown status". */
RSP_API const char *rsp_status_name(int status);
RSP_API const char *rsp_status_text(int status);

#ifdef __cplusplus
}
#endif
#endif
