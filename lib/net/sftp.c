/* What this is: who asks an SFTP server, whom we mean by it, and what its verdicts are called.
 * Rests on: sftp_impl.h, libcurl, libsodium.
 * Does not: say what is done there (sftp_calls.c). */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/sftp_impl.h"

/* ---- whom and who ---- */

/* Looked at once, so that what can only be in vain is said in words. */
static int check_key(const struct rsp_env *env, const char *path, const char *passphrase)
{
    uint8_t text[8192];
    ssize_t n;
    int rsa = 0, locked = 0, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return fail_errno(env, errno, path, "cannot read the SSH key");
    n = read(fd, text, sizeof text);
    close(fd);
    if (n > 0) sftp_key_look(text, (size_t)n, &rsa, &locked);
    sodium_memzero(text, sizeof text);
    if (n <= 0) return fail(env, RSP_EINVAL, path, "not an SSH key");
    if (rsa)
        return fail(env, RSP_EUNSUPPORTED, path,
                    "RSA keys cannot be used here (servers refuse their SHA-1 signatures): make an Ed25519 key with "
                    "ssh-keygen -t ed25519");
    if (locked && !passphrase) return fail(env, RSP_EINVAL, path, "a passphrase locks the SSH key, and none was given");
    return RSP_OK;
}

static int check_login(const struct rsp_env *env, const struct sftp_login *l)
{
    char none[SFTP_PRINT_BYTES] = "SHA256:";
    if (!l->user || !*l->user) return fail(env, RSP_EINVAL, l->host, "no user was given: write sftp://USER@HOST/PATH");
    if (!l->known_hosts && !l->pin)
        return fail(env, RSP_EINVAL, l->host,
                    "how to know the server was not said: give a known_hosts file with its host key, or the key's "
                    "SHA256 fingerprint (on the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)");
    if (l->pin && sftp_pin_is(l->pin, none) < 0)
        return fail(env, RSP_EINVAL, l->host,
                    "not the fingerprint of a host key: write SHA256: and the 43 characters that ssh-keygen -l prints");
    if (!l->key && !l->agent && !l->password)
        return fail(env, RSP_EINVAL, l->host, "nothing to log in with: give an SSH key, the agent, or a password");
    return l->key ? check_key(env, l->key, l->key_passphrase) : RSP_OK;
}

