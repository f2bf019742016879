/* What this is: backupd check: configuration, trust, rights in the storage by trying, clocks, space, memory.
 * Rests on: check.h, policy.h, check_config.h.
 * Does not: read snapshots (verify), look at servers (check_server.c). */
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "backupd/check.h"
#include "backupd/check_config.h"
#include "backupd/config.h"
#include "backupd/policy.h"
#include "backupd/several.h"
#include "cli/exit.h"

#define CLOCK_MAX_MS 60000
#define LOCK_BYTES (8u << 20) /* keys and secret texts need less */
#define SPACE_LOW ((uint64_t)1 << 30)

void check_say(struct check *k, enum level level, const char *what, const char *format, ...)
{
    static const char *const words[] = {"ok", "note", "WARNING", "WARNING"};
    static const char *const names[] = {"ok", "note", "warning", "finding"};
    char line[600];
    va_list args;
    if (k->quiet > (int)level) return;
    k->said++;
    va_start(args, format);
    if (vsnprintf(line, sizeof line, format, args) < 0) line[0] = 0;
    va_end(args);
    if (level == BAD) k->findings++;
    if (!k->j) {
        printf("%-8s %-10s %s\n", words[level], what, line);
        return;
    }
    json_object(k->j, NULL);
    json_text(k->j, "level", names[level]);
    json_text(k->j, "what", what);
    json_text(k->j, "text", line);
    json_close(k->j, '}');
}

void check_fault(struct check *k, int rc, const char *what, const char *words)
{
    char line[512];
    if (k->c->error.code) rsp_error_format(&k->c->error, line, sizeof line);
    else snprintf(line, sizeof line, "%s", rsp_status_text(rc));
    rsp_error_clear(&k->c->error);
    check_say(k, BAD, what, "%s: %s", words, line);
}

/* ---- the storage ---- */

static void check_rights(struct check *k)
{
    uint8_t random[8];
    char name[40] = "probe/";
    struct context *c = k->c;
    int rc;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return;
    text_hex(name + strlen(name), random, sizeof random);
    rc = rsp_store_put(c->store, name, random, sizeof random);
    if (rc) {
        check_fault(k, rc, "rights", "cannot create");
        return;
    }
    rc = rsp_store_delete(c->store, name);
    rsp_error_clear(&c->error);
    if (rc) check_say(k, GOOD, "rights", "may create, may not delete, as a writer should; %s stays behind", name);
    else check_say(k, NOTE, "rights", "may create and delete: a thief of this host may too ('backupd key policy')");
}

static void check_clock(struct check *k)
{
    char text[TEXT_MAX];
    int64_t theirs, off;
    int rc = rsp_store_now(k->c->store, &theirs);
    if (rc) {
        check_fault(k, rc, "clock", "the storage's clock cannot be read");
        return;
    }
    off = theirs - context_now(k->c);
    text_duration(text, off < 0 ? -off : off);
    if (off > CLOCK_MAX_MS || off < -CLOCK_MAX_MS)
        check_say(k, BAD, "clock", "the storage's clock is %s %s this host's", text, off < 0 ? "behind" : "ahead of");
    else check_say(k, GOOD, "clock", "%s from the storage's", text);
}

static void check_space(struct check *k)
{
    char text[TEXT_MAX];
    uint64_t bytes;
    int rc = rsp_store_space(k->c->store, &bytes);
    if (rc) check_fault(k, rc, "space", "cannot be read");
    else if (bytes == UINT64_MAX) check_say(k, NOTE, "space", "not known");
    else check_say(k, bytes < SPACE_LOW ? BAD : GOOD, "space", "%s free", text_size(text, bytes));
}

/* ---- keys and rules ---- */

static void check_roles(struct check *k)
{
    const struct rsp_roles *roles = rsp_repo_roles(k->c->repo);
    size_t readers = 0;
    for (size_t i = 0; i < roles->members_n; i++) {
        const struct rsp_member *m = &roles->members[i];
        if (m->flags & RSP_ROLE_ROOT) continue;
        readers += (m->flags & RSP_ROLE_READ) != 0;
        if ((m->flags & RSP_ROLE_WRITE) && (m->flags & RSP_ROLE_KEEP))
            check_say(k, RISK, "roles",
                      "%s may write and keep: its thief can destroy what the storage lets him; put keep on "
                      "another host, or lock the storage",
                      m->name);
        if ((m->flags & RSP_ROLE_WRITE) && (m->flags & RSP_ROLE_READ))
            check_say(k, BAD, "roles", "%s may write and read: its thief reads every snapshot", m->name);
        if (m->sealed)
            check_say(k, NOTE, "roles", "%s is under a passphrase that a thief of the storage can guess offline",
                      m->name);
    }
    check_say(k, GOOD, "roles", "record %llu, %zu identities, %zu readers beside root", (unsigned long long)roles->n,
              roles->members_n, readers);
}

