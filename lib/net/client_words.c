/* What this is: what libcurl's verdicts on exchanges mean to whoever reads the record, and which of them may pass.
 * Rests on: client_impl.h.
 * Does not: try again. */
#include "net/client_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int client_fault(const struct rsp_env *env, int code, int retryable, int err, const char *subject, const char *format,
                 ...)
{
    struct rsp_error *e = env->error;
    char words[sizeof e->message];
    int first = e && !e->code;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    fail(env, code, subject, "%s", words);
    if (first) {
        e->retryable = retryable != 0;
        e->sys_errno = err;
    }
    return code;
}

#define FAULT(code, retryable, ...) client_fault(env, code, retryable, 0, subject, __VA_ARGS__)

static int over_ssh(const struct net_handle *h)
{
    char *scheme = NULL, *url = NULL;
    curl_easy_getinfo(h->easy, CURLINFO_SCHEME, &scheme);
    if (scheme) return !strcasecmp(scheme, "sftp");
    curl_easy_getinfo(h->easy, CURLINFO_EFFECTIVE_URL, &url);
    return url && !strncasecmp(url, "sftp:", 5);
}

static int refused(const struct net_handle *h, const struct rsp_env *env, const char *subject, const char *why)
{
    long os = 0;
    curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &os);
    switch ((int)os) {
    case ECONNREFUSED: return FAULT(RSP_ENET, 1, "cannot connect: connection refused; does the server run there?");
    case EACCES:
    case EPERM: return FAULT(RSP_ENET, 0, "cannot connect: the system does not permit it");
    case ENETUNREACH:
    case EHOSTUNREACH: return FAULT(RSP_ENET, 1, "cannot connect: no route to the host");
    case ETIMEDOUT: return FAULT(RSP_ETIMEOUT, 1, "cannot connect: the host does not answer");
    default: return client_fault(env, RSP_ENET, 1, (int)os, subject, "cannot connect: %s", why);
    }
}

static int handshake(const struct net_handle *h, const struct rsp_env *env, const char *subject, const char *why)
{
    if (strstr(why, "alert"))
        return FAULT(RSP_EAUTH, 0, "the server refused our side of TLS%s: %s",
                     h->client->options.cert ? "" : " (no client certificate was given)", why);
    if (strstr(why, "wrong version number") || strstr(why, "packet length too long"))
        return FAULT(RSP_ENET, 0, "the server does not speak TLS on this port: %s", why);
    return FAULT(RSP_ENET, 1, "the TLS handshake failed: %s", why);
}

/* A line that broke, or a proxy that would not let us through: libcurl has one verdict for both. */
static int broken(const struct net_handle *h, const struct rsp_env *env, const char *subject, const char *why)
{
    long proxy = 0;
    curl_easy_getinfo(h->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);
    if (proxy >= 300) return FAULT(RSP_EDENIED, proxy >= 500, "the proxy did not connect us: it answered %ld", proxy);
    if (!h->sent && strstr(why, "alert")) return handshake(h, env, subject, why);
    return FAULT(RSP_ENET, 1, "the connection broke: %s", why);
}

static int not_trusted(const struct net_handle *h, const struct rsp_env *env, const char *subject, const char *why)
{
    if (over_ssh(h)) return FAULT(RSP_EAUTH, 0, "the server's host key is not accepted: %s", why);
    return FAULT(RSP_EAUTH, 0, "the server's certificate is not accepted: %s", why);
}

static int stopped(const struct net_handle *h, const struct rsp_env *env, const char *subject)
{
    if (h->once && h->sent > 1)
        return FAULT(RSP_ENET, 1,
                     "the connection was closed before an answer came; the request may have been carried out");
    if (env->error && env->error->code) return env->error->code; /* the callback's own */
    return FAULT(RSP_EUSER, 0, "stopped");
}

/* Verdicts that files on the other side and our own settings bring about. */
static int other(const struct rsp_env *env, const char *subject, CURLcode code, const char *why)
{
    switch (code) {
    case CURLE_SSL_CERTPROBLEM: return FAULT(RSP_EAUTH, 0, "our certificate or its key cannot be used: %s", why);
    case CURLE_SSL_CACERT_BADFILE: return FAULT(RSP_EINVAL, 0, "the CA certificates cannot be used: %s", why);
    case CURLE_URL_MALFORMAT: return FAULT(RSP_EINVAL, 0, "this URL cannot be asked for: %s", why);
    case CURLE_LOGIN_DENIED: return FAULT(RSP_EAUTH, 0, "the server does not let us in: %s", why);
    case CURLE_REMOTE_ACCESS_DENIED: return FAULT(RSP_EDENIED, 0, "the server does not permit it: %s", why);
    case CURLE_REMOTE_FILE_NOT_FOUND: return FAULT(RSP_ENOTFOUND, 0, "it is not there: %s", why);
    case CURLE_REMOTE_FILE_EXISTS: return FAULT(RSP_EEXIST, 0, "it is there already: %s", why);
    case CURLE_REMOTE_DISK_FULL: return FAULT(RSP_ENOSPACE, 0, "the server has no space left: %s", why);
    case CURLE_UPLOAD_FAILED:
    case CURLE_QUOTE_ERROR: return FAULT(RSP_EDENIED, 0, "the server would not do it: %s", why);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return FAULT(RSP_EFORMAT, 0, "the server's answer is not what the protocol has: %s", why);
    case CURLE_BAD_CONTENT_ENCODING: return FAULT(RSP_EFORMAT, 0, "the answer's coding is wrong: %s", why);
    default: return FAULT(RSP_ENET, 0, "libcurl gives up (%d): %s", (int)code, why);
    }
}

int client_verdict(const struct net_handle *h, const struct rsp_env *env, const char *subject, CURLcode code)
{
    const char *why = h->reason[0] ? h->reason : curl_easy_strerror(code);
    char words[NET_WORDS_BYTES];
    printable(words, sizeof words, (const uint8_t *)why, strlen(why)); /* much of it is the server's */
    why = words;
    switch (code) {
    case CURLE_OUT_OF_MEMORY: return FAULT(RSP_ENOMEM, 0, "out of memory");
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST: /* a slip of the pen; in the middle of the work it may pass */
        return FAULT(RSP_ENET, atomic_load(&h->client->reached) != 0, "no such host: %s", why);
    case CURLE_COULDNT_CONNECT: return refused(h, env, subject, why);
    case CURLE_OPERATION_TIMEDOUT:
        return FAULT(RSP_ETIMEOUT, 1, "no connection within %lld ms: %s", (long long)h->client->options.connect_ms,
                     why);
    case CURLE_PEER_FAILED_VERIFICATION: return not_trusted(h, env, subject, why);
    case CURLE_SSL_CONNECT_ERROR: return handshake(h, env, subject, why);
    case CURLE_GOT_NOTHING: return FAULT(RSP_ENET, 1, "the connection was closed before an answer came");
    case CURLE_SEND_FAIL_REWIND: /* libcurl would have sent it again, which is ours to decide */
        return FAULT(RSP_ENET, 1,
                     "the connection was closed before an answer came; the request may have been carried out");
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSH: return broken(h, env, subject, why);
    case CURLE_PARTIAL_FILE: return FAULT(RSP_ENET, 1, "the answer ended too early: %s", why);
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_READ_ERROR:
    case CURLE_WRITE_ERROR: return stopped(h, env, subject);
    default: return other(env, subject, code, why);
    }
}
