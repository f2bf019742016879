/* What this is: keys per database and AUX fields from a scan.
 * Rests on: facts.h.
 * Does not: keep more than a manifest should hold: the dump has it all. */
#include "job/facts.h"

#define AUX_PAIRS 256
#define AUX_TEXT 4096    /* of one value; longer ones (scripts of old servers) are left to the dump */
#define AUX_BYTES 65536u /* of all */
#define DBS_MOST 16384u  /* rows */

struct facts_pair {
    size_t at, name_n, value_n; /* in text */
};

void facts_init(struct facts *f, const struct rsp_env *env)
{
    memset(f, 0, sizeof *f);
    env_init(&f->env, env);
    buf_init(&f->dbs, &f->env);
    buf_init(&f->pairs, &f->env);
    buf_init(&f->text, &f->env);
    buf_init(&f->aux, &f->env);
}

static struct rsp_db_count *rows(struct facts *f)
{
    return (struct rsp_db_count *)(void *)f->dbs.p;
}

/* *ret becomes NULL when there are too many databases to tell them all. */
static int find_db(struct facts *f, uint32_t db, struct rsp_db_count **ret)
{
    struct rsp_db_count row = {db, 0, 0};
    size_t n = f->dbs.n / sizeof row, low = 0, high = n;
    int rc;
    *ret = NULL;
    if (f->db < n && rows(f)[f->db].db == db) {
        *ret = &rows(f)[f->db];
        return RSP_OK;
    }
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (rows(f)[mid].db < db) low = mid + 1;
        else high = mid;
    }
    if (low == n || rows(f)[low].db != db) {
        if (n >= DBS_MOST) return RSP_OK;
        rc = buf_add(&f->dbs, &row, sizeof row);
        if (rc) return rc;
        memmove(&rows(f)[low + 1], &rows(f)[low], (n - low) * sizeof row);
        rows(f)[low] = row;
    }
    f->db = low;
    *ret = &rows(f)[low];
    return RSP_OK;
}

/* A field that cannot be read is the check's matter. */
static int add_aux(struct facts *f, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct facts_pair pair = {f->text.n, 0, 0};
    struct rsp_env quiet = f->env;
    struct rsp_span name, value;
    int rc;
    if (i->end - i->start > 2 * AUX_TEXT || f->pairs.n >= AUX_PAIRS * sizeof pair) return RSP_OK;
    quiet.error = NULL;
    rc = rsp_rdb_batch_string(&quiet, b, i->key, &f->name, &name);
    if (!rc) rc = rsp_rdb_batch_string(&quiet, b, i->value, &f->value, &value);
    if (rc) return rc == RSP_ENOMEM ? fail(&f->env, rc, NULL, "cannot keep an AUX field") : RSP_OK;
    if (name.n > AUX_TEXT || value.n > AUX_TEXT || f->text.n + name.n + value.n > AUX_BYTES) return RSP_OK;
    pair.name_n = name.n;
    pair.value_n = value.n;
    rc = buf_add(&f->text, name.p, name.n);
    if (!rc) rc = buf_add(&f->text, value.p, value.n);
    return rc ? rc : buf_add(&f->pairs, &pair, sizeof pair);
}

int facts_scanned(struct facts *f, const struct rsp_rdb_batch *b)
{
    struct rsp_db_count *row = NULL;
    for (size_t k = 0; k < b->count; k++) {
        const struct rsp_rdb_item *i = &b->items[k];
        int rc = RSP_OK;
        if (i->kind == RSP_RDB_AUX) rc = add_aux(f, b, i);
        if (i->kind == RSP_RDB_KEY && (i->flags & RSP_ITEM_FIRST)) {
            if (!row || row->db != i->db) rc = find_db(f, i->db, &row);
            if (row) {
                row->keys++;
                row->expires += (i->flags & RSP_ITEM_EXPIRE) != 0;
            }
            f->keys++;
        }
        if (rc) return rc;
    }
    return RSP_OK;
}

int facts_add(struct facts *to, const struct facts *from)
{
    const struct rsp_db_count *more = (const struct rsp_db_count *)(const void *)from->dbs.p;
    int rc = RSP_OK;
    for (size_t i = 0; !rc && i < from->dbs.n / sizeof *more; i++) {
        struct rsp_db_count *row;
        rc = find_db(to, more[i].db, &row);
        if (rc || !row) continue;
        row->keys += more[i].keys;
        row->expires += more[i].expires;
    }
    to->keys += from->keys;
    if (rc || to->pairs.n) return rc;
    rc = buf_add(&to->text, from->text.p, from->text.n);
    return rc ? rc : buf_add(&to->pairs, from->pairs.p, from->pairs.n);
}

static int is(struct rsp_span s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

static struct rsp_span span_of(const char *text)
{
    struct rsp_span s = {(const uint8_t *)text, strlen(text)};
    return s;
}

int facts_fill(struct facts *f, struct rsp_manifest *m)
{
    const struct facts_pair *pairs = (const struct facts_pair *)(const void *)f->pairs.p;
    f->aux.n = 0;
    m->server_kind = span_of("file");
    for (size_t i = 0; i < f->pairs.n / sizeof *pairs; i++) {
        struct rsp_pair p = {{f->text.p + pairs[i].at, pairs[i].name_n},
                             {f->text.p + pairs[i].at + pairs[i].name_n, pairs[i].value_n}};
        int rc = buf_add(&f->aux, &p, sizeof p);
        if (rc) return rc;
        if (is(p.name, "redis-ver") || is(p.name, "valkey-ver")) {
            m->server_kind = span_of(p.name.p[0] == 'r' ? "redis" : "valkey");
            m->server_version = p.value;
        }
    }
    m->aux = (const struct rsp_pair *)(const void *)f->aux.p;
    m->aux_n = f->aux.n / sizeof(struct rsp_pair);
    m->dbs = rows(f);
    m->dbs_n = f->dbs.n / sizeof(struct rsp_db_count);
    return RSP_OK;
}

void facts_free(struct facts *f)
{
    buf_free(&f->dbs);
    buf_free(&f->pairs);
    buf_free(&f->text);
    buf_free(&f->aux);
    rsp_scratch_free(&f->env, &f->name);
    rsp_scratch_free(&f->env, &f->value);
}
