/* What this is: database after database, page after page of SCAN, without the keys that were there before.
 * Rests on: scan.h.
 * Does not: ask for values. */
#include <stdio.h>

#include "repl/scan.h"

#define COUNT "512"

int scan_next_db(struct scan *c)
{
    const struct scan_db *dbs = (const struct scan_db *)(const void *)c->dbs.p;
    const struct rsp_reply *reply;
    char words[32];
    int rc;
    c->db = c->db == SIZE_MAX ? 0 : c->db + 1;
    if (c->db >= c->dbs.n / sizeof *dbs) return RSP_END;
    snprintf(words, sizeof words, "SELECT %u", dbs[c->db].db);
    rc = rsp_server_do(c->s, words, &reply);
    if (!rc) rc = seen_begin(&c->seen, dbs[c->db].keys);
    c->selected = c->begun = 0;
    memcpy(c->cursor, "0", 2);
    return rc;
}

static int malformed(struct scan *c)
{
    return fail(&c->env, RSP_EFORMAT, c->s->name, "SCAN: the answer is none that a server gives");
}

static int take_cursor(struct scan *c, const struct rsp_reply *r)
{
    if (r->type != RSP_REPLY_BULK || !r->text.n || r->text.n > 20) return malformed(c);
    for (size_t i = 0; i < r->text.n; i++)
        if (r->text.p[i] < '0' || r->text.p[i] > '9') return malformed(c);
    server_span_copy(c->cursor, sizeof c->cursor, r->text);
    return RSP_OK;
}

static int take_keys(struct scan *c, const struct rsp_reply *list)
{
    if (list->type != RSP_REPLY_ARRAY) return malformed(c);
    for (const struct rsp_reply *r = list->child; r; r = r->next) {
        struct scan_key k = {c->page.n, r->text.n};
        int fresh, rc;
        if (r->type != RSP_REPLY_BULK) return malformed(c);
        rc = seen_add(&c->seen, r->text, &fresh);
        if (!rc && fresh) rc = r->text.n ? buf_add(&c->page, r->text.p, r->text.n) : RSP_OK;
        if (!rc && fresh) rc = buf_add(&c->keys, &k, sizeof k);
        if (rc) return rc;
    }
    return RSP_OK;
}

int scan_next_page(struct scan *c)
{
    const struct rsp_reply *reply;
    char words[64];
    int rc;
    if (c->begun && !strcmp(c->cursor, "0")) return RSP_END;
    if ((rc = pull_settled(&c->in))) return rc;
    snprintf(words, sizeof words, "SCAN %s COUNT " COUNT, c->cursor);
    rc = rsp_server_do(c->s, words, &reply);
    if (rc) return rc;
    c->page.n = c->keys.n = 0;
    c->key = c->sent = 0;
    c->begun = 1;
    if (reply->type != RSP_REPLY_ARRAY || reply->n != 2) return malformed(c);
    rc = take_cursor(c, reply->child);
    return rc ? rc : take_keys(c, reply->child->next);
}
