/* What this is: the version string.
 * Rests on: respite/version.h.
 * Does not: anything else. */
#include <respite/version.h>

const char *rsp_version(void)
{
    return RSP_VERSION_STRING;
}
