/* What this is: tests of the state directory: what init binds, heads and roles remembered, the lock, failing writes.
 * Rests on: libcheck, repo/repo_impl.h; write, fsync and renameat of the library are wrapped.
 * Does not: open a repository. LDFLAGS: -Wl,--wrap=write,--wrap=fsync,--wrap=renameat,--wrap=linkat */
#include <check.h>
#undef fail
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "repo/repo_impl.h"
#include "seal/identity.h"

#define URL "file:/srv/backups"

static struct rsp_error error;
static struct rsp_env env;
static char base[64], dir[96];
static struct rsp_state *state;
static struct rsp_identity *root, *other;
static struct rsp_public root_key, other_key;
static uint8_t lineage[16], id[16], id2[16];

/* The call that fails, counted down over all four kinds; below 0: none. */
static long fail_after = -1;
static int failing(void)
{
    if (fail_after < 0) return 0;
    if (fail_after > 0) {
        fail_after--;
        return 0;
    }
    errno = ENOSPC;
    return 1;
}
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    return failing() ? -1 : __real_write(fd, p, n);
}
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return failing() ? -1 : __real_fsync(fd);
}
int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
    return failing() ? -1 : __real_renameat(a, from, b, to);
}
int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
    return failing() ? -1 : __real_linkat(a, from, b, to, flags);
}

static long alloc_after = -1;
static void *counted(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    if (alloc_after == 0) return NULL;
    if (alloc_after > 0) alloc_after--;
    return realloc(p, n);
}

static void setup(void)
{
    uint8_t secret[32];
    memset(&error, 0, sizeof error);
    env_init(&env, &(struct rsp_env){.error = &error, .resize = counted});
    snprintf(base, sizeof base, "%s", "/tmp/respite-state-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(dir, sizeof dir, "%s/a/b", base);
    memset(secret, 1, sizeof secret);
    ck_assert_int_eq(identity_from_secret(&env, secret, "root", &root), RSP_OK);
    memset(secret, 2, sizeof secret);
    ck_assert_int_eq(identity_from_secret(&env, secret, "other", &other), RSP_OK);
    rsp_identity_public(root, &root_key);
    rsp_identity_public(other, &other_key);
    rsp_lineage_of(&root_key, lineage);
    memset(id, 0x1d, sizeof id);
    memset(id2, 0x2d, sizeof id2);
    ck_assert_int_eq(rsp_state_open(&env, dir, 1, &state), RSP_OK);
}

static int erase(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void teardown(void)
{
    fail_after = alloc_after = -1;
    rsp_state_free(state);
    rsp_identity_free(root);
    rsp_identity_free(other);
    nftw(base, erase, 16, FTW_DEPTH | FTW_PHYS);
}

static void in_lineage(const char *name, char *path, size_t size)
{
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_path(state, lineage, name, path, size), RSP_OK);
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void get(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    out[fread(out, 1, size - 1, f)] = 0;
    fclose(f);
}

static int private_tree(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)ftw;
    if ((st->st_mode & 0777) != (flag == FTW_DP || flag == FTW_D ? 0700 : 0600))
        ck_abort_msg("%s: %o", path, st->st_mode);
    return 0;
}

START_TEST(opening)
{
    struct rsp_state *s;
    char path[128];
    snprintf(path, sizeof path, "%s/none", base);
    ck_assert_int_eq(rsp_state_open(&env, path, 0, &s), RSP_ENOTFOUND);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(error.code, RSP_ENOTFOUND);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_open(&env, "", 1, &s), RSP_EINVAL);
    put(path, "a file");
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_open(&env, path, 1, &s), RSP_EINVAL);
    ck_assert_int_eq(rsp_state_open(&env, path, 0, &s), RSP_EINVAL);
    snprintf(path, sizeof path, "%s///", dir);
    ck_assert_int_eq(rsp_state_open(&env, path, 0, &s), RSP_OK);
    rsp_state_free(s);
    rsp_state_free(NULL);
}
END_TEST

