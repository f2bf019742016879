/* What this is: one value of DUMP on its way into the RDB.
 * Rests on: scan.h, base/crc64.h.
 * Does not: look into values: whoever reads the RDB parses them. */
#include <respite/sys/rdb_batch.h>

#include "base/bytes.h"
#include "base/crc64.h"
#include "repl/scan.h"

#define META_MOST (4u << 20)
#define NO_SUM_SINCE 13 /* Redis servers of this RDB version on may leave the sum out */

int scan_footer(struct scan *c, const uint8_t footer[DUMP_FOOTER], uint64_t sum, const char *what, unsigned *version)
{
    uint64_t told = load_le64(footer + 2);
    *version = load_le16(footer);
    sum = crc64(sum, footer, 2);
    if (told == sum || (!told && *version >= NO_SUM_SINCE && *version < DUMP_VALKEY)) return RSP_OK;
    return fail(&c->env, RSP_ECHECKSUM, c->s->name,
                "%s came with a checksum that is not its own: look at the network, and at the server's memory", what);
}

static int malformed(struct scan *c)
{
    return fail(&c->env, RSP_EFORMAT, c->s->name, "DUMP gave a value that is none");
}

/* The first bytes, until the type byte is among them. *meta: bytes before it. */
static int take_head(struct scan *c, size_t *meta)
{
    int rc;
    c->head.n = 0;
    for (;;) {
        struct rsp_span some;
        rc = dump_meta(c->head.p, c->head.n, meta);
        if (rc == RSP_EFORMAT || c->head.n > META_MOST) return malformed(c);
        if (!rc) return RSP_OK;
        if (!c->left) return malformed(c);
        rc = pull_some(&c->in, c->left, &some);
        if (!rc) rc = buf_add(&c->head, some.p, some.n);
        if (rc) return rc;
        c->left -= some.n;
        c->sum = crc64(c->sum, some.p, some.n);
    }
}

static int write_record_head(struct scan *c, size_t meta)
{
    const struct scan_db *db = (const struct scan_db *)(const void *)c->dbs.p + c->db;
    struct rsp_span key = scan_key_name(c);
    int rc = RSP_OK;
    if (!c->selected) rc = rdb_put_select(&c->out, db->db);
    c->selected = 1;
    if (!rc && c->expiry >= 0) rc = rdb_put_expiry(&c->out, c->expiry);
    if (!rc && c->ranked >= 0)
        rc = c->rank == 'f' ? rdb_put_freq(&c->out, (uint8_t)c->ranked) : rdb_put_idle(&c->out, (uint64_t)c->ranked);
    if (!rc && meta) rc = buf_add(&c->out, c->head.p, meta);
    if (!rc) rc = buf_byte(&c->out, c->head.p[meta]);
    if (!rc) rc = rdb_put_string(&c->out, key.p, key.n);
    if (!rc && c->head.n > meta + 1) rc = buf_add(&c->out, c->head.p + meta + 1, c->head.n - meta - 1);
    return rc;
}

int scan_value_begin(struct scan *c, uint64_t bytes)
{
    int dialect = c->version >= DUMP_VALKEY ? RSP_RDB_VALKEY : RSP_RDB_REDIS;
    size_t meta = 0;
    int rc;
    if (bytes < DUMP_SHORTEST) return malformed(c);
    c->average = c->average - c->average / 8 + bytes / 8;
    c->left = bytes - DUMP_FOOTER;
    c->sum = 0;
    rc = take_head(c, &meta);
    if (rc) return rc;
    if ((meta && dialect != RSP_RDB_REDIS) || rsp_rdb_value_type(dialect, c->head.p[meta]) < 0) return malformed(c);
    return write_record_head(c, meta);
}

static int end(struct scan *c)
{
    uint8_t footer[DUMP_FOOTER + 2];
    unsigned version;
    int rc = pull_exact(&c->in, footer, sizeof footer);
    if (rc) return rc;
    if (memcmp(footer + DUMP_FOOTER, "\r\n", 2) != 0) return malformed(c);
    rc = scan_footer(c, footer, c->sum, "a value", &version);
    if (rc) return rc;
    /* An older form under a newer header is what files are made of; over the border between the two dialects, only what
     * both know. */
    if (version <= c->version && (c->version < DUMP_VALKEY || version >= DUMP_VALKEY || version <= 11)) return RSP_END;
    return fail(&c->env, RSP_EFORMAT, c->s->name, "a value of RDB version %u from a server that writes version %u",
                version, c->version);
}

int scan_value_more(struct scan *c)
{
    struct rsp_span some;
    int rc;
    if (!c->left) return end(c);
    rc = pull_some(&c->in, c->left, &some);
    if (!rc) rc = buf_add(&c->out, some.p, some.n);
    if (rc) return rc;
    c->left -= some.n;
    c->sum = crc64(c->sum, some.p, some.n);
    return RSP_OK;
}
