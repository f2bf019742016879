/* What this is: the fuzz target of the command export: whatever the file, the target and the policies, what comes out is
 *   whole commands; and what the check calls sound is exported to its end.
 * Rests on: fuzz.h, rdb_drive.h. The first three bytes choose target and policies.
 * Does not: run a server. */
#include "fuzz.h"

#include <respite/sys/check.h>
#include <respite/sys/resp.h>

#include "rdb_drive.h"

static int count(void *opaque, const struct rsp_finding *f)
{
    (void)f;
    ++*(uint64_t *)opaque;
    return RSP_OK;
}

static int is_sound(const struct rsp_env *env, const uint8_t *p, size_t n)
{
    struct rsp_check_options o = {.size = sizeof o, .found = count};
    struct rsp_check_report r = {.size = sizeof r};
    struct rsp_source *s = NULL;
    uint64_t found = 0;
    int rc;
    o.opaque = &found;
    o.run.size = sizeof o.run;
    o.run.threads = 1;
    MUST(rsp_source_memory(env, p, n, &s) == RSP_OK);
    rc = rsp_check_file(env, s, &o, &r);
    rsp_source_free(s);
    return !rc && !r.not_rdb && !found;
}

static size_t number(const uint8_t **p, const uint8_t *end, uint8_t mark)
{
    size_t n = 0;
    MUST(*p < end && **p == mark);
    for (++*p; *p < end && **p != '\r'; ++*p) {
        MUST(**p >= '0' && **p <= '9');
        n = n * 10 + (size_t)(**p - '0');
    }
    MUST(end - *p >= 2 && (*p)[1] == '\n');
    *p += 2;
    return n;
}

/* Whole commands, as many as the report says. */
static void look(struct rsp_span text, uint64_t commands)
{
    const uint8_t *p = text.n ? text.p : (const uint8_t *)"", *end = p + text.n;
    for (; p < end; commands--) {
        size_t args = number(&p, end, '*');
        MUST(args > 0 && commands > 0);
        while (args--) {
            size_t n = number(&p, end, '$');
            MUST(n <= (size_t)(end - p) && (size_t)(end - p) - n >= 2 && p[n] == '\r' && p[n + 1] == '\n');
            p += n + 2;
        }
    }
    MUST(!commands);
}

/* Of three bits: what a loss of that kind means. */
static void policy_of(struct rsp_loss_policy *policy, unsigned bits)
{
    static const char *const policies[] = {"drop,convert",
                                           "drop",
                                           "drop,consumer-times=drop,eviction=drop",
                                           "drop,convert,field-ttl=drop,stream-nack=drop",
                                           "drop,convert,stream-counters=drop,key-meta=drop",
                                           "drop,convert,stream-idmp=drop,other=drop",
                                           "drop,convert,consumer-times=drop",
                                           "fail"};
    rsp_loss_policy_default(policy);
    MUST(rsp_loss_policy_parse(NULL, policies[bits & 7], policy) == RSP_OK);
}

static int lost(void *opaque, int loss, uint32_t db, struct rsp_span name)
{
    (void)db;
    MUST(loss >= 0 && loss < RSP_LOSSES && (name.p || !name.n));
    ((uint64_t *)opaque)[loss]++;
    return RSP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const targets[] = {"redis:2.6",  "redis:4.0",  "redis:6.2",  "redis:7.0",
                                          "redis:8.10", "valkey:8.1", "valkey:9.1", "redis:7.4"};
    struct rsp_resp_options o = {.size = sizeof o, .now_ms = 1700000000000, .shift_ms = 1000, .lost = lost};
    uint64_t told[RSP_LOSSES] = {0};
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_error error;
    struct meter m = {.ceiling = 256 << 20};
    struct rsp_env env = meter_env(&m, &error);
    struct rsp_source *s = NULL;
    struct rsp_sink *out = NULL;
    struct rsp_span text;
    int sound, rc;
    if (n < 3) return 0;
    memset(&error, 0, sizeof error);
    sound = is_sound(&env, data + 3, n - 3);
    memset(&error, 0, sizeof error);
    o.target.size = sizeof o.target;
    MUST(rsp_target_parse(&env, targets[data[0] & 7], &o.target) == RSP_OK);
    o.target.cluster = data[0] >> 6 & 1;
    o.target.databases = data[0] >> 7 ? 3 : 0;
    policy_of(&o.losses, data[0] >> 3);
    o.opaque = told;
    o.payloads = data[1] & 1;
    o.ttl = data[1] >> 1 & 3;
    o.existing = (data[1] >> 3 & 3) % 3;
    o.no_functions = data[1] >> 5 & 1;
    o.target.bulk_max = data[2] ? (uint64_t)data[2] << 4 : 0;
    o.run.size = sizeof o.run;
    o.run.threads = 1;
    MUST(rsp_source_memory(&env, data + 3, n - 3, &s) == RSP_OK && rsp_sink_memory(&env, &out) == RSP_OK);
    rc = rsp_resp_export(&env, s, &o, out, &r);
    MUST(rc <= 0 && (!rc || error.code == rc));
    MUST(!sound || rc == RSP_OK || rc == RSP_ENOMEM || rc == RSP_ELIMIT ||
         (rc == RSP_EUNSUPPORTED && rsp_losses_judge(&r.losses, &o.losses) >= 0));
    MUST(!memcmp(told, r.losses.n, sizeof told));
    MUST(rsp_sink_view(out, &text) == RSP_OK && text.n == r.bytes);
    look(text, r.commands);
    rsp_sink_free(out);
    rsp_source_free(s);
    MUST(!m.alive && !m.wrong_sizes);
    return 0;
}
