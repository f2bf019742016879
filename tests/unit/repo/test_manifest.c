/* What this is: manifests are read as they were written, and nothing malformed is taken.
 * Rests on: libcheck; repo/manifest.h.
 * Does not: seal them; test_snapshot.c does. */
#include <check.h>
#include <stdlib.h>

#undef fail
#include "repo/manifest.h"
#include "seal/items.h"

#define C(number) ((uint16_t)(ITEM_CRITICAL | (number)))
#define MUST(x) ck_assert(x)
#define SPAN(text) ((struct rsp_span){(const uint8_t *)(text), sizeof(text) - 1})

static struct rsp_error error;
static struct rsp_env env;

static void setup(void)
{
    struct rsp_env e = {.size = sizeof e, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &e);
}

static int span_is(struct rsp_span s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

static void set_ref(struct full_ref *f, uint8_t seed, uint64_t offset, uint64_t plain)
{
    memset(f, 0, sizeof *f);
    f->kind = OBJECT_DATA;
    memset(f->epoch, seed, ID_BYTES);
    memset(f->object, seed + 1, ID_BYTES);
    memset(f->table_hash, seed + 2, HASH_BYTES);
    f->plain = plain;
    f->offset = offset;
    f->stored = plain + 200;
    f->hint_n = seed % 65;
    memset(f->hint, seed, f->hint_n);
}

static void encode_full(const struct rsp_env *e, struct buf *out, int *rc)
{
    static const struct rsp_pair aux[] = {{{(const uint8_t *)"redis-ver", 9}, {(const uint8_t *)"7.2.4", 5}},
                                          {{(const uint8_t *)"empty", 5}, {(const uint8_t *)"", 0}}};
    static const struct rsp_pair tag = {{(const uint8_t *)"k", 1}, {(const uint8_t *)"v", 1}};
    static const struct rsp_db_count dbs[] = {{0, 10, 3}, {4294967295u, UINT64_MAX, 0}};
    const struct rsp_span losses[] = {SPAN("field TTLs of 3 keys")};
    struct rsp_manifest m = {.size = sizeof m,
                             .source = SPAN("cache-1"),
                             .tool = SPAN("respite 0.1"),
                             .begun_ms = 1700000000000,
                             .finished_ms = 1700000001000,
                             .server_kind = SPAN("redis"),
                             .server_place = SPAN("/var/lib/redis/dump.rdb"),
                             .aux = aux,
                             .aux_n = 2,
                             .captured = &tag,
                             .captured_n = 1,
                             .tags = &tag,
                             .tags_n = 1,
                             .dbs = dbs,
                             .dbs_n = 2,
                             .losses = losses,
                             .losses_n = 1};
    struct rsp_stream_info a = {.name = SPAN("dump.rdb"), .kind = RSP_STREAM_RDB, .plain = 1500, .records = 77};
    struct rsp_stream_info b = {.name = SPAN("appendonly.1"), .kind = RSP_STREAM_AOF_PART};
    struct full_ref refs[2];
    struct buf streams[2];
    memset(m.snapshot, 0x5a, sizeof m.snapshot);
    memset(a.dd1, 0xd1, sizeof a.dd1);
    a.has_dd1 = a.has_offset = 1;
    a.offset = 123456789012;
    a.db = 3;
    a.replid = SPAN("0123456789012345678901234567890123456789");
    a.role = SPAN("replica");
    a.place = SPAN("10.0.0.1:6379");
    a.node = SPAN("e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca");
    a.taken_ms = 1700000000321;
    set_ref(&refs[0], 10, 0, 1000);
    set_ref(&refs[1], 65, 1000, 500);
    buf_init(&streams[0], e);
    buf_init(&streams[1], e);
    *rc = manifest_stream_encode(&streams[0], &a, refs, 2);
    if (!*rc) *rc = manifest_stream_encode(&streams[1], &b, NULL, 0);
    if (!*rc) *rc = manifest_encode(out, &m, streams, 2);
    buf_free(&streams[0]);
    buf_free(&streams[1]);
}

static void check_full(const struct manifest *got)
{
    const struct rsp_manifest *m = &got->pub;
    const struct full_ref *refs;
    struct full_ref want;
    size_t n;
    MUST(m->snapshot[0] == 0x5a && m->snapshot[15] == 0x5a);
    MUST(span_is(m->source, "cache-1") && span_is(m->tool, "respite 0.1"));
    MUST(m->begun_ms == 1700000000000 && m->finished_ms == 1700000001000);
    MUST(span_is(m->server_kind, "redis") && span_is(m->server_place, "/var/lib/redis/dump.rdb"));
    MUST(!m->server_version.n && !m->server_run_id.n);
    MUST(m->aux_n == 2 && span_is(m->aux[0].value, "7.2.4") && span_is(m->aux[1].name, "empty") && !m->aux[1].value.n);
    MUST(m->captured_n == 1 && m->tags_n == 1 && span_is(m->tags[0].name, "k") && span_is(m->tags[0].value, "v"));
    MUST(m->dbs_n == 2 && m->dbs[0].keys == 10 && m->dbs[0].expires == 3);
    MUST(m->dbs[1].db == 4294967295u && m->dbs[1].keys == UINT64_MAX);
    MUST(m->losses_n == 1 && span_is(m->losses[0], "field TTLs of 3 keys"));
    MUST(m->streams_n == 2 && m->streams[0].kind == RSP_STREAM_RDB && m->streams[0].form == 1);
    MUST(m->streams[0].plain == 1500 && m->streams[0].records == 77 && m->streams[0].has_dd1);
    MUST(m->streams[0].dd1[7] == 0xd1 && m->streams[0].offset == 123456789012 && m->streams[0].db == 3);
    MUST(m->streams[0].replid.n == 40 && span_is(m->streams[0].role, "replica") && !m->streams[0].slots.n);
    MUST(span_is(m->streams[0].place, "10.0.0.1:6379") && m->streams[0].node.n == 40);
    MUST(m->streams[0].taken_ms == 1700000000321);
    MUST(!m->streams[1].place.n && !m->streams[1].node.n && !m->streams[1].taken_ms);
    MUST(span_is(m->streams[1].name, "appendonly.1") && !m->streams[1].has_offset && !m->streams[1].plain);
    refs = manifest_refs(got, 0, &n);
    MUST(n == 2);
    set_ref(&want, 10, 0, 1000);
    MUST(!memcmp(&refs[0], &want, sizeof want));
    set_ref(&want, 65, 1000, 500);
    want.number = 1;
    MUST(!memcmp(&refs[1], &want, sizeof want));
    manifest_refs(got, 1, &n);
    MUST(n == 0);
}

START_TEST(round_trip)
{
    struct manifest *m;
    struct buf b;
    int rc;
    buf_init(&b, &env);
    encode_full(&env, &b, &rc);
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_eq(manifest_decode(&env, &b, "m", &m), RSP_OK);
    check_full(m);
    manifest_free(m);
    manifest_free(NULL);
}
END_TEST

/* Cut at each length: what is whole up to there may be a manifest, but never after less than its three first items, and
 * never in the middle of an item. */
START_TEST(cut)
{
    struct buf whole;
    unsigned taken = 0;
    int rc;
    buf_init(&whole, &env);
    encode_full(&env, &whole, &rc);
    for (size_t n = 0; n < whole.n; n++) {
        struct manifest *m;
        struct buf b;
        buf_init(&b, &env);
        MUST(!buf_add(&b, whole.p, n));
        rsp_error_clear(&error);
        rc = manifest_decode(&env, &b, "m", &m);
        MUST(rc == RSP_OK || rc == RSP_EINTEGRITY);
        if (rc) ck_assert_int_eq(error.code, rc);
        if (rc) MUST(!m);
        taken += !rc;
        MUST(rc || n >= 8 + 10 + 22 + 13);
        manifest_free(m);
    }
    /* at the ends of items 3, 4, 5, 6, 7 7, 8 8, 9, 10, 11, 12, 16 */
    ck_assert_uint_eq(taken, 13);
    buf_free(&whole);
}
END_TEST

START_TEST(flipped)
{
    struct buf whole;
    int rc;
    buf_init(&whole, &env);
    encode_full(&env, &whole, &rc);
    for (size_t i = 0; i < whole.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct manifest *m;
            struct buf b;
            buf_init(&b, &env);
            MUST(!buf_add(&b, whole.p, whole.n));
            b.p[i] ^= (uint8_t)(1 << bit);
            rsp_error_clear(&error);
            rc = manifest_decode(&env, &b, "m", &m);
            MUST(rc == RSP_OK || rc == RSP_EINTEGRITY || rc == RSP_EVERSION);
            if (rc) ck_assert_int_eq(error.code, rc);
            if (i < 8) ck_assert_int_eq(rc, RSP_EINTEGRITY);
            manifest_free(m);
        }
    buf_free(&whole);
}
END_TEST

/* ---- built by hand ---- */

/* What is wrong with it. */
enum wrong {
    GOOD,
    UNKNOWN_ANCILLARY,
    STREAM_ANCILLARY,
    NO_STREAM,
    MAGIC,
    VERSION_2,
    VERSION_SIZE,
    VERSION_CALM,
    VERSION_TWICE,
    NO_SNAPSHOT,
    SNAPSHOT_SIZE,
    NO_SOURCE,
    SOURCE_BLANK,
    SOURCE_LONG,
    TIME_TWICE,
    TIME_SIZE,
    TIME_CRITICAL,
    UNKNOWN_CRITICAL,
    OUT_OF_ORDER,
    TRAILING,
    SERVER_TWICE,
    SERVER_CUT,
    SERVER_CRITICAL,
    PAIR_NAME,
    PAIR_CUT,
    DB_SIZE,
    STREAM_NO_NAME,
    STREAM_EMPTY_NAME,
    STREAM_NO_KIND,
    STREAM_KIND_3,
    STREAM_NO_FORM,
    STREAM_FORM_2,
    STREAM_NO_SIZE,
    STREAM_NAME_TWICE,
    STREAM_DD1,
    STREAM_BASE,
    STREAM_CRITICAL,
    STREAM_CUT,
    POSITION_TWICE,
    POSITION_SIZE,
    POSITION_CUT,
    POSITION_CRITICAL,
    REF_SHORT,
    REF_LONG,
    REF_KIND,
    REF_HUGE,
    REF_GAP,
    REF_OVERLAP,
    REF_SUM,
    WRONG_N
};

static int verdict(enum wrong w)
{
    switch (w) {
    case GOOD:
    case UNKNOWN_ANCILLARY:
    case STREAM_ANCILLARY:
    case NO_STREAM: return RSP_OK;
    case VERSION_2:
    case TIME_CRITICAL:
    case UNKNOWN_CRITICAL:
    case SERVER_CRITICAL:
    case STREAM_KIND_3:
    case STREAM_FORM_2:
    case STREAM_CRITICAL:
    case POSITION_CRITICAL: return RSP_EVERSION;
    default: return RSP_EINTEGRITY;
    }
}

static void build_position(struct buf *b, enum wrong w)
{
    size_t at;
    MUST(!item_begin(b, 4, &at));
    MUST(!item_add(b, 1, "id", 2));
    MUST(!(w == POSITION_SIZE ? item_u32(b, 2, 1) : item_u64(b, 2, 1)));
    if (w == POSITION_TWICE) MUST(!item_u64(b, 2, 1));
    if (w == POSITION_CRITICAL) MUST(!item_u64(b, C(6), 1));
    if (w == POSITION_CUT) MUST(!buf_byte(b, 1));
    MUST(!item_end(b, at));
}

static void build_ref(struct buf *b, enum wrong w, uint64_t offset, int second)
{
    size_t at;
    uint8_t pad[65] = {0};
    uint64_t plain = w == REF_HUGE && !second ? OBJECT_PLAIN_MAX + 1 : 100;
    if (second && w == REF_GAP) offset++;
    if (second && w == REF_OVERLAP) offset--;
    MUST(!item_begin(b, C(16), &at));
    MUST(!buf_byte(b, w == REF_KIND ? OBJECT_MANIFEST : OBJECT_DATA));
    MUST(!buf_add(b, pad, 16) && !buf_add(b, pad, 16) && !buf_u64(b, plain) && !buf_add(b, pad, 32));
    MUST(!buf_u64(b, offset) && !buf_add(b, pad, w == REF_SHORT ? 7 : 8));
    if (w == REF_LONG) MUST(!buf_add(b, pad, 65));
    MUST(!item_end(b, at));
}

static void build_stream(struct buf *b, enum wrong w)
{
    size_t at;
    MUST(!item_begin(b, C(16), &at));
    if (w != STREAM_NO_NAME) MUST(!item_add(b, C(1), "dump", w == STREAM_EMPTY_NAME ? 0 : 4));
    if (w == STREAM_NAME_TWICE) MUST(!item_add(b, C(1), "dump", 4));
    if (w != STREAM_NO_KIND) MUST(!item_u8(b, C(2), w == STREAM_KIND_3 ? 3 : 1));
    if (w != STREAM_NO_FORM) MUST(!item_u8(b, C(3), w == STREAM_FORM_2 ? 2 : 1));
    build_position(b, w);
    if (w != STREAM_NO_SIZE)
        MUST(!item_u64(b, C(5), w == REF_SUM ? 201 : w == REF_HUGE ? OBJECT_PLAIN_MAX + 101 : 200));
    MUST(!item_add(b, 6, "0123456789abcdef", w == STREAM_BASE ? 15 : 16));
    MUST(!item_add(b, 7, "0123456789abcdef", w == STREAM_DD1 ? 15 : 16));
    if (w == STREAM_ANCILLARY) MUST(!item_u64(b, 9, 1));
    if (w == STREAM_CRITICAL) MUST(!item_u64(b, C(9), 1));
    build_ref(b, w, 0, 0);
    build_ref(b, w, w == REF_HUGE ? OBJECT_PLAIN_MAX + 1 : 100, 1);
    if (w == STREAM_CUT) MUST(!buf_byte(b, 1));
    MUST(!item_end(b, at));
}

static void build_server(struct buf *b, enum wrong w)
{
    size_t at;
    MUST(!item_begin(b, 6, &at));
    MUST(!item_add(b, 1, "redis", 5));
    if (w == SERVER_TWICE) MUST(!item_add(b, 1, "redis", 5));
    if (w == SERVER_CRITICAL) MUST(!item_add(b, C(9), "redis", 5));
    if (w == SERVER_CUT) MUST(!buf_byte(b, 1));
    MUST(!item_end(b, at));
}

static void build(struct buf *b, enum wrong w)
{
    static const char blanks[] = "a b", name[] = "cache";
    uint8_t zeros[256] = {0};
    MUST(!buf_add(b, w == MAGIC ? "RSPMAN2\n" : "RSPMAN1\n", 8));
    MUST(!(w == VERSION_SIZE ? item_u64(b, C(1), 1)
                             : item_u32(b, w == VERSION_CALM ? 1 : C(1), w == VERSION_2 ? 2 : 1)));
    if (w == VERSION_TWICE) MUST(!item_u32(b, C(1), 1));
    if (w != NO_SNAPSHOT) MUST(!item_add(b, C(2), zeros, w == SNAPSHOT_SIZE ? 17 : 16));
    memset(zeros, 'x', sizeof zeros);
    if (w == SOURCE_LONG) MUST(!item_add(b, C(3), zeros, 201));
    else if (w != NO_SOURCE) MUST(!item_add(b, C(3), w == SOURCE_BLANK ? blanks : name, 3));
    if (w == OUT_OF_ORDER) MUST(!item_u64(b, 5, 1));
    MUST(!(w == TIME_SIZE ? item_u32(b, 4, 1) : item_u64(b, w == TIME_CRITICAL ? C(4) : 4, 1)));
    if (w == TIME_TWICE) MUST(!item_u64(b, 4, 1));
    build_server(b, w);
    MUST(!(w == PAIR_CUT ? item_u8(b, 7, 1) : item_pair(b, 7, "n", 1, "v", 1)));
    if (w == PAIR_NAME) b->p[b->n - 4] = 3;
    MUST(!item_add(b, 8, zeros, w == DB_SIZE ? 19 : 20));
    if (w == UNKNOWN_ANCILLARY) MUST(!item_u64(b, 13, 1));
    if (w == UNKNOWN_CRITICAL) MUST(!item_u64(b, C(13), 1));
    if (w != NO_STREAM) build_stream(b, w);
    if (w == TRAILING) MUST(!buf_byte(b, 0));
}

START_TEST(hostile)
{
    struct manifest *m;
    struct buf b;
    int rc;
    buf_init(&b, &env);
    build(&b, (enum wrong)_i);
    rc = manifest_decode(&env, &b, "manifests/x", &m);
    ck_assert_int_eq(rc, verdict((enum wrong)_i));
    if (rc) {
        MUST(!m && error.code == rc && error.has_offset);
        ck_assert_str_eq(error.subject, "manifests/x");
    } else {
        MUST(m->pub.streams_n == (_i == NO_STREAM ? 0 : 1));
    }
    manifest_free(m);
}
END_TEST

/* What the reader would refuse is not written. */
START_TEST(refused)
{
    static char long_name[MANIFEST_NAME_MAX + 1];
    struct rsp_manifest m = {.size = sizeof m, .source = SPAN("a b")};
    struct rsp_stream_info s = {.name = {(const uint8_t *)long_name, sizeof long_name}, .kind = RSP_STREAM_RDB};
    struct buf b;
    buf_init(&b, &env);
    ck_assert_int_eq(manifest_encode(&b, &m, NULL, 0), RSP_EINVAL);
    rsp_error_clear(&error);
    ck_assert_int_eq(manifest_stream_encode(&b, &s, NULL, 0), RSP_EINVAL);
    s.name.n = 0;
    ck_assert_int_eq(manifest_stream_encode(&b, &s, NULL, 0), RSP_EINVAL);
    rsp_error_clear(&error);
    m.source = SPAN("a");
    m.aux_n = MANIFEST_ENTRIES_MAX + 1;
    ck_assert_int_eq(manifest_encode(&b, &m, NULL, 0), RSP_ELIMIT);
    buf_free(&b);
}
END_TEST

struct failing {
    long left;
    long held;
};

static void *failing_resize(void *opaque, void *p, size_t old_size, size_t new_size)
{
    struct failing *a = opaque;
    void *q;
    (void)old_size;
    if (!new_size) {
        if (p) a->held--;
        free(p);
        return NULL;
    }
    if (a->left-- <= 0) return NULL;
    q = realloc(p, new_size);
    if (q && !p) a->held++;
    return q;
}

START_TEST(no_memory)
{
    int rc = RSP_ENOMEM;
    long n;
    for (n = 0; rc == RSP_ENOMEM && n < 1000; n++) {
        struct failing a = {n, 0};
        struct rsp_error words = {0};
        struct rsp_env given = {.size = sizeof given, .error = &words, .resize = failing_resize, .resize_opaque = &a},
                       e;
        struct manifest *m = NULL;
        struct buf b;
        env_init(&e, &given);
        buf_init(&b, &e);
        encode_full(&e, &b, &rc);
        if (!rc) rc = manifest_decode(&e, &b, "m", &m);
        else buf_free(&b);
        MUST(rc == RSP_OK || rc == RSP_ENOMEM);
        ck_assert_int_eq(words.code, rc);
        if (!rc) check_full(m);
        manifest_free(m);
        ck_assert_int_eq(a.held, 0);
    }
    ck_assert_int_eq(rc, RSP_OK);
    MUST(n > 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("manifest");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, cut);
    tcase_add_test(t, flipped);
    tcase_add_loop_test(t, hostile, 0, WRONG_N);
    tcase_add_test(t, refused);
    tcase_add_test(t, no_memory);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
