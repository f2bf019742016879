/* What this is: what libcurl's and the system's faults mean to whoever reads the record.
 * Rests on: net_impl.h.
 * Does not: try again. */
#include "net/net_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int net_fault(const struct net_conn *c, int code, int retryable, int err, const char *format, ...)
{
    struct rsp_error *e = c->env.error;
    char words[sizeof e->message];
    int first = e && !e->code;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    fail(&c->env, code, c->name, "%s", words);
    if (first) {
        e->retryable = retryable != 0;
        e->sys_errno = err;
    }
    return code;
}

/* ---- connecting ---- */

static int tcp_fault(const struct net_conn *c, const struct net_target *t, const char *why)
{
    long os = 0;
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os);
    switch ((int)os) {
    case 0: /* hung up before libcurl had seen it stand */
        if (!t->socket) break;
        return net_fault(c, RSP_EBUSY, 1, 0,
                         "cannot connect: the server did not keep the connection; has it as many clients as it takes "
                         "(maxclients)?");
    case ECONNREFUSED:
        return net_fault(c, RSP_ENET, 1, 0, "cannot connect: connection refused; does the server run, and listen %s?",
                         t->socket ? "on this socket" : "there");
    case ENOENT:
        if (!t->socket) break;
        return net_fault(c, RSP_ENET, 1, 0, "cannot connect: there is no socket %s; see 'unixsocket' of the server",
                         t->socket);
    case EACCES:
    case EPERM:
        return net_fault(c, RSP_ENET, 0, 0, "cannot connect: permission denied%s",
                         t->socket ? " for the socket; see 'unixsocketperm' of the server" : "");
    case ENETUNREACH:
    case EHOSTUNREACH: return net_fault(c, RSP_ENET, 1, 0, "cannot connect: no route to the host");
    case ETIMEDOUT: return net_fault(c, RSP_ETIMEOUT, 1, 0, "cannot connect: the host does not answer");
    default: break;
    }
    return net_fault(c, RSP_ENET, 1, (int)os, "cannot connect: %s", why);
}

/* An alert is the peer's verdict about us; everything else is a peer that does not speak TLS, or a line that broke. */
static int handshake_fault(const struct net_conn *c, const char *why)
{
    if (strstr(why, "alert"))
        return net_fault(c, RSP_EAUTH, 0, 0, "the server refused our side of TLS%s: %s",
                         c->with_cert ? "" : " (no client certificate was given)", why);
    if (strstr(why, "wrong version number") || strstr(why, "packet length too long"))
        return net_fault(c, RSP_ENET, 0, 0, "the server does not speak TLS on this port: %s", why);
    return net_fault(c, RSP_ENET, 1, 0, "the TLS handshake failed: %s", why);
}

int net_connect_fault(struct net_conn *c, const struct net_target *t, CURLcode code)
{
    const char *why = c->reason[0] ? c->reason : curl_easy_strerror(code);
    char words[NET_WORDS_BYTES];
    printable(words, sizeof words, (const uint8_t *)why, strlen(why)); /* names of the server's certificate are in it */
    why = words;
    switch (code) {
    case CURLE_OUT_OF_MEMORY: return net_fault(c, RSP_ENOMEM, 0, 0, "cannot connect: out of memory");
    case CURLE_COULDNT_RESOLVE_HOST:
        if (t->socket) return net_fault(c, RSP_EINVAL, 0, 0, "cannot connect: %s", why); /* the path is too long */
        return net_fault(c, RSP_ENET, 1, 0, "no such host: %s", why);
    case CURLE_COULDNT_CONNECT: return tcp_fault(c, t, why);
    case CURLE_OPERATION_TIMEDOUT:
        return net_fault(c, RSP_ETIMEOUT, 1, 0, "no connection within %lld ms%s: %s", (long long)c->connect_ms,
                         t->tls ? " (does the server speak TLS there?)" : "", why);
    case CURLE_PEER_FAILED_VERIFICATION:
        return net_fault(c, RSP_EAUTH, 0, 0, "the server's certificate is not accepted: %s%s", why,
                         strstr(why, "self-signed") || strstr(why, "local issuer")
                             ? "; --cacert FILE names who vouches for it"
                         : strstr(why, "subject name") ? "; --sni NAME asks for another name"
                                                       : "");
    case CURLE_SSL_CERTPROBLEM:
        return net_fault(c, RSP_EAUTH, 0, 0, "our certificate or its key cannot be used: %s", why);
    case CURLE_SSL_CACERT_BADFILE: return net_fault(c, RSP_EINVAL, 0, 0, "the CA certificates cannot be used: %s", why);
    case CURLE_SSL_CIPHER: return net_fault(c, RSP_EINVAL, 0, 0, "the list of TLS ciphers cannot be used: %s", why);
    case CURLE_URL_MALFORMAT: return net_fault(c, RSP_EINVAL, 0, 0, "this host cannot be asked for: %s", why);
    case CURLE_SSL_CONNECT_ERROR: return handshake_fault(c, why);
    default: return net_fault(c, RSP_ENET, 1, 0, "cannot connect: %s", why);
    }
}

/* ---- afterwards ---- */

int net_tls_fault(struct net_conn *c, const char *what, CURLcode code)
{
    const char *why = c->said[0] ? c->said : curl_easy_strerror(code);
    if (code == CURLE_OUT_OF_MEMORY) return net_fault(c, RSP_ENOMEM, 0, 0, "cannot %s: out of memory", what);
    if (strstr(why, "alert")) return handshake_fault(c, why);
    if (!c->received && !c->with_cert)
        return net_fault(c, RSP_ENET, 1, 0, "cannot %s: %s; does the server ask for a client certificate?", what, why);
    return net_fault(c, RSP_ENET, 1, 0, "cannot %s: %s", what, why);
}
