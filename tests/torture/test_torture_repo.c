/* What this is: init, snapshot, restore, expire and prune, each with the nth request for memory refused, the nth call to
 *   the store failing, its answer lost, or it and all behind it failing, for all n: what was committed stays and is
 *   whole, the log has no fault, and a second run succeeds.
 * Rests on: libcheck, fixture/yard.h, rdb_builder.h, and the linker's --wrap.
 * Does not: cut the power; tests/power does. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync,--wrap=rsp_store_put,--wrap=rsp_store_begin,--wrap=rsp_upload_write */
/* LDFLAGS: -Wl,--wrap=rsp_upload_commit,--wrap=rsp_store_read,--wrap=rsp_store_get,--wrap=rsp_store_list */
/* LDFLAGS: -Wl,--wrap=rsp_store_delete,--wrap=rsp_store_stat,--wrap=rsp_store_now */
#include <check.h>
#undef fail
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <respite/sys/job.h>

#include "fixture/yard.h"
#define MUST(condition) ck_assert(condition)
#include "rdb_builder.h"

#define LIVING_MAX 8

/* ---- what fails ---- */

enum how { MEMORY, ONCE, LOST, FOR_GOOD, HOWS };
static const char *const how_text[] = {"request for memory", "call fails", "answer lost", "calls fail from"};

static struct {
    atomic_long left; /* until it fails; below zero: it has, or nothing is to */
    atomic_int failed;
    enum how how;
} plan = {.left = -1};

/* 1: this one fails. */
static int due(int memory)
{
    long left;
    if ((plan.how == MEMORY) != memory) return 0;
    left = atomic_fetch_sub(&plan.left, 1);
    if (left == 0) atomic_store(&plan.failed, 1);
    return left == 0 || (plan.how == FOR_GOOD && left < 0 && atomic_load(&plan.failed));
}

static void arm(enum how how, long n)
{
    plan.how = how;
    atomic_store(&plan.failed, 0);
    atomic_store(&plan.left, n);
}

static void disarm(void)
{
    arm(ONCE, -1);
}

static void *give(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    (void)opaque, (void)old_size;
    if (!new_size) {
        free(ptr);
        return NULL;
    }
    if (due(1)) return NULL;
    return realloc(ptr, new_size);
}

/* A call of the store that fails before it did anything, or after it did all. */
#define STORE_CALL(name, params, args)               \
    int __real_##name params;                        \
    int __wrap_##name params;                        \
    int __wrap_##name params                         \
    {                                                \
        int bad = due(0);                            \
        if (bad && plan.how != LOST) return RSP_EIO; \
        int rc = __real_##name args;                 \
        return bad && !rc ? RSP_EIO : rc;            \
    }
/* One that only asks: with its answer lost it has failed. */
#define STORE_QUERY(name, params, args)               \
    int __real_##name params;                         \
    int __wrap_##name params;                         \
    int __wrap_##name params                          \
    {                                                 \
        return due(0) ? RSP_EIO : __real_##name args; \
    }
typedef int each_fn(void *opaque, const struct rsp_store_item *item);
STORE_CALL(rsp_store_put, (struct rsp_store * s, const char *name, const void *p, size_t n), (s, name, p, n))
STORE_CALL(rsp_upload_write, (struct rsp_upload * u, const void *p, size_t n), (u, p, n))
STORE_CALL(rsp_upload_commit, (struct rsp_upload * u), (u))
STORE_CALL(rsp_store_delete, (struct rsp_store * s, const char *name), (s, name))
STORE_QUERY(rsp_store_begin, (struct rsp_store * s, const char *name, struct rsp_upload **u), (s, name, u))
STORE_QUERY(rsp_store_read, (struct rsp_store * s, const char *name, uint64_t at, void *p, size_t n),
            (s, name, at, p, n))
STORE_QUERY(rsp_store_get, (struct rsp_store * s, const char *name, size_t max, uint8_t **p, size_t *n),
            (s, name, max, p, n))
STORE_QUERY(rsp_store_list, (struct rsp_store * s, const char *prefix, each_fn *each, void *o), (s, prefix, each, o))
STORE_QUERY(rsp_store_stat, (struct rsp_store * s, const char *name, struct rsp_store_item *i), (s, name, i))
STORE_QUERY(rsp_store_now, (struct rsp_store * s, int64_t *ms), (s, ms))

int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return 0;
}

