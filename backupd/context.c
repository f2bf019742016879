/* What this is: opening what a verb works with: clock, root, state, store, secrets, repository.
 * Rests on: context.h, config.h, cli/identity.h.
 * Does not: read the record log (context_log.c). */
#include "backupd/context.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backupd/config.h"
#include "backupd/store_options.h"
#include "cli/exit.h"
#include "cli/signal.h"

#define PUBLIC_FILE_MAX 65536

/* ---- words ---- */

int context_words(struct context *c, int status, const char *subject, int err, const char *format, ...)
{
    struct rsp_error *e = &c->error;
    va_list args;
    if (e->code) return status;
    e->code = status;
    e->sys_errno = err;
    snprintf(e->subject, sizeof e->subject, "%s", subject ? subject : "");
    va_start(args, format);
    if (vsnprintf(e->message, sizeof e->message, format, args) < 0) e->message[0] = 0;
    va_end(args);
    return status;
}

int context_fault(struct context *c, int status, const char *subject, int io)
{
    context_end(c);
    if (signal_caught()) return signal_exit_status();
    print_fault(&c->error, status, subject);
    rsp_error_clear(&c->error);
    if (status == RSP_EKEY || status == RSP_ERIGHT)
        print_err("give an identity that may, or the recovery sheet, by --identity FILE (or RESPITE_IDENTITY); "
                  "--identity - asks for it");
    return exit_of_fault(status, io);
}

static void on_log(void *opaque, int level, const char *line)
{
    const struct context *c = opaque;
    if (level == RSP_LOG_ERROR) print_err("%s", line);
    else if (level == RSP_LOG_WARN) print_warn("%s", line);
    else if (c->o->value[O_VERBOSE].count) print_err("%s", line);
}

static int64_t fixed_now(void *opaque)
{
    const struct context *c = opaque;
    return c->now_ms;
}

