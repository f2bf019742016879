/* What this is: writes the RDB files that the benchmarks read: strings, mix, tiny. The same bytes on every run.
 * Rests on: gen_out.h; no server.
 * Does not: spare memory: a value of many nodes is built whole. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen_out.h"

enum { OP_EOF = 255, OP_SELECTDB = 254, OP_EXPIRE_MS = 252, OP_RESIZEDB = 251, OP_AUX = 250 };
enum {
    T_STRING = 0,
    T_SET = 2,
    T_HASH = 4,
    T_ZSET_2 = 5,
    T_INTSET = 11,
    T_HASH_LP = 16,
    T_ZSET_LP = 17,
    T_QUICKLIST_2 = 18,
    T_STREAM_2 = 19,
    T_SET_LP = 20,
    T_STREAM_3 = 21
};
enum { NODE_BYTES = 8192, STREAM_NODE_BYTES = 4096, STREAM_NODE_ENTRIES = 100, FLUSH_BYTES = 4 << 20 };

static const char *const fields[] = {"name",   "email",    "city",     "country",  "created_at", "updated_at",
                                     "status", "plan",     "balance",  "currency", "visits",     "last_ip",
                                     "token",  "referrer", "language", "timezone", "phone",      "company",
                                     "role",   "team",     "score",    "level",    "badge",      "avatar"};

static void key_record(unsigned type, const char *key)
{
    put_u8(&g.out, type);
    put_text(&g.out, key);
    g.keys++;
}

static void aux(const char *name, const char *text, int64_t number)
{
    put_u8(&g.out, OP_AUX);
    put_text(&g.out, name);
    if (text) put_text(&g.out, text);
    else put_int_str(&g.out, number);
}

static void head(uint64_t keys, uint64_t expires)
{
    char magic[10];
    snprintf(magic, sizeof magic, "REDIS%04d", g.version);
    put(&g.out, magic, 9);
    aux("redis-ver", g.version > 10 ? "7.2.6" : "7.0.15", 0);
    aux("redis-bits", NULL, 64);
    aux("ctime", NULL, (int64_t)(BASE_MS / 1000));
    aux("used-mem", NULL, 1 << 30);
    aux("aof-base", NULL, 0);
    put_u8(&g.out, OP_SELECTDB);
    put_len(&g.out, 0);
    put_u8(&g.out, OP_RESIZEDB);
    put_len(&g.out, keys);
    put_len(&g.out, expires);
}

/* A server writes keys in hash order: this walks [0, n) in an order with no pattern in it. */
static uint64_t scatter(uint64_t i, uint64_t n)
{
    return i * 2654435761ULL % n;
}

static void make_strings(double scale)
{
    uint64_t n = (uint64_t)(5e6 * scale);
    char key[64], text[512];
    g.compress = 0;
    head(n, 0);
    for (uint64_t i = 0; i < n; i++, flush(FLUSH_BYTES)) {
        uint64_t id = scatter(i, n);
        size_t len = (size_t)snprintf(text, sizeof text, "{\"id\":%" PRIu64, id);
        snprintf(key, sizeof key, "user:%010" PRIu64 ":profile", id);
        len += fill(text + len, ",\"name\":\"$f $l\",\"email\":\"$w.$w$b@example.org\",\"tags\":[\"$w\",\"$w\",\"$w\"],"
                                "\"active\":");
        len += fill(text + len, below(2) ? "true" : "false");
        len += fill(text + len, ",\"score\":$b.$2,\"created\":\"2024-$m-$dT$h:$s:$sZ\",\"city\":\"$l\",\"visits\":$n}");
        key_record(T_STRING, key);
        put_str(&g.out, text, len);
    }
}

