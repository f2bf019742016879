/* What this is: the feed: large keys and opcodes, where faults stand, blocks of a few bytes, the memory
 *   that it takes, and the run over it with several threads.
 * Rests on: feed_test.h, base/mem.h, files in DATA.
 * Does not: go through every type in parts; test_parts.c does. */
#include "feed_test.h"

#include <dirent.h>

#include <respite/sys/rdb_run.h>

#include "base/mem.h"

START_TEST(large_keys)
{
    static const size_t sizes[] = {300 << 10, 321 << 10, 700 << 10, 2 * MIB + 9};
    for (size_t i = 0; i < 8; i++) {
        size_t n = sizes[i / 2];
        uint8_t *p = noise(n, i);
        file_begin(&file, "REDIS0009");
        record_begin(&file, 0, "a");
        put_text(&file, "b");
        for (unsigned type = 0; type < 3; type++) {
            put_byte(&file, 0xfd), put_le(&file, 2000000000, 4);
            put_byte(&file, type);
            if (i % 2) put_lzf(&file, p, n);
            else put_str(&file, p, n);
            if (type) put_len(&file, 2), put_text(&file, "one");
            put_noise(&file, type ? MIB + 5 : 100, 3, 0);
        }
        file_end(&file);
        all_ways("large key", &file, 0);
        { /* the limit */
            struct rsp_error error = {0};
            struct rsp_env env = {.size = sizeof env, .error = &error};
            struct rsp_source *s = memory(file.p, file.n);
            struct trace t;
            env.limits.key_bytes = n - 1;
            MUST(drive(&env, s, RSP_RDB_RAW, &t, UINT64_MAX) == RSP_ELIMIT && error.code == RSP_ELIMIT);
            MUST(error.has_offset && error.offset == 9 + 5 + 5 + 1);
            rsp_source_free(s);
            s = memory(file.p, file.n);
            env.limits.key_bytes = n;
            memset(&error, 0, sizeof error);
            MUST(drive(&env, s, RSP_RDB_RAW, &t, UINT64_MAX) == RSP_OK);
            rsp_source_free(s);
            for (int again = 0; again < 2; again++) { /* a socket that stays open behind the file */
                struct drip d = {file.p, file.n, 0, 30000, again, 0, 1};
                s = drip_source(&env, &d);
                MUST(drive(&env, s, RSP_RDB_LOGICAL, &t, 1000000) == RSP_OK);
                rsp_source_free(s);
            }
        }
        free(p);
    }
}
END_TEST

/* Where a fault of the file stands, and what it is; the value is read as well. */
static int fault_of(size_t block_bytes, struct rsp_error *error)
{
    struct rsp_rdb_feed_options o = {.size = sizeof o, .block_bytes = block_bytes};
    struct rsp_env env = {.size = sizeof env, .error = error};
    struct rsp_source *s = memory(file.p, file.n);
    struct rsp_rdb_feed *f;
    struct rsp_rdb_batch *b;
    struct rsp_rdb_value *v;
    struct rsp_rdb_element e = {.size = sizeof e};
    int rc, first = 1;
    memset(error, 0, sizeof *error);
    MUST(rsp_rdb_feed_new(&env, s, &o, &f) == RSP_OK && rsp_rdb_value_new(&env, &v) == RSP_OK);
    while (!(rc = rsp_rdb_feed_next(f, &b))) {
        for (size_t i = 0; i < b->count && rc >= 0; i++) {
            if (first) rsp_rdb_value_open(v, b, &b->items[i]);
            else rsp_rdb_value_continue(v, b, &b->items[i]);
            first = 0;
            while (!(rc = rsp_rdb_value_next(v, &e))) {}
        }
        rsp_rdb_batch_release(b);
        if (rc < 0) break;
    }
    if (rc < 0 && !block_bytes) {
        struct rsp_rdb_feed_info info = {.size = sizeof info};
        rsp_rdb_feed_tell(f, &info);
        MUST(!info.key.p || (info.key.n == 5 && !memcmp(info.key.p, "large", 5)));
    }
    rsp_rdb_value_free(v);
    rsp_rdb_feed_free(f);
    rsp_source_free(s);
    return rc;
}

