/* What this is: the master that Sentinel has for a name, when it says itself that it is one.
 * Rests on: topology.h, server_impl.h; aof-replication.md D.
 * Does not: believe one sentinel: all are asked, and what the newest configuration names is tried first. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "repl/topology.h"

#define KNOWN_NAMES 200 /* bytes of the names that are told when the one asked for is not there */

struct answer {
    struct rsp_sentinel_found found;
    uint64_t epoch; /* of its configuration of this master; 0: not told */
};
struct search {
    struct look k;
    const struct rsp_place *place;
    struct answer answers[RSP_SEEDS_MAX];
    size_t answers_n;
    size_t reached, unknowing; /* sentinels that answered; that do not know the name */
    char known[KNOWN_NAMES];
};

/* ---- one sentinel ---- */

static uint64_t number(const struct rsp_reply *master, const char *name)
{
    const struct rsp_reply *v = server_member(master, name);
    uint64_t n = 0;
    if (!v || v->type != RSP_REPLY_BULK || v->text.n > 18) return 0;
    for (size_t i = 0; i < v->text.n; i++) {
        if (v->text.p[i] < '0' || v->text.p[i] > '9') return 0;
        n = n * 10 + (uint64_t)(v->text.p[i] - '0');
    }
    return n;
}

static uint32_t small(uint64_t n)
{
    return n > 1000000 ? 1000000 : (uint32_t)n;
}

static struct rsp_span text_of(const struct rsp_reply *map, const char *name)
{
    const struct rsp_reply *v = server_member(map, name);
    return v && v->type == RSP_REPLY_BULK ? v->text : (struct rsp_span){(const uint8_t *)"", 0};
}

static void add_known(struct search *s, struct rsp_span name)
{
    char word[64], quoted[72];
    size_t n = strlen(s->known);
    if (!name.n) return;
    printable(word, sizeof word, name.p, name.n);
    snprintf(quoted, sizeof quoted, "'%s'", word);
    if (strstr(s->known, quoted)) return;
    snprintf(s->known + n, sizeof s->known - n, "%s%s", n ? ", " : "", quoted);
}

/* SENTINEL MASTERS: what stands beside the address, and the names that are there. Not allowed: nothing is known of it. */
static int ask_masters(struct search *s, struct rsp_server *server, struct answer *a)
{
    const struct rsp_reply *r;
    struct rsp_span name = {(const uint8_t *)s->place->master, strlen(s->place->master)};
    int rc = server_words(server, "SENTINEL MASTERS", &r);
    if (rc || r->type != RSP_REPLY_ARRAY) return rc;
    for (const struct rsp_reply *m = r->child; m; m = m->next) {
        struct rsp_span its = text_of(m, "name"), flags;
        add_known(s, its);
        if (!a || its.n != name.n || memcmp(its.p, name.p, name.n) != 0) continue;
        flags = text_of(m, "flags");
        a->found.sentinels = small(number(m, "num-other-sentinels")) + 1;
        a->found.quorum = small(number(m, "quorum"));
        a->found.replicas = small(number(m, "num-slaves"));
        a->found.down = server_span_has(flags, "s_down") || server_span_has(flags, "o_down");
        a->epoch = number(m, "config-epoch");
    }
    return RSP_OK;
}

static uint32_t port_of(struct rsp_span text)
{
    uint32_t port = 0;
    if (!text.n || text.n > 5) return 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return 0;
        port = port * 10 + (uint32_t)(text.p[i] - '0');
    }
    return port > 65535 ? 0 : port;
}