START_TEST(binding)
{
    uint8_t l[16], i[16];
    struct rsp_public back;
    char path[4096], text[512];
    ck_assert_int_eq(rsp_state_lookup(state, URL, l, i), RSP_ENOTFOUND);
    ck_assert_str_eq(error.subject, URL);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_root(state, lineage, &back), RSP_ENOTFOUND);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_bind(state, URL, &root_key, id), RSP_OK);
    ck_assert_int_eq(rsp_state_bind(state, URL, &root_key, id), RSP_OK); /* says nothing new */
    ck_assert_int_eq(rsp_state_bind(state, "file:/with a blank", &root_key, id2), RSP_OK);
    ck_assert_int_eq(rsp_state_lookup(state, URL, l, i), RSP_OK);
    ck_assert_mem_eq(l, lineage, 16);
    ck_assert_mem_eq(i, id, 16);
    ck_assert_int_eq(rsp_state_lookup(state, "file:/with a blank", l, i), RSP_OK);
    ck_assert_mem_eq(i, id2, 16);
    ck_assert_int_eq(rsp_state_lookup(state, "file:/with", l, i), RSP_ENOTFOUND);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_bind(state, URL, &root_key, id2), RSP_EEXIST);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_bind(state, URL, &other_key, id), RSP_EEXIST);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_bind(state, "file:/x\ny", &root_key, id), RSP_EINVAL);
    ck_assert_int_eq(rsp_state_bind(state, "", &root_key, id), RSP_EINVAL);
    ck_assert_int_eq(rsp_state_root(state, lineage, &back), RSP_OK);
    ck_assert_mem_eq(&back, &root_key, sizeof back);
    snprintf(path, sizeof path, "%s/repos", dir);
    get(path, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, " 1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d " URL "\n"));
    ck_assert_int_eq(nftw(dir, private_tree, 16, FTW_PHYS), 0);
}
END_TEST

START_TEST(damaged_files)
{
    static const char *const repos[] = {"x\n", "\n", "00 11 file:/x\n",
                                        "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d 1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d \n",
                                        "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1x 1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d file:/y\n"};
    uint8_t l[16], i[16];
    struct rsp_public back;
    char path[4096], text[RSP_PUBLIC_TEXT];
    ck_assert_int_eq(rsp_state_bind(state, URL, &root_key, id), RSP_OK);
    in_lineage("root.pub", path, sizeof path);
    put(path, "rsp-pub-nonsense\n");
    ck_assert_int_eq(rsp_state_root(state, lineage, &back), RSP_EFORMAT);
    ck_assert_str_eq(error.subject, path);
    rsp_public_text(&other_key, text);
    put(path, text);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_root(state, lineage, &back), RSP_EFORMAT);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_bind(state, "file:/new", &root_key, id), RSP_EFORMAT);
    rsp_public_text(&root_key, text); /* without a line feed */
    put(path, text);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_root(state, lineage, &back), RSP_OK);
    snprintf(path, sizeof path, "%s/repos", dir);
    for (size_t k = 0; k < sizeof repos / sizeof *repos; k++) {
        put(path, repos[k]);
        rsp_error_clear(&error);
        ck_assert_int_eq(rsp_state_lookup(state, URL, l, i), RSP_EFORMAT);
        ck_assert_int_eq(rsp_state_bind(state, URL, &root_key, id), RSP_EFORMAT);
        ck_assert_str_eq(error.subject, path);
    }
    /* A last line that an editor left open. */
    put(path, "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d 2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d file:/y");
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_state_bind(state, URL, &root_key, id), RSP_OK);
    ck_assert_int_eq(rsp_state_lookup(state, "file:/y", l, i), RSP_OK);
    ck_assert_mem_eq(i, id2, 16);
    ck_assert_int_eq(rsp_state_lookup(state, URL, l, i), RSP_OK);
    /* No file at all: a folder, a pipe. */
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(rsp_state_lookup(state, URL, l, i), RSP_EINVAL);
}
END_TEST

