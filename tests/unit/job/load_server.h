/* What this is: a server with keys and databases, just enough to be restored into, that refuses or hangs up when it is
 *   told.
 * Rests on: pthread; MUST(condition) as in rdb_builder.h.
 * Does not: keep values: of each it knows how much was put into it, which tells a value written twice. */
#ifndef TESTS_LOAD_SERVER_H
#define TESTS_LOAD_SERVER_H

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FAKE_KEYS 4096
#define FAKE_ARGS 1024

struct fake_key {
    int db, ours; /* ours: was there before any restore */
    char name[48];
    unsigned long bytes, elements;
};
static struct {
    struct fake_key keys[FAKE_KEYS];
    size_t n;
    unsigned long writes, refuse_at, hang_at, libraries;
    const char *clash;   /* a function that another library has */
    const char *modules; /* the answer to MODULE LIST; NULL: none is loaded */
    const char *refuse_with, *role, *mode;
    const char *watch; /* a file that must be there when functions come */
    int run, databases;
    int listener, stop[2];
    char path[96];
    pthread_t thread;
} fake;

static struct fake_key *fake_find(int db, const char *name)
{
    for (size_t i = 0; i < fake.n; i++)
        if (fake.keys[i].db == db && !strcmp(fake.keys[i].name, name)) return &fake.keys[i];
    return NULL;
}

static struct fake_key *fake_get(int db, const char *name)
{
    struct fake_key *k = fake_find(db, name);
    if (k) return k;
    MUST(fake.n < FAKE_KEYS);
    k = &fake.keys[fake.n++];
    memset(k, 0, sizeof *k);
    k->db = db;
    snprintf(k->name, sizeof k->name, "%s", name);
    return k;
}

static int fake_del(int db, const char *name)
{
    struct fake_key *k = fake_find(db, name);
    if (!k) return 0;
    *k = fake.keys[--fake.n];
    return 1;
}

static void fake_put(int db, const char *name, size_t bytes)
{
    struct fake_key *k = fake_get(db, name);
    k->bytes = bytes;
    k->elements = 1;
    k->ours = 0;
}

struct fake_client {
    FILE *in, *out;
    int db, multi;
    char *arg[FAKE_ARGS];
    size_t len[FAKE_ARGS], argc;
};

static int fake_line(FILE *f, char first, long *n)
{
    char text[64];
    if (!fgets(text, sizeof text, f) || text[0] != first) return 0;
    *n = strtol(text + 1, NULL, 10);
    return 1;
}

static int fake_command(struct fake_client *c)
{
    long argc, n;
    for (; c->argc > 0; c->argc--) free(c->arg[c->argc - 1]);
    if (!fake_line(c->in, '*', &argc) || argc < 1 || argc > FAKE_ARGS) return 0;
    for (long i = 0; i < argc; i++) {
        if (!fake_line(c->in, '$', &n)) return 0;
        c->arg[i] = malloc((size_t)n + 2);
        c->len[i] = (size_t)n;
        c->argc++;
        if (fread(c->arg[i], 1, (size_t)n + 2, c->in) != (size_t)n + 2) return 0;
        c->arg[i][n] = 0;
    }
    return 1;
}

static int fake_has(const struct fake_client *c, const char *word)
{
    for (size_t i = 3; i < c->argc; i++)
        if (!strcmp(c->arg[i], word)) return 1;
    return 0;
}

static void fake_info(struct fake_client *c)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "# Server\r\nredis_version:7.0.15\r\nredis_mode:%s\r\nrun_id:%040d\r\nrole:%s\r\n"
                     "master_host:10.0.0.9\r\nmaster_port:6400\r\nloading:0\r\n",
                     fake.mode, fake.run, fake.role);
    fprintf(c->out, "$%d\r\n%s\r\n", n, text);
}

/* A write: what it answers. */
static const char *fake_write(struct fake_client *c)
{
    const char *w = c->arg[0], *key = c->argc > 1 ? c->arg[1] : "";
    if (!strcmp(w, "SET")) {
        if (fake_has(c, "NX") && fake_find(c->db, key)) return "$-1\r\n";
        fake_put(c->db, key, c->len[2]);
        return "+OK\r\n";
    }
    if (!strcmp(w, "RESTORE")) {
        if (!fake_has(c, "REPLACE") && fake_find(c->db, key)) return "-BUSYKEY Target key name already exists.\r\n";
        fake_put(c->db, key, c->len[3]);
        return "+OK\r\n";
    }
    if (!strcmp(w, "MSET") || !strcmp(w, "MSETNX")) {
        int nx = w[4] != 0;
        for (size_t i = 1; nx && i < c->argc; i += 2)
            if (fake_find(c->db, c->arg[i])) return ":0\r\n";
        for (size_t i = 1; i + 1 < c->argc; i += 2) fake_put(c->db, c->arg[i], c->len[i + 1]);
        return nx ? ":1\r\n" : "+OK\r\n";
    }
    if (!strcmp(w, "DEL")) return fake_del(c->db, key) ? ":1\r\n" : ":0\r\n";
    if (!strcmp(w, "RPUSH") || !strcmp(w, "SADD")) {
        struct fake_key *k = fake_get(c->db, key);
        for (size_t i = 2; i < c->argc; i++) k->bytes += c->len[i];
        k->elements += c->argc - 2;
        return ":1\r\n";
    }
    if (!strcmp(w, "FUNCTION")) {
        int there = fake.libraries && strcmp(c->arg[2], "REPLACE") != 0;
        if (!there && fake.clash) return fake.clash;
        if (fake.watch && access(fake.watch, F_OK)) return "-ERR too early\r\n";
        if (!there) fake.libraries = 1;
        return there ? "-ERR Library 'a' already exists\r\n" : "$1\r\na\r\n";
    }
    return NULL;
}