START_TEST(faults_in_parts)
{
    static const unsigned types[] = {16, 3, 4, 7, 28, 15, 0};
    static const size_t blocks[] = {4096, 65536, 0};
    struct made lp = {0};
    now_name = "faults in parts";
    for (size_t i = 0; i < 7; i++) {
        size_t at = 0;
        file_begin(&file, "REDIS0014");
        record_begin(&file, types[i], "large");
        switch (types[i]) {
        case 16:
            lp_begin(&lp);
            for (size_t k = 0; k < 100000; k++) lp_str(&lp, "abcdefghijklmnopqrstuvwxyz", 26);
            lp_end(&lp, 100000);
            put_str(&file, lp.p, lp.n);
            at = file.n - lp.n + 6 + 28 * 99999; /* the last element */
            file.p[at] = 0xf5;
            break;
        case 3:
            put_len(&file, 100000);
            for (size_t k = 0; k < 100000; k++) {
                put_noise(&file, 20 + k % 7, k, 0);
                at = file.n;
                put_byte(&file, 3), put_bytes(&file, k == 99999 ? "1x5" : "1.5", 3);
            }
            break;
        case 4:
            put_len(&file, 100001);
            for (size_t k = 0; k < 200000; k++) put_noise(&file, k == 150000 ? 2 * MIB : 20, k, 0);
            at = file.n;
            put_byte(&file, 0xc7);
            break;
        case 7:
            put_len(&file, 77);
            for (size_t k = 0; k < 3000; k++) put_len(&file, 5), put_noise(&file, k == 1500 ? 2 * MIB : 700, k, 0);
            at = file.n;
            put_len(&file, 6);
            break;
        case 28:
            put_len(&file, 100000), put_len(&file, 0);
            for (size_t k = 0; k < 99999; k++) put_len(&file, k), put_len(&file, 1), put_le(&file, k, 8);
            put_len(&file, 9);
            at = file.n;
            put_len(&file, 4);
            break;
        case 15:
            put_len(&file, 3001);
            for (size_t k = 0; k < 3000; k++) put_stream_node(&file, &lp, 1000 + k);
            at = file.n;
            put_len(&file, 15), put_bytes(&file, "123456789012345", 15), put_len(&file, 0);
            put_len(&file, 1), put_len(&file, 9), put_len(&file, 0), put_len(&file, 0);
            break;
        default:
            put_byte(&file, 0xc3), put_len(&file, 3 * MIB), put_len(&file, 96 * MIB);
            for (size_t k = 0; k < 3 * MIB; k++) put_byte(&file, 0xff); /* refers to before the beginning */
            at = 9 + 7;
        }
        put_bytes(&file, "and more than that", 18);
        for (size_t k = 0; k < 3; k++) {
            struct rsp_error whole, parts;
            int rc = fault_of(file.n, &whole);
            if (rc != RSP_EFORMAT || !whole.has_offset || whole.offset != at)
                ck_abort_msg("type %u: %d at %llu instead of %zu: %s", types[i], rc, (unsigned long long)whole.offset,
                             at, whole.message);
            rc = fault_of(blocks[k], &parts);
            if (rc != RSP_EFORMAT || parts.offset != at || strcmp(whole.message, parts.message) != 0)
                ck_abort_msg("type %u in parts: %d at %llu instead of %zu: %s", types[i], rc,
                             (unsigned long long)parts.offset, at, parts.message);
        }
    }
    made_free(&lp);
}
END_TEST