START_TEST(paths)
{
    char small[8], path[4096];
    in_lineage("identity", path, sizeof path);
    ck_assert_int_eq(strncmp(path, dir, strlen(dir)), 0);
    ck_assert_str_eq(path + strlen(path) - 9, "/identity");
    ck_assert_int_eq(rsp_state_path(state, lineage, "identity", small, sizeof small), RSP_ELIMIT);
}
END_TEST

/* ---- heads ---- */

static void three(struct seen_head *h)
{
    for (size_t i = 0; i < 3; i++) {
        memset(h[i].source, (int)(3 - i), 16);
        memset(h[i].hash, (int)(0x40 + i), 32);
        h[i].seq = 7 + i;
    }
}

START_TEST(heads)
{
    struct seen_head h[3], *back;
    size_t n;
    char path[4096], text[1024];
    three(h);
    ck_assert_int_eq(state_heads_load(state, lineage, id, &back, &n), RSP_OK);
    ck_assert(!back && !n);
    ck_assert_int_eq(error.code, 0);
    ck_assert_int_eq(state_heads_save(state, lineage, id, h, 3), RSP_OK);
    ck_assert_int_eq(state_heads_load(state, lineage, id, &back, &n), RSP_OK);
    ck_assert_uint_eq(n, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_mem_eq(back[i].source, h[2 - i].source, 16); /* sorted */
        ck_assert_mem_eq(back[i].hash, h[2 - i].hash, 32);
        ck_assert_uint_eq(back[i].seq, h[2 - i].seq);
    }
    mem_free(&env, back, n * sizeof *back);
    in_lineage("heads/1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d", path, sizeof path);
    get(path, text, sizeof text);
    ck_assert_int_eq(strncmp(text, "01010101010101010101010101010101 9 4242", 39), 0);
    ck_assert_int_eq(state_heads_load(state, lineage, id2, &back, &n), RSP_OK); /* of another repository */
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(state_heads_save(state, lineage, id, NULL, 0), RSP_OK);
    ck_assert_int_eq(state_heads_load(state, lineage, id, &back, &n), RSP_OK);
    ck_assert(!back && !n);
    ck_assert_int_eq(nftw(dir, private_tree, 16, FTW_PHYS), 0);
}
END_TEST

START_TEST(what_a_dead_writer_left_goes)
{
    struct seen_head head = {{1}, {2}, 3};
    const struct timespec old[2] = {{1000, 0}, {1000, 0}};
    char folder[160], dead[256], young[256], other_file[256];
    ck_assert_int_eq(rsp_state_bind(state, URL, &root_key, id), RSP_OK);
    ck_assert_int_eq(state_heads_save(state, lineage, id, &head, 1), RSP_OK);
    ck_assert_int_eq(rsp_state_path(state, lineage, "heads", folder, sizeof folder), RSP_OK);
    snprintf(dead, sizeof dead, "%s/.x.respite-0a1b2c3d.part", folder);
    snprintf(young, sizeof young, "%s/.x.respite-0a1b2c3e.part", folder);
    snprintf(other_file, sizeof other_file, "%s/.other", folder);
    const char *const path[] = {dead, young, other_file};
    for (size_t i = 0; i < 3; i++) {
        int fd = open(path[i], O_WRONLY | O_CREAT, 0600);
        ck_assert_int_ge(fd, 0);
        if (i != 1) ck_assert_int_eq(futimens(fd, old), 0);
        close(fd);
    }
    head.seq = 4;
    ck_assert_int_eq(state_heads_save(state, lineage, id, &head, 1), RSP_OK);
    ck_assert_int_ne(access(dead, F_OK), 0);
    ck_assert_int_eq(access(young, F_OK), 0);
    ck_assert_int_eq(access(other_file, F_OK), 0);
}
END_TEST

