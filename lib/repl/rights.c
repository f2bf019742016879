/* What this is: which commands of ours the server lets us run, and the rule that is missing.
 * Rests on: server_impl.h.
 * Does not: change anything: what is tried names a key that is not there, or cannot be obeyed. */
#include "repl/server_impl.h"

#include <stdio.h>

#include "base/mem.h"

/* trial is a whole command, of the right number of words; "%" in it stands for a key that is not there. It is for
 * ACL DRYRUN; servers from trial_since on are given the command itself where that may not be asked, if it does nothing
 * there: PSYNC with an offset that is no number is refused since 7.0 before anything begins, and older servers would
 * begin to save. */
struct need {
    const char *for_what, *command, *trial, *rule;
    uint32_t since, trial_since;
};
#define NEVER UINT32_MAX
#define NEED(for_what, command, trial)                  \
    {                                                   \
        for_what, command, trial, "+" command, 0, 60000 \
    }
#define DRY(for_what, command, trial)                   \
    {                                                   \
        for_what, command, trial, "+" command, 0, NEVER \
    }
static const struct need needs[] = {
    {"capture", "psync", "psync ? none", "+psync", 20800, 70000},
    NEED("capture", "replconf", "replconf capa eof"),
    NEED("capture", "ping", "ping"),
    NEED("capture", "info", "info server"),
    NEED("bgsave", "bgsave", "bgsave none"),
    NEED("bgsave", "lastsave", "lastsave"),
    NEED("bgsave", "info", "info server"),
    NEED("bgsave", "config|get", "config get maxmemory"),
    {"scan", "scan", "scan 0 count 1", "+scan", 20800, 60000},
    NEED("scan", "dump", "dump %"),
    NEED("scan", "pttl", "pttl %"),
    NEED("scan", "select", "select none"),
    NEED("scan", "type", "type %"),
    NEED("scan", "info", "info server"),
    {"scan", "function|dump", "function dump", "+function|dump", 70000, 70000},
    {"scan", "keys", "dump %", "~*", 0, 60000},
    NEED("settings", "config|get", "config get maxmemory"),
    {"settings", "module|list", "module list", "+module|list", 40000, 60000},
    {"settings", "function|list", "function list", "+function|list", 70000, 70000},
    {"settings", "acl|list", "acl list", "+acl|list", 60000, 60000},
    NEED("restore", "restore", "restore % 0 none"),
    NEED("restore", "dbsize", "dbsize"),
    NEED("restore", "select", "select none"),
    NEED("restore", "exists", "exists %"),
    NEED("restore", "del", "del %"),
    NEED("restore", "set", "set % none none"),
    DRY("restore", "mset", "mset % none"),
    DRY("restore", "msetnx", "msetnx % none"),
    DRY("restore", "append", "append % none"),
    DRY("restore", "multi", "multi"),
    DRY("restore", "exec", "exec"),
    NEED("restore", "pexpireat", "pexpireat % none"),
    DRY("restore", "rpush", "rpush % none"),
    DRY("restore", "sadd", "sadd % none"),
    NEED("restore", "zadd", "zadd % none none"),
    DRY("restore", "hset", "hset % none none"),
    {"restore", "xadd", "xadd % none none none", "+xadd", 50000, 60000},
    {"restore", "xgroup|create", "xgroup create % none 0", "+xgroup|create", 50000, 60000},
    {"restore", "xsetid", "xsetid % none", "+xsetid", 50000, 60000},
    {"restore", "xclaim", "xclaim % none none none none", "+xclaim", 50000, 60000},
    {"restore", "function|restore", "function restore none", "+function|restore", 70000, 70000},
    {"restore", "function|load", "function load none", "+function|load", 70000, 70000},
    NEED("restore", "info", "info server"),
    {"restore", "keys", "restore % 0 none", "~*", 0, 60000},
    NEED("cluster", "cluster|nodes", "cluster nodes"),
    {"cluster", "cluster|shards", "cluster shards", "+cluster|shards", 70000, 70000},
    NEED("cluster", "cluster|slots", "cluster slots"),
    NEED("cluster", "cluster|info", "cluster info"),
    NEED("cluster", "info", "info server"),
    {"cluster", "cluster|getslotmigrations", "cluster getslotmigrations", "+cluster|getslotmigrations", 90000, 90000},
    {"cluster", "cluster|migration", "cluster migration status all", "+cluster|migration", 80400, 80400},
    NEED("sentinel", "sentinel|get-master-addr-by-name", "sentinel get-master-addr-by-name %"),
    NEED("sentinel", "sentinel|masters", "sentinel masters"),
};
#define NEEDS (sizeof needs / sizeof *needs)

struct asking {
    struct rsp_server *s;
    char key[40];
};

static int key_name(struct asking *a)
{
    uint8_t dice[8];
    int rc = a->s->env.random(a->s->env.random_opaque, dice, sizeof dice);
    if (rc) return fail(&a->s->env, rc, NULL, "cannot read random bytes");
    snprintf(a->key, sizeof a->key, "respite:");
    for (size_t i = 0; i < sizeof dice; i++) snprintf(a->key + 8 + 2 * i, 3, "%02x", dice[i]);
    return RSP_OK;
}

static void words_of(const struct asking *a, const struct need *need, char *out, size_t size)
{
    const char *key = strchr(need->trial, '%');
    if (!key) snprintf(out, size, "%s", need->trial);
    else snprintf(out, size, "%.*s%s%s", (int)(key - need->trial), need->trial, a->key, key + 1);
}

/* A denial: is it this need's? A command that is allowed may still lack its keys. */
static int verdict(const struct need *need, struct rsp_span denial)
{
    char rule[80];
    int keys;
    server_rule(need->command, denial, rule, sizeof rule);
    keys = rule[0] == '~';
    if (need->rule[0] == '~') return keys ? 0 : -1;
    return keys;
}

