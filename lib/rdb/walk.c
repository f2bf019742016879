/* What this is: the machine that runs the programs of types.c over bytes.
 * Rests on: walk.h, templates.h, enc/lzf.h.
 * Does not: keep anything but its small state, so it can stop and go on at any token. */
#include "rdb/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "enc/lzf.h"
#include "rdb/score.h"
#include "rdb/templates.h"

static const struct walk_step *program_of(const struct rsp_rdb_walk *w)
{
    return rdb_type(w->dialect, w->type)->program;
}

void walk_start(struct rsp_rdb_walk *w, int dialect, int type)
{
    memset(w, 0, sizeof *w);
    w->dialect = (uint8_t)dialect;
    w->type = (uint8_t)type;
}

static int is_paths(const struct rsp_rdb_walk *w)
{
    return w->dialect == RSP_RDB_VALKEY && w->type == 23;
}

int walk_uncuttable(const struct rsp_rdb_walk *w)
{
    return w->type == 7 || (w->dialect == RSP_RDB_REDIS && (w->type == 29 || w->type == 31));
}

static void open_loop(struct rsp_rdb_walk *w, const struct walk_step *prog, uint64_t count)
{
    w->op++;
    w->count = count;
    if (count) {
        w->loop_op[w->depth] = w->op;
        w->left[w->depth++] = count;
        return;
    }
    for (int nested = 0;; w->op++) { /* past the matching OP_NEXT */
        if (prog[w->op].op == OP_NEXT && nested-- == 0) break;
        if (prog[w->op].op == OP_LOOP || prog[w->op].op == OP_LOOP_REG) nested++;
    }
    w->op++;
}

/* Runs the steps that take no bytes. 1 when a cut is allowed here, 2 when a depth-1 iteration ended;
 * RSP_EFORMAT through *bad. */
static int settle(struct rsp_rdb_walk *w, const struct walk_step *prog, const struct rsp_rdb_templates *templates,
                  int *bad)
{
    int seen = 0;
    for (;;) {
        switch (prog[w->op].op) {
        case OP_NEXT:
            seen |= w->depth == 1 ? 3 : 1;
            if (--w->left[w->depth - 1]) {
                w->op = w->loop_op[w->depth - 1];
            } else {
                w->depth--;
                w->op++;
            }
            break;
        case OP_JUMP: w->op = (uint8_t)(w->op + 1 + prog[w->op].arg); break;
        case OP_BACK: w->op = (uint8_t)(w->op - 2); break;
        case OP_LOOP_REG:
            if (w->dialect == RSP_RDB_REDIS && w->type == 32) {
                const struct rdb_template *t = templates_find(templates, w->reg);
                if (!t) {
                    *bad = 1;
                    return seen;
                }
                open_loop(w, prog, t->count);
            } else {
                open_loop(w, prog, w->reg);
            }
            seen |= 1;
            break;
        default: return seen;
        }
    }
}

/* So many bytes of a listpack string always show its header, compressed or not. */
#define COUNT_BYTES 64
static const char no_count[] = "the template's field names are not a listpack that tells its element count";

/* The element count in a listpack's header, from the n visible bytes of the string that holds it. */
static int listpack_count(const uint8_t *body, size_t n, const struct rdb_str *s, uint64_t *count)
{
    uint8_t head[6];
    if (s->enc == RSP_STR_RAW && s->n >= 7) {
        memcpy(head, body, 6);
    } else if (s->enc == RSP_STR_LZF && s->n >= 7 && lzf_plausible(s->body, s->n)) {
        struct lzf_stream z;
        size_t in_pos = 0, out_pos = 0;
        lzf_stream_init(&z, s->n);
        if (lzf_stream_step(&z, body, n, &in_pos, head, sizeof head, &out_pos, NULL) < 0) return -1;
        if (out_pos < sizeof head) return -1;
    } else {
        return -1;
    }
    *count = load_le16(head + 4);
    return *count == 65535 ? -1 : 0;
}

