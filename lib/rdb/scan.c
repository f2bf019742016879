/* What this is: the framing of an RDB file.
 * Rests on: scan.h; rdb.md sections 2, 3, 7, 15.
 * Does not: look inside a value; see walk.c for how it gets past one. */
#include "rdb/scan.h"

#include <string.h>

#include "enc/lzf.h"

/* A record that is not complete at the window's end is kept whole for the next window while it
 * shows no more than this; a larger one is cut. */
#define KEEP_WHOLE (256u << 10)
/* What may be kept when nothing can be cut: strings of an iteration that are not BIG by themselves. */
#define KEEP_MOST (4u * RSP_RDB_BIG_BYTES)
#define LOOK_AGAIN (64u << 10)

void scan_init(struct scan *s, const struct rsp_env *env, const char *name, struct rsp_rdb_templates *templates,
               int skim)
{
    memset(s, 0, sizeof *s);
    s->env = env;
    s->name = name;
    s->templates = templates;
    s->skim = skim;
    buf_init(&s->open_key, env);
}

void scan_free(struct scan *s)
{
    buf_free(&s->open_key);
}

void scan_move(struct scan *s, size_t by)
{
    uint32_t d = (uint32_t)by;
    s->base += by;
    s->at -= by;
    if (s->phase != SCAN_VALUE) return;
    s->rec.start -= d;
    s->rec.key -= d;
    s->rec.value -= d;
    s->rec.meta -= d;
    s->mark.at -= by;
}

static int fault(const struct scan *s, int code, size_t at, const char *why)
{
    return fail_at(s->env, code, s->name, s->base + at, "%s", why);
}

static int ended(const struct scan *s, size_t n)
{
    return fail_at(s->env, RSP_ETRUNCATED, s->name, s->base + n, "the data ends here, in the middle of %s",
                   s->phase == SCAN_HEADER  ? "the header"
                   : s->phase == SCAN_VALUE ? "a value"
                   : s->phase == SCAN_CRC   ? "the checksum"
                                            : "the records: no end-of-file opcode was seen");
}

static int put(struct scan *s, struct scan_out *out, const struct rsp_rdb_item *item)
{
    if (s->skim) return RSP_OK;
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 512;
        struct rsp_rdb_item *items = mem_resize(s->env, out->items, out->cap * sizeof *items, cap * sizeof *items);
        if (!items) return RSP_ENOMEM;
        out->items = items;
        out->cap = cap;
    }
    out->items[out->n++] = *item;
    return RSP_OK;
}

static int put_walk(struct scan *s, struct scan_out *out, const struct rsp_rdb_walk *walk, uint32_t *index)
{
    if (out->walks_n == out->walks_cap) {
        size_t cap = out->walks_cap ? out->walks_cap * 2 : 4;
        struct rsp_rdb_walk *walks = mem_resize(s->env, out->walks, out->walks_cap * sizeof *walks,
                                                cap * sizeof *walks);
        if (!walks) return RSP_ENOMEM;
        out->walks = walks;
        out->walks_cap = cap;
    }
    out->walks[out->walks_n] = *walk;
    *index = (uint32_t)out->walks_n++;
    return RSP_OK;
}

/* ---- header ---- */

static int header(struct scan *s, const uint8_t *p, size_t n, int final)
{
    size_t k = n < 9 ? n : 9, digits_at;
    int redis = !k || !memcmp(p, "REDIS", k < 5 ? k : 5), valkey = k && !memcmp(p, "VALKEY", k < 6 ? k : 6);
    unsigned version = 0;
    if (!redis && !valkey) return fault(s, RSP_EFORMAT, 0, "not an RDB file: it begins with neither REDIS nor VALKEY");
    if (n < 9) {
        if (!final) return RSP_AGAIN;
        return n ? ended(s, n) : fault(s, RSP_ETRUNCATED, 0, "the input is empty");
    }
    digits_at = redis ? 5 : 6;
    for (size_t i = digits_at; i < 9; i++) {
        if (p[i] < '0' || p[i] > '9')
            return fault(s, RSP_EFORMAT, 0, "not an RDB file: no version number behind the magic");
        version = version * 10 + (unsigned)(p[i] - '0');
    }
    if (redis ? version < 1 || version > 15 : version < 80 || version > 81)
        return fail_at(s->env, RSP_EVERSION, s->name, 0,
                       "%s RDB version %u is not supported (known: Redis 1-15, Valkey 80-81)",
                       redis ? "Redis" : "Valkey", version);
    s->dialect = redis ? RSP_RDB_REDIS : RSP_RDB_VALKEY;
    s->version = (uint16_t)version;
    for (int t = 0; t < RDB_TYPES; t++) s->types[t] = rdb_type(s->dialect, t);
    s->at = 9;
    s->phase = SCAN_ITEM;
    return RSP_OK;
}

