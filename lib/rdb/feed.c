/* What this is: the feed: windows over blocks, scanned into batches.
 * Rests on: feed.h, base/crc64.h.
 * Does not: read by itself (blocks.c) nor know opcodes (scan.c). */
#include "rdb/feed.h"

#include <string.h>

#include "base/crc64.h"
#include "rdb/templates.h"

struct rsp_rdb_feed {
    struct rsp_env env;
    struct rsp_env own; /* as env, but with the record below: a fault is told only when its turn comes */
    struct rsp_error error;
    struct rsp_source *source;
    char name[128];
    struct blocks *blocks;
    struct scan scan;
    struct rsp_rdb_templates *templates;
    struct block *block; /* being scanned */
    const uint8_t *p;    /* its window */
    size_t n;
    struct buf left; /* what the window before left over */
    size_t target;   /* left has outgrown a block's front: collect so much before looking again */
    size_t crc_at;   /* in left: where the bytes begin that crc does not cover */
    uint64_t crc, seq;
    uint64_t sum;        /* of all blocks taken so far */
    const uint8_t *view; /* the source shows its bytes itself: no copies */
    size_t view_n;
    int no_crc, status, done, dead;
    int late;    /* the source's fault behind the file's last byte: feed_rest tells it */
    int partial; /* block is not full: the source may bring more for it */
    int crc_done;
    uint64_t wait_crc; /* of the file before scan.wait_from */
    uint64_t crc_computed;
    struct buf rest;        /* bytes behind the file, when the source does not show them itself */
    struct rsp_span behind; /* when it does */
};

int rsp_rdb_feed_new(const struct rsp_env *env, struct rsp_source *source, const struct rsp_rdb_feed_options *options,
                     struct rsp_rdb_feed **ret)
{
    struct rsp_rdb_feed_options o = {0};
    struct rsp_rdb_feed *f = NULL;
    struct rsp_span view;
    struct rsp_env e;
    int rc = RSP_ENOMEM;
    env_init(&e, env);
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    f = mem_zero(&e, sizeof *f);
    if (!f) return rc;
    f->env = f->own = e;
    f->own.error = &f->error;
    f->source = source;
    f->no_crc = o.no_crc;
    for (size_t i = 0; i + 1 < sizeof f->name && rsp_source_name(source)[i]; i++)
        f->name[i] = rsp_source_name(source)[i];
    buf_init(&f->left, &f->own);
    buf_init(&f->rest, &f->own);
    scan_init(&f->scan, &f->own, f->name, NULL, o.skim);
    if (rsp_source_view(source, &view) == RSP_OK) {
        f->view = view.p;
        f->view_n = view.n;
    }
    rc = templates_new(&e, &f->templates);
    if (rc) goto out;
    f->scan.templates = f->templates;
    rc = blocks_new(&f->own, source, &o, f, &f->blocks);
    if (rc) goto out;
    *ret = f;
    return RSP_OK;
out:
    if (e.error && !e.error->code) *e.error = f->error;
    rsp_rdb_feed_free(f);
    return rc;
}

/* Puts what is left over before the block's new bytes. */
static void join_front(struct rsp_rdb_feed *f, struct block *k)
{
    if (f->view) {
        f->p = f->view + f->scan.base;
        f->n = (size_t)(k->new + k->new_n - f->p);
        return;
    }
    f->p = k->new - f->left.n;
    if (f->left.n) memcpy((uint8_t *)(uintptr_t)f->p, f->left.p, f->left.n);
    f->n = f->left.n + k->new_n;
    f->left.n = 0;
}

/* left has outgrown the front: the block's bytes go behind it. *ready: enough is there, or the source is dry for
 * now and what is there has not been looked at; the block has then taken left over as its own memory. */
static int join_left(struct rsp_rdb_feed *f, struct block *k, int dry, int *ready)
{
    int rc;
    if (!f->target) {
        f->crc = k->crc;
        f->crc_at = f->left.n;
        f->target = f->left.n * 2;
    }
    rc = buf_add(&f->left, k->new, k->new_n);
    if (rc) return rc;
    dry = dry && (f->left.n > f->crc_at || (f->scan.wait && f->scan.base + f->left.n > f->scan.wait_from));
    *ready = dry || k->status != RSP_OK || f->left.n >= f->target;
    if (!*ready) return RSP_OK;
    if (dry) f->scan.wait = 0; /* look, whether it is worth it or not */
    mem_free(&f->own, k->mem, k->mem_n);
    k->mem = f->left.p;
    k->mem_n = f->left.cap;
    k->new = k->mem + f->crc_at;
    k->new_n = f->left.n - f->crc_at;
    k->crc = f->crc;
    f->p = k->mem;
    f->n = f->left.n;
    buf_init(&f->left, &f->own);
    f->target = 0;
    return RSP_OK;
}

