/* What this is: the options of a store out of arguments, environment, configuration, files and commands.
 * Rests on: store_options.h, config.h, cli/connection.h, cli/secret.h, mlock(2).
 * Does not: keep a secret in memory that may be swapped or dumped; take one from an argument. */
#include "backupd/store_options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <respite/sys/filter.h>

#include "backupd/config.h"
#include "cli/connection.h"
#include "cli/exit.h"
#include "cli/secret.h"
#include "cli/signal.h"

#define SECRET_MAX 4096
#define TOKEN_MAX 16384
#define CONTAINER_HOST "http://169.254.170.2" /* where a relative address of a container's role leads */

struct store_secrets {
    char password[SECRET_MAX + 1], s3[SECRET_MAX + 1], ssh[SECRET_MAX + 1], token[TOKEN_MAX + 1];
};

/* One resolution. */
struct store_from {
    struct context *c;
    const char *url, *repo;
    struct rsp_store_remote *r;
    struct store_room *room;
};

static struct opt_value value(const struct store_from *f, int id)
{
    return config_repo_value(f->c->o, f->repo, id);
}

static const char *text(const struct store_from *f, int id)
{
    struct opt_value v = value(f, id);
    return v.count ? v.text : NULL;
}

static int64_t number(const struct store_from *f, int id)
{
    struct opt_value v = value(f, id);
    return v.count ? v.number : 0;
}

static int is(const struct store_from *f, const char *scheme)
{
    size_t n = strlen(scheme);
    return !strncmp(f->url, scheme, n) && f->url[n] == ':';
}

/* A variable that is set to something. */
static const char *variable(const char *name)
{
    const char *s = getenv(name);
    return s && *s ? s : NULL;
}

/* What is wrong with an option's value, where it stands. */
static int RSP_PRINTF(3, 4) refuse(const struct store_from *f, const struct opt_value *v, const char *format, ...)
{
    char words[512];
    va_list args;
    va_start(args, format);
    if (vsnprintf(words, sizeof words, format, args) < 0) words[0] = 0;
    va_end(args);
    if (v && v->from == OPT_FROM_CONFIG) {
        print_err("%s: %s", v->where, words);
        return EXIT_CONFIG;
    }
    return options_usage(f->c->o, "%s", words);
}

/* ---- secrets ---- */

/* Out of the nearer of file and command. out is filled when one was given: *given. -1, or an exit status. */
static int read_secret(const struct store_from *f, const char *what, const struct opt_value *file,
                       const struct opt_value *command, char *out, size_t cap, int *given)
{
    const struct secret s = {what, RSP_EKEY, 1, &f->c->error};
    const struct opt_value *v = command->count && (!file->count || command->from > file->from) ? command : file;
    size_t n = 0;
    int rc;
    *given = 0;
    if (!v->count) return -1;
    if (file->count && command->count && file->from == command->from)
        return refuse(f, v, "the %s is named twice: by a file and by a command", what);
    rc = v == file ? secret_from_file(&s, v->text, out, cap, &n) : secret_from_command(&s, v->text, out, cap, &n);
    if (!rc) {
        if (n && out[n - 1] == '\n') n--;
        out[n] = 0;
        if (!n) rc = secret_fault(&s, RSP_EKEY, v->text, 0, "the %s is empty", what);
        else if (strlen(out) != n) rc = secret_fault(&s, RSP_EKEY, v->text, 0, "the %s holds a byte of zero", what);
    }
    *given = !rc;
    if (!rc) return -1;
    print_fault(&f->c->error, rc, v->text);
    rsp_error_clear(&f->c->error);
    if (signal_caught()) return signal_exit_status();
    return rc == RSP_ENOMEM ? EXIT_CAPACITY : v->from == OPT_FROM_CONFIG ? EXIT_CONFIG : EXIT_USAGE;
}

static int take_text(const struct store_from *f, const char *what, const char *from, char *out, size_t cap)
{
    size_t n = strlen(from);
    if (n > cap) return refuse(f, NULL, "the %s is longer than one can be", what);
    memcpy(out, from, n + 1);
    return -1;
}

/* For WebDAV and SFTP. */
static int take_password(struct store_from *f)
{
    const struct opt_value file = value(f, O_REPO_PASSWORD_FILE), command = value(f, O_REPO_PASSWORD_COMMAND),
                           plain = value(f, O_REPO_PASSWORD);
    char *out = f->room->secrets->password;
    int given, code = -1;
    f->r->user = text(f, O_REPO_USER);
    if (plain.count && plain.from > file.from && plain.from > command.from) {
        code = take_text(f, "password", plain.text, out, SECRET_MAX);
        given = 1;
    } else {
        code = read_secret(f, "password", &file, &command, out, SECRET_MAX, &given);
    }
    if (given) f->r->password = out;
    return code;
}

/* ---- S3 ---- */

static int ambient_token(struct store_from *f)
{
    const char *token = variable("AWS_SESSION_TOKEN");
    if (!token) return -1;
    f->r->session_token = f->room->secrets->token;
    return take_text(f, "session token", token, f->room->secrets->token, TOKEN_MAX);
}

