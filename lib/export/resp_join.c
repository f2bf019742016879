/* What this is: units in the order of the file: numbered, counted, and left out where a resumed run has them.
 * Rests on: resp_join.h.
 * Does not: make commands, but for a run of strings that begins in what is left out. */
#include "export/resp_join.h"

#include <stdio.h>

/* " (ReJSON-RL)", " (vectorset, written by redis 8.6.3)". */
static void module_words(const struct resp_module *m, char *out, size_t size)
{
    uint32_t v = m->from;
    if (!m->name[0]) out[0] = 0;
    else if (!v) snprintf(out, size, " (%s)", m->name);
    else
        snprintf(out, size, " (%s, written by redis %u.%u.%u, which is newer)", m->name, (unsigned)(v / 10000),
                 (unsigned)(v / 100 % 100), (unsigned)(v % 100));
}

int resp_join_losses(struct resp_join *j, unsigned losses, uint32_t db, struct rsp_span name, int is_key,
                     const struct resp_module *module)
{
    const struct rsp_resp_options *o = &j->rules->o;
    struct rsp_losses *l = &j->report.losses;
    char text[64], target[32], whose[80] = "";
    for (int k = 0; k < RSP_LOSSES; k++) {
        int rc;
        if (!(losses >> k & 1)) continue;
        if (k == RSP_LOSS_MODULE && module && !l->n[k]) {
            memcpy(l->module, module->name, sizeof l->module);
            l->module_from = module->from;
        }
        rsp_losses_add(l, k, db, name);
        rc = o->lost ? o->lost(o->opaque, k, db, name) : RSP_OK;
        if (rc < 0) return fail(&j->env, rc, NULL, "the report of what is lost stopped");
        if (o->losses.action[k] != RSP_LOSS_FAIL) continue;
        printable(text, sizeof text, name.p, name.n);
        rsp_target_text(&o->target, target, sizeof target);
        if (!is_key)
            return fail(&j->env, RSP_EUNSUPPORTED, NULL, "%s cannot be carried to %s: %s", rsp_loss_text(k), target,
                        text);
        if (k == RSP_LOSS_MODULE && module) module_words(module, whose, sizeof whose);
        return fail(&j->env, RSP_EUNSUPPORTED, NULL, "key \"%s\" of db %u cannot be carried whole to %s: %s%s", text,
                    (unsigned)db, target, rsp_loss_text(k), whose);
    }
    return RSP_OK;
}

int resp_join_emit(struct resp_join *j, const struct resp_unit *unit)
{
    j->report.keys += unit->keys;
    j->report.commands += unit->replies;
    if (unit->flags & RESP_UNIT_FUNCTION) j->report.functions++;
    return j->emit(j->ctx, unit);
}

/* Passes over a bulk of our own. */
static const uint8_t *after_bulk(const uint8_t *p, struct rsp_span *text)
{
    size_t n = 0;
    for (p++; *p != '\r'; p++) n = n * 10 + (size_t)(*p - '0');
    *text = (struct rsp_span){p + 2, n};
    return p + 2 + n + 2;
}

/* A run of strings whose first `done` keys were sent before. */
static int emit_rest(struct resp_join *j, struct resp_unit *unit, uint64_t done)
{
    const uint8_t *p = unit->p, *end = unit->p + unit->n;
    struct rsp_span word, text;
    uint64_t left = unit->records - done;
    int rc;
    while (*p != '\n') p++;
    p = after_bulk(p + 1, &word);
    for (uint64_t i = 0; i < 2 * done; i++) p = after_bulk(p, &text);
    (void)after_bulk(p, &unit->key);
    j->out.n = 0;
    rc = buf_reserve(&j->out, (size_t)(end - p) + RESP_SLACK);
    if (rc) return rc;
    resp_put_number(&j->out, '*', 2 * left + 1);
    resp_put_bulk(&j->out, word.p, word.n);
    rc = buf_add(&j->out, p, (size_t)(end - p));
    if (rc) return rc;
    unit->p = j->out.p;
    unit->n = j->out.n;
    unit->keys = (uint32_t)left;
    unit->record += done;
    unit->records = left;
    return resp_join_emit(j, unit);
}

static int put_unit(struct resp_join *j, const struct resp_chunk *chunk, const struct resp_piece *piece)
{
    struct resp_unit u = {.db = piece->db, .flags = piece->flags, .replies = piece->replies, .keys = piece->keys};
    u.key = (struct rsp_span){resp_at(&chunk->out, piece->key_at), piece->key_n};
    u.p = resp_at(&chunk->out, piece->at);
    u.n = piece->end - piece->at;
    u.uncopied = piece->uncopied;
    u.record = j->record;
    u.records = piece->records;
    j->record += piece->records;
    if (piece->records ? j->record <= j->skip : j->record < j->skip) return RSP_OK;
    if (piece->losses) {
        int rc = resp_join_losses(j, piece->losses, piece->db, u.key, 1, NULL);
        if (rc) return rc;
    }
    j->report.expires += piece->expires;
    return u.record < j->skip ? emit_rest(j, &u, j->skip - u.record) : resp_join_emit(j, &u);
}

