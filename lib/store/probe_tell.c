/* What this is: rows of the conformance suite on what a store is like: clock, space, leftovers, abilities.
 * Rests on: probe.h.
 * Does not: change anything but what asking for the time takes. */
#include "store/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SPACE_LOW ((uint64_t)1 << 30)
#define CLOCK_NOTE 60000

/* "3 s", "12 min", "5 h", "9 days". */
static const char *span(char out[32], int64_t ms)
{
    int64_t s = (ms < 0 ? -ms : ms) / 1000;
    if (s < 120) snprintf(out, 32, "%" PRId64 " s", s);
    else if (s < 7200) snprintf(out, 32, "%" PRId64 " min", s / 60);
    else if (s < 48 * 3600) snprintf(out, 32, "%" PRId64 " h", s / 3600);
    else snprintf(out, 32, "%" PRId64 " days", s / 86400);
    return out;
}

static const char *amount(char out[32], uint64_t bytes)
{
    if (bytes < 10000) snprintf(out, 32, "%" PRIu64 " bytes", bytes);
    else if (bytes >> 20 < 10) snprintf(out, 32, "%" PRIu64 " KiB", bytes >> 10);
    else if (bytes >> 30 < 10) snprintf(out, 32, "%" PRIu64 " MiB", bytes >> 20);
    else snprintf(out, 32, "%" PRIu64 " GiB", bytes >> 30);
    return out;
}

static void judge_clock(struct probe *p, int64_t off)
{
    char text[32];
    int64_t size = off < 0 ? -off : off;
    int verdict = size > PROBE_CLOCK ? RSP_PROBE_WARN : size > CLOCK_NOTE ? RSP_PROBE_NOTE : RSP_PROBE_OK;
    if (size < 1000) probe_say(p, verdict, "the store's clock and this host's agree");
    else
        probe_say(p, verdict, "the store's clock is %s %s this host's", span(text, size),
                  off > 0 ? "ahead of" : "behind");
}

int probe_clock(struct probe *p)
{
    int64_t off;
    int rc = rsp_store_now(p->s, &p->now_ms);
    p->ours_ms = p->s->env.now_ms(p->s->env.clock_opaque);
    if (rc) {
        rc = probe_fault(p, rc, "the store's clock cannot be read");
        p->now_ms = p->ours_ms;
        if (rc != PROBE_DECIDED) return rc;
    } else {
        off = probe_apart(p->now_ms, p->ours_ms);
        if (p->o.read_only) {
            struct rsp_store_abilities can = {.size = sizeof can, .skew_ms = INT64_MIN};
            rc = probe_forgive(p, rsp_store_abilities(p->s, &can));
            if (rc || can.skew_ms == INT64_MIN) return RSP_OK; /* only writing would tell */
            off = probe_apart(0, can.skew_ms);
        }
        judge_clock(p, off);
    }
    return probe_row(p, "clock",
                     "let both keep time by NTP: ages are judged by the store's clock, requests are signed "
                     "by this host's");
}

/* ---- leftovers ---- */

struct left {
    struct probe *p;
    uint64_t n, bytes;
    int64_t oldest;
};

static int left_one(void *opaque, const struct rsp_store_item *item)
{
    struct left *l = opaque;
    int64_t age = probe_apart(l->p->now_ms, item->mtime_ms);
    if (age < l->p->o.stale_ms) return RSP_OK;
    l->n++;
    if (item->bytes < UINT64_MAX - l->bytes) l->bytes += item->bytes;
    if (age > l->oldest) l->oldest = age;
    return RSP_OK;
}

int probe_leftovers(struct probe *p)
{
    struct left l = {.p = p};
    char bytes[32], age[32];
    int rc = rsp_store_leftovers(p->s, left_one, &l);
    if (rc) {
        rc = probe_fault(p, rc, "leftovers of dead uploads cannot be listed");
        if (rc != PROBE_DECIDED) return rc;
        if (p->no_delete || p->o.read_only) p->verdict = RSP_PROBE_WARN;
        return probe_row(p, "leftovers", "give the right to list uploads under way (s3:ListBucketMultipartUploads)");
    }
    if (l.n)
        probe_say(p, RSP_PROBE_NOTE, "%" PRIu64 " of dead uploads, %s, the oldest %s old", l.n, amount(bytes, l.bytes),
                  span(age, l.oldest));
    else probe_say(p, RSP_PROBE_OK, "none older than %s", span(age, p->o.stale_ms));
    return probe_row(p, "leftovers",
                     "'backupd prune' removes them; on S3 a lifecycle rule that aborts incomplete "
                     "multipart uploads does as well");
}

