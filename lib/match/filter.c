/* What this is: the conditions that say which keys are meant, and their verdict.
 * Rests on: ere.h, range.h.
 * Does not: change after the last rsp_filter_add: matching only reads. */
#include <respite/sys/filter.h>

#include <string.h>

#include <respite/rdb.h>

#include "base/mem.h"
#include "match/ere.h"
#include "match/range.h"

#define SLOT_MAX 16383
#define DB_MAX UINT32_MAX

enum pattern_kind { KEY_GLOB, NOT_GLOB, KEY_ERE, NOT_ERE, PATTERN_KINDS };
enum range_kind { DB_RANGE, SIZE_RANGE, TTL_RANGE, SLOT_RANGE, RANGE_KINDS };
enum { TTL_NONE = 1, TTL_ANY = 2, TTL_EXPIRED = 4 };

struct pattern {
    struct pattern *next;
    struct ere *ere; /* KEY_ERE, NOT_ERE */
    char *glob;      /* KEY_GLOB, NOT_GLOB */
    size_t n;        /* of glob, without its terminator */
};

struct range_item {
    struct range_item *next;
    struct range range;
};

struct rsp_filter {
    struct rsp_env env;
    int64_t now_ms;
    unsigned types;     /* bits of the accepted value types; 0: all */
    unsigned ttl_words; /* TTL_NONE, TTL_ANY, TTL_EXPIRED */
    struct pattern *pattern[PATTERN_KINDS];
    struct range_item *range[RANGE_KINDS];
};

int rsp_filter_new(const struct rsp_env *env, struct rsp_filter **ret)
{
    struct rsp_env full;
    struct rsp_filter *f;
    if (!ret) return RSP_EINVAL;
    *ret = NULL;
    env_init(&full, env);
    f = mem_zero(&full, sizeof *f);
    if (!f) return RSP_ENOMEM;
    f->env = full;
    f->now_ms = full.now_ms(full.clock_opaque);
    *ret = f;
    return RSP_OK;
}

static void pattern_free(struct rsp_filter *f, struct pattern *p)
{
    ere_free(p->ere);
    if (p->glob) mem_free(&f->env, p->glob, p->n + 1);
    mem_free(&f->env, p, sizeof *p);
}

static int add_pattern(struct rsp_filter *f, const char *name, enum pattern_kind kind, const char *text)
{
    struct pattern *p = mem_zero(&f->env, sizeof *p);
    int rc = RSP_OK;
    if (!p) return RSP_ENOMEM;
    p->n = strlen(text);
    if (kind == KEY_ERE || kind == NOT_ERE) rc = ere_new(&f->env, name, text, p->n, &p->ere);
    else if (!(p->glob = mem_strdup(&f->env, text))) rc = RSP_ENOMEM;
    if (rc) {
        pattern_free(f, p);
        return rc;
    }
    p->next = f->pattern[kind];
    f->pattern[kind] = p;
    return RSP_OK;
}

static int add_range(struct rsp_filter *f, enum range_kind kind, const struct range *range)
{
    struct range_item *item = mem_alloc(&f->env, sizeof *item);
    if (!item) return RSP_ENOMEM;
    item->range = *range;
    item->next = f->range[kind];
    f->range[kind] = item;
    return RSP_OK;
}

static int bad_text(struct rsp_filter *f, const char *name, const char *text, size_t n, const char *why)
{
    char shown[80];
    printable(shown, sizeof shown, (const uint8_t *)text, n);
    return fail(&f->env, RSP_EINVAL, name, "'%s': %s", shown, why);
}

