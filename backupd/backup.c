/* What this is: backupd backup: a dump into the repository, and one line that says what is now safe.
 * Rests on: context.h, respite/sys/job.h, cli/input.h.
 * Does not: check or seal (lib does). */
#include <inttypes.h>
#include <string.h>

#include <respite/sys/job.h>

#include "backupd/context.h"
#include "cli/exit.h"
#include "cli/input.h"
#include "cli/signal.h"

#define FINDINGS_SHOWN 20

struct backup {
    struct context *c;
    struct input in;
    uint64_t findings;
};

static void on_progress(void *opaque, uint64_t bytes)
{
    const struct backup *b = opaque;
    context_progress(b->c, bytes);
}

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct backup *b = opaque;
    if (b->findings++ < FINDINGS_SHOWN)
        print_err("%s: offset %" PRIu64 ": %s: %s", b->in.name, f->offset, f->kind, f->reason);
    if (b->findings == FINDINGS_SHOWN + 1)
        print_err("%s: further findings are not printed; 'rdbtool check' lists them", b->in.name);
    return RSP_OK;
}

static struct rsp_backup_options options_of(struct backup *b)
{
    const struct opt_value *v = b->c->o->value;
    struct rsp_backup_options o = {.size = sizeof o};
    o.snapshot.size = sizeof o.snapshot;
    o.snapshot.source = v[O_SOURCE].text;
    o.snapshot.level = (int)v[O_LEVEL].number;
    o.snapshot.threads = (unsigned)v[O_THREADS].number;
    o.snapshot.chunk_bytes = (size_t)v[O_CHUNK].number;
    o.snapshot.no_recheck = v[O_NO_RECHECK].count != 0;
    o.snapshot.unsealed = v[O_SUITE].number == SUITE_NONE;
    o.quick = v[O_CHECK].number == CHECK_QUICK;
    o.no_digest = v[O_NO_DIGEST].count != 0;
    o.accept_damaged = v[O_ACCEPT_DAMAGED].count != 0;
    o.prove_read = v[O_PROVE].count != 0;
    o.place = b->in.name;
    o.tags = v[O_TAG].list;
    o.tags_n = v[O_TAG].n;
    o.tmpdir = v[O_TMPDIR].text;
    o.cancel = signal_flag();
    o.progress = on_progress;
    o.found = on_finding;
    o.opaque = b;
    return o;
}

/* Why a sound snapshot is not called good. */
static const char *judgement(const struct rsp_backup_report *r)
{
    if (r->flags & RSP_COMMIT_GOOD) return "good";
    if (r->flags & RSP_COMMIT_DAMAGED) return "DAMAGED, as accepted";
    if (r->flags & RSP_COMMIT_QUICK) return "not good: checked quickly";
    return "not good: without a digest";
}

static void report(struct backup *b, const struct rsp_backup_report *r)
{
    struct context *c = b->c;
    const struct rsp_record *record = r->record;
    char id[33], hash[65], dd1[33], flags[FLAGS_TEXT], plain[TEXT_MAX], stored[TEXT_MAX], name[SNAPSHOT_TEXT];
    struct json j;
    if (!c->o->value[O_JSON].count) {
        snapshot_text(name, record->snapshot);
        printf("stored %s of %s: %" PRIu64 " keys, %s in %s, %s\n", name, c->o->value[O_SOURCE].text, r->keys,
               text_size(plain, r->plain), text_size(stored, r->stored), judgement(r));
        return;
    }
    text_hex(id, record->snapshot, 16);
    text_hex(hash, record->hash, 32);
    text_hex(dd1, r->dd1, 16);
    flags_text(flags, record);
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_text(&j, "snapshot", id);
    json_text(&j, "record", hash);
    json_text(&j, "source", c->o->value[O_SOURCE].text);
    json_u64(&j, "seq", record->seq);
    json_u64(&j, "keys", r->keys);
    json_u64(&j, "plain_bytes", r->plain);
    json_u64(&j, "stored_bytes", r->stored);
    json_bool(&j, "good", (r->flags & RSP_COMMIT_GOOD) != 0);
    json_text(&j, "flags", flags);
    if (r->has_dd1) json_text(&j, "dd1", dd1);
    json_u64(&j, "findings", r->findings);
    context_json_troubles(c, &j);
    json_close(&j, '}');
}

static int fault(struct backup *b, int rc, const struct rsp_backup_report *r)
{
    int code = context_fault(b->c, rc, b->in.name, r->source_fault ? EXIT_SOURCE : EXIT_STORAGE);
    if (r->findings && !b->c->o->value[O_ACCEPT_DAMAGED].count && !signal_caught())
        print_err("%s: --accept-damaged stores it all the same, flagged for ever", b->in.name);
    return code;
}

static int store(struct backup *b)
{
    struct rsp_backup_options o = options_of(b);
    struct rsp_backup_report r = {.size = sizeof r};
    struct rsp_log *log = NULL;
    int rc;
    if (b->in.fd == 0 && !b->in.own_fd) o.place = "standard input";
    context_begin(b->c, b->in.name, b->in.size, 0);
    rc = rsp_backup(&b->c->env, b->c->repo, b->in.source, &o, &log, &r);
    context_end(b->c);
    context_take_log(b->c, log);
    if (rc) return fault(b, rc, &r);
    report(b, &r);
    return r.findings ? EXIT_FINDINGS : EXIT_OK;
}

static int may_write(struct context *c)
{
    const struct rsp_identity *signer;
    uint8_t source[16];
    context_source_id(c, c->o->value[O_SOURCE].text, source);
    return context_signer(c, RSP_ROLE_WRITE, source, &signer);
}

int verb_backup(struct context *c)
{
    struct backup b = {.c = c};
    const char *from = c->o->value[O_FROM].text;
    int code, rc;
    if (!from) return options_usage(c->o, "what is to be backed up? --from FILE, or - for standard input");
    code = context_repo(c, NEED_SIGN);
    if (code < 0) code = may_write(c);
    if (code >= 0) return code;
    rc = input_open(&b.in, &c->env, from);
    code = rc ? context_fault(c, rc, b.in.name, EXIT_SOURCE) : store(&b);
    input_close(&b.in);
    return code;
}