/* Takes a complete block's bytes into the sum; once per block. */
static void sum_block(struct rsp_rdb_feed *f, struct block *k)
{
    if (f->no_crc) return;
    k->crc = f->sum;
    if (k->own_crc_known) f->sum = crc64_join(f->sum, k->own_crc, k->new_n);
    else f->sum = crc64(f->sum, k->new, k->new_n);
}

/* The next window. RSP_OK: f->block, f->p, f->n; partial when the source may bring more for the same block. */
static int next_window(struct rsp_rdb_feed *f)
{
    f->partial = 0;
    for (;;) {
        struct block *k = NULL;
        int ready = 1, again, rc = blocks_next(f->blocks, &k);
        if (rc < 0) f->error = *blocks_error(f->blocks);
        if (rc < 0) return rc;
        if (rc == RSP_END || !k) return RSP_ESTATE;
        if (f->view || (f->left.n <= BLOCK_FRONT && !f->target)) {
            if (f->block == k) /* grown since the last look */
                f->n = (size_t)(k->new + k->new_n - f->p);
            else join_front(f, k);
            f->block = k;
            f->partial = rc == RSP_AGAIN;
            if (!f->partial) sum_block(f, k);
            else k->crc = f->sum;
            return RSP_OK;
        }
        again = rc == RSP_AGAIN;
        if (again) blocks_settle(f->blocks, k);
        sum_block(f, k);
        rc = join_left(f, k, again, &ready);
        if (!rc && ready) {
            f->block = k;
            return RSP_OK;
        }
        blocks_release(f->blocks, k);
        if (rc || again) return rc ? rc : RSP_AGAIN;
    }
}

static void publish(struct rsp_rdb_feed *f, struct block *k)
{
    struct rsp_rdb_batch *b = &k->pub;
    b->p = f->p;
    b->n = f->n;
    b->offset = f->scan.base;
    b->seq = f->seq++;
    b->items = k->out.items;
    b->count = k->out.n;
    b->walks = k->out.walks;
    b->templates = f->templates;
    b->dialect = f->scan.dialect;
    b->version = f->scan.version;
    b->server_n = f->scan.server_n;
    b->open_key.p = k->open_key.p;
    b->open_key.n = k->open_key.n;
}

/* The EOF opcode has just been seen: in the block's new bytes, or in those before them that the scan has not
 * looked at since it waits for more. No later window shows it again. */
static void sum_up(struct rsp_rdb_feed *f, const struct block *k)
{
    uint64_t crc = k->crc, from = f->scan.base + (uint64_t)(k->new - f->p);
    f->crc_done = 1;
    if (f->no_crc || f->scan.version < 5) return;
    if (f->scan.eof_offset < from) {
        crc = f->wait_crc;
        from = f->scan.wait_from;
    }
    f->crc_computed = crc64(crc, f->p + (from - f->scan.base), (size_t)(f->scan.eof_offset - from));
}

static int finish(struct rsp_rdb_feed *f)
{
    f->done = 1;
    blocks_stop(f->blocks);
    f->behind.p = f->p + f->scan.at;
    f->behind.n = f->view ? f->view_n - (size_t)f->scan.base - f->scan.at : f->n - f->scan.at;
    if (f->view) return RSP_END;
    return buf_add(&f->rest, f->behind.p, f->behind.n) ? RSP_ENOMEM : RSP_END;
}

/* Scans the window; afterwards f->status says how it goes on. */
static int scan_window(struct rsp_rdb_feed *f)
{
    struct block *k = f->block;
    size_t keep = 0;
    int rc, partial = f->partial;
    if (f->scan.parts && !k->out.n && !k->open_key.n) {
        k->open_key.env = &f->own; /* not the record of the thread that reads */
        rc = buf_add(&k->open_key, f->scan.open_key.p, f->scan.open_key.n);
        if (rc) return rc;
        k->pub.open_offset = f->scan.open_offset;
    }
    rc = scan_run(&f->scan, f->p, f->n, !partial && k->status >= 0, !partial && k->status == RSP_END, &k->out, &keep);
    if (f->scan.phase >= SCAN_CRC && !f->crc_done) sum_up(f, k);
    if (f->scan.wait && f->scan.wait_from == f->scan.base + f->n) f->wait_crc = f->sum;
    if (rc == RSP_OK && partial) return RSP_AGAIN;
    if (rc == RSP_OK && k->status < 0) {
        rc = k->status;
        f->error = *blocks_error(f->blocks);
    }
    publish(f, k);
    if (rc == RSP_OK) {
        if (!f->view) rc = buf_add(&f->left, f->p + keep, f->n - keep);
        scan_move(&f->scan, keep);
    } else if (rc == RSP_END) {
        rc = finish(f);
        if (k->status < 0) {
            f->late = k->status;
            f->error = *blocks_error(f->blocks);
        }
    } else if (f->scan.phase == SCAN_VALUE && !f->scan.parts) {
        scan_note_key(&f->scan, f->p);
    }
    f->status = rc;
    return RSP_OK;
}