static void make_tiny(double scale)
{
    uint64_t n = (uint64_t)(1e7 * scale);
    static const uint32_t tens[] = {10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    char key[32], text[16];
    head(n, 0);
    for (uint64_t i = 0; i < n; i++, flush(FLUSH_BYTES)) {
        snprintf(key, sizeof key, "k%07" PRIu64, scatter(i, n));
        key_record(T_STRING, key);
        if (rnd() & 1) put_int_str(&g.out, below(tens[below(8)]));
        else put_str(&g.out, text, token(text, between(1, 8)));
    }
}

/* The mix: one function a kind. n = elements. */

static void hash_small(uint32_t n)
{
    static struct buf lp;
    char name[32], text[80];
    int64_t number = 0;
    lp_begin(&lp);
    for (uint32_t i = 0; i < n; i++) {
        size_t len;
        if (i < sizeof fields / sizeof *fields) snprintf(name, sizeof name, "%s", fields[i]);
        else snprintf(name, sizeof name, "attr_%u", i);
        lp_text(&lp, name);
        len = value(text, &number);
        if (len) lp_str(&lp, text, len);
        else lp_int(&lp, number);
    }
    lp_end(&lp, 2 * (size_t)n);
    put_str(&g.out, lp.p, lp.n);
}

static void hash_big(uint32_t n)
{
    char name[32], text[80];
    int64_t number = 0;
    put_len(&g.out, n);
    for (uint32_t i = 0; i < n; i++, flush(FLUSH_BYTES)) {
        size_t len = (size_t)snprintf(name, sizeof name, "f:%08" PRIu64, scatter(i, n));
        put_str(&g.out, name, len);
        len = value(text, &number);
        if (len) put_str(&g.out, text, len);
        else put_int_str(&g.out, number);
    }
}

static void set_words(uint32_t n, int packed)
{
    static struct buf lp;
    char text[64];
    if (packed) lp_begin(&lp);
    else put_len(&g.out, n);
    for (uint32_t i = 0; i < n; i++, flush(FLUSH_BYTES)) {
        size_t len = fill(text, "$w:");
        len += (size_t)snprintf(text + len, 24, "%" PRIu64, scatter(i, n));
        if (packed) lp_str(&lp, text, len);
        else put_str(&g.out, text, len);
    }
    if (!packed) return;
    lp_end(&lp, n);
    put_str(&g.out, lp.p, lp.n);
}

static void set_ints(uint32_t n)
{
    static struct buf b;
    static const uint32_t step[] = {50, 900, 4000000};
    int kind = (int)below(3), width = kind == 0 ? 2 : kind == 1 ? 4 : 8;
    int64_t v = kind == 0 ? -5000 : kind == 1 ? 100000 : 5000000000;
    b.n = 0;
    put_le(&b, (uint64_t)width, 4);
    put_le(&b, n, 4);
    for (uint32_t i = 0; i < n; i++) {
        v += between(1, step[kind]);
        put_le(&b, (uint64_t)v, width);
    }
    put_str(&g.out, b.p, b.n);
}

static void zset_small(uint32_t n)
{
    static struct buf lp;
    char text[64];
    uint64_t quarters = below(4000);
    lp_begin(&lp);
    for (uint32_t i = 0; i < n; i++) {
        int len = snprintf(text, sizeof text, "player:%06u%03u", below(1000000), i);
        lp_str(&lp, text, (size_t)len);
        quarters += between(1, 60);
        if (quarters % 4) {
            len = snprintf(text, sizeof text, "%.17g", (double)quarters / 4);
            lp_str(&lp, text, (size_t)len);
        } else {
            lp_int(&lp, (int64_t)(quarters / 4));
        }
    }
    lp_end(&lp, 2 * (size_t)n);
    put_str(&g.out, lp.p, lp.n);
}

static void zset_big(uint32_t n)
{
    char text[32];
    put_len(&g.out, n);
    for (uint32_t i = 0; i < n; i++, flush(FLUSH_BYTES)) {
        double score = (double)(n - i) * 4 + below(16) / 4.0; /* highest first, as a server does */
        uint64_t bits;
        int len = snprintf(text, sizeof text, "member:%08" PRIu64, scatter(i, n));
        put_str(&g.out, text, (size_t)len);
        memcpy(&bits, &score, 8);
        put_le(&g.out, bits, 8);
    }
}

static void list_of(uint32_t n)
{
    static struct buf lp, nodes;
    char text[256];
    uint64_t count = 0;
    nodes.n = 0;
    for (uint32_t i = 0; i < n;) {
        size_t in_node = 0;
        lp_begin(&lp);
        for (; i < n && lp.n < NODE_BYTES - 200; i++, in_node++) {
            size_t len = (size_t)snprintf(text, sizeof text, "{\"job\":%u", i);
            len += fill(text + len, ",\"kind\":\"$w\",\"to\":\"$f.$l\",\"at\":17$2$2$2$2$2$s}");
            lp_str(&lp, text, len);
        }
        lp_end(&lp, in_node);
        put_len(&nodes, 2);
        put_str(&nodes, lp.p, lp.n);
        count++;
    }
    put_len(&g.out, count);
    put(&g.out, nodes.p, nodes.n);
}

struct id {
    uint64_t ms, seq;
};

struct stream {
    uint64_t nodes, live, deleted;
    struct id first, last, max_deleted;
    struct buf ids; /* struct id of the first live entries, for the PELs */
    struct buf body;
};

static void put_id_len(const struct id *id)
{
    put_len(&g.out, id->ms);
    put_len(&g.out, id->seq);
}

static void put_id_raw(struct buf *b, const struct id *id)
{
    put_be(b, id->ms, 8);
    put_be(b, id->seq, 8);
}

static void id_next(struct id *id)
{
    if (below(10) == 0) {
        id->seq++;
        return;
    }
    id->ms += between(1, 5000);
    id->seq = 0;
}

static const char *const reading[] = {"sensor", "temp", "humidity", "note"};

/* One entry. It returns the number of listpack elements written, lp_count among them. */
static size_t stream_entry(struct buf *lp, const struct id *id, const struct id *master, int deleted, int same)
{
    char text[64];
    size_t num = same ? 4 : 5;
    lp_int(lp, (same ? 2 : 0) | (deleted ? 1 : 0));
    lp_int(lp, (int64_t)(id->ms - master->ms));
    lp_int(lp, (int64_t)(id->seq - master->seq));
    if (!same) lp_int(lp, (int64_t)num);
    for (size_t i = 0; i < num; i++) {
        if (!same) lp_text(lp, i < 4 ? reading[i] : "alarm");
        if (i == 0) fill(text, "$w-$w-$2");
        else if (i == 3) token(text, between(8, 20));
        else fill(text, "$2.$m");
        if (i == 4) lp_int(lp, (int64_t)below(3));
        else lp_text(lp, text);
    }
    lp_int(lp, (int64_t)(same ? num + 3 : 2 * num + 4));
    return same ? num + 4 : 2 * num + 5;
}

/* The master's counts are known only when its entries are: these are built first, beside it. */
static void stream_node(struct stream *s, struct id *id, uint32_t *left, uint32_t pel_limit)
{
    static struct buf lp, entries;
    struct id master = {0, 0};
    size_t elements = 0, live = 0, deleted = 0;
    entries.n = 0;
    while (*left && live + deleted < STREAM_NODE_ENTRIES && entries.n < STREAM_NODE_BYTES - 100) {
        int gone = live && below(50) == 0;
        id_next(id);
        if (!live) master = *id;
        elements += stream_entry(&entries, id, &master, gone, below(20) != 0);
        (*left)--;
        if (gone) {
            deleted++;
            s->max_deleted = *id;
            continue;
        }
        live++;
        if (!s->live && live == 1) s->first = *id;
        if (s->ids.n / sizeof *id < pel_limit) put(&s->ids, id, sizeof *id);
    }
    lp_begin(&lp);
    lp_int(&lp, (int64_t)live);
    lp_int(&lp, (int64_t)deleted);
    lp_int(&lp, 4);
    for (int i = 0; i < 4; i++) lp_text(&lp, reading[i]);
    lp_int(&lp, 0);
    put(&lp, entries.p, entries.n);
    lp_end(&lp, elements + 8);
    put_u8(&s->body, 16);
    put_id_raw(&s->body, &master);
    put_str(&s->body, lp.p, lp.n);
    s->nodes++;
    s->live += live;
    s->deleted += deleted;
    s->last = *id;
}

static void stream_group(const struct stream *s, uint32_t group, uint32_t pel, uint32_t consumers)
{
    const struct id *ids = (const void *)s->ids.p;
    char name[32];
    int all_read = s->deleted == 0 || group == 0;
    snprintf(name, sizeof name, "workers-%u", group);
    put_text(&g.out, name);
    put_id_len(all_read || !pel ? &s->last : &ids[pel - 1]);
    put_len(&g.out, all_read || !pel ? s->live + s->deleted : UINT64_MAX);
    put_len(&g.out, pel);
    for (uint32_t i = 0; i < pel; i++) {
        put_id_raw(&g.out, &ids[i]);
        put_le(&g.out, BASE_MS + rnd() % 1000000, 8);
        put_len(&g.out, between(1, 5));
    }
    put_len(&g.out, consumers);
    for (uint32_t c = 0; c < consumers; c++) {
        snprintf(name, sizeof name, "consumer-%u", c);
        put_text(&g.out, name);
        put_le(&g.out, BASE_MS, 8);
        if (g.version > 10) put_le(&g.out, BASE_MS, 8);
        put_len(&g.out, pel / consumers + (c < pel % consumers));
        for (uint32_t i = c; i < pel; i += consumers) put_id_raw(&g.out, &ids[i]);
    }
}

static void stream_of(uint32_t n, uint32_t groups, uint32_t pel_limit)
{
    static struct stream s;
    struct buf ids = s.ids, body = s.body;
    struct id id = {BASE_MS + rnd() % 100000000, 0};
    memset(&s, 0, sizeof s);
    s.ids = ids;
    s.body = body;
    s.ids.n = s.body.n = 0;
    while (n) stream_node(&s, &id, &n, pel_limit);
    put_len(&g.out, s.nodes);
    put(&g.out, s.body.p, s.body.n);
    put_len(&g.out, s.live);
    put_id_len(&s.last);
    put_id_len(&s.first);
    put_id_len(&s.max_deleted);
    put_len(&g.out, s.live + s.deleted);
    put_len(&g.out, groups);
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t have = (uint32_t)(s.ids.n / sizeof id);
        stream_group(&s, i, i == 2 ? 0 : have, between(1, 5));
    }
}

