/* What this is: a repository in a folder of its own and dumps to put into it.
 * Rests on: place.h, base/crc64.h.
 * Does not: test anything. */
#include "unit/job/place.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc64.h"

static int64_t clock_now(void *opaque)
{
    struct place *p = opaque;
    return p->clock_ms += 1000;
}

void place_open(struct place *p)
{
    struct rsp_store_options so = {.size = sizeof so, .create = 1};
    uint8_t id[16];
    memset(p, 0, sizeof *p);
    snprintf(p->dir, sizeof p->dir, "/tmp/respite-job-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    p->env.size = sizeof p->env;
    p->env.error = &p->error;
    p->clock_ms = 1790000000000;
    p->env.now_ms = clock_now;
    p->env.clock_opaque = p;
    snprintf(p->url, sizeof p->url, "file:%s/repo", p->dir);
    ck_assert_int_eq(rsp_store_open(&p->env, p->url, &so, &p->store), RSP_OK);
    ck_assert_int_eq(rsp_identity_new(&p->env, "root", &p->root), RSP_OK);
    ck_assert_int_eq(rsp_repo_init(&p->env, p->store, NULL, p->root, NULL, 0, NULL, id), RSP_OK);
    place_reopen(p);
}

void place_reopen(struct place *p)
{
    struct rsp_repo_options ro = {.size = sizeof ro};
    struct rsp_public key;
    rsp_repo_free(p->repo);
    p->repo = NULL;
    rsp_identity_public(p->root, &key);
    ro.store = p->store;
    ro.root = &key;
    ro.identities = &p->root;
    ro.identities_n = 1;
    ck_assert_msg(rsp_repo_open(&p->env, &ro, &p->repo) == RSP_OK, "%s", p->error.message);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

void place_close(struct place *p)
{
    rsp_repo_free(p->repo);
    rsp_identity_free(p->root);
    rsp_store_free(p->store);
    ck_assert_int_eq(nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *place_path(const struct place *p, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    return path;
}

/* ---- what lies in the repository ---- */

static char found_path[4096];
static off_t found_bytes;
static unsigned found_n;

static int look(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)ftw;
    if (flag != FTW_F) return 0;
    found_n++;
    if (st->st_size > found_bytes) {
        found_bytes = st->st_size;
        snprintf(found_path, sizeof found_path, "%s", path);
    }
    return 0;
}

static void walk_folder(const struct place *p, const char *folder)
{
    char path[256];
    snprintf(path, sizeof path, "%s/repo/%s", p->dir, folder);
    found_bytes = -1;
    found_n = 0;
    (void)nftw(path, look, 16, FTW_PHYS);
}

const char *place_object(const struct place *p)
{
    walk_folder(p, "data");
    ck_assert_uint_gt(found_n, 0);
    return found_path;
}

unsigned place_count(const struct place *p, const char *folder)
{
    walk_folder(p, folder);
    return found_n;
}

/* ---- dumps ---- */

static void put(struct dump *d, const void *bytes, size_t n)
{
    if (d->cap - d->n < n) {
        d->cap = (d->n + n) * 2;
        d->p = realloc(d->p, d->cap);
        ck_assert_ptr_nonnull(d->p);
    }
    memcpy(d->p + d->n, bytes, n);
    d->n += n;
}

static void put_length(struct dump *d, size_t n)
{
    uint8_t b[5] = {0x80, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    put(d, b, sizeof b);
}

static void put_string(struct dump *d, const void *bytes, size_t n)
{
    put_length(d, n);
    put(d, bytes, n);
}

static void put_aux(struct dump *d, const char *name, const char *value)
{
    put(d, "\xfa", 1);
    put_string(d, name, strlen(name));
    put_string(d, value, strlen(value));
}

unsigned dump_slots[2];

/* "key:7" or, of these slots, "key:7:31". */
static void name_key(unsigned k, char *out, size_t size)
{
    int n = snprintf(out, size, "key:%u", k);
    for (unsigned i = 0; dump_slots[1]; i++) {
        unsigned slot;
        n = snprintf(out, size, "key:%u:%u", k, i);
        slot = rsp_key_slot((struct rsp_span){(const uint8_t *)out, (size_t)n});
        if (slot >= dump_slots[0] && slot <= dump_slots[1]) return;
    }
}

static void put_keys(struct dump *d, unsigned db, unsigned keys, uint8_t *value, size_t size, int dull)
{
    uint8_t select[2] = {0xfe, (uint8_t)db};
    put(d, select, 2);
    for (unsigned k = db; k < keys; k += 2) {
        uint64_t x = k * UINT64_C(0x9E3779B97F4A7C15) + 1;
        char name[32];
        if (k % 3 == 0) put(d, "\xfc\x00\x10\x20\x30\xa1\x01\x00\x00", 9);
        put(d, "\0", 1);
        name_key(k, name, sizeof name);
        put_string(d, name, strlen(name));
        for (size_t i = 0; i < size && !dull; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            value[i] = (uint8_t)x;
        }
        put_string(d, value, size);
    }
}

void dump_make(struct dump *d, unsigned keys, size_t size, int dull)
{
    uint8_t *value = malloc(size + 1);
    memset(d, 0, sizeof *d);
    ck_assert_ptr_nonnull(value);
    memset(value, 'x', size);
    put(d, "REDIS0011", 9);
    put_aux(d, "redis-ver", "7.2.4");
    put_aux(d, "used-mem", "1234567");
    put_keys(d, 0, keys, value, size, dull);
    put_keys(d, 1, keys, value, size, dull);
    put(d, "\xff\0\0\0\0\0\0\0\0", 9);
    free(value);
    dump_sum(d);
}

void dump_sum(struct dump *d)
{
    uint64_t crc = crc64(0, d->p, d->n - 8);
    for (unsigned i = 0; i < 8; i++) d->p[d->n - 8 + i] = (uint8_t)(crc >> (8 * i));
}

void dump_free(struct dump *d)
{
    free(d->p);
}

int place_backup(struct place *p, const void *bytes, size_t n, const struct rsp_backup_options *options,
                 struct rsp_log **log, struct rsp_backup_report *report)
{
    struct rsp_backup_options o;
    struct rsp_source *source = NULL;
    int rc;
    memset(&o, 0, sizeof o);
    if (options) o = *options;
    o.size = sizeof o;
    o.snapshot.size = sizeof o.snapshot;
    if (!o.snapshot.source) o.snapshot.source = "test";
    if (!o.snapshot.threads) o.snapshot.threads = 2;
    o.tmpdir = p->dir;
    memset(report, 0, sizeof *report);
    report->size = sizeof *report;
    rsp_error_clear(&p->error);
    ck_assert_int_eq(rsp_source_memory(&p->env, bytes, n, &source), RSP_OK);
    rc = rsp_backup(&p->env, p->repo, source, &o, log, report);
    rsp_source_free(source);
    return rc;
}
