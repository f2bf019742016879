/* What this is: what `info` keeps of the opcodes that belong to no key.
 * Rests on: stats.h.
 * Does not: count records (stats.c). */
#include <stdlib.h>
#include <string.h>

#include "rdbtool/stats_impl.h"

static size_t cut(size_t n)
{
    return n < STATS_TEXT_MAX ? n : STATS_TEXT_MAX;
}

static int list_add(struct stats_list *list, struct rsp_span a, struct rsp_span b, uint64_t number)
{
    struct stats_pair *pair;
    list->total++;
    if (list->n == STATS_LIST_MAX) return RSP_OK;
    if (!list->pairs && !(list->pairs = calloc(STATS_LIST_MAX, sizeof *list->pairs))) return RSP_ENOMEM;
    pair = &list->pairs[list->n];
    pair->a_n = cut(a.n);
    pair->b_n = cut(b.n);
    pair->number = number;
    pair->p = malloc(pair->a_n + pair->b_n + 1);
    if (!pair->p) return RSP_ENOMEM;
    if (pair->a_n) memcpy(pair->p, a.p, pair->a_n);
    if (pair->b_n) memcpy(pair->p + pair->a_n, b.p, pair->b_n);
    list->n++;
    return RSP_OK;
}

/* A word of the first line, "#!engine name=NAME ...": what stands behind prefix. */
static struct rsp_span shebang(struct rsp_span code, const char *prefix)
{
    struct rsp_span word = {(const uint8_t *)"", 0};
    const uint8_t *nl = code.n ? memchr(code.p, '\n', code.n) : NULL;
    size_t line = nl ? (size_t)(nl - code.p) : code.n, k = strlen(prefix), last;
    if (line < 2 || memcmp(code.p, "#!", 2)) return word;
    last = prefix[0] == '#' ? 0 : line; /* "#!" only at the beginning */
    for (size_t i = 0; i <= last && i + k <= line; i++) {
        size_t n = 0;
        if (memcmp(code.p + i, prefix, k)) continue;
        while (i + k + n < line && !memchr(" \t\r", code.p[i + k + n], 3)) n++;
        word.p = code.p + i + k;
        word.n = n;
        return word;
    }
    return word;
}

static int function(struct stats *s, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_span code, name, engine;
    int rc = rsp_rdb_batch_string(&s->env, b, i->value, &s->scratch, &code);
    if (rc) return rc;
    name = shebang(code, " name=");
    engine = shebang(code, "#!");
    if (i->type == 0xf6) { /* release candidates of 7.0: the name stands apart */
        engine.n = 0;
        rc = rsp_rdb_batch_string(&s->env, b, i->key, &s->scratch2, &name);
    }
    return rc ? rc : list_add(&s->functions, name, engine, code.n);
}

static int aux(struct stats *s, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_span name, value;
    int rc = rsp_rdb_batch_string(&s->env, b, i->key, &s->scratch, &name);
    if (!rc) rc = rsp_rdb_batch_string(&s->env, b, i->value, &s->scratch2, &value);
    return rc ? rc : list_add(&s->aux, name, value, 0);
}

int stats_opcode(struct stats *s, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    switch (i->kind) {
    case RSP_RDB_AUX: return aux(s, b, i);
    case RSP_RDB_FUNCTION: return function(s, b, i);
    case RSP_RDB_MODULE_AUX:
        if (s->modules_n < STATS_LIST_MAX) {
            struct stats_module *m = &s->modules[s->modules_n];
            m->id = (uint64_t)i->expire_ms;
            m->when = i->idle_s;
            m->bytes = i->end - i->start;
        }
        s->modules_n++;
        return RSP_OK;
    case RSP_RDB_HASH_TEMPLATE:
        s->templates++;
        s->template_fields += i->idle_s;
        s->template_bytes += i->end - i->start;
        return RSP_OK;
    case RSP_RDB_SLOT_INFO:
        s->slots++;
        s->slot_keys += i->idle_s;
        return RSP_OK;
    case RSP_RDB_SLOT_IMPORT: s->slot_imports++; return RSP_OK;
    case RSP_RDB_UPDATE: s->updates++; return RSP_OK;
    default: return RSP_OK;
    }
}

struct rsp_span stats_aux(const struct stats *s, const char *name)
{
    struct rsp_span none = {NULL, 0}, value;
    for (size_t i = 0; i < s->aux.n; i++) {
        const struct stats_pair *pair = &s->aux.pairs[i];
        if (pair->a_n != strlen(name) || memcmp(pair->p, name, pair->a_n)) continue;
        value.p = pair->p + pair->a_n;
        value.n = pair->b_n;
        return value;
    }
    return none;
}