int sftp_server_new(const struct rsp_env *env, struct net_client *client, const struct sftp_login *l,
                    struct sftp_server **ret)
{
    const char *given[SFTP_TEXTS] = {l->host, l->user, l->key, l->key_passphrase, l->password, l->known_hosts, l->pin};
    struct sftp_server *s;
    int rc = check_login(env, l);
    *ret = NULL;
    if (rc) return rc;
    s = mem_zero(env, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->env = *env;
    s->env.error = NULL;
    s->client = client;
    s->port = l->port ? l->port : 22;
    s->agent = l->agent;
    for (size_t i = 0; i < SFTP_TEXTS; i++) {
        if (!given[i]) continue;
        s->text[i] = mem_strdup(env, given[i]);
        if (!s->text[i]) {
            sftp_server_free(s);
            return RSP_ENOMEM;
        }
    }
    *ret = s;
    return RSP_OK;
}

void sftp_server_free(struct sftp_server *s)
{
    struct rsp_env env;
    if (!s) return;
    env = s->env;
    for (size_t i = 0; i < SFTP_TEXTS; i++) {
        size_t n = s->text[i] ? strlen(s->text[i]) + 1 : 0;
        if (n) sodium_memzero(s->text[i], n);
        mem_free(&env, s->text[i], n);
    }
    mem_free(&env, s, sizeof *s);
}

/* ---- the host key ---- */

static void shown(struct sftp_exchange *x, const uint8_t *key, size_t n)
{
    uint32_t kind_n = 0;
    sftp_print(key, n, x->print);
    if (n > 4) kind_n = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
    if (n > 4 && kind_n < n - 4) printable(x->kind, sizeof x->kind, key + 4, kind_n);
}

static int pinned(struct sftp_exchange *x)
{
    const char *pin = x->c->server->text[SFTP_PIN];
    return !pin || sftp_pin_is(pin, x->print) == 1;
}

static int on_known(CURL *easy, const struct curl_khkey *known, const struct curl_khkey *found, enum curl_khmatch match,
                    void *opaque)
{
    struct sftp_exchange *x = opaque;
    (void)easy, (void)known;
    x->verdict = match == CURLKHMATCH_OK ? 0 : match == CURLKHMATCH_MISMATCH ? 1 : 2;
    if (!found->key || !found->len) return CURLKHSTAT_REJECT; /* always raw and with its length, as libcurl has it */
    shown(x, (const uint8_t *)found->key, found->len);
    if (!x->verdict && !pinned(x)) x->verdict = 1;
    return x->verdict ? CURLKHSTAT_REJECT : CURLKHSTAT_FINE;
}

static int on_pin(void *opaque, int type, const char *key, size_t n)
{
    struct sftp_exchange *x = opaque;
    (void)type;
    shown(x, (const uint8_t *)key, n);
    x->verdict = !pinned(x);
    return x->verdict ? CURLKHMATCH_MISMATCH : CURLKHMATCH_OK;
}

/* ---- an exchange ---- */

static int on_socket(void *opaque, curl_socket_t socket, curlsocktype purpose)
{
    struct sftp_exchange *x = opaque;
    (void)purpose;
    x->socket = socket;
    return CURL_SOCKOPT_OK;
}

/* 1: nothing comes by it any more. */
static int at_its_end(int socket)
{
    char byte;
    ssize_t n = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return !n || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* The agent, passwords, kinds of keys: whether there was a no or the line broke, libcurl says the same, and then closes. */
static int on_remark(CURL *easy, curl_infotype type, char *text, size_t n, void *opaque)
{
    static const char word[] = "SSH public key authentication failed: ", none[] = "Authentication failure",
                      kinds[] = "Failure establishing ssh session";
    struct sftp_exchange *x = opaque;
    (void)easy;
    if (type != CURLINFO_TEXT) return 0;
    if (x->socket >= 0 && ((n >= sizeof none - 1 && !memcmp(text, none, sizeof none - 1)) ||
                           (n >= sizeof kinds - 1 && !memcmp(text, kinds, sizeof kinds - 1))))
        x->broke = at_its_end(x->socket);
    if (n < sizeof word || memcmp(text, word, sizeof word - 1) != 0) return 0;
    printable(x->refusal, sizeof x->refusal, (const uint8_t *)text + sizeof word - 1, n - sizeof word);
    return 0;
}

/* libcurl waits for the answer to a close, and for commands after a transfer, in a loop of its own, which asks here
 * again and again without a pause: it is given one, and an end. */
static int on_progress(void *opaque, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct sftp_exchange *x = opaque;
    const struct net_client *c = x->h->client;
    (void)down_all, (void)up_all;
    if (client_canceled(c)) return 1;
    if (up != x->up || down != x->down) {
        x->up = up;
        x->down = down;
        x->same = 0;
        return 0;
    }
    if (++x->same < 64) return 0;
    if (x->h->sent && net_now_ms() - x->h->moved_ms >= c->options.stall_ms) {
        x->stalled = 1;
        return 1;
    }
    nanosleep(&(struct timespec){.tv_nsec = x->same < 256 ? 100000 : x->same < 512 ? 1000000 : 20000000}, NULL);
    return 0;
}

static int add_url(struct sftp_exchange *x, const char *path, int folder)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    const struct sftp_server *s = x->c->server;
    char text[400];
    int v6 = strchr(s->text[SFTP_HOST], ':') != NULL, rc;
    int n = snprintf(text, sizeof text, "sftp://%s%s%s:%u", v6 ? "[" : "", s->text[SFTP_HOST], v6 ? "]" : "", s->port);
    if (n < 0 || (size_t)n >= sizeof text)
        return fail(x->c->env, RSP_EINVAL, x->c->subject, "the host's name is too long");
    rc = buf_add(&x->url, text, (size_t)n);
    /* libcurl takes "/~" for the home directory, whatever follows. */
    if (!rc && (path[0] != '/' || path[1] == '~')) rc = buf_byte(&x->url, '/');
    for (; !rc && *path; path++) {
        if (strchr(plain, *path)) {
            rc = buf_byte(&x->url, (uint8_t)*path);
        } else {
            snprintf(text, sizeof text, "%%%02X", (unsigned)(uint8_t)*path);
            rc = buf_add(&x->url, text, 3);
        }
    }
    if (!rc && folder && x->url.p[x->url.n - 1] != '/') rc = buf_byte(&x->url, '/');
    return rc ? rc : buf_byte(&x->url, 0);
}

#define SET(option, value)                                           \
    do {                                                             \
        if (!set) set = curl_easy_setopt(x->h->easy, option, value); \
    } while (0)

static CURLcode set_login(struct sftp_exchange *x)
{
    const struct sftp_server *s = x->c->server;
    unsigned long ways = 0;
    CURLcode set = CURLE_OK;
    if (s->text[SFTP_KEY]) ways |= CURLSSH_AUTH_PUBLICKEY;
    if (s->agent) ways |= CURLSSH_AUTH_AGENT;
    if (s->text[SFTP_PASSWORD]) ways |= CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD;
    SET(CURLOPT_SSH_AUTH_TYPES, (long)ways);
    SET(CURLOPT_USERNAME, s->text[SFTP_USER]);
    SET(CURLOPT_PASSWORD, s->text[SFTP_PASSWORD] ? s->text[SFTP_PASSWORD] : "");
    if (s->text[SFTP_KEY]) SET(CURLOPT_SSH_PRIVATE_KEYFILE, s->text[SFTP_KEY]);
    SET(CURLOPT_KEYPASSWD, s->text[SFTP_PASSPHRASE] ? s->text[SFTP_PASSPHRASE] : "");
    /* Without one of these two libcurl would trust whoever answers: check_login has seen to it. */
    if (s->text[SFTP_HOSTS]) {
        SET(CURLOPT_SSH_KNOWNHOSTS, s->text[SFTP_HOSTS]);
        SET(CURLOPT_SSH_KEYFUNCTION, on_known);
        SET(CURLOPT_SSH_KEYDATA, x);
    } else {
        SET(CURLOPT_SSH_HOSTKEYFUNCTION, on_pin);
        SET(CURLOPT_SSH_HOSTKEYDATA, x);
    }
    return set;
}

int sftp_begin(struct sftp_exchange *x, const struct sftp_call *c, const char *path, int folder)
{
    CURLcode set;
    int rc;
    memset(x, 0, sizeof *x);
    x->c = c;
    x->verdict = x->socket = -1;
    buf_init(&x->url, c->env);
    rc = add_url(x, path, folder);
    if (!rc) rc = net_handle_take(c->server->client, c->env, &x->h);
    if (rc) return rc;
    set = set_login(x);
    SET(CURLOPT_PROTOCOLS_STR, "sftp");
    SET(CURLOPT_URL, (const char *)x->url.p);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, x);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
    SET(CURLOPT_SOCKOPTDATA, x);
    SET(CURLOPT_DEBUGFUNCTION, on_remark);
    SET(CURLOPT_DEBUGDATA, x);
    SET(CURLOPT_VERBOSE, 1L);
    if (!set) return RSP_OK;
    return fail(c->env, set == CURLE_OUT_OF_MEMORY ? RSP_ENOMEM : RSP_EUNSUPPORTED, c->subject,
                "libcurl does not take an option of SFTP: %s", curl_easy_strerror(set));
}

