/* What this is: backupd verify: is everything there, and is it what was signed? At will every stored byte, or all data.
 * Rests on: repair.h, respite/sys/job.h.
 * Does not: repair (repair.c). */
#include <inttypes.h>
#include <string.h>

#include <respite/sys/job.h>

#include "backupd/repair.h"
#include "cli/exit.h"
#include "cli/signal.h"
#include "cli/text.h"

struct verify {
    struct context *c;
    struct json json;
    int as_json;
    const struct rsp_record *only;
    struct rsp_verify_report stored;
    struct repair repair;
    uint64_t chunks, bytes, keys, findings, read, parsed, base;
    unsigned percent; /* 0: no data is read */
    char name[SNAPSHOT_TEXT];
    const struct rsp_manifest *manifest; /* of the snapshot that is being read; NULL: it was not opened */
};

/* ---- findings of the data ---- */

static void finding_json(struct verify *v, const struct rsp_read_finding *f)
{
    struct json *j = &v->json;
    json_object(j, NULL);
    json_text(j, "snapshot", v->name);
    if (v->manifest && v->manifest->streams_n > 1) json_bytes(j, "stream", v->manifest->streams[f->stream].name);
    if (f->object) json_text(j, "object", f->object);
    if (f->object) json_u64(j, "chunk", f->chunk);
    json_u64(j, "offset", f->offset);
    if (f->object) json_u64(j, "bytes", f->bytes);
    if (f->records >= 0) json_i64(j, "records", f->records);
    json_text(j, "reason", f->reason);
    json_close(j, '}');
}

static int on_finding(void *opaque, const struct rsp_read_finding *f)
{
    struct verify *v = opaque;
    v->findings++;
    if (v->as_json) {
        finding_json(v, f);
        return RSP_OK;
    }
    progress_hide();
    printf("%s: ", v->name);
    if (v->manifest && v->manifest->streams_n > 1) {
        struct rsp_span name = v->manifest->streams[f->stream].name;
        text_put(name.p, name.n, 100);
        fputs(": ", stdout);
    }
    if (f->object) {
        printf("%s: chunk %" PRIu32 ", plaintext %" PRIu64 "-%" PRIu64, f->object, f->chunk, f->offset,
               f->bytes ? f->offset + f->bytes - 1 : f->offset);
        if (f->records >= 0) printf(", %" PRIi64 " %s begin in it", f->records, f->records == 1 ? "record" : "records");
        printf(": %s\n", f->reason);
    } else {
        printf("offset %" PRIu64 ": %s\n", f->offset, f->reason);
    }
    progress_show();
    return RSP_OK;
}

/* ---- the data of one snapshot ---- */

static void on_read(void *opaque, uint64_t bytes)
{
    const struct verify *v = opaque;
    context_progress(v->c, v->base + bytes);
}

/* What keeps the snapshot from being opened at all. */
static int not_opened(struct verify *v, int rc)
{
    struct rsp_read_finding f = {.size = sizeof f, .records = -1};
    char words[512];
    if (rc != RSP_EINTEGRITY && rc != RSP_ENOTFOUND && rc != RSP_ETRUNCATED)
        return context_fault(v->c, rc, v->name, EXIT_STORAGE);
    rsp_error_format(&v->c->error, words, sizeof words);
    f.reason = words;
    rsp_error_clear(&v->c->error);
    (void)on_finding(v, &f);
    return -1;
}

static int read_one(struct verify *v, const struct rsp_record *record)
{
    struct context *c = v->c;
    struct rsp_read_options o = {.size = sizeof o};
    struct rsp_read_report r = {.size = sizeof r};
    struct rsp_snapshot *snapshot = NULL;
    int rc;
    snapshot_text(v->name, record->snapshot);
    rsp_error_clear(&c->error);
    rc = rsp_snapshot_open(c->repo, record, &snapshot);
    if (rc) return not_opened(v, rc);
    o.damaged = (record->flags & RSP_COMMIT_DAMAGED) != 0;
    o.percent = v->percent;
    o.threads = (unsigned)c->o->value[O_THREADS].number;
    o.cancel = signal_flag();
    o.progress = on_read;
    o.found = on_finding;
    o.opaque = v;
    v->base = v->bytes;
    v->manifest = rsp_snapshot_manifest(snapshot);
    rc = rsp_read_data(&c->env, snapshot, &o, &r);
    v->manifest = NULL;
    rsp_snapshot_free(snapshot);
    v->chunks += r.chunks;
    v->bytes += r.bytes;
    v->keys += r.keys;
    v->parsed += (uint64_t)r.parsed;
    v->read++;
    return rc ? context_fault(c, rc, v->name, EXIT_STORAGE) : -1;
}

static int wanted(const struct verify *v, const struct rsp_record *record)
{
    uint8_t id[16];
    const uint8_t *source = context_source(v->c, id);
    if (v->only) return record == v->only;
    if (!rsp_record_living(record) || !(record->state & RSP_RECORD_LOADED)) return 0;
    return !source || !memcmp(source, record->source, 16);
}

