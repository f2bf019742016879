/* What this is: info's report as one JSON document.
 * Rests on: info.h, cli/print.h.
 * Does not: leave a member out because it is 0; only what the file cannot say is absent. */
#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "rdbtool/info.h"

static struct rsp_span span(const uint8_t *p, size_t n)
{
    struct rsp_span s = {p, n};
    return s;
}

static void put_head(const struct info *info, struct json *j)
{
    const struct rsp_rdb_feed_info *f = &info->run.feed;
    struct rsp_span version;
    const char *server = info_server(info, &version);
    json_bytes(j, "file", span((const uint8_t *)info->in->name, strlen(info->in->name)));
    if (info->in->size) json_u64(j, "file_bytes", info->in->size);
    json_text(j, "compression", info->in->codec);
    json_text(j, "dialect", f->dialect == RSP_RDB_VALKEY ? "valkey" : "redis");
    json_u64(j, "version", f->version);
    if (server) {
        json_object(j, "server");
        json_text(j, "name", server);
        json_bytes(j, "version", version);
        json_close(j, '}');
    }
    json_bool(j, "complete", f->complete);
    if (f->complete) json_text(j, "checksum", info_crc(info));
    if (f->complete) json_u64(j, "rdb_bytes", f->offset);
    if (f->complete) json_bool(j, "trailing_bytes", info->run.trailing != 0);
    if (info->status) {
        json_text(j, "error", info->fault);
        json_u64(j, "read_to", f->offset);
    }
}

static void put_meta(const struct stats *s, struct json *j)
{
    size_t modules = s->modules_n < STATS_LIST_MAX ? (size_t)s->modules_n : STATS_LIST_MAX;
    char name[10];
    json_array(j, "aux");
    for (size_t i = 0; i < s->aux.n; i++) {
        const struct stats_pair *pair = &s->aux.pairs[i];
        json_object(j, NULL);
        json_bytes(j, "name", span(pair->p, pair->a_n));
        json_bytes(j, "value", span(pair->p + pair->a_n, pair->b_n));
        json_close(j, '}');
    }
    json_close(j, ']');
    json_array(j, "functions");
    for (size_t i = 0; i < s->functions.n; i++) {
        const struct stats_pair *pair = &s->functions.pairs[i];
        json_object(j, NULL);
        json_bytes(j, "name", span(pair->p, pair->a_n));
        if (pair->b_n) json_bytes(j, "engine", span(pair->p + pair->a_n, pair->b_n));
        json_u64(j, "bytes", pair->number);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_array(j, "module_aux");
    for (size_t i = 0; i < modules; i++) {
        rsp_rdb_module_name(s->modules[i].id, name);
        json_object(j, NULL);
        json_text(j, "module", name);
        json_u64(j, "version", s->modules[i].id & 1023);
        json_u64(j, "when", s->modules[i].when);
        json_u64(j, "bytes", s->modules[i].bytes);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_u64(j, "aux_seen", s->aux.total);
    json_u64(j, "functions_seen", s->functions.total);
    json_u64(j, "module_aux_seen", s->modules_n);
    json_object(j, "hash_templates");
    json_u64(j, "count", s->templates);
    json_u64(j, "fields", s->template_fields);
    json_u64(j, "bytes", s->template_bytes);
    json_close(j, '}');
    json_object(j, "slot_info");
    json_u64(j, "slots", s->slots);
    json_u64(j, "keys", s->slot_keys);
    json_close(j, '}');
    json_u64(j, "slot_imports", s->slot_imports);
    json_u64(j, "updates", s->updates);
}

static void put_counts(const struct stats *s, struct json *j)
{
    json_u64(j, "keys", s->keys);
    json_u64(j, "expiries", s->expires);
    json_u64(j, "expired", s->expired);
    json_i64(j, "now_ms", s->now_ms);
    if (s->next_expiry != INT64_MAX) json_i64(j, "next_expiry_ms", s->next_expiry);
    json_u64(j, "bytes", s->bytes);
    json_array(j, "dbs");
    for (size_t i = 0; i < s->dbs_n; i++) {
        json_object(j, NULL);
        json_u64(j, "db", s->dbs[i].db);
        json_u64(j, "keys", s->dbs[i].keys);
        json_u64(j, "expiries", s->dbs[i].expires);
        json_u64(j, "expired", s->dbs[i].expired);
        json_u64(j, "bytes", s->dbs[i].bytes);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_array(j, "encodings");
    for (int k = 0; k < STATS_KINDS; k++) {
        if (!s->kinds[k].keys) continue;
        json_object(j, NULL);
        json_text(j, "type", stats_kind_type(s, k));
        json_text(j, "encoding", stats_kind_encoding(s, k));
        json_u64(j, "rdb_type", k < KIND_STRING_INT ? (uint64_t)k : 0);
        json_u64(j, "keys", s->kinds[k].keys);
        json_u64(j, "bytes", s->kinds[k].bytes);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_bigs(const struct stats *s, struct json *j)
{
    json_array(j, "largest");
    for (size_t i = 0; i < s->bigs_n; i++) {
        const struct stats_big *b = &s->bigs[i];
        json_object(j, NULL);
        json_u64(j, "bytes", b->bytes);
        json_u64(j, "db", b->db);
        json_text(j, "type", stats_kind_type(s, b->kind));
        json_text(j, "encoding", stats_kind_encoding(s, b->kind));
        json_bytes(j, "key", span(b->key, b->key_n));
        if (b->key_length > b->key_n) json_u64(j, "key_bytes", b->key_length);
        json_u64(j, "offset", b->offset);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_row(struct json *j, const struct rsp_dd1_row *row)
{
    char text[RSP_DD1_TEXT];
    rsp_dd1_text(&row->with_expiry, text);
    json_text(j, "with_expiries", text);
    rsp_dd1_text(&row->without, text);
    json_text(j, "without_expiries", text);
}

static void put_digest(struct info *info, struct json *j)
{
    const struct rsp_dd1_row *row;
    uint32_t db;
    if (!info->dd1) return;
    json_object(j, "dd1");
    put_row(j, rsp_dd1_table_total(info->dd1));
    json_bool(j, "whole", info_whole(info) && !rsp_dd1_table_broken(info->dd1, NULL));
    json_array(j, "dbs");
    for (size_t i = 0; (row = rsp_dd1_table_db(info->dd1, i, &db)) != NULL; i++) {
        json_object(j, NULL);
        json_u64(j, "db", db);
        put_row(j, row);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

void info_json(struct info *info)
{
    struct json j;
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    put_head(info, &j);
    json_bool(&j, "filtered", info->job->restricted);
    put_meta(&info->stats, &j);
    put_counts(&info->stats, &j);
    put_bigs(&info->stats, &j);
    put_digest(info, &j);
    json_close(&j, '}');
}