int64_t context_now(const struct context *c)
{
    struct timespec t;
    if (c->now_ms != INT64_MIN) return c->now_ms;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- open ---- */

/* PUB, or a file that holds one: alone, or on a line "root:" or "public:" of an identity file. */
static int root_of_file(struct context *c, const char *path, struct rsp_public *root)
{
    static const char *const marks[] = {"root:", "public:", ""};
    char *text, *end;
    size_t n;
    int rc = RSP_EFORMAT;
    FILE *f = fopen(path, "re");
    if (!f)
        return context_words(c, RSP_EFORMAT, path, 0,
                             "is neither a public identity (rsp-pub-...) nor a file that can be opened");
    text = malloc(PUBLIC_FILE_MAX + 1);
    n = text ? fread(text, 1, PUBLIC_FILE_MAX, f) : 0;
    fclose(f);
    if (!text) return context_words(c, RSP_ENOMEM, path, 0, "no memory");
    text[n] = 0;
    for (int i = 0; i < 3 && rc; i++) {
        for (char *line = text; line && *line && rc; line = end ? end + 1 : NULL) {
            size_t mark = strlen(marks[i]);
            char copy[RSP_PUBLIC_TEXT + 64];
            end = strchr(line, '\n');
            if (strncmp(line, marks[i], mark) != 0) continue;
            snprintf(copy, sizeof copy, "%.*s", end ? (int)(end - line - (ptrdiff_t)mark) : (int)strlen(line + mark),
                     line + mark);
            rc = rsp_public_parse(NULL, copy, root);
        }
    }
    free(text);
    if (rc) context_words(c, rc, path, 0, "holds no public identity (rsp-pub-...)");
    return rc;
}

/* Of the repository that is open here: another one's section says nothing of it. */
static struct opt_value value_of_repo(const struct context *c, int id)
{
    struct opt_value given = c->o->value[id], own = config_repo_value(c->o, c->repo_name, id);
    const char *first = given.n ? given.list[0] : given.text;
    return own.text && first && !strcmp(own.text, first) ? given : own; /* it has all that was given of a list */
}

static int take_root(struct context *c, const char *text)
{
    int rc;
    c->has_root = 0;
    if (!text) return -1;
    rc = rsp_public_parse(&c->env, text, &c->root);
    if (rc && strncmp(text, "rsp-pub-", 8) != 0) {
        rsp_error_clear(&c->error);
        rc = root_of_file(c, text, &c->root);
    }
    c->has_root = !rc;
    return rc ? (context_fault(c, rc, "--root", EXIT_USAGE), EXIT_USAGE) : -1;
}

int context_open(struct context *c, const struct options *o)
{
    const char *now = o->value[O_NOW].text;
    const struct pass_options pass = {&o->value[O_PASSPHRASE_FILE], &o->value[O_PASSPHRASE_FD],
                                      &o->value[O_PASSPHRASE_COMMAND]};
    memset(c, 0, sizeof *c);
    c->o = o;
    c->now_ms = INT64_MIN;
    c->env.size = sizeof c->env;
    c->env.error = &c->error;
    c->env.log = on_log;
    c->env.log_opaque = c;
    if (pass_open(&c->passphrase, &pass, &c->error)) return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    if (now) {
        if (parse_time(now, &c->now_ms))
            return options_usage(o, "--now: '%s' is no time such as 2026-11-20T05:35:00Z", now);
        c->env.now_ms = fixed_now;
        c->env.clock_opaque = c;
    }
    return take_root(c, o->value[O_ROOT].text);
}

int context_alone(struct context *c)
{
    uint8_t lineage[16];
    int rc;
    if (!c->state || !c->remembers) return -1;
    rsp_repo_lineage(c->repo, lineage);
    rc = rsp_state_lock(c->state, lineage);
    return rc ? context_fault(c, rc, NULL, EXIT_STORAGE) : -1;
}

int64_t context_as_of(const struct context *c)
{
    return c->now_ms == INT64_MIN ? 0 : c->now_ms;
}

void context_close(struct context *c)
{
    context_end(c);
    rsp_log_free(c->log);
    rsp_repo_free(c->repo);
    for (size_t i = 0; i < c->identities; i++) rsp_identity_free(c->identity[i]);
    rsp_store_free(c->store);
    rsp_state_free(c->state);
    pass_close(c->passphrase);
    memset(c, 0, sizeof *c);
}

/* ---- state and store ---- */

int context_state_dir(const struct context *c, char out[PATH_ROOM])
{
    const char *given = c->o->value[O_STATE].text, *home = getenv("HOME");
    int n;
    if (given) n = snprintf(out, PATH_ROOM, "%s", given);
    else if (geteuid() == 0) n = snprintf(out, PATH_ROOM, "/var/lib/respite");
    else if (home && *home == '/') n = snprintf(out, PATH_ROOM, "%s/.local/state/respite", home);
    else return options_usage(c->o, "HOME is not set: say by --state where the state directory is");
    if (n < 0 || n >= PATH_ROOM) return options_usage(c->o, "--state: the path is too long");
    return -1;
}

int context_state(struct context *c, int create)
{
    char dir[PATH_ROOM];
    int code = c->state ? -1 : context_state_dir(c, dir), rc;
    if (code >= 0 || c->state) return code;
    rc = rsp_state_open(&c->env, dir, create, &c->state);
    if (rc == RSP_ENOTFOUND && !create) {
        rsp_error_clear(&c->error);
        return -1;
    }
    return rc ? context_fault(c, rc, dir, EXIT_CONFIG) : -1;
}

int context_store(struct context *c, const char *url, const struct rsp_store_options *options, struct rsp_store **ret)
{
    struct rsp_store_options o = *options;
    struct store_room room;
    int rc, code = context_store_options(c, url, c->repo_name, &o, &room);
    rc = code < 0 ? rsp_store_open(&c->env, url, &o, ret) : RSP_OK;
    store_room_close(&room);
    if (code >= 0) return code;
    if (!rc) return -1;
    if (rc == RSP_ENOTFOUND) {
        context_fault(c, rc, url, EXIT_STORAGE);
        return EXIT_NO_REPOSITORY;
    }
    if (rc != RSP_EINVAL && rc != RSP_EUNSUPPORTED) return context_fault(c, rc, url, EXIT_STORAGE);
    context_fault(c, rc, url, EXIT_USAGE);
    return c->repo_name ? EXIT_CONFIG : EXIT_USAGE;
}

/* ---- secrets ---- */

static int add_identity(struct context *c, struct rsp_identity *id)
{
    if (c->identities == IDENTITIES_MAX) {
        rsp_identity_free(id);
        return RSP_ELIMIT;
    }
    c->identity[c->identities++] = id;
    return RSP_OK;
}

static int identity_fault(struct context *c, int rc, const char *path)
{
    context_fault(c, rc, path, EXIT_NO_KEY);
    return identity_exit(rc);
}

static int load_given(struct context *c, const char *path)
{
    struct rsp_identity *id = NULL;
    int rc = identity_given(&c->env, c->passphrase, path, &id);
    if (rc) return identity_fault(c, rc, path);
    rc = add_identity(c, id);
    return rc ? options_usage(c->o, "--identity: more than %d", IDENTITIES_MAX) : -1;
}

/* The host's own, in the state. */
static int load_own(struct context *c, const uint8_t lineage[16], enum need need)
{
    struct rsp_identity *id = NULL;
    char path[PATH_ROOM];
    int asks = need != NEED_TRY || pass_given(c->passphrase);
    int rc = rsp_state_path(c->state, lineage, "identity", path, sizeof path);
    if (!rc) rc = rsp_identity_load(&c->env, path, asks ? pass_ask : NULL, c->passphrase, &id);
    if (rc == RSP_ENOTFOUND || (rc == RSP_EKEY && !asks)) {
        rsp_error_clear(&c->error);
        return -1;
    }
    /* It is one way among others: a reader on this host may come by the roles record or lack nothing. */
    if (rc) return identity_fault(c, rc, path);
    return add_identity(c, id) ? EXIT_INTERNAL : -1;
}

static int known_lineage(struct context *c, uint8_t lineage[16])
{
    uint8_t id[16];
    if (c->state && c->store && !rsp_state_lookup(c->state, rsp_store_url(c->store), lineage, id)) return 1;
    rsp_error_clear(&c->error);
    if (!c->has_root) return 0;
    rsp_lineage_of(&c->root, lineage);
    return 1;
}

int context_identities(struct context *c, enum need need)
{
    const struct opt_value given = value_of_repo(c, O_IDENTITY);
    const char *const *list = given.n ? given.list : &given.text;
    size_t n = given.n ? given.n : given.text != NULL;
    uint8_t lineage[16];
    int known = known_lineage(c, lineage);
    if (need == NEED_NOTHING && known) return -1;
    c->others_identity = n > 0;
    for (size_t i = 0; i < n; i++) {
        const char *from = c->o->verb->bit == V_BACKUP ? c->o->value[O_FROM].text : NULL;
        int code;
        if (from && !strcmp(from, "-") && !strcmp(list[i], "-"))
            return options_usage(c->o, "--identity - and --from -: standard input holds one of them");
        code = load_given(c, list[i]);
        if (code >= 0) return code;
    }
    if (n || !known || !c->state) return -1;
    return load_own(c, lineage, need);
}

/* ---- the repository ---- */

static int open_repo(struct context *c)
{
    struct rsp_repo_options options = {.size = sizeof options,
                                       .store = c->store,
                                       .state = c->remembers ? c->state : NULL,
                                       .root = c->has_root ? &c->root : NULL,
                                       .identities = c->identity,
                                       .identities_n = c->identities,
                                       .accept_rollback = c->o->value[O_ACCEPT_ROLLBACK].count || c->accept_rollback,
                                       .expect_head = c->o->value[O_EXPECT_HEAD].text};
    int rc;
    rsp_repo_free(c->repo);
    c->repo = NULL;
    rc = rsp_repo_open(&c->env, &options, &c->repo);
    if (!rc) return -1;
    if (rc != RSP_EINVAL || c->remembers || c->has_root || c->identities)
        return context_fault(c, rc, c->url, EXIT_STORAGE);
    rsp_error_clear(&c->error);
    print_err(
        "%s: this host does not know whom to trust here: name root by --root PUB, give --identity FILE, or make it "
        "known once by 'backupd init --repo %s --root PUB'",
        c->url, c->url);
    return EXIT_NO_KEY;
}

/* Readers whose secret stands in the roles record under the passphrase. */
static int open_readers(struct context *c, enum need need)
{
    const struct rsp_roles *roles = rsp_repo_roles(c->repo);
    size_t before = c->identities, sealed = 0;
    int asked = pass_given(c->passphrase);
    for (size_t i = 0; i < roles->members_n; i++) sealed += roles->members[i].sealed != NULL;
    if (!sealed || (!asked && (need != NEED_READ || c->others_identity))) return -1;
    if (!asked && c->identities) return -1; /* the own identity may do; whoever wants the passphrase says so */
    for (size_t i = 0; i < roles->members_n; i++) {
        struct rsp_identity *id = NULL;
        int rc;
        if (!roles->members[i].sealed) continue;
        rc = rsp_member_open(&c->env, &roles->members[i], pass_ask, c->passphrase, &id);
        if (rc && rc != RSP_EKEY) return context_fault(c, rc, roles->members[i].name, EXIT_STORAGE);
        rsp_error_clear(&c->error); /* another one's passphrase, or nobody to ask: the envelope will tell */
        if (!rc && add_identity(c, id)) return EXIT_CAPACITY;
    }
    return c->identities > before ? open_repo(c) : -1;
}

/* The passphrase of this repository's section, when that names another than the command's. */
static int own_passphrase(struct context *c)
{
    static const int ids[] = {O_PASSPHRASE_FILE, O_PASSPHRASE_FD, O_PASSPHRASE_COMMAND};
    const struct pass_options pass = {&c->pass[0], &c->pass[1], &c->pass[2]};
    int differs = 0;
    for (int i = 0; i < 3; i++) {
        const char *text = c->o->value[ids[i]].text;
        c->pass[i] = value_of_repo(c, ids[i]);
        differs |= (text == NULL) != (c->pass[i].text == NULL) || (text && strcmp(text, c->pass[i].text) != 0);
    }
    if (!differs) return -1;
    pass_close(c->passphrase);
    c->passphrase = NULL;
    return pass_open(&c->passphrase, &pass, &c->error) ? context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY) : -1;
}