/* ---- the place: its tree, kept and put back ---- */

static struct yard y;
static struct made dump;   /* what is backed up */
static struct rsp_env env; /* the yard's, with the allocator that refuses */
static char kept[96];      /* a copy of the yard's folder */
static const char *copy_from, *copy_to;

static int erase(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag;
    return ftw->level ? remove(path) : 0;
}

static int copy_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    static uint8_t bytes[1 << 16];
    struct timespec t[2];
    char to[512];
    ssize_t n;
    int in, out;
    snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(copy_from));
    if (flag == FTW_D) return ftw->level && mkdir(to, 0700) ? -1 : 0;
    in = open(path, O_RDONLY | O_CLOEXEC);
    out = open(to, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    while ((n = read(in, bytes, sizeof bytes)) > 0) ck_assert_int_eq(write(out, bytes, (size_t)n), n);
    t[0] = st->st_atim;
    t[1] = st->st_mtim;
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(futimens(out, t), 0);
    close(in);
    return close(out);
}

static void copy_tree(const char *from, const char *to)
{
    nftw(to, erase, 16, FTW_DEPTH | FTW_PHYS);
    copy_from = from;
    copy_to = to;
    ck_assert_int_eq(nftw(from, copy_one, 16, FTW_PHYS), 0);
}

static void keep(void)
{
    copy_tree(y.dir, kept);
}
static void back(void)
{
    copy_tree(kept, y.dir);
}

static void build(void)
{
    file_begin(&dump, "REDIS0011");
    for (int i = 0; i < 5; i++) {
        char key[16];
        snprintf(key, sizeof key, "key:%d", i);
        record_begin(&dump, 0, key);
        put_noise(&dump, 2000, (uint64_t)i + 1, 0);
    }
    file_end(&dump);
}

static void setup(void)
{
    build();
    disarm();
    yard_open(&y);
    env = y.env;
    env.resize = give;
    snprintf(kept, sizeof kept, "%s-kept", y.dir);
    ck_assert_int_eq(mkdir(kept, 0700), 0);
}

static void teardown(void)
{
    disarm();
    nftw(kept, erase, 16, FTW_DEPTH | FTW_PHYS);
    rmdir(kept);
    yard_close(&y);
    made_free(&dump);
}

/* ---- one opening of it ---- */

struct place {
    struct rsp_store *store;
    struct rsp_state *state;
    struct rsp_repo *repo;
    struct rsp_log *log;
};

static int place_open(struct place *p, const struct rsp_env *e)
{
    struct rsp_identity *ids[] = {y.host, y.reader};
    struct rsp_store_options so = {.size = sizeof so, .create = 1};
    struct rsp_repo_options o = {.size = sizeof o, .identities = ids, .identities_n = 2};
    int rc;
    memset(p, 0, sizeof *p);
    rsp_error_clear(&y.error);
    rc = rsp_store_open(e, y.url, &so, &p->store);
    if (!rc) rc = rsp_state_open(e, y.state_dir, 1, &p->state);
    o.store = p->store;
    o.state = p->state;
    o.root = &y.root_public;
    if (!rc) rc = rsp_repo_open(e, &o, &p->repo);
    return rc;
}

static int place_log(struct place *p, const struct rsp_env *e)
{
    int rc = place_open(p, e);
    return rc ? rc : rsp_log_load(p->repo, NULL, &p->log);
}

static void place_close(struct place *p)
{
    rsp_log_free(p->log);
    rsp_repo_free(p->repo);
    rsp_state_free(p->state);
    rsp_store_free(p->store);
}

/* ---- what must hold ---- */

static void same_bytes_come_back(struct rsp_repo *repo, const struct rsp_record *r)
{
    struct rsp_snapshot *s = NULL;
    struct rsp_source *source = NULL;
    uint8_t got[4096];
    size_t at = 0, n;
    int rc = rsp_snapshot_open(repo, r, &s);
    ck_assert_msg(!rc, "%s: %s", rsp_status_name(rc), y.error.message);
    ck_assert_int_eq(rsp_snapshot_source(s, 0, 0, 1, &source), RSP_OK);
    while ((rc = rsp_source_read(source, got, sizeof got, &n)) == RSP_OK) {
        ck_assert(n <= dump.n - at);
        ck_assert_mem_eq(got, dump.p + at, n);
        at += n;
    }
    ck_assert_int_eq(rc, RSP_END);
    ck_assert_uint_eq(at, dump.n);
    rsp_source_free(source);
    rsp_snapshot_free(s);
}