/* ---- a record's head: attributes, type, key ---- */

static int unknown(const struct scan *s, size_t at, uint8_t byte)
{
    return fail_at(s->env, RSP_EUNSUPPORTED, s->name, s->base + at, "unknown %s %u in %s RDB version %u",
                   byte >= 0xf0 ? "opcode" : "value type", byte, s->dialect == RSP_RDB_REDIS ? "Redis" : "Valkey",
                   s->version);
}

static int key_meta(struct window *win, uint64_t limit)
{
    uint64_t classes;
    size_t at = win->at;
    int n = len_read(win->p + at + 1, win->end - at - 1, &classes), rc;
    if (n == 0) return RSP_AGAIN;
    if (n < 0 || classes < 1 || classes > 7) {
        win->at = at + 1;
        win->why = "key metadata of no class, or of more than 7";
        return RSP_EFORMAT;
    }
    win->at = at + 1 + (size_t)n;
    while (classes--) {
        if (win->end - win->at < 4) return RSP_AGAIN;
        win->at += 4;
        rc = scan_module_items(win);
        if (rc) return rc;
        if (win->at - at > limit) return RSP_ELIMIT;
    }
    return RSP_OK;
}

/* One attribute opcode at win->at, into rec. RSP_END: the byte is none. */
static int attribute(struct scan *s, struct window *win, struct rsp_rdb_item *rec)
{
    const uint8_t *p = win->p + win->at;
    size_t avail = win->end - win->at;
    uint64_t v;
    int n, rc;
    switch (p[0]) {
    case 0xfc:
        if (avail < 9) return RSP_AGAIN;
        rec->expire_ms = as_i64(load_le64(p + 1));
        rec->flags |= RSP_ITEM_EXPIRE;
        win->at += 9;
        return RSP_OK;
    case 0xfd:
        if (avail < 5) return RSP_AGAIN;
        rec->expire_ms = (int64_t)as_i32(load_le32(p + 1)) * 1000;
        rec->flags |= RSP_ITEM_EXPIRE;
        win->at += 5;
        return RSP_OK;
    case 0xf9:
        if (avail < 2) return RSP_AGAIN;
        rec->freq = p[1];
        rec->flags |= RSP_ITEM_FREQ;
        win->at += 2;
        return RSP_OK;
    case 0xf8:
        n = len_read(p + 1, avail - 1, &v);
        if (n == 0) return RSP_AGAIN;
        if (n < 0) {
            win->at++;
            win->why = "not a length";
            return RSP_EFORMAT;
        }
        rec->idle_s = v;
        rec->flags |= RSP_ITEM_IDLE;
        win->at += 1 + (size_t)n;
        return RSP_OK;
    case 0xf3:
        if (s->dialect != RSP_RDB_REDIS) return RSP_END;
        rec->meta = (uint32_t)win->at;
        rc = key_meta(win, s->env->limits.key_bytes);
        if (rc == RSP_ELIMIT) win->why = "key metadata larger than the limit for keys";
        rec->flags |= RSP_ITEM_META;
        return rc;
    default: return RSP_END;
    }
}

static int key_fault(const struct scan *s, size_t at, const struct rdb_str *str, int have)
{
    if (have < 0) return fault(s, RSP_EFORMAT, at, "the key is not a string: invalid length or unknown special form");
    if (str->body > s->env->limits.key_bytes || str->n > s->env->limits.key_bytes)
        return fail_at(s->env, RSP_ELIMIT, s->name, s->base + at,
                       "a key of %llu bytes is longer than the limit of %llu",
                       (unsigned long long)(str->n > str->body ? str->n : str->body),
                       (unsigned long long)s->env->limits.key_bytes);
    if (str->enc == RSP_STR_LZF && !lzf_plausible(str->body, str->n))
        return fault(s, RSP_EFORMAT, at, "the key's LZF form cannot hold the length it claims");
    return RSP_OK;
}