/* Large opcodes; attributes that stand before another opcode. */
START_TEST(opcodes)
{
    file_begin(&file, "REDIS0014");
    put_byte(&file, 0xfa), put_text(&file, "large"), put_noise(&file, 2 * MIB, 1, 0);
    put_byte(&file, 0xf5), put_noise(&file, 1 * MIB, 2, 1);
    put_byte(&file, 0xfc), put_le(&file, 4102444800000, 8);
    put_byte(&file, 0xfe), put_len(&file, 3);
    put_byte(&file, 0xf9), put_byte(&file, 17);
    put_byte(&file, 0xfb), put_len(&file, 1), put_len(&file, 1);
    record_begin(&file, 0, "k"), put_text(&file, "v");
    put_byte(&file, 0xf7), put_len(&file, 0x1234567890abcdef), put_len(&file, 2), put_len(&file, 2);
    for (size_t i = 0; i < 100; i++) put_len(&file, 5), put_noise(&file, 10000, i, 0);
    put_len(&file, 0);
    put_byte(&file, 0xf3), put_len(&file, 1), put_le(&file, 77, 4);
    put_len(&file, 5), put_noise(&file, MIB / 2, 1, 0), put_len(&file, 0);
    record_begin(&file, 1, "meta"), put_len(&file, 2), put_text(&file, "x"), put_noise(&file, 2 * MIB, 1, 0);
    file_end(&file);
    all_ways("opcodes", &file, 0);
    { /* nothing is lost for one who copies */
        struct rsp_source *s = memory(file.p, file.n);
        struct rsp_rdb_reader *r;
        struct rsp_rdb_event e = {.size = sizeof e};
        size_t at = 9;
        int seen = 0;
        MUST(rsp_rdb_reader_new(NULL, s, RSP_RDB_RAW, &r) == RSP_OK);
        MUST(rsp_rdb_next(r, &e) == RSP_OK && e.kind == RSP_RDB_HEADER);
        while (rsp_rdb_next(r, &e) == RSP_OK && e.kind != RSP_RDB_EOF) {
            MUST(e.offset == at && !memcmp(e.raw.p, file.p + at, e.raw.n));
            at += e.raw.n;
            if (e.kind != RSP_RDB_KEY || e.key.n != 1) continue;
            seen = e.has_freq && e.freq == 17 && e.expire_ms == 4102444800000 && e.db == 3 && !e.has_idle;
        }
        MUST(e.kind == RSP_RDB_EOF && at == file.n - 9 && seen);
        rsp_rdb_reader_free(r);
        rsp_source_free(s);
    }
}
END_TEST

/* Files of DATA through blocks of a few bytes: every byte is a block's end once. */
START_TEST(tiny_blocks)
{
    const char *data = getenv("DATA") ? getenv("DATA") : "tests/data";
    static const char *const folders[] = {"hand", "redis-2.4.18", "redis-4.0.14", "redis-8.6.3", "valkey-9.1.2"};
    size_t done = 0;
    for (size_t k = 0; k < 5; k++) {
        char path[1024], name[2048];
        struct dirent *e;
        DIR *d;
        snprintf(path, sizeof path, "%s/%s", data, folders[k]);
        d = opendir(path);
        while (d && (e = readdir(d))) {
            size_t n = strlen(e->d_name);
            uint64_t want[2];
            FILE *f;
            if (n < 4 || strcmp(e->d_name + n - 4, ".rdb") != 0) continue;
            snprintf(name, sizeof name, "%s/%s", path, e->d_name);
            f = fopen(name, "rb");
            file.n = 0;
            put_bytes(&file, "", 1);
            MUST(f);
            for (size_t got = 1; got;) {
                uint8_t buf[4096];
                got = fread(buf, 1, sizeof buf, f);
                put_bytes(&file, buf, got);
            }
            fclose(f);
            n = file.n - 1;
            if (n > 30000 || (memcmp(file.p + 1, "REDIS", 5) && memcmp(file.p + 1, "VALKEY", 6))) continue;
            now_name = name;
            for (enum way w = PERSISTENT; w <= TOKENS; w = w + TOKENS) {
                want[w != PERSISTENT] = read_feed(memory(file.p + 1, n), w, n, 0, NULL);
                for (size_t block = 1; block < 40; block += block < 4 ? 1 : 11) {
                    struct drip drip = {file.p + 1, n, 0, 100, 0, 0, 0};
                    if (n / block > 10000) continue;
                    MUST(read_feed(memory(file.p + 1, n), w, block, 0, NULL) == want[w != PERSISTENT]);
                    MUST(read_feed(drip_source(NULL, &drip), w, block, 0, NULL) == want[w != PERSISTENT]);
                }
            }
            done++;
        }
        if (d) closedir(d);
    }
    MUST(done > 80);
}
END_TEST