static int tell(struct rsp_rdb_feed *f, int rc)
{
    if (rc < 0) {
        f->dead = 1;
        if (f->env.error && !f->env.error->code) *f->env.error = f->error;
    }
    return rc;
}

int rsp_rdb_feed_next(struct rsp_rdb_feed *f, struct rsp_rdb_batch **ret)
{
    if (f->dead) return RSP_ESTATE;
    for (;;) {
        struct block *k;
        int rc;
        if (f->status) return tell(f, f->status);
        rc = next_window(f);
        if (!rc) rc = scan_window(f);
        if (rc) return tell(f, rc);
        k = f->block;
        f->block = NULL;
        if (f->partial) blocks_settle(f->blocks, k);
        f->partial = 0;
        if (k->out.n || f->scan.skim) {
            *ret = &k->pub;
            return RSP_OK;
        }
        blocks_release(f->blocks, k);
    }
}

void rsp_rdb_batch_release(struct rsp_rdb_batch *batch)
{
    struct block *k = (struct block *)batch;
    if (k) blocks_release(k->feed->blocks, k);
}

static uint8_t crc_state(const struct rsp_rdb_feed *f)
{
    if (!f->done || f->scan.version < 5) return RSP_RDB_CRC_NONE;
    if (!f->scan.crc_stored) return RSP_RDB_CRC_DISABLED;
    if (f->no_crc) return RSP_RDB_CRC_NONE;
    return f->scan.crc_stored == f->crc_computed ? RSP_RDB_CRC_OK : RSP_RDB_CRC_WRONG;
}

void rsp_rdb_feed_tell(struct rsp_rdb_feed *f, struct rsp_rdb_feed_info *info)
{
    struct rsp_rdb_feed_info i = {0};
    i.size = info->size;
    i.dialect = f->scan.dialect;
    i.version = f->scan.version;
    i.complete = (uint8_t)f->done;
    i.crc_state = crc_state(f);
    i.offset = f->scan.base + f->scan.at;
    i.crc_offset = f->scan.eof_offset;
    i.crc_stored = f->scan.crc_stored;
    i.crc_computed = f->crc_computed;
    i.keys = f->scan.keys;
    i.expires = f->scan.expires;
    i.db = f->scan.db;
    if (f->status < 0 && f->scan.phase == SCAN_VALUE) {
        i.key.p = f->scan.open_key.p ? f->scan.open_key.p : (const uint8_t *)"";
        i.key.n = f->scan.open_key.n;
    }
    memcpy(info, &i, info->size < sizeof i ? info->size : sizeof i);
}

int rsp_rdb_feed_rest(struct rsp_rdb_feed *f, size_t want, struct rsp_span *view)
{
    if (!f->done || want > 4096) return RSP_ESTATE;
    if (f->late) return tell(f, f->late);
    while (f->rest.n < want && !f->view) {
        struct block *k = NULL;
        int rc = blocks_next(f->blocks, &k), end;
        if (rc == RSP_END) break;
        if (rc == RSP_AGAIN) blocks_settle(f->blocks, k);
        if (rc < 0) return tell(f, rc);
        end = rc == RSP_AGAIN || k->status != RSP_OK;
        rc = buf_add(&f->rest, k->new, k->new_n < 4096 ? k->new_n : 4096);
        if (!rc && k->status < 0) {
            rc = f->late = k->status;
            f->error = *blocks_error(f->blocks);
        }
        blocks_release(f->blocks, k);
        if (rc) return tell(f, rc);
        if (end) break;
    }
    if (feed_drawn(f, view)) return RSP_ESTATE;
    if (view->n > want) view->n = want;
    return RSP_OK;
}

int feed_drawn(const struct rsp_rdb_feed *f, struct rsp_span *view)
{
    if (!f->done) return RSP_ESTATE;
    view->p = f->view ? f->behind.p : f->rest.p;
    view->n = f->view ? f->behind.n : f->rest.n;
    return RSP_OK;
}

void rsp_rdb_feed_free(struct rsp_rdb_feed *f)
{
    if (!f) return;
    if (f->block && !f->partial) blocks_release(f->blocks, f->block); /* a partial one is still with blocks.c */
    blocks_free(f->blocks);
    templates_free(f->templates);
    scan_free(&f->scan);
    buf_free(&f->left);
    buf_free(&f->rest);
    mem_free(&f->env, f, sizeof *f);
}