void sftp_end(struct sftp_exchange *x)
{
    net_handle_give(x->h, 1); /* libcurl has closed what is broken */
    x->h = NULL;
    buf_free(&x->url);
}

/* ---- verdicts ---- */

#define FAULT(code, retryable, ...) client_fault(x->c->env, code, retryable, 0, x->c->subject, __VA_ARGS__)

static int host_key(const struct sftp_exchange *x)
{
    if (x->verdict == 2)
        return FAULT(RSP_EAUTH, 0,
                     "known_hosts has no key of this server. It shows %s %s: if ssh-keygen -lf "
                     "/etc/ssh/ssh_host_ed25519_key.pub (or ecdsa) says the same on the server, pin that, or add the "
                     "key to the file",
                     x->kind, x->print);
    return FAULT(RSP_EAUTH, 0,
                 "NOT the host key we know: it shows %s %s. Someone stands in between, or the server was set up anew "
                 "or has several keys: ask its ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub before you pin that",
                 x->kind, x->print);
}

static int not_let_in(const struct sftp_exchange *x)
{
    const struct sftp_server *s = x->c->server;
    if (s->text[SFTP_KEY] && strstr(x->refusal, "private key file"))
        return FAULT(RSP_EAUTH, 0, "the SSH key cannot be used: wrong passphrase, or not an Ed25519 or ECDSA key (%s)",
                     x->refusal);
    /* A line that breaks in between looks like a refusal; the server's own is this one. */
    if (s->text[SFTP_KEY] && x->refusal[0] && !strstr(x->refusal, "combination invalid"))
        return FAULT(RSP_ENET, 1, "the connection broke while we logged in: %s", x->refusal);
    if (s->text[SFTP_KEY])
        return FAULT(RSP_EAUTH, 0,
                     "the server does not let %s in with this key: does its .pub stand in that user's authorized_keys? "
                     "(RSA keys cannot be used: take Ed25519)",
                     s->text[SFTP_USER]);
    if (x->broke)
        return FAULT(RSP_ENET, 1, "the connection broke while we logged in%s",
                     s->agent ? " (or the agent has more keys than the server lets us try)" : "");
    if (s->agent)
        return FAULT(RSP_EAUTH, 0,
                     "the server takes no key of the agent for %s: does the agent run (SSH_AUTH_SOCK), does ssh-add -l "
                     "list an Ed25519 or ECDSA key of authorized_keys?",
                     s->text[SFTP_USER]);
    return FAULT(RSP_EAUTH, 0, "the server does not let %s in with this password, or takes none", s->text[SFTP_USER]);
}

