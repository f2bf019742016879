/* What this is: giving up a record, for ever and signed: the way out when one does not verify or is missing.
 * Rests on: keep.h.
 * Does not: delete it (prune.c, a quarantine later); guess which one is meant. */
#include <stdlib.h>
#include <string.h>

#include "repo/keep.h"

#define PREFIX_MIN 8
#define ACKNOWLEDGED_MAX 100000 /* 32 bytes each: they go into one record of at most 4 MiB */

/* What is meant: a record that is there, or the hash of one that is not. */
struct sought {
    const char *prefix; /* digits; NULL: by name */
    size_t prefix_n;
    int found, several;
    uint8_t hash[HASH_BYTES], source[ID_BYTES];
    const struct rsp_record *record; /* NULL: it is missing */
};

static int begins(const struct sought *s, const uint8_t *p, size_t n)
{
    char hex[2 * HASH_BYTES + 1];
    hex_text(hex, p, n);
    return s->prefix_n <= 2 * n && !memcmp(hex, s->prefix, s->prefix_n);
}

static void meet(struct sought *s, const uint8_t hash[HASH_BYTES], const uint8_t source[ID_BYTES],
                 const struct rsp_record *record)
{
    if (s->found && memcmp(s->hash, hash, HASH_BYTES)) s->several = 1;
    if (s->found) return;
    s->found = 1;
    memcpy(s->hash, hash, HASH_BYTES);
    memcpy(s->source, source, ID_BYTES);
    s->record = record;
}

/* A file name, with or without the folders before it. */
static void seek_name(struct rsp_log *log, const char *name, struct sought *s)
{
    char path[NAME_MAX_BYTES];
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *r = log->records[i];
        name_record_path(path, r);
        if (!strcmp(name, r->name) || !strcmp(name, path) || !strcmp(name, path + strlen("log/")))
            meet(s, r->hash, r->source, r);
    }
}

static void seek_records(struct rsp_log *log, struct sought *s)
{
    static const uint8_t zeros[ID_BYTES];
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *r = log->records[i];
        int snapshot = r->kind == RSP_REC_COMMIT && memcmp(r->snapshot, zeros, ID_BYTES) != 0;
        if (begins(s, r->hash, HASH_BYTES) || (snapshot && begins(s, r->snapshot, ID_BYTES)))
            meet(s, r->hash, r->source, r);
    }
}

static void seek_missing(struct rsp_log *log, struct sought *s)
{
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *r = log->records[i];
        for (size_t k = 0; k < r->parents_n; k++) {
            const uint8_t *hash = r->parents[k].hash;
            if (begins(s, hash, HASH_BYTES) && !rsp_log_by_hash(log, hash)) meet(s, hash, r->source, NULL);
        }
    }
}

/* Heads that this host has seen and the store does not show. */
static int seek_seen(struct rsp_log *log, struct sought *s)
{
    struct rsp_repo *repo = log->repo;
    struct seen_head *seen = NULL;
    size_t n = 0;
    int rc;
    if (!repo->state) return RSP_OK;
    rc = state_heads_load(repo->state, repo->lineage, repo->id, &seen, &n);
    for (size_t i = 0; i < n && !rc; i++)
        if (begins(s, seen[i].hash, HASH_BYTES) && !rsp_log_by_hash(log, seen[i].hash))
            meet(s, seen[i].hash, seen[i].source, NULL);
    mem_free(&log->env, seen, n * sizeof *seen);
    return rc;
}

static int seek(struct rsp_log *log, const char *what, struct sought *s)
{
    size_t n = strlen(what);
    int rc = RSP_OK;
    seek_name(log, what, s);
    if (!s->found && n >= PREFIX_MIN && n <= 2 * HASH_BYTES && strspn(what, "0123456789abcdef") == n) {
        s->prefix = what;
        s->prefix_n = n;
        seek_records(log, s);
        seek_missing(log, s);
        rc = seek_seen(log, s);
    }
    if (rc) return rc;
    if (!s->found)
        return fail(&log->env, RSP_ENOTFOUND, what,
                    "neither a record of the log, nor one that it misses, nor a snapshot: give its name, or at least "
                    "%d digits of its hash or id",
                    PREFIX_MIN);
    if (s->several)
        return fail(&log->env, RSP_EINVAL, what, "several records begin so; give more digits, or the name of the file");
    return RSP_OK;
}