static int bad_at(struct window *win, const char *why)
{
    win->why = why;
    return RSP_EFORMAT;
}

/* One OP_STR or its like. */
static inline int take_str(struct rsp_rdb_walk *w, struct window *win, const struct walk_step *step,
                           struct rsp_rdb_token *t)
{
    const uint8_t *p = win->p + win->at;
    size_t avail = win->end - win->at;
    struct rdb_str s;
    int have;
    if (w->mid) { /* inside a big string */
        size_t n = w->str_left < avail ? (size_t)w->str_left : avail;
        if (!n && w->str_left) return RSP_AGAIN;
        w->str_left -= n;
        if (t) {
            t->kind = RSP_TOK_PART;
            t->part_first = 0;
            t->enc = w->str_enc;
            t->body.p = p, t->body.n = n;
            t->n = w->str_left;
            t->part_last = w->str_left == 0;
        }
        win->at += n;
        if (!w->str_left) {
            w->mid = 0;
            w->op++;
        }
        return RSP_OK;
    }
    have = str_head(p, avail, &s);
    if (have <= 0) return have ? bad_at(win, "not a string: invalid length or unknown special form") : RSP_AGAIN;
    if (s.enc == RSP_STR_LZF && !lzf_plausible(s.body, s.n))
        return bad_at(win, "the LZF string claims more bytes than its compressed form can hold");
    if (s.body > avail - s.head) {
        if (s.body <= RSP_RDB_BIG_BYTES) return RSP_AGAIN;
        if (step->op == OP_COUNT_STR) {
            if (avail - s.head < COUNT_BYTES) return RSP_AGAIN;
            if (listpack_count(p + s.head, avail - s.head, &s, &w->reg)) return bad_at(win, no_count);
        }
        w->mid = 1;
        w->str_enc = s.enc;
        w->str_n = s.n;
        w->str_left = s.body - (avail - s.head);
        if (t) {
            t->kind = RSP_TOK_PART;
            t->part_first = 1, t->part_last = 0;
            t->enc = s.enc;
            t->body.p = p + s.head, t->body.n = avail - s.head;
            t->n = w->str_left;
        }
        win->at = win->end;
        return RSP_OK;
    }
    if (t) {
        t->kind = RSP_TOK_STR;
        t->part_first = t->part_last = 1;
        t->enc = s.enc;
        t->body.p = p + s.head, t->body.n = (size_t)s.body;
        t->n = s.n;
        if (s.enc == RSP_STR_INT) t->i = str_int(p + s.head, s.body);
    }
    if (step->op == OP_COUNT_STR && listpack_count(p + s.head, (size_t)s.body, &s, &w->reg))
        return bad_at(win, no_count);
    win->at += s.head + (size_t)s.body;
    w->op++;
    return RSP_OK;
}

/* A number; -1 as the count of visible bytes means none is there. */
static inline int take_len(struct window *win, uint64_t *v)
{
    int n = len_read(win->p + win->at, win->end - win->at, v);
    if (n <= 0) return n ? bad_at(win, "not a length") : RSP_AGAIN;
    win->at += (size_t)n;
    return RSP_OK;
}

static int take_score(struct rsp_rdb_walk *w, struct window *win, struct rsp_rdb_token *t)
{
    const uint8_t *p = win->p + win->at;
    size_t avail = win->end - win->at;
    if (!avail) return RSP_AGAIN;
    if (p[0] < 253 && avail < 1u + p[0]) return RSP_AGAIN;
    if (t) {
        t->kind = RSP_TOK_SCORE;
        t->body.p = p + 1;
        t->body.n = p[0] < 253 ? p[0] : 0;
        t->tag = 0; /* 1: the text is not a number */
        if (p[0] == 255) t->d = -INFINITY;
        else if (p[0] == 254) t->d = INFINITY;
        else if (p[0] == 253) t->d = NAN;
        else t->tag = score_parse(t->body, &t->d) ? 1 : 0;
    }
    win->at += p[0] < 253 ? 1u + p[0] : 1u;
    w->op++;
    return RSP_OK;
}

