/* What this is: the keys that requests are signed with: given, out of a shared file, or of a role that is asked again before
 *   they run out.
 * Rests on: s3_impl.h, libsodium (memory that is not swapped or dumped).
 * Does not: read the environment, or run a program. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/s3_impl.h"

#define FILE_BYTES ((size_t)256 << 10)
#define AHEAD_MS ((int64_t)5 * 60 * 1000) /* keys are renewed so long before they run out */
#define AGAIN_MS 10000                    /* between two questions, while the old ones still hold */

struct s3_credentials {
    struct rsp_env env;
    pthread_mutex_t lock;
    struct s3_keys *keys; /* sodium's */
    struct s3_roles roles;
    int role;             /* the keys are temporary, and we know where there are others */
    int64_t ask_ms;       /* not before */
    char *file, *profile; /* or they stand here */
};

/* ---- the shared file ---- */

static int copy(char *out, size_t size, const char *text)
{
    size_t n = strlen(text);
    if (n >= size) return -1;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 127) return -1;
    memcpy(out, text, n + 1);
    return 0;
}

static char *trim(char *s)
{
    size_t n;
    s += strspn(s, " \t\r");
    n = strlen(s);
    while (n && strchr(" \t\r", s[n - 1])) s[--n] = 0;
    return s;
}

/* "[name]" or "[profile name]" */
static int section_is(char *line, const char *profile)
{
    char *end = strchr(line, ']');
    if (!end) return 0;
    *end = 0;
    line = trim(line + 1);
    if (!strncmp(line, "profile", 7) && (line[7] == ' ' || line[7] == '\t')) line = trim(line + 7);
    return !strcmp(line, profile);
}

static int take_line(char *line, struct s3_keys *k, int *elsewhere)
{
    char *value = strchr(line, '=');
    if (!value) return 0;
    *value++ = 0;
    line = trim(line);
    value = trim(value);
    if (!strcmp(line, "aws_access_key_id")) return copy(k->access, sizeof k->access, value);
    if (!strcmp(line, "aws_secret_access_key")) return copy(k->secret, sizeof k->secret, value);
    if (!strcmp(line, "aws_session_token")) return copy(k->token, sizeof k->token, value);
    if (!strcmp(line, "role_arn") || !strcmp(line, "credential_process") || !strcmp(line, "sso_session") ||
        !strcmp(line, "web_identity_token_file"))
        *elsewhere = 1;
    return 0;
}

int s3_profile_parse(const struct rsp_env *env, const char *file, const char *profile, char *text, struct s3_keys *ret)
{
    int inside = 0, found = 0, elsewhere = 0;
    memset(ret, 0, sizeof *ret);
    ret->expires_ms = INT64_MAX;
    while (text) {
        char *next = strchr(text, '\n'), *line;
        if (next) *next++ = 0;
        line = trim(text);
        text = next;
        if (!*line || *line == '#' || *line == ';') continue;
        if (*line == '[') {
            inside = section_is(line, profile);
            found |= inside;
        } else if (inside && take_line(line, ret, &elsewhere)) {
            return fail(env, RSP_EFORMAT, file, "profile '%.60s': a value is too long, or has blanks in it", profile);
        }
    }
    if (!found) return fail(env, RSP_EINVAL, file, "has no profile '%.60s'", profile);
    if (*ret->access && *ret->secret) return RSP_OK;
    if (elsewhere)
        return fail(env, RSP_EUNSUPPORTED, file,
                    "profile '%.60s' gets its keys from elsewhere: only keys that stand in it are read", profile);
    return fail(env, RSP_EFORMAT, file, "profile '%.60s' lacks aws_access_key_id or aws_secret_access_key", profile);
}