/* The keys of options; those of the environment fill up what is missing, when they belong together. */
static int own_keys(struct store_from *f, const struct opt_value *id)
{
    const struct opt_value file = value(f, O_S3_SECRET_FILE), command = value(f, O_S3_SECRET_COMMAND);
    const char *env_id = variable("AWS_ACCESS_KEY_ID"), *env_secret = variable("AWS_SECRET_ACCESS_KEY");
    int given, code = read_secret(f, "secret key", &file, &command, f->room->secrets->s3, SECRET_MAX, &given);
    if (code >= 0) return code;
    f->r->secret_key = f->room->secrets->s3;
    f->r->access_key = id->count ? id->text : env_id;
    if (!f->r->access_key)
        return refuse(f, file.count ? &file : &command,
                      "a secret key without its name: --s3-key-id (or AWS_ACCESS_KEY_ID)");
    if (given) return -1;
    if (!env_secret || (env_id && strcmp(env_id, id->text) != 0))
        return refuse(f, id,
                      "--s3-key-id %s: where is its secret key? --s3-secret-file, --s3-secret-command, or "
                      "AWS_SECRET_ACCESS_KEY",
                      id->text);
    code = take_text(f, "secret key", env_secret, f->room->secrets->s3, SECRET_MAX);
    return code < 0 ? ambient_token(f) : code;
}

static void default_credentials(struct store_from *f, const char *file, const char *profile)
{
    const char *home = getenv("HOME");
    if (!file && home && *home == '/') {
        int n = snprintf(f->room->credentials, PATH_ROOM, "%s/.aws/credentials", home);
        if (n > 0 && n < PATH_ROOM && (profile || !access(f->room->credentials, F_OK))) file = f->room->credentials;
    }
    f->r->credentials_file = file;
    f->r->profile = profile;
}

/* A role of the container that we run in. */
static int ambient_role(struct store_from *f)
{
    const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
               *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               *token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    int n = 0;
    if (relative) n = snprintf(f->room->container, PATH_ROOM, CONTAINER_HOST "%s", relative);
    else if (full) n = snprintf(f->room->container, PATH_ROOM, "%s", full);
    if (!n) return -1;
    if (n < 0 || n >= PATH_ROOM) return refuse(f, NULL, "AWS_CONTAINER_CREDENTIALS_...: the address is too long");
    f->r->container_url = f->room->container;
    if (!token) return -1;
    f->r->container_token = f->room->secrets->token;
    return take_text(f, "token of the container", token, f->room->secrets->token, TOKEN_MAX);
}

/* What the environment has, as other programs for S3 find it. */
static int ambient_keys(struct store_from *f)
{
    const char *id = variable("AWS_ACCESS_KEY_ID"), *secret = variable("AWS_SECRET_ACCESS_KEY");
    int code;
    if (!id != !secret)
        return refuse(f, NULL, "%s is set, and %s is not", id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                      id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    if (id) {
        f->r->access_key = id;
        f->r->secret_key = f->room->secrets->s3;
        code = take_text(f, "secret key", secret, f->room->secrets->s3, SECRET_MAX);
        return code < 0 ? ambient_token(f) : code;
    }
    default_credentials(f, variable("AWS_SHARED_CREDENTIALS_FILE"), variable("AWS_PROFILE"));
    return ambient_role(f);
}

static int take_s3(struct store_from *f)
{
    const struct opt_value id = value(f, O_S3_KEY_ID), profile = value(f, O_S3_PROFILE),
                           file = value(f, O_S3_CREDENTIALS_FILE), lock = value(f, O_LOCK);
    f->r->metadata_url = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    f->r->oldest = f->c->o->value[O_OLDEST_VERSIONS].count != 0;
    if (lock.count && store_lock_parse(lock.text, &f->r->lock_mode, &f->r->lock_ms))
        return refuse(f, &lock,
                      "--lock: '%s' is not governance:DURATION or compliance:DURATION, such as governance:30d",
                      lock.text);
    if (id.count || value(f, O_S3_SECRET_FILE).count || value(f, O_S3_SECRET_COMMAND).count) return own_keys(f, &id);
    if (value(f, O_S3_INSTANCE_ROLE).number) {
        f->r->instance_role = 1;
        return -1;
    }
    if (!profile.count && !file.count) return ambient_keys(f);
    default_credentials(f, file.count ? file.text : variable("AWS_SHARED_CREDENTIALS_FILE"),
                        profile.count ? profile.text : variable("AWS_PROFILE"));
    return -1;
}

int store_lock_parse(const char *words, int *mode, int64_t *ms)
{
    static const char *const names[] = {"", "governance:", "compliance:"}; /* enum rsp_lock_mode */
    for (int i = 1; i < 3; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(words, names[i], n) != 0) continue;
        *mode = i;
        return rsp_parse_duration(words + n, ms) || *ms <= 0 ? -1 : 0;
    }
    return -1;
}

/* ---- SFTP ---- */