/* The first byte of a record is at s->at. RSP_OK: s->rec is filled in up to value, and s->at stands
 * there; RSP_AGAIN; RSP_END: an opcode that is no record stands at *opcode_at. */
static int head(struct scan *s, const uint8_t *p, size_t n, size_t *opcode_at)
{
    struct window win = {p, s->at, n, NULL};
    struct rsp_rdb_item rec;
    struct rdb_str str = {0};
    uint8_t type;
    int rc, have;
    if (s->detached) rec = s->rec;
    else memset(&rec, 0, sizeof rec);
    rec.start = (uint32_t)win.at;
    while (win.at < n && p[win.at] >= 0xf2 && !(rec.flags & RSP_ITEM_META)) {
        rc = attribute(s, &win, &rec);
        if (rc == RSP_END) {
            *opcode_at = win.at;
            s->rec = rec; /* what was read belongs to the next key */
            s->detached = rec.flags != 0;
            return RSP_END;
        }
        if (rc == RSP_AGAIN) return rc;
        if (rc) return fault(s, rc, win.at, win.why);
    }
    if (win.at == n) return RSP_AGAIN;
    type = p[win.at];
    if (type >= RDB_TYPES || !s->types[type]) return unknown(s, win.at, type);
    if (n - win.at < 2) return RSP_AGAIN;
    rec.type = type;
    rec.key = (uint32_t)(win.at + 1);
    have = str_head(p + rec.key, n - rec.key, &str);
    if (have == 0) return RSP_AGAIN;
    if (have < 0 || str.body > 64 || str.n > 64) {
        rc = key_fault(s, rec.key, &str, have);
        if (rc) return rc;
    }
    if (str.body > n - rec.key - str.head) return RSP_AGAIN;
    rec.value = rec.key + str.head + (uint32_t)str.body;
    rec.kind = RSP_RDB_KEY;
    rec.db = s->db;
    if (!(rec.flags & RSP_ITEM_EXPIRE)) rec.expire_ms = RSP_RDB_NO_EXPIRE;
    s->rec = rec;
    s->detached = 0;
    s->at = rec.value;
    return RSP_OK;
}

/* ---- values ---- */

int scan_note_key(struct scan *s, const uint8_t *p)
{
    struct rdb_str str;
    char digits[I64_TEXT];
    int rc;
    s->open_key.n = 0;
    s->open_offset = s->base + s->rec.start;
    if (str_head(p + s->rec.key, SIZE_MAX / 2, &str) <= 0) return RSP_OK;
    if (str.enc == RSP_STR_RAW) return buf_add(&s->open_key, p + s->rec.key + str.head, (size_t)str.n);
    if (str.enc == RSP_STR_INT)
        return buf_add(&s->open_key, digits, i64_text(digits, str_int(p + s->rec.key + str.head, str.body)));
    rc = buf_reserve(&s->open_key, (size_t)str.n);
    if (rc) return rc;
    if (!lzf_inflate((struct rsp_span){p + s->rec.key + str.head, (size_t)str.body}, s->open_key.p, (size_t)str.n,
                     NULL))
        s->open_key.n = (size_t)str.n;
    return RSP_OK;
}

/* Hands out [rec.value, end) as the record's next part. */
static int part(struct scan *s, const uint8_t *p, struct scan_out *out, size_t end, int last,
                const struct rsp_rdb_walk *next)
{
    struct rsp_rdb_item item = s->rec;
    int rc;
    item.end = (uint32_t)end;
    item.flags = (uint8_t)(item.flags | (s->parts ? 0 : RSP_ITEM_FIRST) | (last ? RSP_ITEM_LAST : 0) |
                           (s->parts || !last ? RSP_ITEM_CUT : 0) | (s->big ? RSP_ITEM_BIG : 0));
    if (s->parts) {
        item.start = item.value;
        if (!s->skim) {
            rc = put_walk(s, out, &s->part_walk, &item.walk);
            if (rc) return rc;
        }
    } else {
        s->keys++;
        if (item.flags & RSP_ITEM_EXPIRE) s->expires++;
        if (!last) {
            rc = scan_note_key(s, p);
            if (rc) return rc;
        }
    }
    rc = put(s, out, &item);
    s->parts = 1;
    s->rec.value = (uint32_t)end;
    if (next) s->part_walk = *next;
    return rc;
}

