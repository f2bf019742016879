/* What this is: tests of the conformance suite that write: putting, uploading, replacing, deleting.
 * Rests on: probe.h.
 * Does not: look at more than one object at a time (probe_look.c). */
#include "store/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int probe_try_put(struct probe *p)
{
    int rc = probe_put(p, "put-0", 1, 0);
    if (rc) return probe_fault(p, rc, "an empty object cannot be put");
    rc = probe_put(p, "put-1", 2, 1);
    if (rc) return probe_fault(p, rc, "an object of one byte cannot be put");
    rc = probe_same(p, "put-0", 1, 0);
    return rc ? rc : probe_same(p, "put-1", 2, 1);
}

int probe_try_twice(struct probe *p)
{
    int rc = probe_put(p, "twice", 3, 100);
    if (rc) return probe_fault(p, rc, "an object of 100 bytes cannot be put");
    rc = probe_put(p, "twice", 3, 100);
    if (rc) return probe_fault(p, rc, "the same bytes under the same name once more are refused");
    rc = probe_forgive(p, probe_put(p, "twice", 4, 100));
    if (!rc) return probe_bad(p, "other bytes under a name that is taken were accepted");
    if (rc != RSP_EEXIST) return probe_fault(p, rc, "other bytes under a name that is taken are not told as such");
    rc = probe_forgive(p, probe_put(p, "twice", 3, 99));
    if (!rc) return probe_bad(p, "fewer bytes under a name that is taken were accepted");
    if (rc != RSP_EEXIST) return probe_fault(p, rc, "fewer bytes under a name that is taken are not told as such");
    return probe_same(p, "twice", 3, 100);
}

static const char *sized(char tail[32], const char *word, uint64_t n)
{
    snprintf(tail, 32, "%s-%" PRIu64, word, n);
    return tail;
}

int probe_try_upload(struct probe *p)
{
    const uint64_t sizes[] = {0, p->part - 1, p->part, p->part + 1, 3 * p->part + 1};
    char tail[32];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int rc;
        if (i == 1 && !sizes[i]) continue; /* parts of one byte */
        rc = probe_upload(p, sized(tail, "upload", sizes[i]), 5 + i, sizes[i], 0, NULL);
        if (rc) return probe_fault(p, rc, "an upload of %" PRIu64 " bytes fails", sizes[i]);
        rc = probe_same(p, tail, 5 + i, sizes[i]);
        if (rc) return rc;
    }
    return RSP_OK;
}

/* ---- several at once, as a snapshot of several streams has them ---- */

#define BESIDE 3

struct beside {
    struct rsp_upload *u;
    char tail[32];
    uint64_t seed, n, at;
};

/* Pieces of all in turn, until none has any left; the last one is given up half way. */
static int write_in_turns(struct probe *p, struct beside *b)
{
    static const size_t steps[BESIDE] = {65537, PROBE_ROOM, 4095 * 16};
    int rc = RSP_OK;
    for (int left = 1; left && !rc;) {
        left = 0;
        for (size_t i = 0; i < BESIDE && !rc; i++) {
            uint64_t rest = b[i].n - b[i].at;
            size_t k = steps[i] < rest ? steps[i] : (size_t)rest;
            if (!b[i].u || !k) continue;
            probe_fill(b[i].seed, b[i].at, p->ours, k);
            rc = rsp_upload_write(b[i].u, p->ours, k);
            b[i].at += k;
            left |= b[i].at < b[i].n;
        }
        if (b[BESIDE - 1].at < b[BESIDE - 1].n / 2) continue;
        rsp_upload_free(b[BESIDE - 1].u);
        b[BESIDE - 1].u = NULL;
    }
    return rc;
}

static int beside(struct probe *p, struct beside *b)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < BESIDE && !rc; i++) {
        rc = probe_remember(p, probe_name(p, sized(b[i].tail, "beside", i)));
        if (!rc) rc = rsp_store_begin(p->s, p->name, &b[i].u);
    }
    if (!rc) rc = write_in_turns(p, b);
    for (size_t i = BESIDE - 1; i-- > 0 && !rc;) rc = rsp_upload_commit(b[i].u);
    return rc ? probe_fault(p, rc, "uploads that are open at once fail") : RSP_OK;
}

