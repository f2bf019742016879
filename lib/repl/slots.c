/* What this is: ranges of slots as text, both ways.
 * Rests on: base/mem.h, respite/sys/topology.h.
 * Does not: know who owns them. */
#include <respite/sys/topology.h>

#include <stdio.h>

#include "base/mem.h"

int rsp_slots_text(const struct rsp_slot_range *ranges, size_t n, char *out, size_t size)
{
    size_t at = 0;
    if (size) out[0] = 0;
    for (size_t i = 0; i < n; i++) {
        char one[24];
        int k = ranges[i].from == ranges[i].to
                    ? snprintf(one, sizeof one, "%s%u", i ? "," : "", ranges[i].from)
                    : snprintf(one, sizeof one, "%s%u-%u", i ? "," : "", ranges[i].from, ranges[i].to);
        if (at < size) snprintf(out + at, size - at, "%s", one);
        at += (size_t)k;
    }
    return at > INT32_MAX ? INT32_MAX : (int)at;
}

static int slot(struct rsp_span text, size_t *at, uint16_t *v)
{
    size_t from = *at;
    uint32_t n = 0;
    while (*at < text.n && *at - from < 5 && text.p[*at] >= '0' && text.p[*at] <= '9')
        n = n * 10 + (uint32_t)(text.p[(*at)++] - '0');
    *v = (uint16_t)n;
    return *at > from && n < RSP_SLOTS;
}

int rsp_slots_parse(const struct rsp_env *env, struct rsp_span text, struct rsp_slot_range *ranges, size_t max,
                    size_t *n)
{
    struct rsp_env e;
    char shown[60];
    size_t at = 0;
    env_init(&e, env);
    *n = 0;
    printable(shown, sizeof shown, text.p, text.n);
    while (at < text.n) {
        struct rsp_slot_range r;
        int ok = slot(text, &at, &r.from);
        r.to = r.from;
        if (ok && at < text.n && text.p[at] == '-') {
            at++;
            ok = slot(text, &at, &r.to) && r.to >= r.from;
        }
        if (ok && at < text.n) ok = text.p[at] == ',' && at + 1 < text.n;
        if (!ok) return fail(&e, RSP_EINVAL, "slots", "'%s' is not of the form 0-5460,10000, up to 16383", shown);
        if (*n && r.from <= ranges[*n - 1].to)
            return fail(&e, RSP_EINVAL, "slots", "'%s' does not ascend at %u", shown, r.from);
        if (*n == max) return fail(&e, RSP_EINVAL, "slots", "'%s' has more than %zu ranges", shown, max);
        ranges[(*n)++] = r;
        at++;
    }
    return RSP_OK;
}
