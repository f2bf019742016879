/* What this is: the fuzz target of the deep check, dd1 and the export: what the check calls sound must be
 *   exported whole, and what has no digest must have a finding.
 * Rests on: fuzz.h, rdb_drive.h.
 * Does not: correct checksums: a wrong one is a finding like any other. */
#include "fuzz.h"

#include <respite/sys/check.h>
#include <respite/sys/digest.h>
#include <respite/sys/json.h>

#include "rdb_drive.h"

static int count(void *opaque, const struct rsp_finding *f)
{
    uint64_t *n = opaque;
    MUST(f->kind && f->kind[0] && f->reason && f->reason[0]);
    ++*n;
    return RSP_OK;
}

/* The number of findings, or UINT64_MAX when the file could not be judged. */
static uint64_t check(const struct rsp_env *env, const uint8_t *p, size_t n, uint64_t *broken)
{
    struct rsp_check_options o = {.size = sizeof o, .digest = 1, .found = count};
    struct rsp_check_report r = {.size = sizeof r};
    struct rsp_source *s = NULL;
    uint64_t found = 0, first = 0;
    int rc;
    o.opaque = &found;
    o.run.size = sizeof o.run;
    o.run.threads = 1;
    MUST(rsp_dd1_table_new(env, &o.dd1) == RSP_OK && rsp_source_memory(env, p, n, &s) == RSP_OK);
    rc = rsp_check_file(env, s, &o, &r);
    MUST(rc == RSP_OK || rc == RSP_ENOMEM || rc == RSP_ELIMIT);
    *broken = rsp_dd1_table_broken(o.dd1, &first);
    MUST(rc || r.findings == found);
    rsp_dd1_table_free(o.dd1);
    rsp_source_free(s);
    return rc || r.not_rdb ? UINT64_MAX : found;
}

static int export(const struct rsp_env *env, const uint8_t *p, size_t n, int bytes)
{
    struct rsp_json_options o = {.size = sizeof o, .bytes = bytes, .with_meta = 1};
    struct rsp_rdb_run_result r = {.size = sizeof r};
    struct rsp_source *s = NULL;
    struct rsp_sink *out = NULL;
    int rc;
    o.run.size = sizeof o.run;
    o.run.threads = 1;
    MUST(rsp_source_memory(env, p, n, &s) == RSP_OK && rsp_sink_memory(env, &out) == RSP_OK);
    rc = rsp_json_export(env, s, &o, out, &r);
    rsp_sink_free(out);
    rsp_source_free(s);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error;
    struct meter m = {.ceiling = 256 << 20};
    struct rsp_env env = meter_env(&m, &error);
    uint64_t broken = 0, found;
    int rc;
    if (!n) return 0;
    memset(&error, 0, sizeof error);
    found = check(&env, data + 1, n - 1, &broken);
    MUST(!broken || found);
    memset(&error, 0, sizeof error);
    rc = export(&env, data + 1, n - 1, data[0] % 3);
    MUST(rc <= 0 && (!rc || error.code == rc));
    MUST(found || rc == RSP_OK || rc == RSP_ENOMEM || rc == RSP_ELIMIT);
    MUST(!m.alive && !m.wrong_sizes);
    return 0;
}
