/* What this is: fuzz target: the URI of a server or of a place, and what is made of it again; then the same bytes as INFO.
 * Rests on: fuzz.h, repl/server_impl.h, respite/sys/topology.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include <respite/sys/topology.h>

#include "base/mem.h"
#include "repl/server_impl.h"

static void uri(const char *text, size_t n)
{
    struct rsp_endpoint e = {.size = sizeof e, .user = "kept"}, again = {.size = sizeof again};
    char *room = malloc(n + 1), *room2, shown[2048];
    MUST(room);
    if (rsp_endpoint_parse(NULL, text, room, n + 1, &e)) {
        MUST(!e.host && !e.socket && !e.password && !strcmp(e.user, "kept"));
        free(room);
        return;
    }
    MUST(rsp_endpoint_is_uri(text));
    MUST(e.port <= 65535 && !(e.host && e.socket));
    rsp_endpoint_text(&e, shown, sizeof shown);
    MUST(strlen(shown) < sizeof shown && rsp_endpoint_is_uri(shown));
    /* What is shown names the same place. An IPv6 zone is shown with its % undone, so not that. */
    if (n < 600 && !(e.host && strchr(e.host, '%'))) {
        room2 = malloc(strlen(shown) + 1);
        MUST(room2);
        MUST(!rsp_endpoint_parse(NULL, shown, room2, strlen(shown) + 1, &again));
        MUST(!again.user && !again.password);
        MUST(!e.host || !strcmp(e.host, again.host));
        MUST(!e.socket || !strcmp(e.socket, again.socket));
        MUST(e.socket || again.port == (e.port ? e.port : 6379));
        free(room2);
    }
    free(room);
}

static void place(const char *text, size_t n)
{
    struct rsp_place p = {.size = sizeof p}, again = {.size = sizeof again};
    char *room = malloc(n + 1), *room2, shown[4096];
    MUST(room);
    if (rsp_place_parse(NULL, text, room, n + 1, &p)) {
        MUST(!p.kind && !p.seeds_n && !p.master && !p.endpoint.password);
        free(room);
        return;
    }
    MUST(rsp_place_is_uri(text) && p.seeds_n <= RSP_SEEDS_MAX);
    MUST(!p.kind == !p.seeds_n && (p.kind == RSP_PLACE_SENTINEL) == (p.master != NULL));
    rsp_place_text(&p, shown, sizeof shown);
    MUST(strlen(shown) < sizeof shown && rsp_place_is_uri(shown));
    if (p.kind && n < 600 && !strchr(text, '%')) {
        room2 = malloc(strlen(shown) + 1);
        MUST(room2);
        MUST(!rsp_place_parse(NULL, shown, room2, strlen(shown) + 1, &again));
        MUST(again.kind == p.kind && again.seeds_n == p.seeds_n && !again.endpoint.password);
        for (size_t i = 0; i < p.seeds_n; i++)
            MUST(!strcmp(p.seeds[i].host, again.seeds[i].host) && p.seeds[i].port == again.seeds[i].port);
        free(room2);
    }
    free(room);
}

static void info(const uint8_t *data, size_t n)
{
    struct rsp_server *s = calloc(1, sizeof *s);
    MUST(s);
    env_init(&s->env, NULL);
    s->env.error = &s->spare;
    buf_init(&s->info, &s->env);
    MUST(!server_info_parse(s, data, n));
    MUST(s->replicas_n <= SERVER_REPLICAS && s->facts.port <= 65535);
    for (size_t i = 0; i < s->replicas_n; i++) MUST(*s->replicas[i].host && s->replicas[i].port <= 65535);
    buf_free(&s->info);
    mem_free(&s->env, s->replicas, s->replicas_cap * sizeof *s->replicas);
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1);
    if (!text) return 0;
    if (n) memcpy(text, data, n);
    text[n] = 0;
    uri(text, strlen(text));
    place(text, strlen(text));
    free(text);
    info(data, n);
    return 0;
}