/* What has a record's name but not its bytes must not give the record itself up. */
static int check_name(struct rsp_log *log, const char *what, struct sought *s)
{
    const struct rsp_record *named = s->record;
    s->record = rsp_log_by_hash(log, s->hash);
    if (s->prefix || s->record == named || !s->record->bytes) return RSP_OK;
    return fail(&log->env, RSP_EDENIED, what,
                "this file is not the record it is named after, which is there as %s: nothing is lost; remove the file",
                s->record->name);
}

/* What a name stands for, and that it may be given up. */
static int find(struct rsp_log *log, const char *name_or_hash, struct sought *s)
{
    int rc;
    memset(s, 0, sizeof *s);
    rc = seek(log, name_or_hash, s);
    if (!rc && s->record) rc = check_name(log, name_or_hash, s);
    if (rc || !s->record) return rc;
    if (s->record->kind != RSP_REC_COMMIT && (s->record->state & RSP_RECORD_LOADED))
        return fail(&log->env, RSP_EDENIED, name_or_hash, "this %s record is sound: there is nothing to give up",
                    rsp_record_kind_text(s->record->kind));
    if ((s->record->state & RSP_RECORD_LOADED) && (s->record->state & RSP_RECORD_PINNED))
        return fail(&log->env, RSP_EDENIED, name_or_hash, "the snapshot is pinned; unpin it first");
    return RSP_OK;
}

/* ---- all of them ---- */

struct given_up {
    uint8_t source[ID_BYTES], hash[HASH_BYTES];
};

static int given_up_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct given_up));
}

static int publish(struct rsp_log *log, const struct given_up *all, size_t n)
{
    size_t room = n * HASH_BYTES;
    uint8_t(*hashes)[HASH_BYTES] = mem_alloc(&log->env, room);
    int rc = hashes ? RSP_OK : RSP_ENOMEM;
    for (size_t i = 0; !rc && i < n;) {
        struct rsp_record draft;
        memset(&draft, 0, sizeof draft);
        draft.kind = RSP_REC_LOST;
        memcpy(draft.source, all[i].source, ID_BYTES);
        draft.hashes = hashes;
        for (size_t from = i; i < n && !memcmp(all[i].source, all[from].source, ID_BYTES); i++)
            if (i == from || memcmp(all[i].hash, all[i - 1].hash, HASH_BYTES))
                memcpy(hashes[draft.hashes_n++], all[i].hash, HASH_BYTES);
        rc = rsp_record_publish(log, &draft, NULL, 0, NULL);
    }
    mem_free(&log->env, hashes, room);
    return rc ? trail(&log->env, rc, "giving up what was named; some of it may be given up already") : RSP_OK;
}

int rsp_acknowledge_many(struct rsp_log *log, const char *const *names, size_t n, int dry_run, size_t *failed)
{
    struct given_up *all;
    size_t kept = 0, at = 0;
    int rc = RSP_OK;
    if (failed) *failed = n;
    if (!n) return RSP_OK;
    if (!log->full) return fail(&log->env, RSP_ESTATE, names[0], "giving up a record needs the whole record log");
    if (n > ACKNOWLEDGED_MAX) return fail(&log->env, RSP_EINVAL, NULL, "more than %d at once", ACKNOWLEDGED_MAX);
    all = mem_zero(&log->env, n * sizeof *all);
    if (!all) return RSP_ENOMEM;
    for (; !rc && at < n; at++) {
        struct sought s;
        rc = find(log, names[at], &s);
        if (rc && failed) *failed = at;
        if (rc || (s.record && (s.record->state & RSP_RECORD_LOST))) continue;
        memcpy(all[kept].source, s.source, ID_BYTES);
        memcpy(all[kept++].hash, s.hash, HASH_BYTES);
    }
    if (!rc && kept) rc = keep_right(log, "giving up a record");
    if (!rc && kept && !dry_run) {
        qsort(all, kept, sizeof *all, given_up_order);
        rc = publish(log, all, kept);
    }
    mem_free(&log->env, all, n * sizeof *all);
    return rc;
}

int rsp_acknowledge(struct rsp_log *log, const char *name_or_hash, int dry_run)
{
    int rc = rsp_acknowledge_many(log, &name_or_hash, 1, dry_run, NULL);
    return rc ? trail(&log->env, rc, "giving up %s", name_or_hash) : RSP_OK;
}
