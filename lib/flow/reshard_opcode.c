/* What this is: what stands in a dump and belongs to no key: AUX fields, functions, module data; kept until the files are
 *   written, once of each.
 * Rests on: reshard_impl.h, rdb/write.h.
 * Does not: look into functions or module data, but for a library's name. */
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "flow/reshard_impl.h"
#include "rdb/write.h"

#define KEPT_MOST (24u << 20)
#define LIBRARIES_MOST 16384u /* each is compared with those before it */

enum { OP_FUNCTION = 245, OP_MODULE_AUX = 247, OP_AUX = 250 };

static int room(const struct reshard *r, const struct rsp_env *env, size_t more)
{
    size_t have = r->aux.n + r->before.n + r->after.n + r->module_aux.n;
    if (have <= KEPT_MOST && more <= KEPT_MOST - have) return RSP_OK;
    return fail(env, RSP_ELIMIT, NULL,
                "functions and module data of more than %u MiB, which every file would get; leave the functions out, "
                "and load them by hand",
                KEPT_MOST >> 20);
}

/* ---- AUX ---- */

/* What holds for the one server, or the one file, that it was written by. */
static int is_own(struct rsp_span name)
{
    static const char *const own[] = {
        "repl-stream-db",   "repl-id",      "repl-offset", "slot-info", "cluster-slot-states",
        "cluster-asm-task", "aof-preamble", "aof-base",    "used-mem"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strlen(own[i]) == name.n && !strncasecmp(own[i], (const char *)name.p, name.n)) return 1;
    return 0;
}

static int aux(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_batch *b,
               const struct rsp_rdb_item *i)
{
    struct rsp_span name;
    int rc;
    if (r->dump || r->saw_key) return RSP_OK;
    rc = rsp_rdb_batch_string(env, b, i->key, &r->scratch, &name);
    if (rc || is_own(name)) return rc;
    rc = room(r, env, i->end - i->key + 1);
    if (!rc) rc = buf_byte(&r->aux, OP_AUX);
    return rc ? rc : buf_add(&r->aux, b->p + i->key, i->end - i->key);
}

/* ---- functions ---- */

/* "#!lua name=mylib ...": the name; without one the whole code is its name. */
static struct rsp_span library_name(struct rsp_span code)
{
    static const char mark[] = "name=";
    const uint8_t *end = code.n ? memchr(code.p, '\n', code.n) : NULL, *at;
    struct rsp_span name = code;
    if (!end) end = code.n ? code.p + code.n : NULL;
    at = end ? memmem(code.p, (size_t)(end - code.p), mark, sizeof mark - 1) : NULL;
    if (!at) return name;
    name.p = at += sizeof mark - 1;
    while (at<end && * at> ' ') at++;
    name.n = (size_t)(at - name.p);
    return name;
}

static int function(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_batch *b,
                    const struct rsp_rdb_item *i)
{
    const struct reshard_library *have = (const struct reshard_library *)(const void *)r->libraries.p;
    struct reshard_library x;
    struct rsp_span code, name;
    char words[4 * NAME_KEPT];
    uint32_t from = i->type == OP_FUNCTION ? i->value : i->key;
    int rc = rsp_rdb_batch_string(env, b, i->value, &r->scratch, &code);
    if (rc) return rc;
    name = library_name(code);
    printable(words, sizeof words, name.p, name.n < NAME_KEPT ? name.n : NAME_KEPT);
    x.name = sip128_of(r->key, name.p, name.n);
    x.code = sip128_of(r->key, code.p, code.n);
    for (size_t k = 0; k < r->libraries.n / sizeof x; k++) {
        if (memcmp(&have[k].name, &x.name, sizeof x.name) != 0) continue;
        if (!memcmp(&have[k].code, &x.code, sizeof x.code)) return RSP_OK;
        return fail(
            env, RSP_EUNSUPPORTED, words,
            "the library of functions has different code in two of the dumps; which one counts is for you to say: "
            "leave the functions out, and load it by hand");
    }
    if (r->libraries.n / sizeof x == LIBRARIES_MOST)
        return fail(env, RSP_ELIMIT, words,
                    "more than %u libraries of functions; leave the functions out, and load them by hand",
                    LIBRARIES_MOST);
    rc = buf_add(&r->libraries, &x, sizeof x);
    if (r->has_target && (r->target.rdb_version < 10 || i->type != OP_FUNCTION)) {
        rsp_losses_add(&r->losses, RSP_LOSS_FUNCTION, 0, name);
        return rc;
    }
    if (!rc) rc = room(r, env, i->end - from + 1);
    if (!rc) rc = buf_byte(&r->before, i->type);
    if (!rc) rc = buf_add(&r->before, b->p + from, i->end - from);
    r->functions += !rc;
    return rc;
}

