/* What this is: names and sentences of statuses, from the one list.
 * Rests on: respite/status.h.
 * Does not: know about error records. */
#include <respite/status.h>

const char *rsp_status_name(int status)
{
    switch (status) {
#define CASE(name, value, text) \
    case value: return #name;
        RSP_STATUS_LIST(CASE)
#undef CASE
    default: return "RSP_UNKNOWN";
    }
}

const char *rsp_status_text(int status)
{
    switch (status) {
#define CASE(name, value, text) \
    case value: return text;
        RSP_STATUS_LIST(CASE)
#undef CASE
    default: return "unknown status";
    }
}
