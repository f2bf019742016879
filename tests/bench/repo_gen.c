/* What this is: makes a repository of very many snapshots in seconds: repo_gen DIRECTORY SHEET SNAPSHOTS SOURCES. DIRECTORY
 *   is one that backupd init made, SHEET its recovery sheet. Objects are of random bytes, envelopes and records are true.
 * Rests on: repo/repo_impl.h, seal/envelope.h: records are encoded and written as files, without a sync.
 * Does not: make snapshots that can be read: it is for list, verify, expire and prune. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "repo/repo_impl.h"
#include "seal/envelope.h"

#define HOUR_MS 3600000ll
#define OBJECT_BYTES 300
#define READERS_MAX 16

struct maker {
    const char *directory;
    struct rsp_env env;
    struct rsp_error error;
    struct rsp_store *store;
    struct rsp_repo *repo;
    struct rsp_identity *root;
    struct rsp_public readers[READERS_MAX];
    size_t readers_n;
    int64_t begin_ms, step_ms;
};

static void check(const struct maker *m, int rc, const char *what)
{
    if (rc >= 0) return;
    fprintf(stderr, "repo_gen: %s: %s %s %s\n", what, rsp_status_name(rc), m->error.subject, m->error.message);
    exit(1);
}

/* The file of an object, its folders, and when it arrived. */
static void write_file(const struct maker *m, const char *name, const void *p, size_t n, int64_t ms)
{
    struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};
    char path[1024];
    size_t root = (size_t)snprintf(path, sizeof path, "%s/", m->directory);
    int fd;
    snprintf(path + root, sizeof path - root, "%s", name);
    for (char *slash = path + root; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        if (mkdir(path, 0700) && errno != EEXIST) check(m, RSP_EIO, path);
    }
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n || futimens(fd, t) || close(fd)) check(m, RSP_EIO, path);
}

static void write_object(const struct maker *m, struct rsp_ref *ref, int kind, const uint8_t *epoch, int64_t ms)
{
    uint8_t bytes[OBJECT_BYTES];
    char name[NAME_MAX_BYTES];
    struct sha256 *h = NULL;
    ref->kind = (uint8_t)kind;
    memcpy(ref->epoch, epoch, ID_BYTES);
    check(m, random_bytes(&m->env, ref->object, ID_BYTES), "random");
    check(m, random_bytes(&m->env, bytes, sizeof bytes), "random");
    ref->stored = sizeof bytes;
    check(m, sha256_new(&m->env, &h), "sha256");
    if (sha256_add(h, bytes, sizeof bytes) || sha256_end(h, ref->sha256)) check(m, RSP_EIO, "sha256");
    sha256_free(h);
    name_object(name, kind, epoch, ref->object);
    write_file(m, name, bytes, sizeof bytes, ms);
}

static void write_envelope(const struct maker *m, const uint8_t *epoch, const uint8_t *key, int64_t ms)
{
    struct buf out;
    uint8_t hash[HASH_BYTES];
    char name[NAME_MAX_BYTES];
    buf_init(&out, &m->env);
    check(m, envelope_write(&m->env, epoch, key, m->readers, m->readers_n, &out), "envelope");
    hash256(hash, out.p, out.n);
    name_envelope(name, epoch, hash);
    write_file(m, name, out.p, out.n, ms);
    buf_free(&out);
}