static int take_module_item(struct rsp_rdb_walk *w, struct window *win, struct rsp_rdb_token *t)
{
    size_t at = win->at;
    uint64_t op, v;
    int rc = take_len(win, &op);
    if (rc) return rc;
    if (op == 1 || op == 2) {
        rc = take_len(win, &v);
        if (rc == RSP_AGAIN) win->at = at;
        if (rc) return rc;
    } else if (op == 3 || op == 4) {
        size_t n = op == 3 ? 4 : 8;
        if (win->end - win->at < n) {
            win->at = at;
            return RSP_AGAIN;
        }
        win->at += n;
    } else if (op == 5) {
        w->op++;
    } else if (op == 0) {
        w->op = (uint8_t)(w->op + 3);
    } else {
        win->at = at;
        return bad_at(win, "unknown opcode in a module's value");
    }
    if (t) {
        t->kind = RSP_TOK_MODULE;
        t->tag = (uint8_t)op;
        t->body.p = win->p + at, t->body.n = win->at - at;
    }
    return RSP_OK;
}

static int take_number(struct rsp_rdb_walk *w, struct window *win, const struct walk_step *prog,
                       const struct rsp_rdb_templates *templates, struct rsp_rdb_token *t)
{
    size_t at = win->at;
    uint8_t op = prog[w->op].op;
    uint64_t v;
    int rc = take_len(win, &v);
    if (rc) return rc;
    if (t) {
        t->kind = op == OP_LOOP ? RSP_TOK_LOOP : RSP_TOK_LEN;
        t->n = v;
    }
    switch (op) {
    case OP_LOOP:
        if (w->type == 31) w->reg = v; /* as many values as names follow */
        open_loop(w, prog, v);
        return RSP_OK;
    case OP_LEN_REG: w->reg = v; break;
    case OP_OPTION:
    case OP_FORMAT:
        if (v > 1) {
            win->at = at;
            return bad_at(win,
                          op == OP_OPTION ? "a flag that is neither 0 nor 1" : "unknown format of a template's fields");
        }
        if (op == OP_OPTION && !v) w->op++;
        if (op == OP_FORMAT && v) w->op = (uint8_t)(w->op + 2);
        break;
    case OP_TAG:
        if (v > 3) {
            win->at = at;
            return bad_at(win, "unknown tag of an array's element");
        }
        w->reg = v;
        break;
    case OP_TEMPLATE:
        if (!templates_find(templates, v)) {
            win->at = at;
            return bad_at(win, "the hash refers to a template that the file does not define");
        }
        w->reg = v;
        break;
    default: break;
    }
    w->op++;
    return RSP_OK;
}

static int take_fixed(struct rsp_rdb_walk *w, struct window *win, size_t n, int role, struct rsp_rdb_token *t)
{
    if (win->end - win->at < n) return RSP_AGAIN;
    if (role == RSP_ROLE_MIN_EXPIRE) w->reg = load_le64(win->p + win->at);
    if (t) {
        t->kind = RSP_TOK_FIX;
        t->body.p = win->p + win->at, t->body.n = n;
    }
    win->at += n;
    w->op++;
    return RSP_OK;
}

static inline int take(struct rsp_rdb_walk *w, struct window *win, const struct walk_step *prog,
                       const struct rsp_rdb_templates *templates, struct rsp_rdb_token *t)
{
    const struct walk_step *step = &prog[w->op];
    switch (step->op) {
    case OP_END: return RSP_END;
    case OP_STR:
    case OP_COUNT_STR: return take_str(w, win, step, t);
    case OP_FIX: return take_fixed(w, win, step->arg, step->role, t);
    case OP_TAGGED:
        if (w->reg == 1 || w->reg == 2) return take_fixed(w, win, 8, step->role, t);
        return take_str(w, win, step, t);
    case OP_SCORE: return take_score(w, win, t);
    case OP_MODULE: return take_module_item(w, win, t);
    default: return take_number(w, win, prog, templates, t);
    }
}