START_TEST(heads_damaged)
{
    struct seen_head h[3], *back;
    size_t n, whole;
    char path[4096], text[1024];
    three(h);
    ck_assert_int_eq(state_heads_save(state, lineage, id, h, 3), RSP_OK);
    in_lineage("heads/1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d", path, sizeof path);
    get(path, text, sizeof text);
    whole = strlen(text);
    for (size_t cut = 1; cut < whole - 1; cut++) {
        char kept = text[cut];
        int at_line = kept == '\n' || text[cut - 1] == '\n', rc;
        text[cut] = 0;
        put(path, text);
        text[cut] = kept;
        rsp_error_clear(&error);
        rc = state_heads_load(state, lineage, id, &back, &n);
        ck_assert_int_eq(rc, at_line ? RSP_OK : RSP_EFORMAT);
        if (!rc) mem_free(&env, back, n * sizeof *back);
        else ck_assert(!back && !n && error.code == RSP_EFORMAT);
    }
    for (size_t at = 0; at < whole; at++) {
        char kept = text[at];
        text[at] = '!';
        put(path, text);
        text[at] = kept;
        ck_assert_int_eq(state_heads_load(state, lineage, id, &back, &n), RSP_EFORMAT);
    }
}
END_TEST

/* ---- roles ---- */

static struct rsp_roles *roles_of(uint64_t n)
{
    struct rsp_member m = {.key = root_key, .flags = 31, .name = "root"};
    struct rsp_roles draft = {.n = n, .time_ms = 5, .members = &m, .members_n = 1}, *made = NULL;
    memcpy(draft.lineage, lineage, 16);
    ck_assert_int_eq(rsp_roles_sign(&env, &draft, root, &made), RSP_OK);
    return made;
}

struct met {
    unsigned n, stop_after;
    size_t bytes;
};
static int meet(void *opaque, struct rsp_span bytes)
{
    struct met *m = opaque;
    m->bytes += bytes.n;
    return ++m->n == m->stop_after ? RSP_EUSER : RSP_OK;
}

START_TEST(roles)
{
    struct rsp_roles *one = roles_of(1), *two = roles_of(2);
    struct met m = {0};
    char path[4096], name[NAME_MAX_BYTES];
    ck_assert_int_eq(state_roles_each(state, lineage, meet, &m), RSP_OK);
    ck_assert_uint_eq(m.n, 0);
    ck_assert_int_eq(state_roles_save(state, one), RSP_OK);
    ck_assert_int_eq(state_roles_save(state, two), RSP_OK);
    ck_assert_int_eq(state_roles_save(state, two), RSP_OK);
    ck_assert_int_eq(state_roles_each(state, lineage, meet, &m), RSP_OK);
    ck_assert_uint_eq(m.n, 2);
    ck_assert_uint_eq(m.bytes, one->bytes_n + two->bytes_n);
    m = (struct met){.stop_after = 1};
    ck_assert_int_eq(state_roles_each(state, lineage, meet, &m), RSP_EUSER);
    ck_assert_uint_eq(m.n, 1);
    /* Damaged ones and files of other names are passed over; saving again mends. */
    name_roles(name, 2, two->hash);
    in_lineage(name, path, sizeof path);
    put(path, "something else");
    in_lineage("roles/README", path, sizeof path);
    put(path, "not ours");
    m = (struct met){0};
    ck_assert_int_eq(state_roles_each(state, lineage, meet, &m), RSP_OK);
    ck_assert_uint_eq(m.n, 1);
    ck_assert_int_eq(state_roles_save(state, two), RSP_OK);
    m = (struct met){0};
    ck_assert_int_eq(state_roles_each(state, lineage, meet, &m), RSP_OK);
    ck_assert_uint_eq(m.n, 2);
    rsp_roles_free(one);
    rsp_roles_free(two);
}
END_TEST

/* ---- the lock ---- */

