/* What this is: info's report for people: aligned, short.
 * Rests on: info.h, cli/print.h.
 * Does not: promise its form; --json does. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "cli/text.h"
#include "rdbtool/info.h"

#define SHOW_KEY 80
#define SHOW_TEXT 120

static void put_label(const char *label)
{
    printf("%-14s", label);
}

static void put_line(const char *label, const char *text)
{
    put_label(label);
    puts(text);
}

static void put_head(const struct info *info)
{
    const struct rsp_rdb_feed_info *f = &info->run.feed;
    char size[TEXT_MAX];
    struct rsp_span version;
    const char *server = info_server(info, &version);
    put_label("file");
    text_put((const uint8_t *)info->in->name, strlen(info->in->name), 4096);
    if (info->in->size) printf(", %s", text_size(size, info->in->size));
    if (strcmp(info->in->codec, "none")) printf(", compressed by %s", info->in->codec);
    putchar('\n');
    put_label("format");
    printf("%s RDB %u\n", f->dialect == RSP_RDB_VALKEY ? "Valkey" : "Redis", f->version);
    put_label("written by");
    if (server) {
        printf("%s ", server);
        text_put(version.p, version.n, SHOW_TEXT);
        putchar('\n');
    } else {
        puts("unknown");
    }
    put_label("checksum");
    printf("%s\n", info_crc(info));
}

static void put_more(const char *label, uint64_t total, size_t shown)
{
    if (total <= shown) return;
    put_label(label);
    printf("... and %" PRIu64 " more\n", total - shown);
}

static void put_aux(const struct stats *s)
{
    for (size_t i = 0; i < s->aux.n; i++) {
        const struct stats_pair *pair = &s->aux.pairs[i];
        put_label(i ? "" : "aux");
        text_put(pair->p, pair->a_n, SHOW_TEXT);
        fputs(" = ", stdout);
        text_put(pair->p + pair->a_n, pair->b_n, SHOW_TEXT);
        putchar('\n');
    }
    put_more("", s->aux.total, s->aux.n);
}

static void put_functions(const struct stats *s)
{
    char size[TEXT_MAX];
    for (size_t i = 0; i < s->functions.n; i++) {
        const struct stats_pair *pair = &s->functions.pairs[i];
        put_label(i ? "" : "functions");
        text_put(pair->p, pair->a_n, SHOW_TEXT);
        fputs(" (", stdout);
        if (pair->b_n) {
            text_put(pair->p + pair->a_n, pair->b_n, SHOW_TEXT);
            fputs(", ", stdout);
        }
        printf("%s)\n", text_size(size, pair->number));
    }
    put_more("", s->functions.total, s->functions.n);
}

static void put_modules(const struct stats *s)
{
    size_t n = s->modules_n < STATS_LIST_MAX ? (size_t)s->modules_n : STATS_LIST_MAX;
    char size[TEXT_MAX], name[10];
    for (size_t i = 0; i < n; i++) {
        rsp_rdb_module_name(s->modules[i].id, name);
        put_label(i ? "" : "module data");
        printf("%s version %u, %s\n", name, (unsigned)(s->modules[i].id & 1023), text_size(size, s->modules[i].bytes));
    }
    put_more("", s->modules_n, n);
}

static void put_rest(const struct stats *s)
{
    if (s->templates) {
        put_label("templates");
        printf("%" PRIu64 " of hashes, with %" PRIu64 " fields\n", s->templates, s->template_fields);
    }
    if (s->slots) {
        put_label("slot info");
        printf("%" PRIu64 " slots, said to hold %" PRIu64 " keys\n", s->slots, s->slot_keys);
    }
    if (s->slot_imports) {
        put_label("slot imports");
        printf("%" PRIu64 "\n", s->slot_imports);
    }
    if (s->updates) {
        put_label("updates");
        printf("%" PRIu64 " commands\n", s->updates);
    }
}

static void put_keys(const struct info *info)
{
    const struct stats *s = &info->stats;
    char now[TEXT_MAX], size[TEXT_MAX];
    put_label("keys");
    printf("%" PRIu64 ", %s", s->keys, text_size(size, s->bytes));
    if (info->run.limited) fputs(" (stopped by --limit)", stdout);
    if (!rsp_filter_empty(info->job->filter)) fputs(" (only those that the filters let pass)", stdout);
    putchar('\n');
    put_label("expiries");
    printf("%" PRIu64 ", %" PRIu64 " of them expired as of %s\n", s->expires, s->expired, text_utc(now, s->now_ms));
    if (s->next_expiry != INT64_MAX) put_line("next expiry", text_utc(now, s->next_expiry));
}

static void put_digest(struct info *info)
{
    const struct rsp_dd1_row *row;
    char text[RSP_DD1_TEXT];
    uint32_t db;
    if (!info->dd1) return;
    row = rsp_dd1_table_total(info->dd1);
    rsp_dd1_text(&row->with_expiry, text);
    put_line("dd1", text);
    rsp_dd1_text(&row->without, text);
    put_label("");
    printf("%s without expiries\n", text);
    for (size_t i = 0; (row = rsp_dd1_table_db(info->dd1, i, &db)) != NULL; i++) {
        rsp_dd1_text(&row->with_expiry, text);
        put_label("");
        printf("%s of db %" PRIu32 "\n", text, db);
    }
    if (!info_whole(info)) put_line("", "(not of the whole dataset)");
}

static void put_dbs(const struct stats *s)
{
    if (!s->dbs_n) return;
    printf("\n%10s %14s %14s %14s %18s\n", "db", "keys", "expiries", "expired", "bytes");
    for (size_t i = 0; i < s->dbs_n; i++) {
        const struct stats_db *d = &s->dbs[i];
        printf("%10" PRIu32 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %18" PRIu64 "\n", d->db, d->keys, d->expires,
               d->expired, d->bytes);
    }
}

static void put_kinds(const struct stats *s)
{
    char share[TEXT_MAX];
    int any = 0;
    for (int value_type = 0; value_type <= RSP_RDB_MODULE; value_type++)
        for (int k = 0; k < STATS_KINDS; k++) {
            const struct stats_count *c = &s->kinds[k];
            if (!c->keys || strcmp(stats_kind_type(s, k), rsp_rdb_value_type_name(value_type))) continue;
            if (!any++) printf("\n%10s %-14s %14s %18s %8s\n", "type", "encoding", "keys", "bytes", "share");
            printf("%10s %-14s %14" PRIu64 " %18" PRIu64 " %8s\n", stats_kind_type(s, k), stats_kind_encoding(s, k),
                   c->keys, c->bytes, text_percent(share, c->bytes, s->bytes));
        }
}

static void put_bigs(const struct stats *s)
{
    if (!s->bigs_n) return;
    printf("\n%10s %-8s %14s %10s  %s\n", "bytes", "type", "encoding", "db", "largest keys");
    for (size_t i = 0; i < s->bigs_n; i++) {
        const struct stats_big *b = &s->bigs[i];
        printf("%10" PRIu64 " %-8s %14s %10" PRIu32 "  ", b->bytes, stats_kind_type(s, b->kind),
               stats_kind_encoding(s, b->kind), b->db);
        text_put(b->key, b->key_n, SHOW_KEY);
        if (b->key_length > b->key_n && b->key_n <= SHOW_KEY) fputs("...", stdout);
        putchar('\n');
    }
}

void info_text(struct info *info)
{
    const struct stats *s = &info->stats;
    put_head(info);
    put_aux(s);
    put_functions(s);
    put_modules(s);
    put_rest(s);
    put_keys(info);
    put_digest(info);
    put_dbs(s);
    put_kinds(s);
    put_bigs(s);
    if (info->status) printf("\nThe file could be read no further than offset %" PRIu64 ".\n", info->run.feed.offset);
}