int context_repo(struct context *c, enum need need)
{
    return context_repo_at(c, c->o->value[O_REPO].text, need);
}

int context_repo_at(struct context *c, const char *repo, enum need need)
{
    struct rsp_store_options options = {.size = sizeof options, .read_only = c->o->value[O_OLDEST_VERSIONS].count != 0};
    uint8_t lineage[16], id[16];
    int code;
    c->url = config_url(c->o, repo, &c->repo_name, &code);
    if (!c->url) return code ? code : options_usage(c->o, "which repository? --repo file:/path (or RESPITE_REPO)");
    code = take_root(c, value_of_repo(c, O_ROOT).text);
    if (code < 0) code = own_passphrase(c);
    if (code < 0) code = context_state(c, 0);
    if (code < 0) code = context_store(c, c->url, &options, &c->store);
    if (code >= 0) return code;
    c->remembers = c->state && !rsp_state_lookup(c->state, rsp_store_url(c->store), lineage, id);
    rsp_error_clear(&c->error);
    code = context_identities(c, need);
    if (code < 0) code = open_repo(c);
    if (code < 0 && need >= NEED_TRY) code = open_readers(c, need);
    return code;
}

int context_reopen(struct context *c)
{
    rsp_log_free(c->log);
    c->log = NULL;
    return open_repo(c);
}

