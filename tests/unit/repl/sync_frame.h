/* What this is: the frame of the captures that are tried: a scripted master, a capture of it, what its source gave.
 * Rests on: libcheck, sync_peer.h; through rsp_capture_open.
 * Does not: hold a test. */
#ifndef UNIT_REPL_SYNC_FRAME_H
#define UNIT_REPL_SYNC_FRAME_H

#include <check.h>
#undef fail
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "respite/sys/server.h"
#include "sync_peer.h"

#define MARK "0123456789abcdef0123456789abcdef01234567"
#define OTHER "0123456789abcdef0123456789abcdef01234568"
#define REPLID "8371445ee47a7b6b5d1b2e9d3a8f9c0e1d2c3b4a"
#define FULL "+FULLRESYNC " REPLID " 4711\r\n"

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_endpoint endpoint;
static struct rsp_capture_options options;
static struct rsp_capture *capture;
static struct sync_peer peer;
static int cancel;
static struct buf got; /* what the source gave */

static inline void setup(void)
{
    const struct rsp_env e = {.size = sizeof e, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &e);
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.size = sizeof endpoint;
    endpoint.socket = peer.path;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.no_settings = 1;
    options.cancel = &cancel;
    options.patience_ms = 5000;
    cancel = 0;
    capture = NULL;
    memset(&peer, 0, sizeof peer);
    buf_init(&got, &env);
}

static inline void start(void (*script)(struct sync_peer *))
{
    peer.script = script;
    sync_peer_start(&peer);
}

static inline void finish(void)
{
    rsp_capture_free(capture);
    buf_free(&got);
    sync_peer_stop(&peer);
}

static inline void opened(void)
{
    int rc = rsp_capture_open(&env, &endpoint, &options, &capture);
    ck_assert_msg(rc == RSP_OK, "%s: %s", rsp_status_name(rc), error.message);
}

/* Reads to the end: its status. */
static inline int drained(void)
{
    for (;;) {
        uint8_t room[1000];
        size_t n = 0;
        int rc = rsp_source_read(rsp_capture_source(capture), room, sizeof room, &n);
        if (rc) return rc;
        ck_assert_int_eq(buf_add(&got, room, n), RSP_OK);
    }
}

static inline void expect(const char *text)
{
    ck_assert_uint_eq(got.n, strlen(text));
    ck_assert_int_eq(memcmp(got.p, text, got.n), 0);
}

static inline void said(const char *words)
{
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' is not in '%s'", words, error.message);
}

#endif
