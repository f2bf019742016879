/* What this is: the loop that drives an exchange, the rates, and the waits between tries.
 * Rests on: client_impl.h, libcurl.
 * Does not: find the words for libcurl's verdicts (client_words.c). */
#include "net/client_impl.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define CREDIT_US 100000     /* so much of time not used may be made up for */
#define MOST_BYTES (1 << 30) /* counted at once: keeps the sums small */

/* ---- waiting ---- */

static int wait_ms(const struct net_client *c, int64_t ms)
{
    while (ms > 0) {
        int64_t slice = ms < NET_SLICE_MS ? ms : NET_SLICE_MS;
        struct timespec t = {.tv_sec = 0, .tv_nsec = (long)slice * 1000000};
        if (client_canceled(c)) return RSP_ECANCELED;
        nanosleep(&t, NULL);
        ms -= slice;
    }
    return client_canceled(c) ? RSP_ECANCELED : RSP_OK;
}

/* Milliseconds to wait after n bytes: all exchanges share the bucket, each takes its turn behind the others. */
static int64_t bucket_take(struct net_bucket *b, size_t n, int64_t now_us)
{
    uint64_t cost = (uint64_t)(n > MOST_BYTES ? MOST_BYTES : n) * 1000000 + b->rest;
    if (b->next < now_us - CREDIT_US) b->next = now_us - CREDIT_US;
    b->next += (int64_t)(cost / b->rate);
    b->rest = cost % b->rate;
    return b->next <= now_us ? 0 : (b->next - now_us + 999) / 1000;
}

int net_handle_moved(struct net_handle *h, size_t up, size_t down)
{
    struct net_client *c = h->client;
    int64_t ms = 0, also = 0;
    int rc = RSP_OK;
    h->up += up;
    h->down += down;
    if ((up && c->up.rate) || (down && c->down.rate)) {
        int64_t now_us = net_now_ms() * 1000;
        pthread_mutex_lock(&c->lock);
        if (up && c->up.rate) ms = bucket_take(&c->up, up, now_us);
        if (down && c->down.rate) also = bucket_take(&c->down, down, now_us);
        pthread_mutex_unlock(&c->lock);
        rc = wait_ms(c, ms > also ? ms : also);
    } else if (client_canceled(c)) {
        rc = RSP_ECANCELED;
    }
    h->moved_ms = net_now_ms();
    return rc;
}

/* ---- the loop ---- */

void client_pipe_hold(struct client_pipe *s)
{
    sigset_t pipe, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    /* One that waits already is somebody else's: it stays. */
    s->held = !sigismember(&pending, SIGPIPE) && !pthread_sigmask(SIG_BLOCK, &pipe, &s->before);
}