static int file_text(const struct rsp_env *env, const char *file, char *text)
{
    struct stat st;
    size_t n = 0;
    int rc = RSP_OK, fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return fail(env, RSP_EINVAL, file, "there is no such file of credentials");
    if (fd < 0) return fail_errno(env, errno, file, "cannot read the credentials");
    if (fstat(fd, &st)) rc = fail_errno(env, errno, file, "cannot be inspected");
    else if (!S_ISREG(st.st_mode)) rc = fail(env, RSP_EINVAL, file, "not a plain file");
    else if (st.st_mode & S_IRWXO)
        rc = fail(env, RSP_EPERM, file, "everybody on this machine can read the credentials: chmod 600 it");
    while (!rc) {
        ssize_t k = read(fd, text + n, FILE_BYTES - n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) rc = fail_errno(env, errno, file, "cannot be read");
        if (k <= 0) break;
        n += (size_t)k;
        if (n == FILE_BYTES) rc = fail(env, RSP_ELIMIT, file, "more than %zu bytes of credentials", FILE_BYTES - 1);
    }
    close(fd);
    if (!rc) text[n] = 0;
    if (!rc && strlen(text) != n) rc = fail(env, RSP_EFORMAT, file, "not a text");
    return rc;
}

static int read_file(struct s3_credentials *c, const struct rsp_env *env, struct s3_keys *ret)
{
    char *text = sodium_malloc(FILE_BYTES);
    int rc;
    if (!text) return fail(env, RSP_ENOMEM, NULL, "no memory for secrets");
    rc = file_text(env, c->file, text);
    if (!rc) rc = s3_profile_parse(env, c->file, c->profile, text, ret);
    sodium_free(text);
    return rc;
}

/* ---- which, and when ---- */

static int given(struct s3_credentials *c, const struct rsp_store_remote *o)
{
    c->keys->expires_ms = INT64_MAX;
    if (!o->secret_key || !*o->secret_key)
        return fail(&c->env, RSP_EINVAL, NULL, "an access key without its secret key");
    if (copy(c->keys->access, sizeof c->keys->access, o->access_key) ||
        copy(c->keys->secret, sizeof c->keys->secret, o->secret_key) ||
        (o->session_token && copy(c->keys->token, sizeof c->keys->token, o->session_token)))
        return fail(&c->env, RSP_EINVAL, NULL, "a key or a token is too long, or has blanks in it");
    return RSP_OK;
}

static int dup_text(struct s3_credentials *c, const char *text, char **ret)
{
    if (!text || !*text) return RSP_OK;
    *ret = mem_strdup(&c->env, text);
    return *ret ? RSP_OK : RSP_ENOMEM;
}

static int roles(struct s3_credentials *c, const struct rsp_store_remote *o)
{
    struct rsp_store_remote quick = *o;
    int rc = dup_text(c, o->container_url, &c->roles.container_url);
    if (!rc) rc = dup_text(c, o->container_token, &c->roles.container_token);
    if (!rc) rc = dup_text(c, o->metadata_url ? o->metadata_url : "http://169.254.169.254", &c->roles.metadata_url);
    c->roles.instance = o->instance_role;
    c->role = 1;
    quick.connect_ms = 2000;
    quick.stall_ms = 5000;
    quick.tries = 3;
    quick.rate_up = quick.rate_down = 0;
    quick.proxy = NULL; /* these services live on this machine, or beside it */
    return rc ? rc : remote_client(&c->env, &quick, &c->roles.client);
}

int s3_credentials_new(const struct rsp_env *env, const struct rsp_store_remote *o, struct s3_credentials **ret)
{
    static const struct rsp_store_remote none = {.size = sizeof none};
    struct s3_credentials *c;
    int rc;
    *ret = NULL;
    if (!o) o = &none;
    if (sodium_init() < 0) return fail(env, RSP_EUNSUPPORTED, NULL, "libsodium cannot be used");
    c = mem_zero(env, sizeof *c);
    if (!c) return RSP_ENOMEM;
    c->env = *env;
    pthread_mutex_init(&c->lock, NULL);
    c->keys = sodium_malloc(sizeof *c->keys);
    if (!c->keys) {
        rc = fail(env, RSP_ENOMEM, NULL, "no memory for secrets");
    } else {
        sodium_memzero(c->keys, sizeof *c->keys);
        if (o->access_key && *o->access_key) {
            rc = given(c, o);
        } else if (o->credentials_file && *o->credentials_file) {
            rc = dup_text(c, o->credentials_file, &c->file);
            if (!rc) rc = dup_text(c, o->profile && *o->profile ? o->profile : "default", &c->profile);
            if (!rc) rc = read_file(c, env, c->keys);
        } else if ((o->container_url && *o->container_url) || o->instance_role) {
            rc = roles(c, o);
        } else {
            rc = fail(env, RSP_EAUTH, NULL,
                      "no S3 keys are given: an access key and its secret key, a credentials file, or "
                      "the role of this machine");
        }
    }
    if (rc) s3_credentials_free(c);
    else *ret = c;
    return rc;
}