/* ---- module data ---- */

static int module_aux(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_batch *b,
                      const struct rsp_rdb_item *i)
{
    struct buf *to = i->idle_s == 1 ? &r->module_aux : &r->after;
    uint64_t head[2] = {(uint64_t)i->expire_ms, i->idle_s};
    int rc;
    if (!r->aux_all++) rsp_rdb_module_name((uint64_t)i->expire_ms, r->aux_module);
    if (!r->aux_n++) sip_init(&r->aux_sum, r->key, 1);
    sip_add(&r->aux_sum, head, sizeof head);
    sip_add(&r->aux_sum, b->p + i->value, i->end - i->value);
    if (r->dump) return RSP_OK;
    rc = room(r, env, i->end - i->value + 32);
    if (!rc) rc = buf_byte(to, OP_MODULE_AUX);
    if (!rc) rc = rdb_put_length(to, (uint64_t)i->expire_ms);
    if (!rc) rc = rdb_put_length(to, 2);
    if (!rc) rc = rdb_put_length(to, i->idle_s);
    return rc ? rc : buf_add(to, b->p + i->value, i->end - i->value);
}

int reshard_aux_end(struct reshard *r)
{
    struct sip128 sum = {0, 0};
    if (r->aux_n) sum = sip_end128(&r->aux_sum);
    if (!r->dump) {
        r->first_aux = sum;
        r->first_aux_n = r->aux_n;
    } else if (r->aux_n != r->first_aux_n || memcmp(&sum, &r->first_aux, sizeof sum) != 0) {
        r->aux_differs = 1;
    }
    r->aux_n = 0;
    return RSP_OK;
}

int reshard_aux_settle(struct reshard *r)
{
    struct rsp_span name = {(const uint8_t *)r->aux_module, strlen(r->aux_module)};
    int too_old = r->has_target && r->target.rdb_version < RDB_WITH_RANKS;
    if (!r->aux_all) return RSP_OK;
    if (!r->aux_differs && !too_old && !(r->has_target && r->target.modules_known && !r->target.modules_n))
        return buf_add(&r->before, r->module_aux.p, r->module_aux.n);
    for (uint64_t k = 0; k < (r->aux_differs ? r->aux_all : r->first_aux_n); k++)
        rsp_losses_add(&r->losses, RSP_LOSS_AUX, 0, name);
    r->after.n = 0;
    return RSP_OK;
}

int reshard_opcode(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_batch *b,
                   const struct rsp_rdb_item *i)
{
    switch (i->kind) {
    case RSP_RDB_AUX: return aux(r, env, b, i);
    case RSP_RDB_FUNCTION: return r->o.no_functions ? RSP_OK : function(r, env, b, i);
    case RSP_RDB_MODULE_AUX: return r->o.no_functions ? RSP_OK : module_aux(r, env, b, i);
    case RSP_RDB_UPDATE:
        return fail_at(env, RSP_EUNSUPPORTED, NULL, b->offset + i->start,
                       "the dump holds commands beside its data: it cannot be cut by slots");
    default: return RSP_OK; /* databases, hints, templates, an import that was under way: made anew, or of no use */
    }
}
