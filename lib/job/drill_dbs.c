/* What this is: how many keys each database has: over all streams, as the manifest says it.
 * Rests on: drill.h, respite/sys/digest.h.
 * Does not: know of slots. */
#include <inttypes.h>

#include "base/mem.h"
#include "job/drill.h"

#define DBS_TOLD 16384u /* a manifest tells of no more databases */

static const struct rsp_db_count *rows(const struct buf *b, size_t *n)
{
    *n = b->n / sizeof(struct rsp_db_count);
    return (const struct rsp_db_count *)(const void *)b->p;
}

/* The next one of the dump that has keys; 0: there is none. */
static int next_db(struct rsp_dd1_table *table, size_t *at, struct rsp_db_count *c)
{
    const struct rsp_dd1_row *row;
    while ((row = rsp_dd1_table_db(table, (*at)++, &c->db)) != NULL) {
        c->keys = row->keys;
        c->expires = row->expires;
        if (c->keys) return 1;
    }
    return 0;
}

/* Both ascend: merged. */
int drill_dbs_add(struct drill *d, struct rsp_dd1_table *table)
{
    struct rsp_db_count more;
    const struct rsp_db_count *old;
    size_t n, i = 0, at = 0;
    int rc = RSP_OK, left = next_db(table, &at, &more);
    struct buf b;
    buf_init(&b, &d->env);
    old = rows(&d->dbs, &n);
    while (!rc && (i < n || left) && b.n <= DBS_TOLD * sizeof more) { /* with more than that it differs already */
        struct rsp_db_count c;
        if (i < n && (!left || old[i].db <= more.db)) {
            c = old[i++];
            if (left && c.db == more.db) {
                c.keys += more.keys;
                c.expires += more.expires;
                left = next_db(table, &at, &more);
            }
        } else {
            c = more;
            left = next_db(table, &at, &more);
        }
        rc = buf_add(&b, &c, sizeof c);
    }
    if (rc) {
        buf_free(&b);
        return rc;
    }
    buf_free(&d->dbs);
    d->dbs = b;
    return RSP_OK;
}

int drill_dbs_same(struct drill *d)
{
    const struct rsp_manifest *m = d->m;
    const struct rsp_db_count *have;
    size_t n, i = 0;
    have = rows(&d->dbs, &n);
    if (m->dbs_n >= DBS_TOLD) return 1;
    for (; i < n; i++) {
        if (i < m->dbs_n && m->dbs[i].db == have[i].db && m->dbs[i].keys == have[i].keys &&
            m->dbs[i].expires == have[i].expires)
            continue;
        (void)drill_failed(d, "database %u: %" PRIu64 " keys, %" PRIu64 " with an expiry; the manifest says otherwise",
                           have[i].db, have[i].keys, have[i].expires);
        return 0;
    }
    if (i == m->dbs_n) return 1;
    (void)drill_failed(d, "database %u has no keys, the manifest says %" PRIu64, m->dbs[i].db, m->dbs[i].keys);
    return 0;
}