static void small_stream(void)
{
    uint32_t n = between(20, 400), groups = below(4);
    stream_of(n, groups, between(5, 40));
}

enum {
    SMALL_HASH,
    SMALL_LIST,
    SMALL_SET,
    INT_SET,
    SMALL_ZSET,
    SMALL_STREAM,
    BIG_HASH,
    BIG_LIST,
    BIG_SET,
    BIG_ZSET,
    BIG_STREAM,
    KINDS
};

static const struct {
    const char *prefix;
    uint32_t keys;
} mix[KINDS] = {{"session:", 300000}, {"queue:", 90000}, {"tags:", 160000}, {"ids:", 80000},
                {"board:", 120000},   {"log:", 20000},   {"big:hash:", 3},  {"big:list:", 1},
                {"big:set:", 2},      {"big:zset:", 3},  {"big:stream:", 1}};

static unsigned type_of(int kind)
{
    switch (kind) {
    case SMALL_HASH: return T_HASH_LP;
    case SMALL_LIST:
    case BIG_LIST: return T_QUICKLIST_2;
    case SMALL_SET: return g.version > 10 ? T_SET_LP : T_SET;
    case INT_SET: return T_INTSET;
    case SMALL_ZSET: return T_ZSET_LP;
    case BIG_HASH: return T_HASH;
    case BIG_SET: return T_SET;
    case BIG_ZSET: return T_ZSET_2;
    default: return g.version > 10 ? T_STREAM_3 : T_STREAM_2;
    }
}

