/* What this is: the kinds of losses: their names, what can be done about each, a report of them and a policy for them.
 * Rests on: respite/sys/target.h, base/mem.h.
 * Does not: find losses: who makes something for a target does. */
#include <respite/sys/target.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { KEPT = 1, USAGE = 2 }; /* the key can be kept without it; it only says how something was used */

static const struct {
    const char *name, *text;
    int what;
} kinds[RSP_LOSSES] = {
    [RSP_LOSS_MODULE] = {"module", "values of modules", 0},
    [RSP_LOSS_FIELD_TTL] = {"field-ttl", "expiries of hash fields", KEPT},
    [RSP_LOSS_ARRAY] = {"array", "arrays", 0},
    [RSP_LOSS_FUNCTION] = {"function", "functions", 0},
    [RSP_LOSS_AUX] = {"aux", "module data that belongs to no key", 0},
    [RSP_LOSS_STREAM] = {"stream", "streams", 0},
    [RSP_LOSS_OTHER] = {"other", "values that the target does not know, or that are too large for it", 0},
    [RSP_LOSS_STREAM_COUNTERS] = {"stream-counters", "counters of streams and their groups", KEPT},
    [RSP_LOSS_CONSUMER_TIMES] = {"consumer-times", "times of streams' consumers", KEPT | USAGE},
    [RSP_LOSS_STREAM_IDMP] = {"stream-idmp", "streams' memory of their producers", KEPT},
    [RSP_LOSS_STREAM_NACK] = {"stream-nack", "pending messages of streams that no consumer has, or that are gone",
                              KEPT},
    [RSP_LOSS_KEY_META] = {"key-meta", "metadata of modules on keys", KEPT},
    [RSP_LOSS_EVICTION] = {"eviction", "idle times and frequencies of keys", KEPT | USAGE},
    [RSP_LOSS_DATABASE] = {"database", "keys of databases that the target does not have", 0},
    [RSP_LOSS_COLLISION] = {"collision", "keys of several databases or streams that would be one", 0},
};

static int known(int loss)
{
    return loss >= 0 && loss < RSP_LOSSES;
}

const char *rsp_loss_name(int loss)
{
    return known(loss) ? kinds[loss].name : NULL;
}

const char *rsp_loss_text(int loss)
{
    return known(loss) ? kinds[loss].text : "unknown";
}

int rsp_loss_convertible(int loss)
{
    return known(loss) && kinds[loss].what & KEPT;
}

int rsp_loss_is_usage(int loss)
{
    return known(loss) && (kinds[loss].what & USAGE) != 0;
}

/* ---- policy ---- */

void rsp_loss_policy_default(struct rsp_loss_policy *policy)
{
    for (int i = 0; i < RSP_LOSSES; i++) policy->action[i] = rsp_loss_is_usage(i) ? RSP_LOSS_CONVERT : RSP_LOSS_FAIL;
}

static int is_word(const char *p, size_t n, const char *word)
{
    return n == strlen(word) && !memcmp(p, word, n);
}

static int action_of(const char *p, size_t n)
{
    if (is_word(p, n, "fail")) return RSP_LOSS_FAIL;
    if (is_word(p, n, "drop")) return RSP_LOSS_DROP;
    return is_word(p, n, "convert") ? RSP_LOSS_CONVERT : -1;
}

/* The names of those that are such, in out. */
static const char *list(char *out, size_t size, int convertible)
{
    size_t at = 0;
    out[0] = 0;
    for (int i = 0; i < RSP_LOSSES && at < size; i++)
        if (!convertible || rsp_loss_convertible(i))
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", kinds[i].name);
    return out;
}

/* For all but what says no more than how something was used: that is changed by its name alone. */
static void set_all(struct rsp_loss_policy *policy, int action)
{
    for (int i = 0; i < RSP_LOSSES; i++) {
        if (rsp_loss_is_usage(i)) continue;
        if (action != RSP_LOSS_CONVERT || rsp_loss_convertible(i)) policy->action[i] = (uint8_t)action;
    }
}

static int set_one(const struct rsp_env *env, const char *p, size_t n, struct rsp_loss_policy *policy)
{
    const char *equals = memchr(p, '=', n);
    size_t name_n = equals ? (size_t)(equals - p) : n;
    int action = equals ? action_of(equals + 1, n - name_n - 1) : action_of(p, n), k = 0;
    char text[64], names[256];
    printable(text, sizeof text, (const uint8_t *)p, n);
    if (!equals && action < 0)
        return fail(env, RSP_EINVAL, NULL, "\"%s\": fail, drop, convert or KIND=ACTION was expected", text);
    if (!equals) {
        set_all(policy, action);
        return RSP_OK;
    }
    while (k < RSP_LOSSES && !is_word(p, name_n, kinds[k].name)) k++;
    if (k == RSP_LOSSES)
        return fail(env, RSP_EINVAL, NULL, "\"%s\": no such kind; there are %s", text, list(names, sizeof names, 0));
    if (action < 0) return fail(env, RSP_EINVAL, NULL, "\"%s\": the action is fail, drop or convert", text);
    if (action == RSP_LOSS_CONVERT && !rsp_loss_convertible(k))
        return fail(env, RSP_EINVAL, NULL,
                    "\"%s\": there is nothing to convert it to: fail or drop; what converts is %s", text,
                    list(names, sizeof names, 1));
    policy->action[k] = (uint8_t)action;
    return RSP_OK;
}

int rsp_loss_policy_parse(const struct rsp_env *env, const char *text, struct rsp_loss_policy *policy)
{
    struct rsp_loss_policy p = *policy;
    struct rsp_env full;
    env_init(&full, env);
    for (;;) {
        const char *comma = strchr(text, ',');
        int rc = set_one(&full, text, comma ? (size_t)(comma - text) : strlen(text), &p);
        if (rc) return rc;
        if (!comma) break;
        text = comma + 1;
    }
    *policy = p;
    return RSP_OK;
}

/* ---- report ---- */

void rsp_losses_add(struct rsp_losses *losses, int loss, uint32_t db, struct rsp_span name)
{
    struct rsp_loss_key *k;
    if (!known(loss)) return;
    if (losses->n[loss] < RSP_LOSS_NAMES) {
        k = &losses->names[loss][losses->n[loss]];
        memset(k, 0, sizeof *k);
        k->db = db;
        k->n = name.n < UINT16_MAX ? (uint16_t)name.n : UINT16_MAX;
        if (name.n) memcpy(k->p, name.p, name.n < sizeof k->p ? name.n : sizeof k->p);
    }
    losses->n[loss]++;
}

int rsp_losses_judge(const struct rsp_losses *losses, const struct rsp_loss_policy *policy)
{
    for (int i = 0; i < RSP_LOSSES; i++) {
        int action = policy->action[i];
        if (!losses->n[i] || action == RSP_LOSS_DROP) continue;
        if (action != RSP_LOSS_CONVERT || !rsp_loss_convertible(i)) return i;
    }
    return -1;
}