static int take_ssh(struct store_from *f)
{
    const struct opt_value file = value(f, O_SSH_KEY_PASSPHRASE_FILE), none = {0};
    const char *home = getenv("HOME");
    int given, code = read_secret(f, "passphrase", &file, &none, f->room->secrets->ssh, SECRET_MAX, &given);
    if (code >= 0) return code;
    if (given) f->r->ssh_key_passphrase = f->room->secrets->ssh;
    f->r->ssh_key = text(f, O_SSH_KEY);
    f->r->ssh_agent = number(f, O_SSH_AGENT) != 0;
    f->r->host_key_pin = text(f, O_HOST_KEY);
    f->r->known_hosts = text(f, O_KNOWN_HOSTS);
    if (f->r->known_hosts || f->r->host_key_pin || !home || *home != '/') return -1;
    if (snprintf(f->room->known_hosts, PATH_ROOM, "%s/.ssh/known_hosts", home) < PATH_ROOM)
        f->r->known_hosts = f->room->known_hosts;
    return -1;
}

/* ---- everywhere ---- */

static const char *either(const char *small, const char *capitals)
{
    const char *s = variable(small);
    return s ? s : variable(capitals);
}

/* As curl and others have it; http_proxy counts in small letters only (a server of CGI makes the other one). */
static int take_proxy(struct store_from *f)
{
    const struct opt_value v = value(f, O_REPO_PROXY);
    const char *endpoint = strstr(f->url, "endpoint=http");
    int clear = is(f, "dav") || (endpoint && endpoint[strlen("endpoint=http")] != 's');
    f->r->no_proxy = text(f, O_REPO_NO_PROXY);
    if (v.count) {
        if (v.from == OPT_FROM_ARGV && connection_has_password(v.text))
            return refuse(f, &v,
                          "--repo-proxy: what stands before the @ is not taken from an argument, which every user of "
                          "the host sees: set RESPITE_REPO_PROXY");
        f->r->proxy = strcmp(v.text, "none") != 0 ? v.text : NULL;
        return -1;
    }
    if (is(f, "sftp")) return -1;
    f->r->proxy = clear ? variable("http_proxy") : either("https_proxy", "HTTPS_PROXY");
    if (!f->r->proxy) f->r->proxy = either("all_proxy", "ALL_PROXY");
    if (!f->r->no_proxy) f->r->no_proxy = either("no_proxy", "NO_PROXY");
    return -1;
}

static int take_rest(struct store_from *f)
{
    const struct opt_value plain = value(f, O_REPO_PASSWORD), retries = value(f, O_RETRIES),
                           key = value(f, O_REPO_CERT_KEY);
    int64_t both = number(f, O_LIMIT_RATE), up = number(f, O_LIMIT_UPLOAD), down = number(f, O_LIMIT_DOWNLOAD);
    if (plain.from == OPT_FROM_ARGV)
        return refuse(f, &plain,
                      "--repo-password is not taken: arguments are seen by every user of the host: set "
                      "RESPITE_REPO_PASSWORD, or use --repo-password-file or --repo-password-command");
    f->r->cacert = text(f, O_REPO_CACERT);
    f->r->cacertdir = text(f, O_REPO_CACERTDIR);
    f->r->cert = text(f, O_REPO_CERT);
    f->r->cert_key = key.count ? key.text : NULL;
    if (key.count && !f->r->cert) return refuse(f, &key, "--repo-cert-key: of which certificate? --repo-cert");
    f->r->connect_ms = number(f, O_REPO_CONNECT_TIMEOUT);
    f->r->stall_ms = number(f, O_REPO_STALL_TIMEOUT);
    f->r->rate_up = (uint64_t)(up ? up : both);
    f->r->rate_down = (uint64_t)(down ? down : both);
    f->r->tries = retries.count ? (unsigned)retries.number + 1 : 0;
    f->r->parallel = (unsigned)number(f, O_PARALLEL);
    f->r->part_bytes = (size_t)number(f, O_PART_SIZE);
    f->r->tmpdir = f->c->o->value[O_TMPDIR].text;
    f->r->cancel = signal_flag();
    return take_proxy(f);
}

int context_store_options(struct context *c, const char *url, const char *repo_name, struct rsp_store_options *options,
                          struct store_room *room)
{
    struct store_from f = {c, url, repo_name, &room->remote, room};
    int code;
    memset(room, 0, sizeof *room);
    room->remote.size = sizeof room->remote;
    options->remote = &room->remote;
    code = take_rest(&f);
    if (code >= 0 || is(&f, "file")) return code;
    room->secrets = mmap(NULL, sizeof *room->secrets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room->secrets == MAP_FAILED) {
        room->secrets = NULL;
        return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    }
    (void)mlock(room->secrets, sizeof *room->secrets);
    (void)madvise(room->secrets, sizeof *room->secrets, MADV_DONTDUMP);
    if (is(&f, "s3")) return take_s3(&f);
    code = take_password(&f);
    return code < 0 && is(&f, "sftp") ? take_ssh(&f) : code;
}

void store_room_close(struct store_room *room)
{
    if (room->secrets) {
        explicit_bzero(room->secrets, sizeof *room->secrets);
        munmap(room->secrets, sizeof *room->secrets);
    }
    memset(room, 0, sizeof *room);
}
