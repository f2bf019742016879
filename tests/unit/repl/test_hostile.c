/* What this is: tests of what a server must not get by telling us things: secrets in words and memory, settings that no
 *   manifest holds, words of its choice in our commands, times without end.
 * Rests on: libcheck, server_peer.h, sync_peer.h.
 * Does not: look at malformed replies (test_resp.c) and transfers (test_sync.c). */
#include <check.h>
#undef fail
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "repl/server_impl.h"
#include "server_peer.h"
#include "sync_peer.h"

#define SECRET "hunter2-hunter2"
#define REPLID "8371445ee47a7b6b5d1b2e9d3a8f9c0e1d2c3b4a"
#define FULL "+FULLRESYNC " REPLID " 4711\r\n"

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_endpoint endpoint;
static struct rsp_server *server;
static struct rsp_server_settings settings;
static struct rsp_capture_options options;
static struct rsp_capture *capture;
static struct peer peer;
static struct sync_peer master;
static int cancel;
static char logged[2000];

static void log_to(void *opaque, int level, const char *line)
{
    size_t n = strlen(logged);
    (void)opaque, (void)level;
    snprintf(logged + n, sizeof logged - n, "%s\n", line);
}

static void setup(void)
{
    memset(&error, 0, sizeof error);
    env = (struct rsp_env){.size = sizeof env, .error = &error, .log = log_to};
    endpoint = (struct rsp_endpoint){.size = sizeof endpoint};
    settings = (struct rsp_server_settings){.size = sizeof settings};
    options = (struct rsp_capture_options){
        .size = sizeof options, .no_settings = 1, .exact = 1, .patience_ms = 60000, .cancel = &cancel};
    server = NULL;
    capture = NULL;
    cancel = 0;
    logged[0] = 0;
    memset(&master, 0, sizeof master);
}

static const char *kept(const char *name)
{
    static char room[4000];
    for (size_t i = 0; i < settings.pairs_n; i++) {
        const struct rsp_pair *p = &settings.pairs[i];
        if (p->name.n != strlen(name) || memcmp(p->name.p, name, p->name.n)) continue;
        server_span_copy(room, sizeof room, p->value);
        return room;
    }
    return NULL;
}

/* ---- secrets ---- */

/* A server whose AUTH has another name, or something that is no server, says back what it was told. */
START_TEST(password_said_back)
{
    static const char *const replies[] = {
        "-ERR unknown command `AUTH`, with args beginning with: `" SECRET "`, \r\n",
        "-ERR unknown command 'AUTH', with args beginning with: 'bk' '" SECRET "' \r\n",
        "-ERR what does " SECRET " mean?\r\n",
        "-ERR unknown command 'AUTH', with args beginning with: 'hunter2-hun\r\n",
    };
    struct peer_line lines[] = {{"AUTH", replies[_i], 0, 0}};
    char words[1024];
    PEER_START(&peer, lines);
    endpoint.socket = peer.path;
    endpoint.password = SECRET;
    ck_assert_int_eq(rsp_server_open(&env, &endpoint, NULL, &server), RSP_EDENIED);
    peer_stop(&peer);
    rsp_error_format(&error, words, sizeof words);
    ck_assert_msg(!strstr(words, "hunter2"), "%s", words);
    ck_assert_msg(strstr(words, "AUTH") != NULL, "%s", words);
    ck_assert_ptr_null(strstr(logged, "hunter2"));
}
END_TEST

static int leaked;

static void *moving_resize(void *opaque, void *p, size_t old, size_t n)
{
    void *q = n ? malloc(n) : NULL;
    (void)opaque;
    if (p && memmem(p, old, SECRET, strlen(SECRET))) leaked++;
    if (q && p) memcpy(q, p, old < n ? old : n);
    free(p);
    return q;
}

#define INFO7 "$35\r\nredis_version:7.0.15\r\nrole:master\r\n\r\n"
#define CONFIG                                                                                       \
    "*8\r\n$4\r\nport\r\n$4\r\n6379\r\n$11\r\nrequirepass\r\n$15\r\n" SECRET "\r\n$10\r\nmasterauth" \
    "\r\n$15\r\n" SECRET "\r\n$9\r\nx.api-key\r\n$15\r\n" SECRET "\r\n"
#define MODULES                                                                                                      \
    "*2\r\n*6\r\n$4\r\nname\r\n$2\r\nbf\r\n$3\r\nver\r\n:20\r\n$4\r\nargs\r\n*2\r\n$8\r\nPASSWORD\r\n$15\r\n" SECRET \
    "\r\n*6\r\n$4\r\nname\r\n$2\r\njs\r\n$3\r\nver\r\n:1\r\n$4\r\nargs\r\n*1\r\n$1\r\na\r\n"