/* ---- memory ---- */

/* head, then unit so many times, then tail, then the end of the file. */
struct spring {
    struct made head, unit, tail;
    uint64_t times, at, total;
};

static int spring_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct spring *g = opaque;
    uint64_t body = g->times * g->unit.n;
    const struct made *from = &g->head;
    uint64_t at = g->at;
    size_t n;
    *got = 0;
    if (g->at == g->total) return RSP_END;
    if (at >= g->head.n) {
        at -= g->head.n;
        from = at < body ? &g->unit : &g->tail;
        at = at < body ? at % g->unit.n : at - body;
    }
    n = from->n - (size_t)at < cap ? from->n - (size_t)at : cap;
    memcpy(out, from->p + at, n);
    g->at += n;
    *got = n;
    return RSP_OK;
}

static void spring_run(const char *name, struct spring *g, int depth)
{
    struct rsp_source_ops ops = {sizeof ops, spring_read, NULL};
    struct rsp_source *s;
    struct rsp_error error = {0};
    struct meter m = {0};
    struct rsp_env env = meter_env(&m, &error);
    struct trace t;
    int rc;
    now_name = name;
    g->at = 0;
    g->total = g->head.n + g->times * g->unit.n + g->tail.n;
    MUST(rsp_source_custom(&env, &ops, g, name, &s) == RSP_OK);
    rc = drive(&env, s, depth, &t, UINT64_MAX);
    if (rc) ck_abort_msg("%s: %d %s (%llu)", name, rc, error.message, (unsigned long long)error.offset);
    rsp_source_free(s);
    MUST(!m.alive && !m.wrong_sizes);
    if (m.peak > 24 * MIB) ck_abort_msg("%s: %zu bytes at most", name, m.peak);
}

static void spring_begin(struct spring *g, unsigned type)
{
    file_begin(&g->head, "REDIS0012");
    record_begin(&g->head, type, "endless");
    g->unit.n = g->tail.n = 0;
}

static void spring_end(struct spring *g)
{
    put_byte(&g->tail, 0xff), put_le(&g->tail, 0, 8);
}

START_TEST(memory_used)
{
    struct spring g = {0};
    struct made lp = {0};
    uint8_t *p = noise(1 << 20, 1);
    for (int depth = RSP_RDB_RAW; depth <= RSP_RDB_LOGICAL; depth++) {
        spring_begin(&g, 0); /* one string, raw */
        put_bytes(&g.unit, p, 1 << 20);
        g.times = 200;
        put_len(&g.head, 200u << 20);
        spring_end(&g);
        spring_run("string", &g, depth);

        spring_begin(&g, 0); /* LZF of literal runs only */
        put_byte(&g.unit, 31), put_bytes(&g.unit, p, 32);
        g.times = 6 * MIB;
        put_byte(&g.head, 0xc3), put_len(&g.head, g.times * 33), put_len(&g.head, g.times * 32);
        spring_end(&g);
        if (depth != RSP_RDB_ENCODED) spring_run("LZF string", &g, depth);

        spring_begin(&g, 1);
        for (size_t i = 0; i < 400; i++) put_str(&g.unit, p + i, i * 37 % 1100);
        put_str(&g.unit, p, 1000000);
        g.times = 160;
        put_len(&g.head, g.times * 401);
        spring_end(&g);
        spring_run("list", &g, depth);

        spring_begin(&g, 4);
        for (size_t i = 0; i < 20000; i++) put_str(&g.unit, p + i, 20 + i % 20), put_str(&g.unit, p, i % 100);
        g.times = 40;
        put_len(&g.head, g.times * 20000);
        spring_end(&g);
        spring_run("hash", &g, depth);

        spring_begin(&g, 18);
        lp_begin(&lp);
        for (size_t i = 0; i < 100; i++) lp_str(&lp, p + i, 80);
        lp_end(&lp, 100);
        put_len(&g.unit, 2), put_lzf(&g.unit, lp.p, lp.n);
        g.times = 8000;
        put_len(&g.head, g.times);
        spring_end(&g);
        spring_run("quicklist", &g, depth);

        spring_begin(&g, 7);
        put_len(&g.unit, 5), put_str(&g.unit, p, 5000), put_len(&g.unit, 2), put_len(&g.unit, 9);
        g.times = 13000;
        put_len(&g.head, 0x1234567890abcdef);
        put_len(&g.tail, 0);
        spring_end(&g);
        spring_run("module", &g, depth);
    }
    free(p);
    made_free(&lp), made_free(&g.head), made_free(&g.unit), made_free(&g.tail);
}
END_TEST

