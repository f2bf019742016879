/* What this is: a client and a server for tests of an HTTP exchange: one asks, the other answers as the test says.
 * Rests on: libcheck, web.h; answer(), which the test that includes this defines.
 * Does not: test anything. */
#ifndef TESTS_NET_HTTP_TEST_H
#define TESTS_NET_HTTP_TEST_H

#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/http.h"
#include "web.h"

static struct rsp_error error;
static struct rsp_env env;
static struct net_client *client;
static struct net_options options;
static struct http_reply reply;
static struct web web;
static char url[512], seen[16384];
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER; /* over seen, and what else answer() leaves to the test */

/* As web.answer; the path has no query any more. */
static int answer(struct web_call *c);

static inline int said(struct web_call *c, const char *text, int more)
{
    web_say(c, text);
    return more;
}

static inline int noted(struct web_call *c)
{
    pthread_mutex_lock(&shared);
    memcpy(seen, c->head, sizeof seen);
    pthread_mutex_unlock(&shared);
    c->path[strcspn(c->path, "?")] = 0;
    return answer(c);
}

static inline void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    rsp_error_clear(&error);
    env_init(&env, &given);
    memset(&options, 0, sizeof options);
    ck_assert_msg(!net_client_new(&env, &options, &client), "%s", error.message);
    http_reply_init(&reply, &env);
    memset(&web, 0, sizeof web);
    web.answer = noted;
    web_start(&web);
}

static inline void teardown(void)
{
    http_reply_free(&reply);
    net_client_free(client);
    web_stop(&web);
}

static inline int ask(const char *method, const char *path, struct http_request *q)
{
    struct http_request plain = {0};
    int rc;
    if (!q) q = &plain;
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", web.port, path);
    q->method = method;
    q->url = url;
    rsp_error_clear(&error);
    pthread_mutex_lock(&shared); /* what was looked at was looked at before, what comes is seen behind it */
    pthread_mutex_unlock(&shared);
    rc = http_exchange(client, &env, q, &reply);
    pthread_mutex_lock(&shared);
    pthread_mutex_unlock(&shared);
    return rc;
}

static inline void good(int rc, int status)
{
    ck_assert_msg(rc == RSP_OK, "%d %s: %s (%s)", rc, error.subject, error.message, error.trail);
    ck_assert_int_eq(reply.status, status);
    ck_assert_int_eq(error.code, 0);
}

static inline void bad(int rc, int code, int retryable)
{
    ck_assert_msg(rc == code, "%d, not %d: %s", rc, code, error.message);
    ck_assert_msg(error.code == code, "%d %s", error.code, error.message);
    ck_assert_msg(error.retryable == retryable, "%s", error.message);
    ck_assert(error.message[0] && !strncmp(error.subject, "http://127.0.0.1:", 17));
    if (code != RSP_EINVAL) ck_assert_ptr_nonnull(strstr(error.trail, " request"));
}

static inline void body_is(const char *text)
{
    ck_assert_uint_eq(reply.body.n, strlen(text));
    ck_assert_uint_eq(reply.got, strlen(text));
    ck_assert_mem_eq(reply.body.p, text, strlen(text));
}

static inline const char *sent(const char *name) /* a field of the last request */
{
    static struct web_call c;
    memcpy(c.head, seen, sizeof c.head);
    return web_field(&c, name);
}

#endif