/* What is not kept does not stay in memory that is given back, in whatever pieces it came. */
START_TEST(secrets_of_the_configuration)
{
    struct peer_line lines[] = {{"INFO", INFO7, 0, 0}, {"CONFIG GET *", CONFIG, 0, 0}, {"MODULE LIST", MODULES, 0, 0}};
    env.resize = moving_resize;
    leaked = 0;
    PEER_START(&peer, lines);
    endpoint.socket = peer.path;
    ck_assert_int_eq(rsp_server_open(&env, &endpoint, NULL, &server), RSP_OK);
    ck_assert_int_eq(rsp_server_settings(server, 0, &settings), RSP_OK);
    ck_assert_ptr_null(memmem(server->reader.in.p, server->reader.in.cap, SECRET, strlen(SECRET)));
    for (size_t i = 0; i < settings.pairs_n; i++)
        ck_assert_ptr_null(memmem(settings.pairs[i].value.p, settings.pairs[i].value.n, SECRET, strlen(SECRET)));
    ck_assert_str_eq(kept("config"), "port 6379\n");
    ck_assert_str_eq(kept("modules"), "name=bf ver=20 args=\nname=js ver=1 args=a\n");
    ck_assert_str_eq(kept("left-out"), "modules args\nfunctions ERR unknown command\nconfig requirepass\n"
                                       "config masterauth\nconfig x.api-key\n");
    rsp_server_settings_free(server, &settings);
    rsp_server_free(server);
    peer_stop(&peer);
    ck_assert_int_eq(leaked, 0);
}
END_TEST

/* ---- sizes ---- */

#define HUGE_BYTES (20u << 20)

/* A manifest takes 64 MiB. What would not fit is found out now, not when the dataset has been stored. */
START_TEST(settings_without_measure)
{
    char *acl = malloc(HUGE_BYTES + 64), *names = malloc(HUGE_BYTES + 64);
    struct peer_line lines[] = {{"INFO", INFO7, 0, 0}, {"CONFIG", names, 0, 0}, {"ACL LIST", acl, 0, 0}};
    size_t n = (size_t)snprintf(acl, HUGE_BYTES + 64, "*2\r\n$4\r\nuser\r\n$%u\r\n", HUGE_BYTES), all = 0;
    memset(acl + n, 1, HUGE_BYTES); /* each byte would be four as text */
    memcpy(acl + n + HUGE_BYTES, "\r\n", 3);
    n = (size_t)snprintf(names, HUGE_BYTES + 64, "*2\r\n$%u\r\nauth", HUGE_BYTES);
    memset(names + n, 1, HUGE_BYTES - 4);
    memcpy(names + n + HUGE_BYTES - 4, "\r\n$1\r\nx\r\n", 10);
    PEER_START(&peer, lines);
    endpoint.socket = peer.path;
    ck_assert_int_eq(rsp_server_open(&env, &endpoint, NULL, &server), RSP_OK);
    ck_assert_int_eq(rsp_server_settings(server, 1, &settings), RSP_OK);
    for (size_t i = 0; i < settings.pairs_n; i++) all += settings.pairs[i].value.n;
    ck_assert_uint_lt(all, 48u << 20);
    ck_assert_ptr_null(kept("acl"));
    ck_assert_ptr_nonnull(strstr(kept("left-out"), "acl longer than"));
    rsp_server_settings_free(server, &settings);
    rsp_server_free(server);
    peer_stop(&peer);
    free(acl);
    free(names);
}
END_TEST

/* ---- times ---- */

START_TEST(times_without_measure)
{
    struct peer_line lines[] = {
        {"INFO", INFO7, 0, 0}, {"REPLCONF", "+OK\r\n", 0, 0}, {"PSYNC", FULL "$4\r\ndata", 0, 0}};
    uint8_t room[100];
    size_t got;
    PEER_START(&peer, lines);
    endpoint.socket = peer.path;
    endpoint.idle_ms = endpoint.connect_ms = INT64_MAX;
    options.patience_ms = options.announce_ms = INT64_MAX;
    ck_assert_msg(rsp_capture_open(&env, &endpoint, &options, &capture) == RSP_OK, "%s", error.message);
    ck_assert_int_eq(rsp_source_read(rsp_capture_source(capture), room, sizeof room, &got), RSP_OK);
    rsp_capture_free(capture);
    peer_stop(&peer);
}
END_TEST

/* ---- words of ours ---- */

