/* What this is: printing a manifest.
 * Rests on: show_manifest.h.
 * Does not: print what was captured beside the data, only its name and size. */
#include "backupd/show_manifest.h"

#include "backupd/context.h"

/* Names and values come from a server: nothing of them shall steer a terminal. */
static void put_visible(struct rsp_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 0x20 || text.p[i] == 0x7f) printf("\\x%02x", text.p[i]);
        else putchar(text.p[i]);
    }
}

static void line(const char *label, struct rsp_span text)
{
    if (!text.n) return;
    printf("%-10s  ", label);
    put_visible(text);
    putchar('\n');
}

static void pairs(const char *label, const struct rsp_pair *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%-10s  ", label);
        put_visible(p[i].name);
        putchar('=');
        put_visible(p[i].value);
        putchar('\n');
    }
}

/* Between the first shard's moment and the last one's; -1: they are not known, or there is but one. */
static int64_t skew_ms(const struct rsp_manifest *m)
{
    uint64_t first = UINT64_MAX, last = 0;
    if (m->streams_n < 2) return -1;
    for (size_t i = 0; i < m->streams_n; i++) {
        uint64_t t = m->streams[i].taken_ms;
        if (!t) return -1;
        if (t < first) first = t;
        if (t > last) last = t;
    }
    return last - first > INT64_MAX ? -1 : (int64_t)(last - first);
}

static void part(const char *label, struct rsp_span text)
{
    if (!text.n) return;
    printf(", %s ", label);
    put_visible(text);
}

static void stream_text(const struct rsp_stream_info *s)
{
    char size[TEXT_MAX], time[TEXT_MAX];
    printf("stream      ");
    put_visible(s->name);
    printf(", %s, %llu records\n", text_size(size, s->plain), (unsigned long long)s->records);
    if (!s->place.n && !s->slots.n && !s->taken_ms) return;
    printf("            ");
    if (s->taken_ms && s->taken_ms <= INT64_MAX) printf("of %s", text_utc(time, (int64_t)s->taken_ms));
    else printf("of a moment not known");
    part("slots", s->slots);
    part("from", s->place);
    part("a", s->role);
    if (s->has_offset) printf(", offset %llu", (unsigned long long)s->offset);
    putchar('\n');
}

void manifest_text(const struct rsp_manifest *m)
{
    char time[TEXT_MAX], took[TEXT_MAX], size[TEXT_MAX];
    line("name", m->source);
    printf("begun       %s, took %s\n", text_utc(time, (int64_t)m->begun_ms),
           text_duration(took, (int64_t)(m->finished_ms - m->begun_ms)));
    line("kind", m->server_kind);
    line("version", m->server_version);
    line("run id", m->server_run_id);
    line("place", m->server_place);
    line("tool", m->tool);
    pairs("tag", m->tags, m->tags_n);
    pairs("aux", m->aux, m->aux_n);
    for (size_t i = 0; i < m->dbs_n; i++)
        printf("db %-7u  %llu keys, %llu with an expiry\n", m->dbs[i].db, (unsigned long long)m->dbs[i].keys,
               (unsigned long long)m->dbs[i].expires);
    for (size_t i = 0; i < m->streams_n; i++) stream_text(&m->streams[i]);
    if (skew_ms(m) >= 0)
        printf("skew        %s between the first moment and the last\n", text_duration(took, skew_ms(m)));
    for (size_t i = 0; i < m->captured_n; i++) {
        printf("beside      ");
        put_visible(m->captured[i].name);
        printf(", %s\n", text_size(size, m->captured[i].value.n));
    }
    for (size_t i = 0; i < m->losses_n; i++) line("loss", m->losses[i]);
}

static void bytes(struct json *j, const char *name, struct rsp_span text)
{
    if (text.n) json_bytes(j, name, text);
}

static void pairs_json(struct json *j, const char *name, const struct rsp_pair *p, size_t n)
{
    json_array(j, name);
    for (size_t i = 0; i < n; i++) {
        json_array(j, NULL);
        json_bytes(j, NULL, p[i].name);
        json_bytes(j, NULL, p[i].value);
        json_close(j, ']');
    }
    json_close(j, ']');
}

static void streams_json(struct json *j, const struct rsp_manifest *m)
{
    char hex[33], time[TEXT_MAX];
    json_array(j, "streams");
    for (size_t i = 0; i < m->streams_n; i++) {
        const struct rsp_stream_info *s = &m->streams[i];
        json_object(j, NULL);
        json_bytes(j, "name", s->name);
        json_u64(j, "kind", s->kind);
        json_u64(j, "size_bytes", s->plain);
        json_u64(j, "records", s->records);
        if (s->has_dd1) {
            text_hex(hex, s->dd1, 16);
            json_text(j, "dd1", hex);
        }
        bytes(j, "replid", s->replid);
        if (s->has_offset) json_u64(j, "offset", s->offset);
        bytes(j, "slots", s->slots);
        bytes(j, "role", s->role);
        bytes(j, "place", s->place);
        bytes(j, "node", s->node);
        if (s->taken_ms && s->taken_ms <= INT64_MAX) {
            json_text(j, "taken", text_utc(time, (int64_t)s->taken_ms));
            json_u64(j, "taken_ms", s->taken_ms);
        }
        json_close(j, '}');
    }
    json_close(j, ']');
}

void manifest_json(struct json *j, const struct rsp_manifest *m)
{
    json_object(j, "manifest");
    bytes(j, "source", m->source);
    json_u64(j, "begun_ms", m->begun_ms);
    json_u64(j, "finished_ms", m->finished_ms);
    bytes(j, "server_kind", m->server_kind);
    bytes(j, "server_version", m->server_version);
    bytes(j, "server_run_id", m->server_run_id);
    bytes(j, "place", m->server_place);
    bytes(j, "tool", m->tool);
    pairs_json(j, "tags", m->tags, m->tags_n);
    pairs_json(j, "aux", m->aux, m->aux_n);
    json_array(j, "databases");
    for (size_t i = 0; i < m->dbs_n; i++) {
        json_object(j, NULL);
        json_u64(j, "db", m->dbs[i].db);
        json_u64(j, "keys", m->dbs[i].keys);
        json_u64(j, "expires", m->dbs[i].expires);
        json_close(j, '}');
    }
    json_close(j, ']');
    streams_json(j, m);
    if (skew_ms(m) >= 0) json_i64(j, "skew_ms", skew_ms(m));
    json_array(j, "losses");
    for (size_t i = 0; i < m->losses_n; i++) json_bytes(j, NULL, m->losses[i]);
    json_close(j, ']');
    json_close(j, '}');
}