/* ---- ACL DRYRUN ---- */

/* "OK", a text that says what is denied, or an error: not allowed to ask, or no such command. */
static int dryrun(struct asking *a, const struct need *need, int *allowed, int *may_ask)
{
    const struct rsp_reply *r;
    struct rsp_span argv[16];
    char words[160];
    size_t argc = 0;
    int rc;
    words_of(a, need, words, sizeof words);
    argv[argc++] = (struct rsp_span){(const uint8_t *)"ACL", 3};
    argv[argc++] = (struct rsp_span){(const uint8_t *)"DRYRUN", 6};
    argv[argc++] = (struct rsp_span){(const uint8_t *)a->s->user, strlen(a->s->user)};
    for (char *p = words; argc < 16; p++) {
        size_t n = strcspn(p, " ");
        argv[argc++] = (struct rsp_span){(const uint8_t *)p, n};
        p += n;
        if (!*p) break;
    }
    rc = rsp_server_ask(a->s, argc, argv, &r);
    if (rc) return rc;
    *may_ask = 1;
    *allowed = -1;
    if (r->type == RSP_REPLY_STATUS) *allowed = 1;
    else if (r->type == RSP_REPLY_BULK) *allowed = verdict(need, r->text);
    else if (r->type == RSP_REPLY_ERROR && (resp_error_is(r->text, "NOPERM") || server_span_has(r->text, "unknown")))
        *may_ask = 0;
    return RSP_OK;
}

/* ---- trial ---- */

static int try_it(struct asking *a, const struct need *need, int *allowed)
{
    const struct rsp_reply *r;
    char words[160];
    int rc;
    *allowed = -1;
    if (a->s->facts.version_n < need->trial_since) return RSP_OK;
    words_of(a, need, words, sizeof words);
    rc = server_words(a->s, words, &r);
    if (rc) return rc;
    if (r->type != RSP_REPLY_ERROR) *allowed = 1;
    else if (resp_error_is(r->text, "NOPERM")) *allowed = verdict(need, r->text);
    else if (!resp_error_is(r->text, "NOAUTH") && !server_span_has(r->text, "unknown"))
        *allowed = 1; /* rights are looked at first */
    return RSP_OK;
}

/* ---- all of them ---- */

static int by_dryrun(struct asking *a, const struct need *const *used, struct rsp_server_right *rights, size_t n,
                     int *may_ask)
{
    int rc = RSP_OK;
    *may_ask = a->s->facts.version_n >= 70000 || !a->s->facts.version_n;
    for (size_t i = 0; i < n && !rc && *may_ask; i++) rc = dryrun(a, used[i], &rights[i].allowed, may_ask);
    return rc;
}

static int by_trial(struct asking *a, const struct need *const *used, struct rsp_server_right *rights, size_t n)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < n && !rc; i++)
        if (rights[i].allowed < 0) rc = try_it(a, used[i], &rights[i].allowed);
    return rc;
}

static int whoami(struct rsp_server *s)
{
    const struct rsp_reply *r;
    int rc = server_words(s, "ACL WHOAMI", &r);
    if (!rc && r->type == RSP_REPLY_BULK && r->text.n) printable(s->user, sizeof s->user, r->text.p, r->text.n);
    return rc;
}

static int ask_all(struct rsp_server *s, const struct need *const *used, struct rsp_server_right *rights, size_t n)
{
    struct asking a = {s, ""};
    int rc, may_ask = 0;
    if (s->facts.version_n && s->facts.version_n < 60000) { /* no users: everything is allowed */
        for (size_t i = 0; i < n; i++) rights[i].allowed = 1;
        return RSP_OK;
    }
    rc = key_name(&a);
    if (!rc) rc = whoami(s);
    if (!rc) rc = by_dryrun(&a, used, rights, n, &may_ask);
    if (!rc && !may_ask) rc = server_getuser(s, rights, n);
    if (!rc && !may_ask) rc = by_trial(&a, used, rights, n);
    return rc;
}

/* Of a Sentinel, its own alone; of a node of a cluster, those of a cluster too. */
static int concerns(const struct rsp_server *s, const struct need *need)
{
    uint32_t version = s->facts.version_n;
    int valkey = !strcmp(s->facts.kind, "valkey");
    if (!strcmp(need->command, valkey ? "cluster|migration" : "cluster|getslotmigrations")) return 0;
    if (version && version < need->since) return 0;
    if (version >= 70000 && !strcmp(need->command, "cluster|slots")) return 0; /* SHARDS tells that and more */
    if ((s->facts.role == RSP_SERVER_SENTINEL) != !strcmp(need->for_what, "sentinel")) return 0;
    return strcmp(need->for_what, "cluster") != 0 || !strcmp(s->facts.mode, "cluster");
}

int rsp_server_rights(struct rsp_server *s, const struct rsp_server_right **rights, size_t *n)
{
    const struct need *used[NEEDS];
    size_t k = 0;
    int rc;
    *rights = NULL;
    *n = 0;
    if (!s->rights) {
        s->rights = mem_zero(&s->env, NEEDS * sizeof *s->rights);
        if (!s->rights) return RSP_ENOMEM;
        s->rights_n = NEEDS;
    }
    for (size_t i = 0; i < NEEDS; i++) {
        if (!concerns(s, &needs[i])) continue;
        used[k] = &needs[i];
        s->rights[k].for_what = needs[i].for_what;
        s->rights[k].command = needs[i].command;
        s->rights[k].rule = needs[i].rule;
        s->rights[k++].allowed = -1;
    }
    rc = ask_all(s, used, s->rights, k);
    if (rc) return rc;
    *rights = s->rights;
    *n = k;
    return RSP_OK;
}