int probe_space(struct probe *p)
{
    char text[32];
    uint64_t bytes = 0;
    int rc = rsp_store_space(p->s, &bytes);
    if (rc) rc = probe_fault(p, rc, "the free space cannot be asked for");
    else if (bytes == UINT64_MAX) probe_say(p, RSP_PROBE_OK, "the store does not tell how much is free");
    else probe_say(p, bytes < SPACE_LOW ? RSP_PROBE_WARN : RSP_PROBE_OK, "%s free", amount(text, bytes));
    if (rc && rc != PROBE_DECIDED) return rc;
    return probe_row(p, "space", "make room: a backup that finds none is lost");
}

/* ---- what the store says of itself ---- */

static int tell_second(struct probe *p)
{
    if (p->can.refuses_second == 1) probe_say(p, RSP_PROBE_OK, "the store itself refuses to put a name twice");
    else if (p->can.refuses_second == 0)
        probe_say(p, RSP_PROBE_NOTE, "only we look whether a name is taken: the store itself would overwrite");
    else probe_say(p, RSP_PROBE_NOTE, "whether the store itself refuses to put a name twice is not known");
    return probe_row(p, "create only",
                     "names are random or hashes, so two writers do not meet; against a thief of the credentials, keep "
                     "old versions ('backupd key policy')");
}

static int tell_versions(struct probe *p)
{
    int rc = RSP_OK;
    if (p->can.versions > 0)
        probe_say(p, RSP_PROBE_OK, "the bucket keeps old versions: what is deleted can be had back");
    else probe_say(p, RSP_PROBE_NOTE, "the bucket keeps no old versions: who may put may overwrite");
    if (p->can.versions >= 0)
        rc = probe_row(p, "versions",
                       "turn versioning on, and let a lifecycle rule remove old versions after the "
                       "quarantine");
    if (rc || p->can.lock < 0) return rc;
    if (p->can.lock) probe_say(p, RSP_PROBE_OK, "objects can be locked (--lock)");
    else probe_say(p, RSP_PROBE_NOTE, "objects cannot be locked in this bucket");
    return probe_row(p, "lock",
                     "make the bucket with object lock, and give --lock: then nobody can delete before the "
                     "time is over");
}

/* Who may do what with these credentials; only after it was tried. */
static int tell_rights(struct probe *p)
{
    if (p->o.read_only || p->o.may_delete) return RSP_OK;
    if (p->no_delete && p->no_replace)
        probe_say(p, RSP_PROBE_OK, "these credentials create, and neither replace nor delete, as a writer's should");
    else if (p->no_delete)
        probe_say(p, RSP_PROBE_NOTE,
                  "these credentials cannot delete, but replace: a thief may overwrite, unless old "
                  "versions are kept");
    else probe_say(p, RSP_PROBE_NOTE, "these credentials may delete: a thief of this host may, too");
    return probe_row(p, "rights", "'backupd key policy' prints how to let a writer only create");
}

int probe_abilities(struct probe *p)
{
    int rc;
    p->can.size = sizeof p->can;
    rc = rsp_store_abilities(p->s, &p->can);
    if (rc) {
        rc = probe_fault(p, rc, "what the store can do cannot be asked for");
        return rc == PROBE_DECIDED ? probe_row(p, "server", NULL) : rc;
    }
    probe_say(p, RSP_PROBE_OK, "%s%s%.200s", p->can.kind, p->can.server && *p->can.server ? ": " : "",
              p->can.server ? p->can.server : "");
    rc = probe_row(p, "server", NULL);
    if (!rc) rc = tell_second(p);
    if (!rc) rc = tell_versions(p);
    return rc ? rc : tell_rights(p);
}
