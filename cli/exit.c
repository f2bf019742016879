/* What this is: which exit status a fault of the library means.
 * Rests on: cli/exit.h, cli/signal.h.
 * Does not: exit. */
#include "cli/exit.h"

#include <stddef.h>

#include "cli/signal.h"

int exit_of_fault(int status, int io)
{
    if (status >= 0) return EXIT_OK;
    switch (status) {
    case RSP_ENOMEM:
    case RSP_ELIMIT:
    case RSP_ENOSPACE: return EXIT_CAPACITY;
    case RSP_EFORMAT:
    case RSP_ETRUNCATED:
    case RSP_EVERSION:
    case RSP_EUNSUPPORTED: return EXIT_FORMAT;
    case RSP_ECHECKSUM:
    case RSP_EINTEGRITY: return EXIT_INTEGRITY;
    case RSP_EKEY:
    case RSP_ERIGHT: return EXIT_NO_KEY;
    case RSP_ENOREPO: return EXIT_NO_REPOSITORY;
    case RSP_ELOCKED: return EXIT_STATE_IN_USE;
    case RSP_EIO:
    case RSP_ENOTFOUND:
    case RSP_EPERM:
    case RSP_ENET:
    case RSP_ETIMEOUT:
    case RSP_EDENIED:
    case RSP_EAUTH: /* of the other side: a certificate, a host key, our own name or secret */
    case RSP_EBUSY: return io;
    case RSP_EEXIST: return EXIT_TARGET;
    case RSP_EINVAL: return EXIT_USAGE;
    case RSP_ECANCELED: return signal_caught() ? signal_exit_status() : EXIT_INTERNAL;
    default: return EXIT_INTERNAL;
    }
}

int exit_of_status(int status)
{
    return exit_of_fault(status, EXIT_SOURCE);
}

const char *exit_text(int code)
{
    switch (code) {
    case EXIT_OK: return "success";
    case EXIT_INTERNAL: return "internal error";
    case EXIT_USAGE: return "usage";
    case EXIT_FINDINGS: return "finished with findings, or only in part";
    case EXIT_NOT_FOUND: return "not found";
    case EXIT_NO_REPOSITORY: return "no repository";
    case EXIT_STATE_IN_USE: return "state directory in use";
    case EXIT_NO_KEY: return "no key opens it";
    case EXIT_CONFIG: return "configuration";
    case EXIT_SOURCE: return "source cannot be read";
    case EXIT_STORAGE: return "storage";
    case EXIT_FORMAT: return "malformed or unsupported data";
    case EXIT_INTEGRITY: return "integrity";
    case EXIT_CAPACITY: return "memory, disk or a limit";
    case EXIT_TARGET: return "target cannot be written";
    default: break;
    }
    return code > EXIT_SIGNAL && code < EXIT_SIGNAL + 65 ? "ended by a signal" : NULL;
}