static int put_piece(struct resp_join *j, const struct resp_chunk *chunk, const struct resp_piece *piece,
                     const struct rsp_rdb_task *task)
{
    struct rsp_span name = {resp_at(&chunk->out, piece->key_at), piece->key_n};
    struct resp_module module;
    switch (piece->kind) {
    case RESP_PIECE_UNIT: return put_unit(j, chunk, piece);
    case RESP_PIECE_PART: return resp_join_part(j, chunk, piece, task);
    case RESP_PIECE_GONE:
        if (j->record++ < j->skip) return RSP_OK;
        if (piece->expired) j->report.dropped++;
        (void)resp_module_of(j->rules, task->batch, &task->batch->items[piece->item], &module);
        return resp_join_losses(j, piece->losses, piece->db, name, 1, &module);
    default: return j->skip && j->record < j->skip ? RSP_OK : resp_join_losses(j, piece->losses, 0, name, 0, NULL);
    }
}

static int put_pieces(struct resp_join *j, const struct resp_chunk *chunk, const struct rsp_rdb_task *task)
{
    const struct resp_piece *piece = (const struct resp_piece *)(const void *)chunk->pieces.p;
    size_t n = chunk->pieces.n / sizeof *piece;
    for (size_t i = 0; i < n; i++) {
        int rc = put_piece(j, chunk, piece + i, task);
        if (rc) return rc;
    }
    return RSP_OK;
}

int resp_join_task(struct resp_join *j, struct resp_chunk *chunk, const struct rsp_rdb_task *task,
                   int (*emit)(void *ctx, const struct resp_unit *unit), void *ctx)
{
    int rc;
    j->emit = emit;
    j->ctx = ctx;
    rc = put_pieces(j, chunk, task);
    while (!rc && !chunk->fault && chunk->done < task->batch->count) {
        chunk->out.n = chunk->pieces.n = chunk->ids.n = 0;
        chunk->uncopied = 0;
        resp_format(&j->rest, chunk, task);
        rc = put_pieces(j, chunk, task);
    }
    if (!rc && chunk->fault) {
        j->words = chunk->words;
        rc = chunk->fault;
    }
    return rc;
}

void resp_join_skip(struct resp_join *j, uint64_t n)
{
    j->skip = n;
}

void resp_join_report(const struct resp_join *j, struct rsp_resp_report *report)
{
    report->keys = j->report.keys;
    report->expires = j->report.expires;
    report->commands = j->report.commands;
    report->functions = j->report.functions;
    report->dropped = j->report.dropped;
    report->losses = j->report.losses;
}

const struct rsp_env *resp_join_env(const struct resp_join *j)
{
    return &j->env;
}

const struct rsp_error *resp_join_words(const struct resp_join *j)
{
    return j->words.code ? &j->words : NULL;
}

int resp_join_new(const struct rsp_env *env, const struct resp_rules *rules, struct resp_join **ret)
{
    struct resp_join *j = mem_zero(env, sizeof *j);
    int rc;
    *ret = NULL;
    if (!j) return RSP_ENOMEM;
    j->env = *env;
    j->env.error = &j->words;
    j->rules = rules;
    buf_init(&j->out, &j->env), buf_init(&j->key, &j->env), buf_init(&j->raw, &j->env), buf_init(&j->string, &j->env);
    buf_init(&j->big[0], &j->env), buf_init(&j->big[1], &j->env), buf_init(&j->kept, &j->env);
    resp_native_init(&j->native, rules, &j->env);
    rc = resp_worker_init(&j->rest, env, rules);
    if (!rc) rc = rsp_rdb_value_new(&j->env, &j->value);
    if (rc) {
        resp_report_words(env, &j->rest.words, rc);
        resp_report_words(env, &j->words, rc);
        resp_join_free(j);
        return rc;
    }
    *ret = j;
    return RSP_OK;
}

void resp_join_free(struct resp_join *j)
{
    struct rsp_env env;
    if (!j) return;
    env = j->env;
    resp_worker_free(&j->rest);
    resp_native_free(&j->native);
    rsp_rdb_value_free(j->value);
    buf_free(&j->out), buf_free(&j->key), buf_free(&j->raw), buf_free(&j->string);
    buf_free(&j->big[0]), buf_free(&j->big[1]), buf_free(&j->kept);
    rsp_spool_free(j->spool);
    rsp_spool_free(j->payload);
    mem_free(&env, j, sizeof *j);
}