/* One snapshot over parent (NULL: none), which is freed; the record returned is the next one's. */
static struct rsp_record *snapshot(const struct maker *m, const uint8_t *source, struct rsp_record *parent, int64_t ms)
{
    struct rsp_record *r = record_new(&m->env);
    uint8_t key[KEY_BYTES], lineage[ID_BYTES];
    char name[NAME_MAX_BYTES];
    if (!r) check(m, RSP_ENOMEM, "record");
    r->kind = RSP_REC_COMMIT;
    memcpy(r->source, source, ID_BYTES);
    r->seq = parent ? parent->seq + 1 : 1;
    r->time_ms = (uint64_t)ms;
    memcpy(r->roles, rsp_repo_roles(m->repo)->hash, HASH_BYTES);
    r->parents = parent ? mem_zero(&m->env, sizeof *r->parents) : NULL;
    r->refs = mem_zero(&m->env, sizeof *r->refs);
    if (!r->refs || (parent && !r->parents)) check(m, RSP_ENOMEM, "record");
    if (parent) {
        r->parents_n = 1;
        r->parents->seq = parent->seq;
        memcpy(r->parents->hash, parent->hash, HASH_BYTES);
        record_free(&m->env, parent);
    }
    check(m, random_bytes(&m->env, r->snapshot, ID_BYTES), "random");
    check(m, random_bytes(&m->env, r->epoch, ID_BYTES), "random");
    check(m, random_bytes(&m->env, key, sizeof key), "random");
    rsp_repo_lineage(m->repo, lineage);
    epoch_commitment(key, lineage, r->epoch, r->commitment);
    r->flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL;
    r->keys = 1000;
    r->plain = 100000;
    r->stored = OBJECT_BYTES;
    r->objects = r->refs_n = 1;
    write_object(m, r->refs, REF_DATA, r->epoch, ms);
    write_object(m, &r->manifest, REF_MANIFEST, r->epoch, ms);
    write_envelope(m, r->epoch, key, ms);
    check(m, record_encode(&m->env, r, m->repo->id, m->root, NULL, 0), "record");
    name_record_path(name, r);
    write_file(m, name, r->bytes, r->bytes_n, ms + 1000); /* stores round times */
    return r;
}

static void open_all(struct maker *m, const char *sheet)
{
    struct rsp_store_options so = {.size = sizeof so, .read_only = 1};
    struct rsp_repo_options o = {.size = sizeof o, .identities = &m->root, .identities_n = 1};
    struct rsp_public key;
    const struct rsp_roles *roles;
    struct rsp_env given = {.size = sizeof given, .error = &m->error};
    char url[1024];
    env_init(&m->env, &given);
    snprintf(url, sizeof url, "file:%s", m->directory);
    check(m, crypt_init(&m->env), "libsodium");
    check(m, rsp_identity_load(&m->env, sheet, NULL, NULL, &m->root), "identity");
    check(m, rsp_store_open(&m->env, url, &so, &m->store), "store");
    o.store = m->store;
    rsp_identity_public(m->root, &key);
    o.root = &key;
    check(m, rsp_repo_open(&m->env, &o, &m->repo), "repository");
    roles = rsp_repo_roles(m->repo);
    for (size_t i = 0; i < roles->members_n && m->readers_n < READERS_MAX; i++)
        if (rsp_member_may(&roles->members[i], RSP_ROLE_READ, NULL)) m->readers[m->readers_n++] = roles->members[i].key;
}

int main(int argc, char **argv)
{
    struct maker m;
    long n = argc == 5 ? strtol(argv[3], NULL, 10) : 0, sources = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
    if (n < 1 || n > 1000000 || sources < 1 || sources > n) {
        fprintf(stderr, "usage: repo_gen DIRECTORY SHEET SNAPSHOTS SOURCES\n");
        return 2;
    }
    memset(&m, 0, sizeof m);
    m.directory = argv[1];
    open_all(&m, argv[2]);
    m.step_ms = n / sources < 1000 ? 24 * HOUR_MS : HOUR_MS; /* a day or an hour apart */
    m.begin_ms = (int64_t)time(NULL) * 1000 - (n / sources + 2) * m.step_ms;
    for (long s = 0; s < sources; s++) {
        struct rsp_record *last = NULL;
        uint8_t lineage[ID_BYTES], source[ID_BYTES];
        char name[32];
        rsp_repo_lineage(m.repo, lineage);
        snprintf(name, sizeof name, "source-%ld", s);
        rsp_source_id(lineage, name, source);
        for (long i = 0; i < n / sources; i++) last = snapshot(&m, source, last, m.begin_ms + i * m.step_ms);
        if (last) record_free(&m.env, last);
    }
    rsp_repo_free(m.repo);
    rsp_store_free(m.store);
    rsp_identity_free(m.root);
    return 0;
}