static int ask_address(struct search *s, struct rsp_server *server, const char *via)
{
    const char *const words[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", s->place->master};
    struct rsp_span argv[3];
    struct answer *a = &s->answers[s->answers_n];
    const struct rsp_reply *r;
    int rc;
    for (size_t i = 0; i < 3; i++) argv[i] = (struct rsp_span){(const uint8_t *)words[i], strlen(words[i])};
    rc = rsp_server_ask(server, 3, argv, &r);
    if (rc) return rc;
    if (r->type == RSP_REPLY_ERROR) return server_refused(server, "SENTINEL GET-MASTER-ADDR-BY-NAME", r->text);
    s->reached++;
    if (r->type == RSP_REPLY_NULL || (r->type == RSP_REPLY_ARRAY && !r->n)) {
        s->unknowing++;
        return ask_masters(s, server, NULL);
    }
    memset(a, 0, sizeof *a);
    a->found.size = sizeof a->found;
    a->found.port = port_of(server_element(r, 1));
    if (!look_host(server_element(r, 0), a->found.host) || !a->found.port)
        return fail(server_env(server), RSP_EFORMAT, via, "what it names as the master is no address");
    snprintf(a->found.via, sizeof a->found.via, "%s", via);
    rc = ask_masters(s, server, a);
    if (!rc) s->answers_n++;
    return rc;
}

/* RSP_OK: it answered; RSP_AGAIN: it did not, k.last says why. */
static int ask_one(struct search *s, const struct rsp_seed *seed)
{
    const struct rsp_server_options so = {sizeof so, s->k.cancel, 0};
    const struct rsp_place *place = s->place;
    struct rsp_endpoint e = place->endpoint;
    struct rsp_server *server = NULL;
    char via[320] = "sentinel://";
    int rc;
    look_times(&e);
    e.host = seed->host;
    e.port = seed->port;
    e.socket = NULL;
    e.user = place->sentinel_user;
    e.password = place->sentinel_password;
    e.tls = place->sentinel_tls;
    e.db = 0;
    if (place->sentinel_tls) snprintf(via, sizeof via, "sentinels://");
    look_host_port(seed->host, seed->port, via + strlen(via), sizeof via - strlen(via));
    rc = rsp_server_open(&s->k.mine, &e, &so, &server);
    if (!rc && rsp_server_facts(server)->role && rsp_server_facts(server)->role != RSP_SERVER_SENTINEL)
        rc = fail(&s->k.mine, RSP_EUNSUPPORTED, via,
                  "it is no sentinel but a server with data: redis://host:port names one");
    if (!rc) rc = ask_address(s, server, via);
    rsp_server_free(server);
    /* Words that name the servers' password would send whoever reads them to the wrong one. */
    if (rc == RSP_EDENIED && (!place->sentinel_password || strstr(s->k.words.message, "REDISCLI_AUTH"))) {
        rsp_error_clear(&s->k.words);
        rc = fail(&s->k.mine, rc, via,
                  place->sentinel_password
                      ? "the sentinel does not take this password, that of RESPITE_SENTINEL_AUTH or "
                        "--sentinel-pass-file, or not for this user (--sentinel-user); is it a sentinel?"
                      : "the sentinel refuses us: what it asks for goes into RESPITE_SENTINEL_AUTH or "
                        "--sentinel-pass-file, and --sentinel-user; is it a sentinel?");
    }
    return rc ? look_reason(&s->k, rc, via) : RSP_OK;
}

/* ---- the server that is named ---- */

/* RSP_AGAIN: it is no master, or does not answer. */
static int try_master(struct search *s, const struct answer *a)
{
    const struct rsp_server_options so = {sizeof so, s->k.cancel, 0};
    struct rsp_endpoint e = s->place->endpoint;
    struct rsp_server *server = NULL;
    char name[320];
    int rc;
    look_times(&e);
    e.host = a->found.host;
    e.port = a->found.port;
    e.socket = NULL;
    look_host_port(e.host, e.port, name, sizeof name);
    rc = rsp_server_open(&s->k.mine, &e, &so, &server);
    if (rc) return look_reason(&s->k, rc, name);
    if (rsp_server_facts(server)->role != RSP_SERVER_MASTER) {
        look_say(&s->k, RSP_EBUSY, "%.80s, which %.90s names as the master, is none", name, a->found.via);
        rc = RSP_AGAIN;
    }
    rsp_server_free(server);
    return rc;
}

/* The newest configuration first: a sentinel that was cut off may still name a master that was cut off with it. */
static int by_epoch(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    return x->epoch != y->epoch ? (x->epoch < y->epoch ? 1 : -1) : x->found.down - y->found.down;
}

static int same_address(const struct answer *a, const struct answer *b)
{
    return a->found.port == b->found.port && !strcmp(a->found.host, b->found.host);
}

/* All sentinels, and those whom they name. RSP_AGAIN: nobody can be used now. */
static int ask_all(struct search *s, struct rsp_sentinel_found *found)
{
    int rc = RSP_AGAIN;
    s->answers_n = s->reached = s->unknowing = 0;
    look_forget(&s->k);
    for (size_t i = 0; i < s->place->seeds_n; i++) {
        rc = ask_one(s, &s->place->seeds[i]);
        if (rc && rc != RSP_AGAIN) return rc;
        if (rc) look_keep(&s->k);
    }
    look_best(&s->k);
    qsort(s->answers, s->answers_n, sizeof s->answers[0], by_epoch);
    rc = RSP_AGAIN;
    for (size_t i = 0; i < s->answers_n && rc == RSP_AGAIN; i++) {
        size_t earlier = 0;
        while (!same_address(&s->answers[earlier], &s->answers[i])) earlier++;
        if (earlier < i) continue;
        rc = try_master(s, &s->answers[i]);
        if (!rc) memcpy(found, &s->answers[i].found, found->size < sizeof *found ? found->size : sizeof *found);
    }
    return rc;
}

static int unknown_name(const struct search *s, const char *subject)
{
    char name[80];
    printable(name, sizeof name, (const uint8_t *)s->place->master, strlen(s->place->master));
    if (s->known[0])
        return fail(&s->k.env, RSP_ENOTFOUND, subject, "no sentinel has a master '%s'; they have %s", name, s->known);
    return fail(&s->k.env, RSP_ENOTFOUND, subject, "no sentinel has a master '%s'", name);
}

/* Nobody at an address is more often a wrong address than a restart, as of servers; what is refused stays refused. */
static int may_change(int status)
{
    return status == RSP_ENET || status == RSP_ETIMEOUT || status == RSP_EBUSY;
}

static int search(struct search *s, struct rsp_sentinel_found *found, const char *subject)
{
    for (unsigned tries = 1;; tries++) {
        int rc = ask_all(s, found), fault;
        if (rc != RSP_AGAIN) return rc;
        if (s->reached && s->unknowing == s->reached) return unknown_name(s, subject);
        fault = s->k.fault;
        rc = s->answers_n && may_change(fault) ? look_wait(&s->k, tries) : RSP_END;
        if (rc && rc != RSP_END) return rc;
        if (rc == RSP_END && !s->answers_n)
            return fail(&s->k.env, fault, subject, "no sentinel answers: %s", s->k.last);
        if (rc == RSP_END) {
            rc = fail(&s->k.env, may_change(fault) ? RSP_EBUSY : fault, subject, "no master: %s", s->k.last);
            if (rc == RSP_EBUSY && s->k.env.error && s->k.env.error->code == rc) s->k.env.error->retryable = 1;
            return rc;
        }
        log_line(&s->k.env, tries > 1 ? RSP_LOG_INFO : RSP_LOG_WARN, "%s: no master yet: %s; asking again", subject,
                 s->k.last);
    }
}

int rsp_sentinel_find(const struct rsp_env *env, const struct rsp_place *place,
                      const struct rsp_server_options *options, struct rsp_sentinel_found *found)
{
    struct rsp_env e;
    struct search *s;
    char subject[320];
    int rc;
    env_init(&e, env);
    rsp_place_text(place, subject, sizeof subject);
    if (place->kind != RSP_PLACE_SENTINEL || !place->seeds_n || place->seeds_n > RSP_SEEDS_MAX || !place->master)
        return fail(&e, RSP_EINVAL, subject, "it names no sentinels and no master");
    s = mem_zero(&e, sizeof *s);
    if (!s) return RSP_ENOMEM;
    look_begin(&s->k, &e, options);
    s->place = place;
    rc = search(s, found, subject);
    mem_free(&e, s, sizeof *s);
    return rc;
}