static void valkey(struct sync_peer *p)
{
    char info[300];
    snprintf(info, sizeof info, "$%zu\r\n%s\r\n", strlen(p->info), p->info);
    sync_answer(p, "INFO", info);
    sync_answer(p, "REPLCONF capa eof capa psync2", "+OK\r\n");
    sync_answer(p, "REPLCONF version", "+OK\r\n");
    sync_answer(p, "REPLCONF rdb-only 1", "+OK\r\n");
    sync_answer(p, "PSYNC ? -1", FULL "$4\r\ndata");
    sync_wait_gone(p);
}

START_TEST(version_of_several_words)
{
    master.script = valkey;
    master.info = "valkey_version:9.0.1-rc1  rdb-filter-only functions\r\nrole:master\r\n";
    sync_peer_start(&master);
    endpoint.socket = master.path;
    ck_assert_msg(rsp_capture_open(&env, &endpoint, &options, &capture) == RSP_OK, "%s", error.message);
    rsp_capture_free(capture);
    sync_peer_stop(&master);
    ck_assert_ptr_nonnull(strstr(master.heard, "\nREPLCONF version 9.0.1\n"));
}
END_TEST

/* ---- ends ---- */

static int gone[2];

static void old_master(struct sync_peer *p)
{
    sync_answer(p, "INFO", INFO7);
    sync_answer(p, "REPLCONF capa", "+OK\r\n");
    sync_answer(p, "REPLCONF rdb-only", "-ERR Unrecognized REPLCONF option: rdb-only\r\n");
    sync_answer(p, "PSYNC ? -1", FULL "$4\r\ndata*1\r\n$4\r\nPING\r\n");
    sync_wait_gone(p);
    ck_assert_int_eq(write(gone[1], "", 1), 1);
}

/* A server that knows no rdb-only would go on feeding us what nobody reads, for as long as the snapshot is stored. */
START_TEST(old_server_is_let_go)
{
    struct pollfd fd;
    uint8_t room[100];
    size_t got;
    ck_assert_int_eq(pipe(gone), 0);
    master.script = old_master;
    sync_peer_start(&master);
    endpoint.socket = master.path;
    ck_assert_msg(rsp_capture_open(&env, &endpoint, &options, &capture) == RSP_OK, "%s", error.message);
    ck_assert_int_eq(rsp_source_read(rsp_capture_source(capture), room, sizeof room, &got), RSP_OK);
    ck_assert_int_eq(rsp_source_read(rsp_capture_source(capture), room, sizeof room, &got), RSP_END);
    fd = (struct pollfd){gone[0], POLLIN, 0};
    ck_assert_msg(poll(&fd, 1, 10000) == 1, "the connection still stands");
    rsp_capture_free(capture);
    sync_peer_stop(&master);
    close(gone[0]);
    close(gone[1]);
}
END_TEST

static void loads(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", "-LOADING Redis is loading the dataset in memory\r\n");
    sync_wait_gone(p);
    __atomic_store_n(&cancel, 1, __ATOMIC_RELAXED);
}

START_TEST(cancelled_between_two_tries)
{
    master.script = loads;
    sync_peer_start(&master);
    endpoint.socket = master.path;
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_ECANCELED);
    ck_assert_int_eq(error.code, RSP_ECANCELED);
    sync_peer_stop(&master);
}
END_TEST

static int listener;

static void *full_house(void *opaque)
{
    static const char words[] = "-ERR max number of clients reached\r\n";
    int fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        ck_assert_int_eq(send(fd, words, sizeof words - 1, MSG_NOSIGNAL), sizeof words - 1);
        close(fd);
    }
    return opaque;
}

/* It closes before we have said anything: the connection may be seen broken before its words are. */
START_TEST(too_many_clients)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char dir[] = "/tmp/respite-full-XXXXXX", path[64];
    pthread_t thread;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&un, sizeof un), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, full_house, NULL), 0);
    endpoint.socket = path;
    for (int i = 0; i < 60; i++) {
        rsp_error_clear(&error);
        endpoint.password = i & 1 ? "x" : NULL;
        ck_assert_msg(rsp_server_open(&env, &endpoint, NULL, &server) == RSP_EBUSY, "%d: %s", i, error.message);
        ck_assert_int_eq(error.retryable, 1);
    }
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *t = tcase_create("hostile");
    SRunner *runner;
    int failures;
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, password_said_back, 0, 4);
    tcase_add_test(t, secrets_of_the_configuration);
    tcase_add_test(t, settings_without_measure);
    tcase_add_test(t, times_without_measure);
    tcase_add_test(t, version_of_several_words);
    tcase_add_test(t, old_server_is_let_go);
    tcase_add_test(t, cancelled_between_two_tries);
    tcase_add_test(t, too_many_clients);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
