/* What this is: an S3 server that plays a script: one thread, one connection after the other.
 * Rests on: s3_script.h.
 * Does not: look at signatures. */
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/store/s3_script.h"

#define HEAD_BYTES 65536

struct rsp_error script_error;
struct rsp_store_remote script_remote;

static const struct s3_line *script;
static size_t script_n, played;
static char wrong[1024];
static int listener = -1, port;
static pthread_t thread;

static int64_t fixed(void *opaque)
{
    (void)opaque;
    return 1795186800000; /* 2026-11-20 15:00 */
}

/* The head of a request; its body is read and forgotten. 0: the other side has gone. */
static int take(int fd, char *head)
{
    static char body[65536];
    size_t n = 0;
    long long left;
    const char *length;
    do {
        ssize_t k = n + 1 < HEAD_BYTES ? read(fd, head + n, 1) : -1;
        if (k <= 0) return 0;
        head[++n] = 0;
    } while (n < 4 || strcmp(head + n - 4, "\r\n\r\n") != 0);
    length = strcasestr(head, "\r\ncontent-length:");
    left = length ? atoll(length + 17) : 0;
    while (left > 0) {
        ssize_t k = read(fd, body, left < (long long)sizeof body ? (size_t)left : sizeof body);
        if (k <= 0) return 0;
        left -= k;
    }
    return 1;
}

static int fits(const char *head, const char *wanted)
{
    const char *bar = strchr(wanted, '|');
    size_t n = bar ? (size_t)(bar - wanted) : strlen(wanted);
    return !strncmp(head, wanted, n) && (!bar || strcasestr(head, bar + 1));
}

static void answer(int fd, const char *head)
{
    const char *text;
    if (played == script_n) {
        if (!*wrong) snprintf(wrong, sizeof wrong, "nobody expected %.200s", head);
        return;
    }
    if (!*wrong && !fits(head, script[played].wanted))
        snprintf(wrong, sizeof wrong, "expected %s, got %.500s", script[played].wanted, head);
    text = script[played++].answer;
    if (text && write(fd, text, strlen(text)) < 0 && !*wrong) snprintf(wrong, sizeof wrong, "nobody reads the answer");
}

static void *serve(void *arg)
{
    static char head[HEAD_BYTES];
    (void)arg;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) return NULL;
        if (take(fd, head)) answer(fd, head);
        shutdown(fd, SHUT_RDWR);
        close(fd);
    }
}

void script_begin(const struct s3_line *lines, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t a_n = sizeof a;
    script = lines;
    script_n = n;
    played = 0;
    wrong[0] = 0;
    memset(&script_error, 0, sizeof script_error);
    memset(&script_remote, 0, sizeof script_remote);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&a, &a_n), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    port = ntohs(a.sin_port);
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

int script_open(int create, int read_only, struct rsp_store **ret)
{
    struct rsp_env env = {.size = sizeof env, .error = &script_error, .now_ms = fixed};
    struct rsp_store_options o = {.size = sizeof o, .create = create, .read_only = read_only, .remote = &script_remote};
    char url[96];
    script_remote.size = sizeof script_remote;
    script_remote.access_key = "ACCESSKEY";
    script_remote.secret_key = "verysecret";
    script_remote.parallel = 1;
    script_remote.part_bytes = (size_t)5 << 20;
    snprintf(url, sizeof url, "s3://bucket?endpoint=http://127.0.0.1:%d", port);
    return rsp_store_open(&env, url, &o, ret);
}

void script_end(void)
{
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    ck_assert_msg(!*wrong, "%s", wrong);
    ck_assert_uint_eq(played, script_n);
    ck_assert_ptr_null(strstr(script_error.message, "verysecret"));
    ck_assert_ptr_null(strstr(script_error.trail, "verysecret"));
}