static int not_begun(const struct sftp_exchange *x, const char *why)
{
    if (strstr(why, "exchange encryption keys") && !x->broke)
        return FAULT(RSP_EAUTH, 0,
                     "no host key of a kind that both sides have: a server that only has an RSA key cannot be used "
                     "(give it an Ed25519 one), nor one without the kind that known_hosts names (%s)",
                     why);
    if (strstr(why, "subsystem"))
        return FAULT(RSP_EDENIED, 0, "the server lets us in, but has no SFTP for us: %s", why);
    return FAULT(RSP_ENET, 1, "the SSH session broke off: %s", why);
}

/* What the server said of a file or a command stands at the end of libcurl's words. libssh2 may repeat there what it
 * heard last when the line broke: callers that rely on such a verdict ask once more. */
static int refused(const struct sftp_exchange *x, const char *why)
{
    if (strstr(why, "No such file") || strstr(why, "File not found"))
        return FAULT(RSP_ENOTFOUND, 0, "is not there (%s)", why);
    if (strstr(why, "ermission denied") || strstr(why, "rite protect") || strstr(why, "not supported"))
        return FAULT(RSP_EDENIED, 0, "the server does not permit it (%s)", why);
    if (strstr(why, "space") || strstr(why, "uota")) return FAULT(RSP_ENOSPACE, 0, "no space left there (%s)", why);
    if (strstr(why, "Operation failed") || strstr(why, "already exists") || strstr(why, "not empty") ||
        strstr(why, "a directory") || strstr(why, "nvalid filename"))
        return FAULT(RSP_EIO, 0, "the server could not do it (%s)", why);
    return FAULT(RSP_ENET, 1, "the connection broke: %s", why);
}

static int verdict(const struct sftp_exchange *x, int rc, const struct rsp_error *found)
{
    const char *text = x->h->reason[0] ? x->h->reason : curl_easy_strerror((CURLcode)x->code);
    char why[120];
    if (x->stalled)
        return FAULT(RSP_ETIMEOUT, 1, "no byte moved for %lld ms", (long long)x->h->client->options.stall_ms);
    printable(why, sizeof why, (const uint8_t *)text, strlen(text));
    if (rc != RSP_ECANCELED) switch (x->code) {
        case CURLE_PEER_FAILED_VERIFICATION: return x->verdict > 0 ? host_key(x) : refused(x, why);
        case CURLE_LOGIN_DENIED: return not_let_in(x);
        case CURLE_FAILED_INIT: return not_begun(x, why);
        case CURLE_REMOTE_FILE_NOT_FOUND: return FAULT(RSP_ENOTFOUND, 0, "is not there (%s)", why);
        case CURLE_REMOTE_ACCESS_DENIED: return FAULT(RSP_EDENIED, 0, "the server does not permit it (%s)", why);
        case CURLE_REMOTE_DISK_FULL: return FAULT(RSP_ENOSPACE, 0, "no space left there (%s)", why);
        case CURLE_BAD_DOWNLOAD_RESUME: return FAULT(RSP_ETRUNCATED, 0, "ends before what was asked for");
        case CURLE_SSH:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_UPLOAD_FAILED:
        case CURLE_REMOTE_FILE_EXISTS:
        case CURLE_QUOTE_ERROR: return refused(x, why);
        default: break;
        }
    client_fault(x->c->env, rc, found->retryable, found->sys_errno, x->c->subject, "%s", found->message);
    return rc;
}

int sftp_drive(struct sftp_exchange *x)
{
    struct rsp_error found = {0};
    struct rsp_env quiet = *x->c->env;
    int rc;
    quiet.error = &found;
    rc = net_handle_perform(x->h, &quiet, x->c->subject, &x->code);
    if (!rc) return RSP_OK;
    return verdict(x, rc, &found);
}