static int read_data(struct verify *v)
{
    const struct rsp_log *log = v->c->log;
    uint64_t total = 0;
    int code = -1;
    for (size_t i = 0; i < log->records_n; i++)
        if (wanted(v, log->records[i])) total += log->records[i]->plain;
    context_begin(v->c, "reading", v->percent < 100 ? total / 100 * v->percent : total, !v->as_json);
    for (size_t i = 0; code < 0 && i < log->records_n; i++)
        if (wanted(v, log->records[i])) code = read_one(v, log->records[i]);
    context_end(v->c);
    return code;
}

/* ---- what is stored ---- */

static void on_stored(void *opaque, uint64_t done, uint64_t of)
{
    (void)of;
    context_progress(opaque, done);
}

static int look_at_store(struct verify *v)
{
    struct context *c = v->c;
    struct rsp_verify_options o = {.size = sizeof o, .only = v->only};
    int rc;
    v->stored.size = sizeof v->stored;
    o.read_stored = c->o->value[O_READ_STORED].count != 0;
    o.cancel = signal_flag();
    o.progress = on_stored;
    o.opaque = c;
    context_begin(c, o.read_stored ? "hashing" : "looking", 0, 0);
    rc = rsp_verify(c->log, &o, &v->stored);
    context_end(c);
    return rc ? context_fault(c, rc, c->url, EXIT_STORAGE) : -1;
}

/* ---- report ---- */

static void report(struct verify *v, int sound)
{
    const struct rsp_verify_report *r = &v->stored;
    char bytes[TEXT_MAX];
    printf("%" PRIu64 " %s, %" PRIu64 " objects, %s, %" PRIu64 " envelopes", r->snapshots,
           r->snapshots == 1 ? "snapshot" : "snapshots", r->objects, text_size(bytes, r->bytes), r->envelopes);
    if (v->c->o->value[O_READ_STORED].count) fputs(", every stored byte hashed", stdout);
    if (v->percent)
        printf("; read %" PRIu64 " chunks, %s, %" PRIu64 " keys, parsed %" PRIu64 " of %" PRIu64, v->chunks,
               text_size(bytes, v->bytes), v->keys, v->parsed, v->read);
    if (sound) puts(": sound");
    else
        printf(": NOT sound: damaged snapshots %" PRIu64 ", findings in the data %" PRIu64 "\n", r->damaged,
               v->findings);
}

static void report_json(struct verify *v, int sound)
{
    const struct rsp_verify_report *r = &v->stored;
    struct json *j = &v->json;
    json_close(j, ']');
    json_bool(j, "sound", sound);
    json_u64(j, "snapshots", r->snapshots);
    json_u64(j, "damaged", r->damaged);
    json_u64(j, "objects", r->objects);
    json_u64(j, "bytes", r->bytes);
    json_u64(j, "envelopes", r->envelopes);
    json_u64(j, "envelopes_bad", r->envelopes_bad);
    json_bool(j, "read_stored", v->c->o->value[O_READ_STORED].count != 0);
    if (v->percent) {
        json_object(j, "read_data");
        json_u64(j, "percent", v->percent);
        json_u64(j, "snapshots", v->read);
        json_u64(j, "parsed", v->parsed);
        json_u64(j, "chunks", v->chunks);
        json_u64(j, "bytes", v->bytes);
        json_u64(j, "keys", v->keys);
        json_close(j, '}');
    }
    if (v->repair.ran) repair_json(&v->repair, j);
    context_json_troubles(v->c, j);
    json_close(j, '}');
}

static int verify(struct verify *v)
{
    int code = look_at_store(v), sound;
    if (v->as_json) {
        json_init(&v->json, stdout, 1);
        json_object(&v->json, NULL);
        json_array(&v->json, "findings");
    }
    if (code < 0 && v->percent) code = read_data(v);
    sound = code < 0 && !v->findings && !v->c->log->faults;
    if (v->as_json) report_json(v, sound);
    else if (code < 0) report(v, sound);
    if (code >= 0) return code;
    return v->findings ? EXIT_INTEGRITY : EXIT_OK;
}

int verb_verify(struct context *c)
{
    const struct opt_value *data = &c->o->value[O_READ_DATA];
    struct verify v = {.c = c};
    struct rsp_record *only = NULL;
    int code;
    v.as_json = c->o->value[O_JSON].count != 0;
    v.percent = data->count ? (unsigned)data->number : 0;
    code = context_repo(c, v.percent ? NEED_READ : c->o->value[O_REPAIR_FROM].text ? NEED_SIGN : NEED_NOTHING);
    if (code < 0) code = context_log(c, NULL, 0, 1);
    if (code < 0 && c->o->value[O_REPAIR_FROM].text) code = repair_from(c, &v.repair);
    if (code < 0 && c->o->operands) code = context_find(c, c->o->operand[0], &only);
    v.only = only;
    if (code < 0) code = verify(&v);
    repair_free(&v.repair);
    return code;
}
