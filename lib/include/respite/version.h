/* What this is: the version of librespite and the mark of an exported symbol.
 * Rests on: nothing.
 * Does not: promise anything below 1.0; the soname stays 0 until then. */
#ifndef RESPITE_VERSION_H
#define RESPITE_VERSION_H

#define RSP_VERSION_MAJOR 0
#define RSP_VERSION_MINOR 1
#define RSP_VERSION_PATCH 0
#define RSP_VERSION_STRING "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#define RSP_API __attribute__((visibility("default")))
#define RSP_NODISCARD __attribute__((warn_unused_result))
#define RSP_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define RSP_API
#define RSP_NODISCARD
#define RSP_PRINTF(a, b)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, "0.1.0"; a static string. */
RSP_API const char *rsp_version(void);

#ifdef __cplusplus
}
#endif
#endif