int probe_try_beside(struct probe *p)
{
    struct beside b[BESIDE] = {
        {.seed = 20, .n = 2 * p->part + 1}, {.seed = 21, .n = p->part + 2}, {.seed = 22, .n = p->part + 3}};
    int rc = beside(p, b);
    for (size_t i = 0; i < BESIDE; i++) rsp_upload_free(b[i].u);
    for (size_t i = 0; i + 1 < BESIDE && !rc; i++) rc = probe_same(p, b[i].tail, b[i].seed, b[i].n);
    return rc ? rc : probe_missing(p, b[BESIDE - 1].tail);
}

/* The bytes are sent, the commit is not. */
int probe_try_unseen(struct probe *p)
{
    const uint64_t sizes[] = {1, p->part + 1};
    char tail[32];
    int rc;
    for (size_t i = 0; i < 2; i++) {
        rc = probe_upload(p, sized(tail, "unseen", i), 11, sizes[i], 1, probe_missing);
        if (rc == PROBE_DECIDED) return rc;
        if (rc) return probe_fault(p, rc, "an upload of %" PRIu64 " bytes fails", sizes[i]);
        rc = probe_missing(p, tail);
        if (rc) return rc;
    }
    rc = probe_upload(p, "unseen-2", 12, 0, 1, NULL);
    if (rc) return probe_fault(p, rc, "an upload that is given up at once fails");
    return probe_missing(p, "unseen-2");
}

/* Somebody else publishes the name while the upload is under way. */
static int take_name(struct probe *p, const char *tail)
{
    int rc = probe_put(p, tail, 13, 10);
    return rc ? probe_fault(p, rc, "an object of ten bytes cannot be put") : RSP_OK;
}

int probe_try_taken(struct probe *p)
{
    const uint64_t sizes[] = {2, p->part + 1};
    for (size_t i = 0; i < 4; i++) {
        char tail[32];
        int rc = i < 2 ? take_name(p, sized(tail, "taken", i)) : RSP_OK;
        if (rc) return rc;
        rc = probe_upload(p, sized(tail, "taken", i), 14, sizes[i % 2], 0, i < 2 ? NULL : take_name);
        if (rc == PROBE_DECIDED) return rc;
        (void)probe_forgive(p, rc == RSP_EEXIST ? rc : RSP_ECANCELED);
        if (!rc)
            return probe_bad(p, "an upload of %" PRIu64 " bytes went to a name that %s", sizes[i % 2],
                             i < 2 ? "is taken" : "was taken meanwhile");
        if (rc != RSP_EEXIST) return probe_fault(p, rc, "an upload to a name that is taken is not told as such");
        rc = probe_same(p, tail, 13, 10);
        if (rc) return rc;
    }
    return RSP_OK;
}

int probe_try_replace(struct probe *p)
{
    int rc = probe_put(p, "replace", 15, 1000);
    if (rc) return probe_fault(p, rc, "an object of 1000 bytes cannot be put");
    probe_fill(16, 0, p->ours, 700);
    rc = rsp_store_repair(p->s, probe_name(p, "replace"), p->ours, 700);
    /* Where replacing is removing and renaming, servers have many words for what they do not let us do. */
    p->no_replace = probe_denied(rc) || (p->no_delete && (rc == RSP_EIO || rc == RSP_EEXIST));
    if (p->no_replace && !p->o.may_delete) {
        rsp_error_clear(p->s->env.error);
        rc = probe_same(p, "replace", 15, 1000);
        return rc ? rc : probe_say(p, RSP_PROBE_OK, "good: these credentials cannot replace an object");
    }
    if (rc) return probe_fault(p, rc, "an object cannot be replaced");
    rc = probe_same(p, "replace", 16, 700);
    if (rc) return rc;
    probe_fill(17, 0, p->ours, 10);
    rc = rsp_store_repair(p->s, probe_name(p, "replace-0"), p->ours, 10); /* one that went missing */
    if (!rc) rc = probe_remember(p, p->name);
    if (rc) return probe_fault(p, rc, "an object that is missing cannot be put back as a replacement");
    return probe_same(p, "replace-0", 17, 10);
}