int walk_token(struct rsp_rdb_walk *w, struct window *win, const struct rsp_rdb_templates *templates,
               struct rsp_rdb_token *token, int *passed_next)
{
    const struct walk_step *prog = program_of(w);
    int bad = 0, seen = w->mid ? 0 : settle(w, prog, templates, &bad);
    if (passed_next) *passed_next = seen & 2;
    if (bad) return bad_at(win, "the hash refers to a template that the file does not define");
    token->role = prog[w->op].role;
    return take(w, win, prog, templates, token);
}

/* The bulk of most files: loops whose iterations are strings only. Passes whole iterations; stops
 * before the first that is not wholly visible or not plain. w stands at an iteration's start. */
static void skip_strings(struct rsp_rdb_walk *w, struct window *win, unsigned per_iteration)
{
    const uint8_t *p = win->p + win->at, *end = win->p + win->end, *whole = p;
    uint64_t left = w->left[w->depth - 1], done = 0;
    while (done + 1 < left) { /* the last one is left to the machine */
        for (unsigned k = 0; k < per_iteration; k++) {
            struct rdb_str s;
            if (p < end && p[0] < 0x40) {
                size_t n = 1u + p[0];
                if (n > (size_t)(end - p)) goto out;
                p += n;
                continue;
            }
            if (str_head(p, (size_t)(end - p), &s) <= 0 || s.body > (size_t)(end - p) - s.head) goto out;
            if (s.enc == RSP_STR_LZF && !lzf_plausible(s.body, s.n)) goto out;
            p += s.head + s.body;
        }
        whole = p;
        done++;
    }
out:
    win->at = (size_t)(whole - win->p);
    w->left[w->depth - 1] = left - done;
}

/* How many strings an iteration that starts at op consists of, when of nothing else; else 0. */
static unsigned strings_of(const struct walk_step *prog, uint8_t op)
{
    unsigned k = 0;
    while (prog[op + k].op == OP_STR) k++;
    return prog[op + k].op == OP_NEXT ? k : 0;
}

int walk_skip(struct rsp_rdb_walk *w, struct window *win, const struct rsp_rdb_templates *templates,
              struct walk_mark *mark)
{
    const struct walk_step *prog = program_of(w);
    int cuttable = mark && !walk_uncuttable(w), only_outer = is_paths(w);
    for (;;) {
        int bad = 0, rc, opened, seen = w->mid ? 0 : settle(w, prog, templates, &bad);
        if (bad) return bad_at(win, "the hash refers to a template that the file does not define");
        if (w->depth && (seen & 1) && !w->mid && w->op == w->loop_op[w->depth - 1]) {
            unsigned k = strings_of(prog, w->op);
            if (k) skip_strings(w, win, k);
        }
        if ((seen & (only_outer ? 2 : 1)) && cuttable) {
            mark->at = win->at;
            mark->walk = *w;
            mark->set = 1;
        }
        opened = prog[w->op].op == OP_LOOP;
        rc = take(w, win, prog, templates, NULL);
        if (rc) return rc;
        if (opened && cuttable && !only_outer && w->depth) {
            mark->at = win->at;
            mark->walk = *w;
            mark->set = 1;
        }
    }
}

void rsp_rdb_walk_init(struct rsp_rdb_walk *walk, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    if (item->flags & RSP_ITEM_FIRST) walk_start(walk, batch->dialect, item->type);
    else *walk = batch->walks[item->walk];
}

int rsp_rdb_walk_next(const struct rsp_env *env, struct rsp_rdb_walk *walk, const struct rsp_rdb_batch *batch,
                      uint32_t *at, uint32_t end, struct rsp_rdb_token *token)
{
    struct window win = {batch->p, *at, end, NULL};
    int rc;
    token->offset = batch->offset + *at;
    rc = walk_token(walk, &win, batch->templates, token, NULL);
    if (rc < 0) return fail_at(env, rc, NULL, batch->offset + win.at, "%s", win.why);
    *at = (uint32_t)win.at;
    return rc;
}