static void drop_secret(struct s3_credentials *c, char *text)
{
    size_t n = text ? strlen(text) + 1 : 0;
    if (!text) return;
    sodium_memzero(text, n);
    mem_free(&c->env, text, n);
}

void s3_credentials_free(struct s3_credentials *c)
{
    struct rsp_env env;
    if (!c) return;
    env = c->env;
    net_client_free(c->roles.client);
    drop_secret(c, c->roles.container_url);
    drop_secret(c, c->roles.container_token);
    drop_secret(c, c->roles.metadata_url);
    drop_secret(c, c->file);
    drop_secret(c, c->profile);
    sodium_free(c->keys);
    pthread_mutex_destroy(&c->lock);
    mem_free(&env, c, sizeof *c);
}

/* While the old keys still hold, new ones that cannot be had are no fault yet. */
static int refresh(struct s3_credentials *c, const struct rsp_env *env)
{
    int64_t now = env->now_ms(env->clock_opaque);
    struct rsp_error words = {0};
    struct rsp_env apart = *env;
    struct s3_keys *fresh;
    int rc;
    if (!c->role || (*c->keys->access && (c->keys->expires_ms == INT64_MAX || c->keys->expires_ms - AHEAD_MS > now)))
        return RSP_OK;
    if (*c->keys->access && now < c->ask_ms && now < c->keys->expires_ms) return RSP_OK;
    fresh = sodium_malloc(sizeof *fresh);
    if (!fresh) return fail(env, RSP_ENOMEM, NULL, "no memory for secrets");
    apart.error = &words;
    rc = s3_roles_fetch(&c->roles, &apart, fresh);
    if (!rc) memcpy(c->keys, fresh, sizeof *fresh);
    sodium_free(fresh);
    c->ask_ms = now + AGAIN_MS;
    if (!rc) return RSP_OK;
    if (*c->keys->access && now < c->keys->expires_ms && rc != RSP_ECANCELED) return RSP_OK;
    return s3_tell(env, &words, rc);
}

int s3_keys_take(struct s3_credentials *c, const struct rsp_env *env, const struct s3_keys **ret)
{
    int rc;
    pthread_mutex_lock(&c->lock);
    rc = refresh(c, env);
    *ret = rc ? NULL : c->keys;
    if (rc) pthread_mutex_unlock(&c->lock);
    return rc;
}

void s3_keys_give(struct s3_credentials *c)
{
    pthread_mutex_unlock(&c->lock);
}

/* The file may have been written anew by whoever holds its temporary keys; while that is under way, or when it went wrong, it
 * is no loss of those that we have. */
static int read_again(struct s3_credentials *c)
{
    struct s3_keys *fresh = sodium_malloc(sizeof *fresh);
    struct rsp_env quiet = c->env;
    int changed;
    if (!fresh) return 0;
    quiet.error = NULL;
    changed = !read_file(c, &quiet, fresh) &&
              (strcmp(fresh->access, c->keys->access) != 0 || strcmp(fresh->secret, c->keys->secret) != 0 ||
               strcmp(fresh->token, c->keys->token) != 0);
    if (changed) memcpy(c->keys, fresh, sizeof *fresh);
    sodium_free(fresh);
    return changed;
}

int s3_keys_renew(struct s3_credentials *c)
{
    int changed = 0;
    pthread_mutex_lock(&c->lock);
    if (c->role) {
        c->keys->expires_ms = 0;
        c->ask_ms = 0;
        changed = 1;
    } else if (c->file) {
        changed = read_again(c);
    }
    pthread_mutex_unlock(&c->lock);
    return changed;
}