void client_pipe_release(const struct client_pipe *s)
{
    static const struct timespec at_once;
    sigset_t pipe, pending;
    if (!s->held) return;
    sigemptyset(&pending);
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE)) {
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        sigtimedwait(&pipe, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}

/* Everything that libcurl counts, fields and requests too. */
static uint64_t bytes_seen(const struct net_handle *h)
{
    curl_off_t up = 0, down = 0;
    long head = 0, request = 0;
    curl_easy_getinfo(h->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(h->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(h->easy, CURLINFO_HEADER_SIZE, &head);
    curl_easy_getinfo(h->easy, CURLINFO_REQUEST_SIZE, &request);
    return (uint64_t)up + (uint64_t)down + (uint64_t)head + (uint64_t)request;
}

static int drive(struct net_handle *h, const struct rsp_env *env, const char *subject, int *code)
{
    const struct net_client *c = h->client;
    uint64_t before = 0;
    h->moved_ms = net_now_ms();
    for (;;) {
        int running = 0, left;
        CURLMcode m = curl_multi_perform(h->multi, &running);
        const CURLMsg *message = curl_multi_info_read(h->multi, &left);
        uint64_t seen;
        if (message && message->msg == CURLMSG_DONE) {
            *code = (int)message->data.result;
            if (!message->data.result) return RSP_OK;
            if (client_canceled(c)) return client_fault(env, RSP_ECANCELED, 0, 0, subject, "cancelled");
            return client_verdict(h, env, subject, message->data.result);
        }
        if (client_canceled(c)) return client_fault(env, RSP_ECANCELED, 0, 0, subject, "cancelled");
        seen = bytes_seen(h);
        if (seen != before) {
            before = seen;
            h->moved_ms = net_now_ms();
        } else if (h->sent && net_now_ms() - h->moved_ms >= c->options.stall_ms) {
            *code = CURLE_OPERATION_TIMEDOUT;
            return client_fault(env, RSP_ETIMEOUT, 1, 0, subject, "no byte moved for %lld ms",
                                (long long)c->options.stall_ms);
        }
        if (!m) m = curl_multi_poll(h->multi, NULL, 0, NET_SLICE_MS, NULL);
        if (m) {
            *code = m == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
            return client_fault(env, m == CURLM_OUT_OF_MEMORY ? RSP_ENOMEM : RSP_ENET, 0, 0, subject,
                                "libcurl fails: %s", curl_multi_strerror(m));
        }
    }
}

/* The connection that stays open. Over SSH both sides may speak unasked, so there it is not looked at. */
static int kept_socket(const struct net_handle *h)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    char *scheme = NULL;
    curl_easy_getinfo(h->easy, CURLINFO_SCHEME, &scheme);
    if (!scheme || strncasecmp(scheme, "http", 4)) return -1;
    curl_easy_getinfo(h->easy, CURLINFO_ACTIVESOCKET, &socket);
    return socket == CURL_SOCKET_BAD ? -1 : socket;
}

int net_handle_perform(struct net_handle *h, const struct rsp_env *env, const char *subject, int *code)
{
    struct client_pipe guard;
    int rc, got = CURLE_OK;
    h->sent = 0;
    h->reason[0] = 0;
    client_pipe_hold(&guard);
    if (curl_multi_add_handle(h->multi, h->easy)) {
        got = CURLE_OUT_OF_MEMORY;
        rc = fail(env, RSP_ENOMEM, subject, "cannot begin: out of memory");
    } else {
        rc = drive(h, env, subject, &got);
        h->socket = kept_socket(h);
        curl_multi_remove_handle(h->multi, h->easy); /* what is not at its end is closed */
    }
    client_pipe_release(&guard);
    if (!rc) atomic_store(&h->client->reached, 1);
    if (code) *code = got;
    return rc;
}

/* ---- trying again ---- */

static int64_t wait_of(const struct net_client *c, const struct rsp_env *env, unsigned tried)
{
    int64_t ms = c->options.wait_ms, most = c->options.wait_most_ms;
    uint32_t chance;
    for (unsigned i = 1; i < tried && ms < most; i++) ms *= 2;
    if (ms > most) ms = most;
    if (env->random(env->random_opaque, &chance, sizeof chance)) return ms;
    return ms - (int64_t)(chance % (uint64_t)(ms / 2 + 1)); /* not all at once: others wait for the same server */
}

int net_retry_wait(struct net_client *c, const struct rsp_env *env, struct net_retry *r, int status, int64_t asked_ms)
{
    int64_t ms;
    if (r->tried < c->options.tries) r->tried++;
    if (status == RSP_ECANCELED) return status;
    if (r->tried >= c->options.tries) {
        if (r->tried > 1) trail(env, status, "%u tries", r->tried);
        return status;
    }
    ms = wait_of(c, env, r->tried);
    if (asked_ms > ms) ms = asked_ms < c->options.wait_most_ms ? asked_ms : c->options.wait_most_ms;
    if (env->error && env->error->code)
        log_line(env, RSP_LOG_DEBUG, "%s: %s; again in %lld ms", env->error->subject, env->error->message,
                 (long long)ms);
    rsp_error_clear(env->error);
    if (!wait_ms(c, ms)) return RSP_OK;
    return fail(env, RSP_ECANCELED, NULL, "cancelled while waiting to try again");
}