/* ---- the run: the same in the same order, whatever the number of threads ---- */

struct run_state {
    struct rsp_env env;
    uint64_t sum, joined, fault_at;
};

static int run_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    const struct run_state *st = ctx;
    struct rsp_rdb_value *v = NULL;
    struct rsp_rdb_element e = {.size = sizeof e};
    struct trace *t = mem_zero(env, sizeof *t);
    int rc = rsp_rdb_value_new(env, &v);
    MUST(worker < 4 && t && !rc);
    task->result = t;
    if (task->batch->seq == st->fault_at) rc = fail(env, RSP_EUSER, NULL, "batch %d", (int)st->fault_at);
    for (size_t i = 0; i < task->batch->count && !rc; i++) {
        const struct rsp_rdb_item *item = &task->batch->items[i];
        sum_number(t, task->batch->offset + item->start);
        if (item->kind != RSP_RDB_KEY || (item->flags & RSP_ITEM_BIG)) continue;
        rsp_rdb_value_open(v, task->batch, item);
        while (!(rc = rsp_rdb_value_next(v, &e))) sum_element(t, &e);
        if (rc == RSP_END || rc == RSP_AGAIN) rc = RSP_OK;
    }
    rsp_rdb_value_free(v);
    trace_end(t);
    return rc;
}

static void run_drop(void *ctx, struct rsp_rdb_task *task)
{
    const struct run_state *st = ctx;
    mem_free(&st->env, task->result, sizeof(struct trace));
}

static int run_join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct run_state *st = ctx;
    struct trace *t = task->result;
    (void)env;
    MUST(task->batch->seq == st->joined);
    st->joined++;
    st->sum = crc64(st->sum, &t->crc, sizeof t->crc);
    run_drop(ctx, task);
    return RSP_OK;
}

static int run_with(unsigned threads, size_t n, uint64_t limit, struct run_state *st, struct rsp_rdb_run_result *result,
                    struct rsp_error *error)
{
    struct meter m = {0};
    struct rsp_env env = meter_env(&m, error);
    struct drip d = {file.p, n, 0, 100000, 0, 0, 0};
    struct rsp_source *s = threads == 3 ? memory(file.p, n) : drip_source(NULL, &d);
    struct rsp_rdb_run_ops ops = {sizeof ops, run_work, run_join, run_drop};
    struct rsp_rdb_run_options o = {.size = sizeof o, .threads = threads, .limit = limit};
    int rc;
    memset(error, 0, sizeof *error);
    memset(result, 0, sizeof *result);
    result->size = sizeof *result;
    env_init(&st->env, &env);
    st->sum = st->joined = 0;
    rc = rsp_rdb_run(&env, s, &o, &ops, st, result);
    rsp_source_free(s);
    MUST(!m.alive && !m.wrong_sizes);
    return rc;
}