static int add_type(struct rsp_filter *f, const char *text, size_t n, const char **why)
{
    static const struct {
        const char *word;
        int type;
    } words[] = {
        {"string", RSP_RDB_STRING}, {"str", RSP_RDB_STRING},     {"list", RSP_RDB_LIST},   {"set", RSP_RDB_SET},
        {"zset", RSP_RDB_ZSET},     {"sortedset", RSP_RDB_ZSET}, {"hash", RSP_RDB_HASH},   {"sorted-set", RSP_RDB_ZSET},
        {"hashmap", RSP_RDB_HASH},  {"stream", RSP_RDB_STREAM},  {"array", RSP_RDB_ARRAY}, {"module", RSP_RDB_MODULE},
    };
    *why = "no type: string, list, set, zset, hash, stream, array or module";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!range_word(text, n, words[i].word)) continue;
        f->types |= 1U << words[i].type;
        return 1;
    }
    return 0;
}

/* Lists with commas: types, dbs, slots. A list that is wrong in a later member has added its
 * earlier ones, which does not matter: its caller gives up. */
static int add_list(struct rsp_filter *f, const char *name, const char *text)
{
    const char *member = text;
    for (;;) {
        size_t n = strcspn(member, ",");
        const char *why = NULL;
        struct range range;
        int rc = RSP_OK;
        if (!strcmp(name, "type")) {
            if (!add_type(f, member, n, &why)) return bad_text(f, name, member, n, why);
        } else {
            int slot = !strcmp(name, "slot");
            if (!range_parse_numbers(member, n, slot ? SLOT_MAX : DB_MAX, &range, &why))
                return bad_text(f, name, member, n, why);
            rc = add_range(f, slot ? SLOT_RANGE : DB_RANGE, &range);
        }
        if (rc) return rc;
        member += n;
        if (!*member) return RSP_OK;
        member++;
    }
}

static int add_ttl(struct rsp_filter *f, const char *name, const char *text)
{
    size_t n = strlen(text);
    struct range range;
    const char *why;
    unsigned word = 0;
    if (range_word(text, n, "none")) word = TTL_NONE;
    else if (range_word(text, n, "any")) word = TTL_ANY;
    else if (range_word(text, n, "expired")) word = TTL_EXPIRED;
    f->ttl_words |= word;
    if (word) return RSP_OK;
    if (!strchr(text, '~')) return bad_text(f, name, text, n, "neither a range 'from~to' nor none, any or expired");
    if (!range_parse(text, n, range_duration, &range, &why)) return bad_text(f, name, text, n, why);
    return add_range(f, TTL_RANGE, &range);
}

static int add_now(struct rsp_filter *f, const char *name, const char *text)
{
    uint64_t v;
    size_t n = strlen(text);
    if (!range_number(text, n, &v) || v > INT64_MAX)
        return bad_text(f, name, text, n, "not milliseconds since the epoch");
    f->now_ms = (int64_t)v;
    return RSP_OK;
}

int rsp_filter_add(struct rsp_filter *f, const char *name, const char *text)
{
    static const char *const patterns[PATTERN_KINDS] = {"key", "not-key", "key-regex", "not-key-regex"};
    struct range range;
    const char *why;
    if (!f) return RSP_EINVAL;
    if (!name || !text) return fail(&f->env, RSP_EINVAL, NULL, "a filter needs a name and a text");
    for (int i = 0; i < PATTERN_KINDS; i++)
        if (!strcmp(name, patterns[i])) return add_pattern(f, name, (enum pattern_kind)i, text);
    if (!strcmp(name, "type") || !strcmp(name, "db") || !strcmp(name, "slot")) return add_list(f, name, text);
    if (!strcmp(name, "ttl")) return add_ttl(f, name, text);
    if (!strcmp(name, "now")) return add_now(f, name, text);
    if (strcmp(name, "size") != 0) return fail(&f->env, RSP_EINVAL, name, "no such filter");
    if (!range_parse(text, strlen(text), range_size, &range, &why)) return bad_text(f, name, text, strlen(text), why);
    return add_range(f, SIZE_RANGE, &range);
}

int rsp_filter_empty(const struct rsp_filter *f)
{
    if (!f) return 1;
    if (f->types || f->ttl_words) return 0;
    for (int i = 0; i < PATTERN_KINDS; i++)
        if (f->pattern[i]) return 0;
    for (int i = 0; i < RANGE_KINDS; i++)
        if (f->range[i]) return 0;
    return 1;
}