START_TEST(lock)
{
    int ready[2], go[2], status;
    char c = 0;
    pid_t child;
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(go), 0);
    child = fork();
    if (!child) {
        struct rsp_state *s;
        int rc = rsp_state_open(&env, dir, 0, &s);
        if (!rc) rc = rsp_state_lock(s, lineage);
        c = (char)(rc ? 'n' : 'y');
        if (__real_write(ready[1], &c, 1) != 1 || read(go[0], &c, 1) != 1) _exit(1);
        _exit(0); /* without giving it back */
    }
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    ck_assert_int_eq(c, 'y');
    ck_assert_int_eq(rsp_state_lock(state, lineage), RSP_ELOCKED);
    ck_assert_int_eq(error.code, RSP_ELOCKED);
    rsp_error_clear(&error);
    memset(id2, 9, 16);
    ck_assert_int_eq(rsp_state_lock(state, id2), RSP_OK); /* another lineage is free */
    ck_assert_int_eq(__real_write(go[1], "g", 1), 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(rsp_state_lock(state, lineage), RSP_OK); /* it died with its holder */
    ck_assert_int_eq(rsp_state_lock(state, lineage), RSP_OK); /* held already */
    child = fork();
    if (!child) {
        struct rsp_state *s;
        int rc = rsp_state_open(&env, dir, 0, &s);
        _exit(rc ? 1 : rsp_state_lock(s, lineage) == RSP_ELOCKED ? 0 : 2);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- what fails leaves what was ---- */

START_TEST(failing_writes)
{
    struct seen_head h[3], *back = NULL;
    size_t n;
    uint8_t l[16], i[16];
    long k;
    int rc = RSP_EIO, failures = 0;
    three(h);
    ck_assert_int_eq(rsp_state_bind(state, URL, &root_key, id), RSP_OK);
    ck_assert_int_eq(state_heads_save(state, lineage, id, h, 1), RSP_OK);
    for (k = 0; rc && k < 50; k++) {
        rsp_error_clear(&error);
        fail_after = k;
        rc = state_heads_save(state, lineage, id, h, 3);
        fail_after = -1;
        if (!rc) break;
        failures++;
        ck_assert_int_eq(rc, RSP_ENOSPACE);
        ck_assert_int_eq(error.code, RSP_ENOSPACE);
        ck_assert_int_eq(state_heads_load(state, lineage, id, &back, &n), RSP_OK);
        ck_assert(n == 1 || n == 3); /* 3: only the folder's fsync failed, and whoever asked was told */
        mem_free(&env, back, n * sizeof *back);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_ge(failures, 4);
    for (k = 0, rc = RSP_EIO; rc && k < 50; k++) {
        rsp_error_clear(&error);
        fail_after = k;
        rc = rsp_state_bind(state, "file:/new", &root_key, id2);
        fail_after = -1;
        if (rc) ck_assert_int_eq(rc, RSP_ENOSPACE);
        ck_assert_int_eq(rsp_state_lookup(state, URL, l, i), RSP_OK); /* what was known stays known */
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_eq(rsp_state_lookup(state, "file:/new", l, i), RSP_OK);
}
END_TEST

START_TEST(failing_allocations)
{
    struct seen_head h[3], *back = NULL;
    size_t n = 0;
    uint8_t l[16], i[16];
    long k;
    int rc = RSP_ENOMEM;
    three(h);
    for (k = 0; rc && k < 200; k++) {
        struct rsp_state *s = NULL;
        rsp_error_clear(&error);
        alloc_after = k;
        rc = rsp_state_open(&env, dir, 1, &s);
        if (!rc) rc = rsp_state_bind(s, URL, &root_key, id);
        if (!rc) rc = rsp_state_lookup(s, URL, l, i);
        if (!rc) rc = state_heads_save(s, lineage, id, h, 3);
        if (!rc) rc = state_heads_load(s, lineage, id, &back, &n);
        alloc_after = -1;
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (rc) ck_assert_int_eq(error.code, RSP_ENOMEM);
        rsp_state_free(s);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(k, 6);
    mem_free(&env, back, n * sizeof *back);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("state");
    TCase *t = tcase_create("state");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, opening);
    tcase_add_test(t, binding);
    tcase_add_test(t, damaged_files);
    tcase_add_test(t, paths);
    tcase_add_test(t, heads);
    tcase_add_test(t, heads_damaged);
    tcase_add_test(t, what_a_dead_writer_left_goes);
    tcase_add_test(t, roles);
    tcase_add_test(t, lock);
    tcase_add_test(t, failing_writes);
    tcase_add_test(t, failing_allocations);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
