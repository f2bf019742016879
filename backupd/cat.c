/* What this is: backupd cat: the bytes of a snapshot on standard output, as they came; or what was kept beside them (INFO,
 *   configuration, access control list...).
 * Rests on: snapshot.h, respite/sink.h.
 * Does not: parse them: `backupd cat ID | rdbtool check -` does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <respite/sink.h>

#include "backupd/snapshot.h"
#include "cli/exit.h"
#include "cli/signal.h"

#define PIECE (256u << 10)

static int find_stream(const struct rsp_manifest *m, const char *name, size_t *stream)
{
    for (*stream = 0; *stream < m->streams_n; ++*stream) {
        struct rsp_span s = m->streams[*stream].name;
        if (!name || (s.n == strlen(name) && !memcmp(s.p, name, s.n))) return 1;
    }
    return 0;
}

static const struct rsp_pair *find_beside(const struct rsp_manifest *m, const char *name)
{
    for (size_t i = 0; name && i < m->captured_n; i++)
        if (m->captured[i].name.n == strlen(name) && !memcmp(m->captured[i].name.p, name, strlen(name)))
            return &m->captured[i];
    return NULL;
}

static int put_beside(struct context *c, const struct rsp_pair *pair)
{
    struct rsp_sink *sink = NULL;
    int rc = rsp_sink_fd(&c->env, STDOUT_FILENO, "standard output", &sink), code = EXIT_OK;
    if (!rc && pair->value.n) rc = rsp_sink_write(sink, pair->value.p, pair->value.n);
    if (rc) code = c->error.sys_errno == EPIPE ? EXIT_PIPE : context_fault(c, rc, NULL, EXIT_TARGET);
    rsp_sink_free(sink);
    return code;
}

static int none_such(const struct chosen *s, const struct rsp_manifest *m, const char *name)
{
    char names[400];
    size_t n = 0;
    names[0] = 0;
    for (size_t i = 0; i < m->streams_n + m->captured_n && n < sizeof names - 1; i++) {
        struct rsp_span t = i < m->streams_n ? m->streams[i].name : m->captured[i - m->streams_n].name;
        int more = snprintf(names + n, sizeof names - n, "%s%.*s", i ? ", " : "", t.n < 200 ? (int)t.n : 200,
                            (const char *)t.p);
        n += more > 0 ? (size_t)more : 0;
    }
    print_err("%s: nothing is called %s in it; it has: %s", s->name, name ? name : "a stream",
              names[0] ? names : "nothing at all");
    return EXIT_NOT_FOUND;
}

static int copy(struct context *c, const struct chosen *s, struct rsp_source *source, struct rsp_sink *sink)
{
    uint8_t *buf = malloc(PIECE);
    uint64_t bytes = 0;
    int rc = buf ? RSP_OK : RSP_ENOMEM, code = EXIT_OK;
    while (!rc) {
        size_t got = 0;
        rc = signal_caught() ? RSP_ECANCELED : rsp_source_read(source, buf, PIECE, &got);
        if (rc == RSP_AGAIN) rc = RSP_OK;
        if (rc || !got) continue;
        bytes += got;
        context_progress(c, bytes);
        if (rsp_sink_write(sink, buf, got) == RSP_OK) continue;
        code = c->error.sys_errno == EPIPE ? EXIT_PIPE : context_fault(c, c->error.code, NULL, EXIT_TARGET);
        break;
    }
    free(buf);
    if (code) return code;
    return rc == RSP_END ? EXIT_OK : context_fault(c, rc, s->name, EXIT_STORAGE);
}

/* Without a name: the dump, when there is one. */
static int only_one(struct context *c, const struct chosen *s)
{
    struct dumps d;
    char names[800];
    int code = dumps_of(c, s, &d);
    if (code < 0 && d.n > 1) {
        dumps_names(&d, names, sizeof names);
        print_err("%s: the snapshot holds %zu dumps, which one? %s", s->name, d.n, names);
        print_err("'backupd restore %s --nodes 1 --to DIR' makes one dump of them", s->name);
        code = EXIT_USAGE;
    }
    dumps_free(&d);
    return code;
}

static int put(struct context *c, const struct chosen *s)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(s->snapshot);
    const char *name = c->o->operands > 1 ? c->o->operand[1] : NULL;
    struct rsp_source *source = NULL;
    struct rsp_sink *sink = NULL;
    size_t stream;
    int rc, code = name || m->streams_n < 2 ? -1 : only_one(c, s);
    if (code >= 0) return code;
    if (!find_stream(m, name, &stream)) {
        const struct rsp_pair *beside = find_beside(m, name);
        return beside ? put_beside(c, beside) : none_such(s, m, name);
    }
    rc = rsp_snapshot_source(s->snapshot, stream, 0, (unsigned)c->o->value[O_THREADS].number, &source);
    if (rc) return context_fault(c, rc, s->name, EXIT_STORAGE);
    rc = rsp_sink_fd(&c->env, STDOUT_FILENO, "standard output", &sink);
    context_begin(c, s->name, m->streams[stream].plain, 1);
    code = rc ? context_fault(c, rc, NULL, EXIT_TARGET) : copy(c, s, source, sink);
    context_end(c);
    rsp_source_free(source);
    rsp_sink_free(sink);
    return code;
}

int verb_cat(struct context *c)
{
    struct chosen s;
    int code = chosen_open(c, c->o->operand[0], &s);
    if (code < 0) {
        if (s.damaged) print_warn("%s: the dump was damaged when it was stored", s.name);
        code = chosen_finish(c, &s, put(c, &s));
    }
    chosen_close(&s);
    return code;
}