/* The log has no fault, everything living is there to the last byte. Returns how many live. */
static size_t sound(void)
{
    struct place p;
    struct rsp_verify_options o = {.size = sizeof o, .read_stored = 1};
    struct rsp_verify_report report = {.size = sizeof report};
    size_t living = 0;
    int rc;
    disarm();
    rc = place_log(&p, &y.env);
    ck_assert_msg(!rc, "%s: %s: %s", rsp_status_name(rc), y.error.subject, y.error.message);
    rc = rsp_verify(p.log, &o, &report);
    ck_assert_msg(!rc, "%s: %s", rsp_status_name(rc), y.error.message);
    for (size_t i = 0; i < p.log->troubles_n; i++)
        ck_assert_msg(!p.log->troubles[i].status, "%s: %s", p.log->troubles[i].name, p.log->troubles[i].text);
    for (size_t i = 0; i < p.log->records_n; i++) {
        if (!rsp_record_living(p.log->records[i])) continue;
        same_bytes_come_back(p.repo, p.log->records[i]);
        living++;
    }
    place_close(&p);
    return living;
}

/* ---- flows ---- */

static int flow_init(void)
{
    struct rsp_store_options so = {.size = sizeof so, .create = 1};
    struct rsp_member members[2];
    struct place p;
    uint8_t id[16];
    int rc;
    memset(&p, 0, sizeof p);
    memset(members, 0, sizeof members);
    rsp_identity_public(y.host, &members[0].key);
    members[0].flags = RSP_ROLE_WRITE | RSP_ROLE_KEEP;
    memcpy(members[0].name, "host", 5);
    rsp_identity_public(y.reader, &members[1].key);
    members[1].flags = RSP_ROLE_READ;
    memcpy(members[1].name, "reader", 7);
    rc = rsp_store_open(&env, y.url, &so, &p.store);
    if (!rc) rc = rsp_state_open(&env, y.state_dir, 1, &p.state);
    if (!rc) rc = rsp_repo_init(&env, p.store, p.state, y.root, members, 2, NULL, id);
    place_close(&p);
    return rc;
}

static int flow_backup(void)
{
    struct rsp_backup_options o = {.size = sizeof o, .place = "memory", .prove_read = 1};
    struct rsp_backup_report report = {.size = sizeof report};
    struct rsp_source *source = NULL;
    struct place p;
    int rc = place_open(&p, &env);
    o.snapshot.size = sizeof o.snapshot;
    o.snapshot.source = "web";
    o.snapshot.threads = 1;
    o.snapshot.chunk_bytes = 4096;
    if (!rc) rc = rsp_source_memory(&env, dump.p, dump.n, &source);
    if (!rc) rc = rsp_backup(&env, p.repo, source, &o, &p.log, &report);
    rsp_source_free(source);
    place_close(&p);
    return rc;
}

static void target(char out[128])
{
    snprintf(out, 128, "%s/out/dump.rdb", y.dir);
}

static int flow_restore(void)
{
    struct rsp_restore_options o = {.size = sizeof o, .threads = 1, .force = 1};
    struct rsp_restore_report report = {.size = sizeof report};
    struct rsp_snapshot *s = NULL;
    struct rsp_record *r = NULL;
    struct place p;
    char path[128];
    int rc = place_log(&p, &env);
    target(path);
    if (!rc) rc = rsp_log_find(p.log, "latest", y.source, &r);
    if (!rc) rc = rsp_snapshot_open(p.repo, r, &s);
    if (!rc) rc = rsp_restore_file(&env, s, path, &o, &report);
    rsp_snapshot_free(s);
    place_close(&p);
    return rc;
}

static int flow_expire(void)
{
    struct rsp_retention policy = {.size = sizeof policy, .last = 2};
    struct rsp_expire_report report = {.size = sizeof report};
    struct place p;
    int rc = place_log(&p, &env);
    if (!rc) {
        rc = rsp_expire(p.log, &policy, 0, &report);
        rsp_expire_report_free(p.log, &report);
    }
    place_close(&p);
    return rc;
}

static int flow_prune(void)
{
    struct rsp_prune_options o = {.size = sizeof o, .quarantine_ms = 0, .debris_age_ms = 7 * YARD_DAY};
    struct rsp_prune_report report = {.size = sizeof report};
    struct place p;
    int rc = place_log(&p, &env);
    if (!rc) rc = rsp_prune(p.log, &o, &report);
    place_close(&p);
    return rc;
}