int probe_try_delete(struct probe *p)
{
    int rc = probe_put(p, "d/e/lete", 18, 10);
    if (rc) return probe_fault(p, rc, "an object of ten bytes cannot be put");
    rc = rsp_store_delete(p->s, probe_name(p, "d/e/lete"));
    p->no_delete = probe_denied(rc);
    if (p->no_delete && !p->o.may_delete) {
        rsp_error_clear(p->s->env.error);
        rc = probe_same(p, "d/e/lete", 18, 10);
        return rc ? rc : probe_say(p, RSP_PROBE_NOTE, "good: this writer cannot delete");
    }
    if (rc) return probe_fault(p, rc, "an object cannot be deleted");
    rc = probe_missing(p, "d/e/lete");
    if (rc) return rc;
    rc = rsp_store_delete(p->s, probe_name(p, "d/e/lete"));
    if (rc) return probe_fault(p, rc, "deleting what is not there any more is refused");
    rc = rsp_store_delete(p->s, probe_name(p, "d/never/there"));
    if (rc) return probe_fault(p, rc, "deleting what was never there is refused");
    rc = probe_put(p, "d/e/lete", 19, 11);
    if (rc) return probe_fault(p, rc, "a name that was deleted cannot be put again");
    return probe_same(p, "d/e/lete", 19, 11);
}

/* ---- cleaning up ---- */

struct rest {
    struct probe *p;
    uint64_t n, folders;
    char first[NAME_BYTES + PART_BYTES + 2];
};

static int count_object(void *opaque, const struct rsp_store_item *item)
{
    struct rest *r = opaque;
    if (!r->n++) snprintf(r->first, sizeof r->first, "%s", item->name);
    return RSP_OK;
}

/* Those of ours are removed. */
static int count_leftover(void *opaque, const struct rsp_store_item *item)
{
    struct rest *r = opaque;
    size_t n = strlen(item->name);
    if (strncmp(item->name, r->p->base, strlen(r->p->base)) != 0) return RSP_OK;
    if (n && item->name[n - 1] == '/') r->folders++;
    else (void)count_object(opaque, item);
    return !r->p->no_delete;
}

/* A folder is empty only when those below it are gone. */
static int clean_leftovers(struct probe *p)
{
    struct rest r = {.p = p};
    uint64_t folders = 0, told = 1;
    for (int tries = 0; told && tries <= NAME_PARTS; tries++) {
        int rc;
        r.folders = 0;
        told = r.n;
        rc = rsp_store_leftovers(p->s, count_leftover, &r);
        if (rc) return probe_fault(p, rc, "leftovers cannot be listed and removed");
        told = r.n - told + r.folders;
        if (!tries) folders = r.folders;
        if (p->no_delete) break;
    }
    if (r.n || told)
        return probe_say(p, p->no_delete ? RSP_PROBE_NOTE : RSP_PROBE_FAILED,
                         "%" PRIu64 " leftovers of uploads%s, the first is %s", r.n ? r.n : told,
                         told ? " stay behind" : " that are over were there", r.n ? r.first : p->base);
    if (folders) return probe_say(p, RSP_PROBE_NOTE, "%" PRIu64 " empty folders had to be removed apart", folders);
    return RSP_OK;
}

/* Objects that a test did not expect (so nobody remembered them) are left: they are told. */
int probe_try_clean(struct probe *p)
{
    struct rest r = {.p = p};
    int rc;
    for (size_t at = 0; at < p->names.n && !p->no_delete; at += strlen((char *)p->names.p + at) + 1) {
        rc = rsp_store_delete(p->s, (char *)p->names.p + at);
        if (probe_denied(rc) && !p->o.may_delete) p->no_delete = probe_forgive(p, rc) != RSP_OK;
        else if (rc) return probe_fault(p, rc, "what was tried cannot be removed");
    }
    p->names.n = 0;
    rc = rsp_store_list(p->s, p->base, count_object, &r);
    if (rc) return probe_fault(p, rc, "list fails");
    if (r.n && p->no_delete && !p->o.may_delete)
        return probe_say(p, RSP_PROBE_NOTE, "%" PRIu64 " objects stay behind, since these credentials cannot delete",
                         r.n);
    if (r.n) return probe_bad(p, "%" PRIu64 " objects are still there, the first is %s", r.n, r.first);
    return clean_leftovers(p);
}