static void check_policy(struct check *k)
{
    struct rsp_retention policy;
    policy_read(k->c, &policy);
    if (policy_only_last(&policy))
        check_say(k, BAD, "retention",
                  "keep-last is the only rule: a run of bad or forged snapshots pushes the good ones out; "
                  "add keep-daily or keep-within");
    else if (!policy_any(&policy)) check_say(k, NOTE, "retention", "no rules: nothing is ever retired by expire");
    else check_say(k, GOOD, "retention", "rules by time");
}

static void check_host(struct check *k)
{
    struct rlimit lock;
    char text[TEXT_MAX];
    if (!getrlimit(RLIMIT_MEMLOCK, &lock)) {
        if (lock.rlim_cur == RLIM_INFINITY) check_say(k, GOOD, "memory", "may be locked without limit");
        else
            check_say(k, lock.rlim_cur < LOCK_BYTES ? BAD : GOOD, "memory", "%s may be locked%s",
                      text_size(text, lock.rlim_cur),
                      lock.rlim_cur < LOCK_BYTES ? ": keys may reach the swap; raise RLIMIT_MEMLOCK" : "");
    }
    if (config_path(k->c->o)) check_say(k, GOOD, "config", "%s", config_path(k->c->o));
    else check_say(k, NOTE, "config", "no configuration file");
    if (!k->c->repo) return;
    if (k->c->remembers) check_say(k, GOOD, "state", "this host knows the repository and the heads it has seen");
    else
        check_say(k, NOTE, "state",
                  "no memory of this repository: a rollback would not be noticed; 'backupd init --root PUB'");
}

/* The repository: what the configuration, or nothing but a server, was named for. */
static int open_repo(struct check *k)
{
    struct several_names names;
    int code = several_names(&names, k->c);
    if (code < 0) code = context_repo_at(k->c, names.name[0], NEED_NOTHING);
    return code < 0 ? context_log(k->c, NULL, 1, 0) : code;
}

static void check_repo(struct check *k)
{
    check_rights(k);
    check_clock(k);
    check_space(k);
    check_roles(k);
    check_policy(k);
}

/* The other repositories of a source, by contexts of their own. */
static void check_others(struct check *k)
{
    struct several_names names;
    int code = several_names(&names, k->c);
    for (size_t i = 1; code < 0 && i < names.n; i++) {
        struct context other;
        check_say(k, NOTE, "repository", "%s:", names.name[i]);
        code = context_open(&other, k->c->o);
        if (code < 0) code = context_repo_at(&other, names.name[i], NEED_NOTHING);
        if (code < 0) code = context_log(&other, NULL, 1, 0);
        if (code < 0) {
            struct check its = {.c = &other, .j = k->j};
            check_repo(&its);
            k->findings += its.findings;
            if (context_finish(&other, EXIT_OK) != EXIT_OK) k->findings++;
        } else {
            check_say(k, BAD, "repository", "%s cannot be used, as is said above", names.name[i]);
        }
        context_close(&other);
        code = -1;
    }
}

int verb_check(struct context *c)
{
    struct json j;
    struct check k = {.c = c};
    int code, repo = c->o->value[O_REPO].text || c->o->value[O_REPOS].text;
    if (c->o->value[O_PRINT_CONFIG].count) return check_print_config(c);
    code = check_server_open(&k);
    if (code < 0 && (repo || (!k.server && k.connection.place.kind == RSP_PLACE_SERVER))) code = open_repo(&k);
    if (code >= 0) {
        check_server_close(&k);
        return code;
    }
    if (c->o->value[O_JSON].count) {
        k.j = &j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        if (k.server) json_text(&j, "server", rsp_server_name(k.server));
        if (k.map) json_text(&j, "server", k.map->via);
        if (c->url) json_text(&j, "url", c->url);
        json_array(&j, "points");
    }
    check_sentinels(&k);
    check_cluster(&k);
    if (k.server) check_server(&k);
    if (k.server) check_capture(&k);
    check_host(&k);
    if (c->repo) {
        check_repo(&k);
        check_others(&k);
    }
    if (k.j) {
        json_close(&j, ']');
        check_place_json(&k, &j);
        context_json_troubles(c, &j);
        json_close(&j, '}');
    }
    check_server_close(&k);
    return k.findings ? EXIT_FINDINGS : EXIT_OK;
}