START_TEST(runs)
{
    struct run_state st = {.fault_at = UINT64_MAX};
    struct rsp_rdb_run_result r;
    struct rsp_error e;
    uint64_t sum = 0, batches = 0, behind;
    now_name = "run";
    file_begin(&file, "REDIS0009");
    for (size_t i = 0; i < 40000; i++) {
        record_begin(&file, i % 1000 ? 0 : 1, "key");
        if (!(i % 1000)) put_len(&file, 40);
        for (size_t k = 0; k < (i % 1000 ? 1u : 40u); k++) put_noise(&file, i % 1000 ? i % 300 : 20000, i, i % 7 == 0);
    }
    behind = file.n;
    record_begin(&file, 1, "cut here");
    put_len(&file, 2), put_noise(&file, 100000, 1, 0), put_noise(&file, 700000, 1, 0);
    file_end(&file);
    for (unsigned threads = 1; threads <= 4; threads++) {
        st.fault_at = UINT64_MAX;
        MUST(run_with(threads, file.n, 0, &st, &r, &e) == RSP_OK && !e.code);
        MUST(r.feed.complete && r.feed.crc_state == RSP_RDB_CRC_OK && r.feed.keys == 40001 && !r.file_fault &&
             !r.trailing);
        if (threads == 1) sum = st.sum, batches = st.joined;
        MUST(st.sum == sum && st.joined == batches && batches > 40);
        st.fault_at = 17;
        MUST(run_with(threads, file.n, 0, &st, &r, &e) == RSP_EUSER && e.code == RSP_EUSER);
        MUST(st.joined == 17 && !r.file_fault && !strcmp(e.message, "batch 17"));
        st.fault_at = UINT64_MAX;
        MUST(run_with(threads, behind + 700000, 0, &st, &r, &e) == RSP_ETRUNCATED && r.file_fault);
        MUST(e.offset == behind + 700000 && r.feed.keys >= 40000 && st.joined >= batches - 2);
        MUST(r.key_n == 8 && !memcmp(r.key, "cut here", 8));
        MUST(run_with(threads, file.n, 5000, &st, &r, &e) == RSP_OK && r.limited && r.accepted == 5000);
    }
}
END_TEST

/* Who wrote the file, as each batch of it says; only what stands before the keys counts. */
START_TEST(who_wrote_it)
{
    static const struct {
        const char *name, *version;
        uint32_t n;
    } row[] = {{"redis-ver", "8.6.3", 80603},
               {"redis-ver", "255.255.255", 999999},
               {"redis-ver", "7", 70000},
               {"redis-ver", "", 0},
               {"redis-ver", "rc", 0},
               {"redis-ver", "8.0-rc1", 80000},
               {"redis-ver", "99999999999999999999.1", 990100},
               {"valkey-ver", "9.1.0", 0},
               {"redis-vers", "8.6.3", 0},
               {"redis-ver", "1.2.3.4", 10203}};
    struct rsp_rdb_feed_options options = {.size = sizeof options};
    struct rsp_rdb_batch *batch;
    struct rsp_rdb_feed *feed;
    struct rsp_source *source;
    struct made m = {NULL, 0, 0};
    uint64_t keys = 0;
    int rc;
    now_name = row[_i].version;
    file_begin(&m, "REDIS0011");
    put_byte(&m, 0xfa), put_text(&m, row[_i].name), put_text(&m, row[_i].version);
    put_byte(&m, 0xfe), put_len(&m, 0);
    for (int k = 0; k < 400; k++) record_begin(&m, 0, "key"), put_noise(&m, 3000, 1, 0);
    put_byte(&m, 0xfa), put_text(&m, "redis-ver"), put_text(&m, "9.9.9");
    record_begin(&m, 0, "last"), put_text(&m, "1");
    file_end(&m);
    MUST(!rsp_source_memory(NULL, m.p, m.n, &source));
    MUST(!rsp_rdb_feed_new(NULL, source, &options, &feed));
    while (!(rc = rsp_rdb_feed_next(feed, &batch))) {
        for (size_t i = 0; i < batch->count; i++) keys += batch->items[i].kind == RSP_RDB_KEY;
        ck_assert_uint_eq(batch->server_n, row[_i].n);
        rsp_rdb_batch_release(batch);
    }
    ck_assert_int_eq(rc, RSP_END);
    ck_assert_uint_ge(keys, 401);
    rsp_rdb_feed_free(feed);
    rsp_source_free(source);
    made_free(&m);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rdb feed");
    TCase *c = tcase_create("feed");
    tcase_set_timeout(c, 240);
    tcase_add_test(c, large_keys);
    tcase_add_test(c, faults_in_parts);
    tcase_add_test(c, opcodes);
    tcase_add_test(c, tiny_blocks);
    tcase_add_test(c, memory_used);
    tcase_add_test(c, runs);
    tcase_add_loop_test(c, who_wrote_it, 0, 10);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(suite());
    int failed;
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    made_free(&file);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