int context_roles_back(struct context *c)
{
    size_t n = 0;
    int rc = c->remembers ? rsp_repo_republish_roles(c->repo, &n) : RSP_OK;
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    if (!n) return -1;
    print_warn("%s: %zu roles record%s that other repositories of the lineage have %s put there", c->url, n,
               n == 1 ? "" : "s", n == 1 ? "was" : "were");
    return open_repo(c);
}

int context_signer(struct context *c, uint32_t flag, const uint8_t *source, const struct rsp_identity **ret)
{
    static const struct {
        uint32_t flag;
        const char *words;
    } rights[] = {{RSP_ROLE_READ, "read"},
                  {RSP_ROLE_WRITE, "write for this source"},
                  {RSP_ROLE_KEEP, "keep"},
                  {RSP_ROLE_PROVE, "prove"},
                  {RSP_ROLE_ROOT, "act as root"}};
    *ret = rsp_repo_signer(c->repo, flag, source);
    if (*ret) return -1;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        if (rights[i].flag == flag)
            context_words(c, RSP_ERIGHT, c->url, 0,
                          c->identities ? "no identity at hand may %s"
                                        : "there is no identity at hand; one is needed that may %s",
                          rights[i].words);
    return context_fault(c, RSP_ERIGHT, c->url, EXIT_NO_KEY);
}

/* ---- progress ---- */

void context_begin(struct context *c, const char *label, uint64_t total, int shares_terminal)
{
    int off = c->o->value[O_NO_PROGRESS].count || (shares_terminal && isatty(STDOUT_FILENO));
    c->progress = progress_start(label, total, off);
}

void context_progress(void *opaque, uint64_t bytes)
{
    const struct context *c = opaque;
    progress_update(c->progress, bytes);
}

void context_end(struct context *c)
{
    progress_end(c->progress);
    c->progress = NULL;
}
