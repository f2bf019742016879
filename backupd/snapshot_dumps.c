/* What this is: the dumps of a snapshot: one, or one of each shard of a cluster; and which of them a text means.
 * Rests on: snapshot.h, cli/exit.h.
 * Does not: read them. */
#include <stdlib.h>
#include <string.h>

#include "backupd/snapshot.h"
#include "cli/exit.h"

int dumps_of(struct context *c, const struct chosen *s, struct dumps *d)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(s->snapshot);
    int known = 1;
    memset(d, 0, sizeof *d);
    d->snapshot = s->snapshot;
    d->threads = (unsigned)c->o->value[O_THREADS].number;
    d->at = calloc(m->streams_n + 1, sizeof *d->at);
    if (!d->at) return context_fault(c, RSP_ENOMEM, s->name, EXIT_INTERNAL);
    for (size_t i = 0; i < m->streams_n; i++) {
        if (m->streams[i].kind != RSP_STREAM_RDB) continue;
        d->at[d->n++] = i;
        d->plain += m->streams[i].plain;
        d->keys += m->streams[i].records;
        known &= m->streams[i].records != 0 || m->streams[i].has_dd1;
    }
    if (!known) d->keys = 0;
    if (d->n) return -1;
    print_err("%s: the snapshot holds no dump", s->name);
    return EXIT_NOT_FOUND;
}

int dumps_open(void *opaque, size_t i, struct rsp_source **source)
{
    const struct dumps *d = opaque;
    return rsp_snapshot_source(d->snapshot, d->at[i], 0, d->threads, source);
}

static int is_text(struct rsp_span s, const char *text)
{
    return s.n && s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

int dumps_find(const struct chosen *s, const struct dumps *d, const char *text, size_t *stream)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(d->snapshot);
    char names[800];
    for (size_t i = 0; i < d->n; i++) {
        const struct rsp_stream_info *t = &m->streams[d->at[i]];
        if (!is_text(t->name, text) && !is_text(t->slots, text) && !is_text(t->node, text) && !is_text(t->place, text))
            continue;
        *stream = d->at[i];
        return -1;
    }
    dumps_names(d, names, sizeof names);
    print_err("%s: no dump of it is called %s; it has: %s", s->name, text, names);
    return EXIT_NOT_FOUND;
}

/* Printable, cut. */
static size_t put(char *out, size_t size, size_t at, const char *before, struct rsp_span t, const char *after)
{
    int n;
    if (at >= size) return at;
    n = snprintf(out + at, size - at, "%s%.*s%s", before, t.n < 120 ? (int)t.n : 120, t.n ? (const char *)t.p : "",
                 after);
    for (; n > 0 && at < size && out[at]; at++)
        if ((unsigned char)out[at] < ' ' || out[at] == 127) out[at] = '?';
    return at;
}

void dumps_names(const struct dumps *d, char *out, size_t size)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(d->snapshot);
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < d->n && at + 1 < size; i++) {
        const struct rsp_stream_info *t = &m->streams[d->at[i]];
        at = put(out, size, at, i ? ", " : "", t->name, "");
        if (t->slots.n) at = put(out, size, at, " (slots ", t->slots, ")");
    }
}

void dumps_free(struct dumps *d)
{
    free(d->at);
    d->at = NULL;
    d->n = 0;
}
