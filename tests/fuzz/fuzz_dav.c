/* What this is: fuzz target: what a WebDAV server answers to PROPFIND.
 * Rests on: fuzz.h, store/dav_impl.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include "base/mem.h"
#include "store/dav_impl.h"

static int take(void *opaque, const struct dav_answer *a)
{
    char name[PART_BYTES + 2];
    size_t n;
    int what;
    MUST(a->href && *a->href);
    MUST(!(a->has & ~(unsigned)(DAV_LENGTH | DAV_MODIFIED | DAV_COLLECTION | DAV_QUOTA)));
    memset(name, 'x', sizeof name);
    what = dav_href(a->href, "/r/a/", name, sizeof name);
    n = strnlen(name, sizeof name);
    MUST(n < sizeof name && (n != 0) == (what == 2) && !strchr(name, '/'));
    ++*(int *)opaque;
    return *(int *)opaque == 1000 ? RSP_ECANCELED : RSP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error = {0};
    struct rsp_env env;
    int answers = 0, rc;
    env_init(&env, NULL);
    env.error = &error;
    rc = dav_multistatus(&env, "https://h/r/a/", (struct rsp_span){data, n}, take, &answers);
    MUST(rc == RSP_OK || rc == RSP_EFORMAT || rc == RSP_ECANCELED);
    MUST((rc == RSP_ECANCELED) == (answers == 1000));
    MUST(rc != RSP_EFORMAT || (error.code == rc && error.message[0]));
    return 0;
}