int64_t rsp_filter_now_ms(const struct rsp_filter *f)
{
    return f->now_ms;
}

/* Whether any of the list holds v; an empty list holds everything. */
static int in_ranges(const struct range_item *item, uint64_t v)
{
    if (!item) return 1;
    for (; item; item = item->next)
        if (v >= item->range.from && v <= item->range.to) return 1;
    return 0;
}

static int any_pattern(const struct pattern *p, struct rsp_span key)
{
    for (; p; p = p->next)
        if (p->ere ? ere_match(p->ere, key.p, key.n) : rsp_glob_match(p->glob, p->n, key.p, key.n)) return 1;
    return 0;
}

/* A key lives through the millisecond of its expiry, as in the server. */
static int ttl_holds(const struct rsp_filter *f, const struct rsp_key_facts *facts)
{
    if (!f->ttl_words && !f->range[TTL_RANGE]) return 1;
    if (!facts->has_expire) return (f->ttl_words & TTL_NONE) != 0;
    if (f->ttl_words & TTL_ANY) return 1;
    if (facts->expire_ms < f->now_ms) return (f->ttl_words & TTL_EXPIRED) != 0;
    return f->range[TTL_RANGE] && in_ranges(f->range[TTL_RANGE], (uint64_t)facts->expire_ms - (uint64_t)f->now_ms);
}

static int size_verdict(const struct rsp_filter *f, const struct rsp_key_facts *facts)
{
    const struct range_item *item = f->range[SIZE_RANGE];
    int verdict = RSP_FILTER_REFUSE;
    if (!item) return RSP_FILTER_ACCEPT;
    if (facts->size_known) return in_ranges(item, facts->size_bytes) ? RSP_FILTER_ACCEPT : RSP_FILTER_REFUSE;
    for (; item; item = item->next) {
        if (facts->size_bytes > item->range.to) continue;
        if (facts->size_bytes >= item->range.from && item->range.to == UINT64_MAX) return RSP_FILTER_ACCEPT;
        verdict = RSP_FILTER_UNSURE;
    }
    return verdict;
}

int rsp_filter_match(const struct rsp_filter *f, const struct rsp_key_facts *facts)
{
    struct rsp_span key;
    if (!f) return RSP_FILTER_ACCEPT;
    key = facts->key;
    if (f->types && (facts->value_type < 0 || facts->value_type > 31 || !(f->types >> facts->value_type & 1)))
        return RSP_FILTER_REFUSE;
    if (!in_ranges(f->range[DB_RANGE], facts->db)) return RSP_FILTER_REFUSE;
    if (!ttl_holds(f, facts)) return RSP_FILTER_REFUSE;
    if (f->range[SLOT_RANGE] && !in_ranges(f->range[SLOT_RANGE], rsp_key_slot(key))) return RSP_FILTER_REFUSE;
    if (f->pattern[KEY_GLOB] && !any_pattern(f->pattern[KEY_GLOB], key)) return RSP_FILTER_REFUSE;
    if (any_pattern(f->pattern[NOT_GLOB], key)) return RSP_FILTER_REFUSE;
    if (f->pattern[KEY_ERE] && !any_pattern(f->pattern[KEY_ERE], key)) return RSP_FILTER_REFUSE;
    if (any_pattern(f->pattern[NOT_ERE], key)) return RSP_FILTER_REFUSE;
    return size_verdict(f, facts);
}

void rsp_filter_free(struct rsp_filter *f)
{
    struct rsp_env env;
    if (!f) return;
    env = f->env;
    for (int i = 0; i < PATTERN_KINDS; i++) {
        struct pattern *p, *next;
        for (p = f->pattern[i]; p; p = next) {
            next = p->next;
            pattern_free(f, p);
        }
    }
    for (int i = 0; i < RANGE_KINDS; i++) {
        struct range_item *item, *next;
        for (item = f->range[i]; item; item = next) {
            next = item->next;
            mem_free(&env, item, sizeof *item);
        }
    }
    mem_free(&env, f, sizeof *f);
}
