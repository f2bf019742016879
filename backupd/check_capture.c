/* What this is: backupd check of a server: the rights that its user lacks, with the rule that gives them, and the settings
 *   that decide how a capture ends: output buffer, diskless or disk, timeouts.
 * Rests on: check.h, respite/sys/server.h.
 * Does not: change a setting. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backupd/check.h"

#define RULES 600

/* ---- rights ---- */

static void add(char *out, size_t size, const char *separator, const char *word)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s%s", n ? separator : "", word);
}

/* Purposes that this configuration needs; the rest is only told. */
static int is_needed(const struct check *k, const char *purpose)
{
    static const char *const methods[] = {"capture", "bgsave", "scan"}; /* by enum rsp_capture_method */
    int64_t method = k->c->o->value[O_METHOD].number;
    if (!strcmp(purpose, "cluster")) return k->connection.place.kind == RSP_PLACE_CLUSTER;
    if (!strcmp(purpose, "sentinel")) return 1;
    return method >= 0 && method <= 2 && !strcmp(purpose, methods[method]);
}

/* All of one purpose in one point, so that its line can be pasted. first: of the purpose. */
static void say_purpose(struct check *k, const struct rsp_server_right *rights, size_t n, size_t first, int only_needed)
{
    const char *purpose = rights[first].for_what;
    char commands[RULES] = "", rules[RULES] = "";
    const char *node = k->node ? k->node : "";
    int needed = is_needed(k, purpose), unknown = 0;
    if (only_needed && !needed) return;
    for (size_t i = first; i < n; i++) {
        if (strcmp(rights[i].for_what, purpose) != 0) continue;
        unknown += rights[i].allowed < 0;
        if (rights[i].allowed) continue;
        add(commands, sizeof commands, ", ", rights[i].command);
        add(rules, sizeof rules, " ", rights[i].rule);
    }
    if (rules[0])
        check_say(k, needed ? BAD : NOTE, "rights", "%s%s: not allowed: %s: ACL SETUSER %s %s", node, purpose, commands,
                  rsp_server_user(k->server), rules);
    else if (unknown) check_say(k, NOTE, "rights", "%s%s: it cannot be found out what is allowed", node, purpose);
    else check_say(k, GOOD, "rights", "%s%s: all that is needed is allowed", node, purpose);
}

void check_rules(struct check *k, int only_needed)
{
    const struct rsp_server_right *rights = NULL;
    size_t n = 0;
    int rc = rsp_server_rights(k->server, &rights, &n);
    if (rc) {
        check_fault(k, rc, "rights", "cannot be asked for");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t earlier = 0;
        while (strcmp(rights[earlier].for_what, rights[i].for_what) != 0) earlier++;
        if (earlier == i) say_purpose(k, rights, n, i, only_needed);
    }
}

/* ---- settings ---- */

/* CONFIG GET name: its value, which lives until the next call; n 0: not allowed, not there. */
static struct rsp_span setting(struct check *k, const char *name)
{
    const struct rsp_reply *reply = NULL;
    char words[128];
    struct rsp_span none = {NULL, 0};
    int rc;
    snprintf(words, sizeof words, "CONFIG GET %s", name);
    rc = rsp_server_do(k->server, words, &reply);
    rsp_error_clear(&k->c->error);
    if (rc || !reply || reply->type != RSP_REPLY_ARRAY || reply->n < 2 || !reply->child->next) return none;
    return reply->child->next->text;
}

static int setting_is(struct check *k, const char *name, const char *word)
{
    struct rsp_span v = setting(k, name);
    return v.n ? v.n == strlen(word) && !memcmp(v.p, word, v.n) : -1;
}

static int64_t setting_number(struct check *k, const char *name)
{
    struct rsp_span v = setting(k, name);
    int64_t n = 0;
    if (!v.n || v.n > 15) return -1;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9') return -1;
        n = n * 10 + (v.p[i] - '0');
    }
    return n;
}

/* "normal 0 0 0 slave 268435456 67108864 60 pubsub ...": the three numbers behind "slave" or "replica". */
static int buffer_limit(struct rsp_span v, uint64_t limit[3])
{
    char text[512], *at, *end;
    if (!v.n || v.n >= sizeof text) return -1;
    memcpy(text, v.p, v.n);
    text[v.n] = 0;
    at = strstr(text, "slave ");
    if (!at) at = strstr(text, "replica ");
    if (!at) return -1;
    at += strcspn(at, " ");
    for (int i = 0; i < 3; i++) {
        limit[i] = strtoull(at, &end, 10);
        if (end == at) return -1;
        at = end;
    }
    return 0;
}

static void say_buffer(struct check *k, const struct rsp_server_facts *f)
{
    uint64_t limit[3];
    char hard[TEXT_MAX], soft[TEXT_MAX];
    /* rdb-only came with 6.2: the server does not collect the stream behind such a replica. */
    int spared = !strcmp(f->kind, "valkey") || f->version_n >= 60200;
    if (buffer_limit(setting(k, "client-output-buffer-limit"), limit)) {
        check_say(k, NOTE, "buffer", "client-output-buffer-limit cannot be read%s",
                  spared ? "; it does not end a capture of this version (rdb-only)" : "");
        return;
    }
    if (!limit[0] && !limit[1]) check_say(k, GOOD, "buffer", "no output buffer limit for replicas");
    else
        check_say(
            k, spared ? GOOD : RISK, "buffer", "output buffer of replicas: %s, or %s for %" PRIu64 " s: %s",
            text_size(hard, limit[0]), text_size(soft, limit[1]), limit[2],
            spared ? "a capture is not cut off by it (rdb-only)"
                   : "a capture is cut off when more is written meanwhile; --spool DIR takes the data off its hands");
}

static void say_sync(struct check *k)
{
    int diskless = setting_is(k, "repl-diskless-sync", "yes");
    int64_t delay = setting_number(k, "repl-diskless-sync-delay"), timeout = setting_number(k, "repl-timeout");
    if (diskless < 0) check_say(k, NOTE, "sync", "repl-diskless-sync cannot be read (CONFIG GET)");
    else if (!diskless)
        check_say(k, NOTE, "sync", "by disk: the server writes its dump.rdb first; repl-diskless-sync yes spares that");
    else if (delay > 0)
        check_say(k, GOOD, "sync", "diskless, after %lld s (repl-diskless-sync-delay)", (long long)delay);
    else check_say(k, GOOD, "sync", "diskless, at once");
    if (timeout >= 0)
        check_say(k, timeout < 30 ? RISK : GOOD, "timeout", "repl-timeout %lld s%s", (long long)timeout,
                  timeout < 30 ? ": a pause of the storage that is longer ends the capture; --spool DIR bridges it"
                               : "");
    if (setting_is(k, "rdbchecksum", "no") == 1)
        check_say(k, RISK, "checksum", "rdbchecksum no: damage on the way is found by decoding alone");
}

void check_sync(struct check *k, const struct rsp_server_facts *f)
{
    say_buffer(k, f);
    say_sync(k);
}

void check_capture(struct check *k)
{
    const struct rsp_server_facts *f = rsp_server_facts(k->server);
    if (f->role == RSP_SERVER_SENTINEL) return;
    check_sync(k, f);
    check_rules(k, 0);
}
