/* What this is: backupd show: the clear facts of one snapshot, and with a key at hand what its manifest says.
 * Rests on: proven.h, show_manifest.h.
 * Does not: read data. */
#include <string.h>

#include "backupd/proven.h"
#include "backupd/show_manifest.h"
#include "cli/exit.h"

static const char *name_of(const struct context *c, const uint8_t key[32])
{
    const struct rsp_member *m = rsp_roles_find(rsp_repo_roles(c->repo), key);
    return m ? m->name : "(no longer in the roles record)";
}

/* Of what was copied here, who signed the original. */
static const uint8_t *signer_of(const struct rsp_record *r)
{
    return r->copied ? r->origin_signer : r->signer;
}

static int64_t signed_ms(const struct rsp_record *r)
{
    return (int64_t)(r->copied ? r->origin_time_ms : r->time_ms);
}

static void copied_json(struct context *c, struct json *j, const struct rsp_record *r)
{
    char hex[HEX32], time[TEXT_MAX];
    json_object(j, "copied");
    text_hex(hex, r->origin_repository, 16);
    json_text(j, "from", hex);
    text_hex(hex, r->origin_hash, 32);
    json_text(j, "record", hex);
    json_u64(j, "seq", r->origin_seq);
    json_text(j, "stored", text_utc(time, (int64_t)r->origin_ms));
    json_text(j, "time", text_utc(time, (int64_t)r->time_ms));
    text_hex(hex, r->signer, 32);
    json_text(j, "by", hex);
    json_text(j, "by_name", name_of(c, r->signer));
    json_close(j, '}');
}

static void copied_text(struct context *c, const struct rsp_record *r)
{
    char hex[HEX32], time[TEXT_MAX], repository[HEX32];
    text_hex(repository, r->origin_repository, 16);
    text_hex(hex, r->origin_hash, 8);
    printf("copied      from repository %s, record %s, on %s by %s\n", repository, hex,
           text_utc(time, (int64_t)r->time_ms), name_of(c, r->signer));
}

static void facts_json(struct context *c, struct json *j, const struct rsp_record *r)
{
    char hex[HEX32], time[TEXT_MAX], source[SOURCE_TEXT], flags[FLAGS_TEXT];
    text_hex(hex, r->snapshot, 16);
    json_text(j, "id", hex);
    json_text(j, "time", text_utc(time, signed_ms(r)));
    json_i64(j, "time_ms", signed_ms(r));
    json_text(j, "source", context_source_text(c, r->source, source));
    text_hex(hex, r->source, 16);
    json_text(j, "source_id", hex);
    json_u64(j, "seq", r->seq);
    text_hex(hex, r->hash, 32);
    json_text(j, "record", hex);
    text_hex(hex, signer_of(r), 32);
    json_text(j, "signer", hex);
    json_text(j, "signer_name", name_of(c, signer_of(r)));
    if (r->copied) copied_json(c, j, r);
    text_hex(hex, r->epoch, 16);
    json_text(j, "epoch", hex);
    json_u64(j, "size_bytes", r->plain);
    json_u64(j, "stored_bytes", r->stored);
    json_u64(j, "keys", r->keys);
    json_u64(j, "objects", r->objects);
    flags_text(flags, r);
    json_text(j, "flags", flags);
    json_array(j, "parents");
    for (size_t i = 0; i < r->parents_n; i++) {
        text_hex(hex, r->parents[i].hash, 32);
        json_text(j, NULL, hex);
    }
    json_close(j, ']');
}

static void facts_text(struct context *c, const struct rsp_record *r)
{
    char hex[HEX32], time[TEXT_MAX], source[SOURCE_TEXT], flags[FLAGS_TEXT], size[TEXT_MAX], stored[TEXT_MAX];
    text_hex(hex, r->snapshot, 16);
    printf("snapshot    %s\n", hex);
    printf("time        %s\n", text_utc(time, signed_ms(r)));
    printf("source      %s\n", context_source_text(c, r->source, source));
    text_hex(hex, r->hash, 32);
    printf("record      seq %llu, %s\n", (unsigned long long)r->seq, hex);
    text_hex(hex, signer_of(r), 8);
    printf("signer      %s %s\n", name_of(c, signer_of(r)), hex);
    if (r->copied) copied_text(c, r);
    printf("size        %s in %llu keys, stored in %s, %llu objects\n", text_size(size, r->plain),
           (unsigned long long)r->keys, text_size(stored, r->stored), (unsigned long long)r->objects);
    flags_text(flags, r);
    printf("flags       %s\n", flags);
    text_hex(hex, r->epoch, 16);
    printf("epoch       %s\n", hex);
}

/* Pins, notes and receipts that name it. */
static void notes(const struct context *c, const struct rsp_record *r, struct json *j)
{
    char time[TEXT_MAX];
    if (j) json_array(j, "records");
    for (size_t i = 0; i < c->log->records_n; i++) {
        const struct rsp_record *n = c->log->records[i];
        int names = 0;
        if (n->kind != RSP_REC_PIN && n->kind != RSP_REC_NOTE && n->kind != RSP_REC_RECEIPT &&
            n->kind != RSP_REC_RETIRE)
            continue;
        if (!(n->state & RSP_RECORD_LOADED) || (n->state & RSP_RECORD_BROKEN)) continue;
        for (size_t k = 0; k < n->hashes_n; k++) names |= !memcmp(n->hashes[k], r->hash, 32);
        if (!names) continue;
        text_utc(time, signed_ms(n));
        if (!j) {
            printf("%-10s  %s %s%s%s\n", rsp_record_kind_text(n->kind), time, name_of(c, signer_of(n)),
                   n->text ? ": " : "", n->text ? n->text : "");
            continue;
        }
        json_object(j, NULL);
        json_text(j, "kind", rsp_record_kind_text(n->kind));
        json_text(j, "time", time);
        json_i64(j, "time_ms", signed_ms(n));
        json_text(j, "signer_name", name_of(c, signer_of(n)));
        if (n->kind == RSP_REC_RECEIPT) json_text(j, "proof", proof_text(proof_kind(n)));
        if (n->text) json_text(j, "text", n->text);
        json_close(j, '}');
    }
    if (j) json_close(j, ']');
}

int verb_show(struct context *c)
{
    struct rsp_record *r = NULL;
    struct rsp_snapshot *s = NULL;
    uint8_t source[16];
    int code = context_repo(c, NEED_TRY), rc;
    if (code < 0) code = context_log(c, context_source(c, source), 0, 0);
    if (code < 0) code = context_find(c, c->o->operand[0], &r);
    if (code >= 0) return code;
    rc = rsp_snapshot_open(c->repo, r, &s);
    code = EXIT_OK;
    /* Without a key the clear facts are the answer; what is damaged is told. */
    if (rc && rc != RSP_EKEY) code = context_fault(c, rc, c->o->operand[0], EXIT_STORAGE);
    rsp_error_clear(&c->error);
    if (c->o->value[O_JSON].count) {
        struct json j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        facts_json(c, &j, r);
        if (s) manifest_json(&j, rsp_snapshot_manifest(s));
        notes(c, r, &j);
        context_json_troubles(c, &j);
        json_close(&j, '}');
    } else {
        facts_text(c, r);
        if (s) manifest_text(rsp_snapshot_manifest(s));
        else if (rc == RSP_EKEY) printf("manifest    sealed; an identity that reads opens it (--identity)\n");
        notes(c, r, NULL);
    }
    rsp_snapshot_free(s);
    return code;
}