/* The window shows no more and cannot grow: what to hand out, what to keep. */
static int cut(struct scan *s, const uint8_t *p, size_t n, struct scan_out *out, size_t *keep)
{
    size_t from = s->parts ? s->rec.value : s->rec.start;
    int rc = RSP_OK;
    *keep = from;
    if (!s->big && n - from <= KEEP_WHOLE && !s->walk.mid) return RSP_OK;
    if (s->mark.set && s->mark.at > s->rec.value) {
        struct rsp_rdb_walk next = s->mark.walk;
        rc = part(s, p, out, s->mark.at, 0, &next);
        s->big = 0;
        *keep = s->rec.value;
        if (rc || (n - s->rec.value <= KEEP_WHOLE && !s->walk.mid)) return rc;
    }
    if (s->walk.mid || s->big || walk_uncuttable(&s->walk) || n - *keep > KEEP_MOST) {
        struct rsp_rdb_walk next = s->walk;
        s->big = 1;
        rc = part(s, p, out, s->at, 0, &next);
        *keep = s->rec.value;
    }
    return rc;
}

/* Goes on with the value of the record under way. */
static int value(struct scan *s, const uint8_t *p, size_t n, int full, int final, struct scan_out *out, size_t *keep)
{
    struct window win = {p, s->at, n, NULL};
    int rc;
    if (s->big) { /* a BIG part ends where an ordinary one may begin */
        s->mark.set = 0;
    }
    rc = walk_skip(&s->walk, &win, s->templates, &s->mark);
    s->at = win.at;
    if (rc < 0) return fault(s, rc, win.at, win.why);
    if (rc == RSP_END) {
        if (s->big && s->mark.set && s->mark.at > s->rec.value && s->mark.at < win.at) {
            struct rsp_rdb_walk next = s->mark.walk;
            rc = part(s, p, out, s->mark.at, 0, &next);
            if (rc) return rc;
            s->big = 0;
        }
        rc = part(s, p, out, win.at, 1, NULL);
        s->phase = SCAN_ITEM;
        s->parts = s->big = 0;
        return rc;
    }
    if (final) return ended(s, n);
    *keep = s->parts ? s->rec.value : s->rec.start;
    if (full) {
        rc = cut(s, p, n, out, keep);
        if (rc) return rc;
    }
    return RSP_AGAIN;
}

static void value_begin(struct scan *s)
{
    walk_start(&s->walk, s->dialect, s->rec.type);
    s->mark.set = 0;
    s->mark.at = s->rec.value;
    s->parts = s->big = 0;
    s->phase = SCAN_VALUE;
}

/* ---- the loop ---- */

static int opcode(struct scan *s, const uint8_t *p, size_t n, size_t at, struct scan_out *out)
{
    struct window win = {p, at, n, NULL};
    struct rsp_rdb_item item;
    int rc;
    if (p[at] == 0xff) {
        s->at = at + 1;
        s->eof_offset = s->base + s->at;
        s->phase = SCAN_CRC;
        return RSP_OK;
    }
    rc = scan_opcode(s, &win, &item);
    if (rc == RSP_EUNSUPPORTED) return unknown(s, at, p[at]);
    if (rc < 0) return win.why ? fault(s, rc, win.at, win.why) : rc;
    if (rc) return rc;
    item.start = (uint32_t)s->at; /* a key's attributes before it are among its bytes, so that none is in no event */
    s->at = win.at;
    return put(s, out, &item);
}

static int checksum(struct scan *s, const uint8_t *p, size_t n)
{
    if (s->version >= 5) {
        if (n - s->at < 8) return RSP_AGAIN;
        s->crc_stored = load_le64(p + s->at);
        s->at += 8;
    }
    s->phase = SCAN_DONE;
    return RSP_END;
}