static const char *fake_read(struct fake_client *c)
{
    static char text[64];
    const char *w = c->arg[0];
    int n = 0;
    if (!strcmp(w, "SELECT")) {
        if (atoi(c->arg[1]) >= fake.databases) return "-ERR DB index is out of range\r\n";
        c->db = atoi(c->arg[1]);
        return "+OK\r\n";
    }
    if (!strcmp(w, "EXISTS")) {
        for (size_t i = 1; i < c->argc; i++) n += fake_find(c->db, c->arg[i]) != NULL;
    } else if (!strcmp(w, "DBSIZE")) {
        for (size_t i = 0; i < fake.n; i++) n += fake.keys[i].db == c->db;
    } else if (!strcmp(w, "ROLE")) {
        return !strcmp(fake.role, "master")
                   ? "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
                   : "*5\r\n$5\r\nslave\r\n$8\r\n10.0.0.9\r\n:6400\r\n$9\r\nconnected\r\n:7\r\n";
    } else if (!strcmp(w, "MODULE") && fake.modules) {
        return fake.modules;
    } else if (!strcmp(w, "MODULE") || (!strcmp(w, "FUNCTION") && !strcmp(c->arg[1], "LIST"))) {
        return "*0\r\n";
    } else {
        return "-ERR unknown command\r\n";
    }
    snprintf(text, sizeof text, ":%d\r\n", n);
    return text;
}

/* 0: hangs up. */
static int fake_answer(struct fake_client *c)
{
    const char *w = c->arg[0], *say;
    if (!strcmp(w, "INFO") && c->argc < 2) fake_info(c);
    else if (!strcmp(w, "MULTI")) c->multi = 1, fputs("+OK\r\n", c->out);
    else if (!strcmp(w, "EXEC")) c->multi = 0, fputs("*0\r\n", c->out);
    else {
        static const char *const writes[] = {"SET", "RESTORE", "MSET", "MSETNX", "DEL", "RPUSH", "SADD", "FUNCTION"};
        int is_write = 0;
        for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) is_write |= !strcmp(w, writes[i]);
        if (!strcmp(w, "FUNCTION") && !strcmp(c->arg[1], "LIST")) is_write = 0;
        if (!strcmp(w, "SET") && c->argc == 4 && !strcmp(c->arg[2], "none")) is_write = 0; /* asks for rights */
        if ((!strcmp(w, "RESTORE") && c->argc < 4) || (!strcmp(w, "DEL") && !strncmp(c->arg[1], "respite", 7)))
            is_write = 0;
        if (is_write && ++fake.writes == fake.hang_at) return 0;
        if (is_write && fake.refuse_with && fake.writes == fake.refuse_at) say = fake.refuse_with;
        else say = is_write ? fake_write(c) : fake_read(c);
        if (c->multi && say && *say != '-') say = "+QUEUED\r\n";
        fputs(say ? say : "-ERR wrong\r\n", c->out);
    }
    fflush(c->out);
    return 1;
}

static void *fake_serve(void *arg)
{
    sigset_t pipes;
    (void)arg;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipes, NULL);
    for (;;) {
        struct fake_client *c;
        int fd = accept(fake.listener, NULL, NULL);
        if (fd < 0) return NULL; /* fake_stop shut it down */
        c = calloc(1, sizeof *c);
        c->in = fdopen(fd, "r");
        c->out = fdopen(dup(fd), "w");
        while (fake_command(c) && fake_answer(c)) continue;
        for (; c->argc > 0; c->argc--) free(c->arg[c->argc - 1]);
        fclose(c->in);
        fclose(c->out);
        free(c);
    }
}

static void fake_start(const char *dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memset(&fake, 0, sizeof fake);
    fake.role = "master";
    fake.mode = "standalone";
    fake.databases = 16;
    snprintf(fake.path, sizeof fake.path, "%s/s", dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", fake.path);
    fake.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    MUST(!bind(fake.listener, (struct sockaddr *)&a, sizeof a));
    MUST(!listen(fake.listener, 8));
    MUST(!pthread_create(&fake.thread, NULL, fake_serve, NULL));
}

static void fake_stop(void)
{
    shutdown(fake.listener, SHUT_RDWR);
    pthread_join(fake.thread, NULL);
    close(fake.listener);
    unlink(fake.path);
}

static void fake_forget(void)
{
    fake.n = 0;
    fake.writes = fake.hang_at = fake.refuse_at = fake.libraries = 0;
    fake.refuse_with = fake.clash = NULL;
}

#endif