/* ---- torture ---- */

/* The words of an init that was cut short name the way out: what it left is removed, and it is run again. */
static int init_again(void)
{
    char path[128];
    struct place p;
    int rc = flow_init();
    if (rc != RSP_EEXIST) return rc;
    rc = place_open(&p, &y.env);
    place_close(&p);
    if (rc != RSP_ENOREPO) return rc;
    snprintf(path, sizeof path, "%s/repo/repository", y.dir);
    ck_assert_int_eq(nftw(path, erase, 16, FTW_DEPTH | FTW_PHYS), 0);
    rsp_error_clear(&y.error);
    return flow_init();
}

struct flow {
    const char *name;
    int (*run)(void);
    size_t least, most; /* snapshots that live after a run that failed */
    size_t after;       /* and after one that did not */
    long at_least;      /* points of failure there must be: else nothing was tried */
};

static void restored_or_not(void)
{
    char path[128], folder[128];
    struct stat st;
    target(path);
    snprintf(folder, sizeof folder, "%s/out", y.dir);
    if (stat(path, &st)) ck_assert_int_eq(rmdir(folder), 0); /* nothing half lies beside it */
    else ck_assert_int_eq(st.st_size, (long)dump.n);
    ck_assert(!mkdir(folder, 0700) || errno == EEXIST);
}

static void torture(const struct flow *f, enum how how)
{
    long n = 0;
    for (;; n++) {
        size_t living;
        int rc, failed, again;
        back();
        y.now_ms += 1000;
        rsp_error_clear(&y.error);
        arm(how, n);
        rc = f->run();
        failed = atomic_load(&plan.failed);
        disarm();
        ck_assert_msg(rc <= RSP_OK, "%s", f->name);
        ck_assert_msg(failed || !rc, "%s: %s without a cause: %s", f->name, rsp_status_name(rc), y.error.message);
        if (f->run == flow_restore) restored_or_not();
        if (rc && f->least) {
            living = sound();
            ck_assert_msg(living >= f->least && living <= f->most, "%s, %s %ld: %zu live", f->name, how_text[how], n,
                          living);
        }
        if (rc) {
            y.now_ms += 1000;
            rsp_error_clear(&y.error);
            again = f->run == flow_init ? init_again() : f->run();
            ck_assert_msg(!again, "%s, %s %ld, second run: %s: %s: %s", f->name, how_text[how], n,
                          rsp_status_name(again), y.error.subject, y.error.message);
        }
        living = sound();
        ck_assert_msg(living >= f->after && living <= f->after + (f->run == flow_backup), "%s, %s %ld: %zu live",
                      f->name, how_text[how], n, living);
        if (!failed) break;
    }
    ck_assert_msg(n >= f->at_least, "%s: %ld points of failure only", f->name, n);
}

static const struct flow flows[] = {
    {"init", flow_init, 0, 0, 0, 3},     {"backup", flow_backup, 1, 2, 2, 10}, {"restore", flow_restore, 2, 2, 2, 6},
    {"expire", flow_expire, 2, 3, 2, 6}, {"prune", flow_prune, 2, 2, 2, 9},
};

static void prepare(const struct flow *f)
{
    size_t snapshots = f->run == flow_backup ? 1 : f->run == flow_restore ? 2 : 3;
    char path[128];
    nftw(y.dir, erase, 16, FTW_DEPTH | FTW_PHYS);
    if (f->run != flow_init) {
        ck_assert_int_eq(flow_init(), RSP_OK);
        for (size_t i = 0; i < snapshots; i++) {
            y.now_ms += 1000;
            ck_assert_msg(!flow_backup(), "%s: %s", y.error.subject, y.error.message);
        }
        if (f->run == flow_prune) ck_assert_int_eq(flow_expire(), RSP_OK);
    }
    target(path);
    *strrchr(path, '/') = 0;
    ck_assert_int_eq(mkdir(path, 0700), 0);
    keep();
}

START_TEST(whole_flows)
{
    const struct flow *f = &flows[_i / HOWS];
    prepare(f);
    torture(f, (enum how)(_i % HOWS));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("torture repo");
    TCase *t = tcase_create("repo");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, whole_flows, 0, HOWS * (int)(sizeof flows / sizeof *flows));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