static void mix_value(int kind, uint32_t big)
{
    switch (kind) {
    case SMALL_HASH: hash_small(between(5, 60)); break;
    case SMALL_LIST: list_of(between(5, 60)); break;
    case SMALL_SET: set_words(between(5, 100), g.version > 10); break;
    case INT_SET: set_ints(between(20, 400)); break;
    case SMALL_ZSET: zset_small(between(5, 120)); break;
    case SMALL_STREAM: small_stream(); break;
    case BIG_HASH: hash_big(big); break;
    case BIG_LIST: list_of(big); break;
    case BIG_SET: set_words(big, 0); break;
    case BIG_ZSET: zset_big(big); break;
    default: stream_of(big, 3, 1000); break;
    }
}

static uint32_t mix_keys(int kind, double scale)
{
    return kind >= BIG_HASH ? mix[kind].keys : (uint32_t)(mix[kind].keys * scale);
}

static int has_ttl(int kind, uint32_t i)
{
    return kind == SMALL_HASH && i % 4 == 0;
}

static void make_mix(double scale)
{
    uint32_t total = 0, at = 0, next[KINDS] = {0}, big = (uint32_t)(1e6 * scale);
    uint8_t *order;
    char key[64];
    for (int k = 0; k < KINDS; k++) total += mix_keys(k, scale);
    order = malloc(total);
    if (!order) die("memory");
    for (int k = 0; k < KINDS; k++)
        for (uint32_t i = mix_keys(k, scale); i; i--) order[at++] = (uint8_t)k;
    for (uint32_t i = total; i > 1; i--) {
        uint32_t j = below(i);
        uint8_t t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
    head(total, (mix_keys(SMALL_HASH, scale) + 3) / 4);
    for (at = 0; at < total; at++, flush(FLUSH_BYTES)) {
        int k = order[at];
        uint32_t i = next[k]++;
        if (has_ttl(k, i)) {
            put_u8(&g.out, OP_EXPIRE_MS);
            put_le(&g.out, FAR_MS + i, 8);
        }
        snprintf(key, sizeof key, "%s%u", mix[k].prefix, i);
        key_record(type_of(k), key);
        mix_value(k, big);
    }
    free(order);
}

static int usage(void)
{
    fputs("usage: gen strings|mix|tiny OUT [--scale X] [--rdb 10|11]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    double scale = 1;
    uint8_t tail[8];
    void (*make)(double);
    g.compress = 1;
    g.version = 10;
    if (argc < 3) return usage();
    for (int i = 3; i < argc; i += 2) {
        char *end;
        if (i + 1 == argc) return usage();
        if (strcmp(argv[i], "--scale") == 0) scale = strtod(argv[i + 1], &end);
        else if (strcmp(argv[i], "--rdb") == 0) g.version = (int)strtol(argv[i + 1], &end, 10);
        else return usage();
        if (*end || !(scale >= 0.0001 && scale <= 100) || (g.version != 10 && g.version != 11)) return usage();
    }
    if (strcmp(argv[1], "strings") == 0) make = make_strings;
    else if (strcmp(argv[1], "mix") == 0) make = make_mix;
    else if (strcmp(argv[1], "tiny") == 0) make = make_tiny;
    else return usage();
    g.file = fopen(argv[2], "wb");
    if (!g.file) die(argv[2]);
    make(scale);
    put_u8(&g.out, OP_EOF);
    flush(0);
    for (int i = 0; i < 8; i++) tail[i] = (uint8_t)(g.crc >> (8 * i));
    if (fwrite(tail, 1, 8, g.file) != 8 || fclose(g.file)) die("write");
    fprintf(stderr, "%s: %" PRIu64 " keys, %" PRIu64 " bytes, %" PRIu64 " (%.1f%%) in LZF strings of %" PRIu64 "\n",
            argv[1], g.keys, g.bytes + 8, g.lzf_bytes, 100.0 * (double)g.lzf_bytes / (double)g.bytes, g.lzf_raw);
    return 0;
}