/* The hot path: as many whole records whose value is one short string as there are. */
static int plain_records(struct scan *s, const uint8_t *p, size_t n, struct scan_out *out)
{
    size_t at = s->at;
    uint64_t keys = 0, expires = 0;
    struct rsp_rdb_item item;
    int rc = RSP_OK;
    memset(&item, 0, sizeof item);
    item.kind = RSP_RDB_KEY;
    item.db = s->db;
    while (n - at > 16) {
        size_t start = at, key, val;
        struct rdb_str str;
        item.flags = RSP_ITEM_FIRST | RSP_ITEM_LAST;
        item.expire_ms = RSP_RDB_NO_EXPIRE;
        if (p[at] == 0xfc) {
            item.expire_ms = as_i64(load_le64(p + at + 1));
            item.flags |= RSP_ITEM_EXPIRE;
            at += 9;
        }
        item.type = p[at];
        if (item.type >= RDB_TYPES || !s->types[item.type] || !s->types[item.type]->single) goto slow;
        key = at + 1;
        if (p[key] >= 0x40 && p[key] != 0xc0) goto slow;
        val = key + 1 + (p[key] < 0x40 ? p[key] : 1u);
        if (val >= n) goto slow;
        if (str_head(p + val, n - val, &str) <= 0 || str.body > n - val - str.head) goto slow;
        if (str.enc == RSP_STR_LZF && !lzf_plausible(str.body, str.n)) goto slow;
        at = val + str.head + (size_t)str.body;
        keys++;
        if (item.flags & RSP_ITEM_EXPIRE) expires++;
        if (s->skim) continue;
        item.start = (uint32_t)start;
        item.key = (uint32_t)key;
        item.value = (uint32_t)val;
        item.end = (uint32_t)at;
        rc = put(s, out, &item);
        if (rc) break;
        continue;
slow:
        at = start;
        break;
    }
    s->at = at;
    s->keys += keys;
    s->expires += expires;
    return rc;
}

/* Neither a key nor an opcode can be cut. What is not complete is looked at again only when there is twice as
 * much of it, as long as more is sure to come. */
static int not_complete(struct scan *s, size_t n, int full)
{
    uint64_t most = s->env->limits.alloc_bytes < UINT32_MAX / 2 ? s->env->limits.alloc_bytes : UINT32_MAX / 2;
    size_t have = n - s->at;
    if (have > most)
        return fail_at(s->env, RSP_ELIMIT, s->name, s->base + s->at, "an opcode or a key of more than %llu bytes",
                       (unsigned long long)most);
    s->wait = full && have > LOOK_AGAIN ? 2 * have : 0;
    s->wait_from = s->base + n;
    return RSP_AGAIN;
}

/* A record's head, or an opcode with what stands before it. */
static int item(struct scan *s, const uint8_t *p, size_t n, int full, struct scan_out *out)
{
    struct rsp_rdb_item rec = s->rec;
    size_t opcode_at = s->at;
    int detached = s->detached, rc = head(s, p, n, &opcode_at);
    s->wait = 0;
    if (rc == RSP_OK) value_begin(s);
    if (rc == RSP_AGAIN) return not_complete(s, n, full);
    if (rc != RSP_END) return rc;
    rc = opcode(s, p, n, opcode_at, out);
    if (rc != RSP_AGAIN) return rc;
    s->rec = rec; /* both will be looked at again */
    s->detached = detached;
    return not_complete(s, n, full);
}

int scan_run(struct scan *s, const uint8_t *p, size_t n, int full, int final, struct scan_out *out, size_t *keep)
{
    int rc = RSP_OK;
    *keep = 0;
    while (!rc) {
        switch (s->phase) {
        case SCAN_HEADER: rc = header(s, p, n, final); break;
        case SCAN_ITEM:
            if (!s->detached) rc = plain_records(s, p, n, out);
            *keep = s->at;
            if (rc) break;
            if (s->at == n) {
                rc = RSP_AGAIN;
                break;
            }
            rc = full && !final && n - s->at < s->wait ? RSP_AGAIN : item(s, p, n, full, out);
            break;
        case SCAN_VALUE: rc = value(s, p, n, full, final, out, keep); break;
        case SCAN_CRC:
            *keep = s->at;
            rc = checksum(s, p, n);
            break;
        default: rc = RSP_END;
        }
    }
    if (rc == RSP_AGAIN) rc = final ? ended(s, n) : RSP_OK;
    return rc;
}
