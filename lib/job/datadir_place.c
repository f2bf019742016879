/* What this is: what a server will load, built beside it and put in its place in one step.
 * Rests on: datadir.h, aof/manifest.h, io/fdio.h, Linux (renameat2).
 * Does not: remove anything but what it made itself. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "aof/manifest.h"
#include "io/fdio.h"
#include "job/datadir.h"

#define STAGE ".respite-restore-"
#define STAGE_N (sizeof STAGE - 1)

static int sync_fd(const struct datadir *d, int fd)
{
    int rc;
    do {
        rc = fsync(fd);
    } while (rc && errno == EINTR);
    return rc ? fail_errno(&d->env, errno, d->c->dir, "cannot make durable") : RSP_OK;
}

/* ---- the folder it is built in ---- */

/* Files and folders of files: what a restore puts there. Nothing else is followed or removed. */
static void clear(int folder, int depth)
{
    DIR *dir;
    struct dirent *e;
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0) close(fd);
        return;
    }
    while ((e = readdir(dir))) {
        int sub;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        if (!unlinkat(folder, e->d_name, 0) || !depth) continue;
        sub = openat(folder, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (sub < 0) continue;
        clear(sub, depth - 1);
        close(sub);
        (void)unlinkat(folder, e->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

/* Of a run that was interrupted: one that is under way holds the lock. */
static void remove_left(struct datadir *d, const char *name)
{
    struct stat st;
    int fd = openat(d->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return;
    if (!fstat(fd, &st) && st.st_uid == geteuid() && !flock(fd, LOCK_EX | LOCK_NB)) {
        clear(fd, 1);
        (void)unlinkat(d->fd, name, AT_REMOVEDIR);
    }
    close(fd);
}

static void remove_all_left(struct datadir *d)
{
    int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    if (!dir) {
        if (fd >= 0) close(fd);
        return;
    }
    while ((e = readdir(dir)))
        if (!strncmp(e->d_name, STAGE, STAGE_N) && strlen(e->d_name) == STAGE_N + 8) remove_left(d, e->d_name);
    closedir(dir);
}

int datadir_stage(struct datadir *d)
{
    char hex[9] = "";
    remove_all_left(d);
    for (int tries = 0; tries < 100; tries++) {
        int rc = random_hex8(&d->env, hex);
        if (rc) return rc;
        snprintf(d->stage_name, sizeof d->stage_name, STAGE "%s", hex);
        if (!mkdirat(d->fd, d->stage_name, 0700)) {
            d->stage = openat(d->fd, d->stage_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            /* Where there are no locks none is held: then nobody removes it, either. */
            if (d->stage < 0 || (flock(d->stage, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK))
                return fail_errno(&d->env, errno, d->c->dir, "cannot use the folder %s in it", d->stage_name);
            return RSP_OK;
        }
        d->stage_name[0] = 0;
        if (errno != EEXIST) break;
    }
    return fail_errno(&d->env, errno, d->c->dir, "cannot make a folder in it");
}

int datadir_folder(struct datadir *d, int *folder, const char **name)
{
    int multi = d->form == DATADIR_MULTI;
    if (multi && mkdirat(d->stage, d->name, 0700))
        return fail_errno(&d->env, errno, d->c->dir, "cannot make a folder in %s", d->stage_name);
    *name = multi ? d->base : d->name;
    *folder = openat(d->stage, multi ? d->name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return *folder < 0 ? fail_errno(&d->env, errno, d->c->dir, "cannot open %s", d->stage_name) : RSP_OK;
}

/* ---- owner, mode, manifest ---- */

static int own(const struct datadir *d, int fd, mode_t mode)
{
    if (fchown(fd, geteuid() ? (uid_t)-1 : d->uid, d->gid)) {
        if (!geteuid()) return fail_errno(&d->env, errno, d->c->dir, "what is restored cannot be given its owner");
        log_line(&d->env, RSP_LOG_WARN, "%s: %s cannot be given the group %lu", d->c->dir, d->name,
                 (unsigned long)d->gid);
    }
    if (fchmod(fd, mode)) return fail_errno(&d->env, errno, d->c->dir, "what is restored cannot be given its mode");
    return sync_fd(d, fd);
}

static int own_file(const struct datadir *d, int folder, const char *name)
{
    int rc, fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return fail_errno(&d->env, errno, d->c->dir, "cannot open %s again", name);
    rc = own(d, fd, d->mode);
    close(fd);
    return rc;
}

static int put_manifest(const struct datadir *d, int folder)
{
    struct aof_manifest m;
    struct buf text;
    char name[256 + 16];
    int fd = -1, rc;
    aof_manifest_init(&m, &d->env);
    buf_init(&text, &d->env);
    snprintf(name, sizeof name, "%s.manifest", d->c->appendfilename);
    rc = aof_manifest_add(&m, d->base, 1, AOF_BASE);
    if (!rc) rc = aof_manifest_write(&m, &text);
    if (!rc) {
        fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) rc = fail_errno(&d->env, errno, d->c->dir, "cannot make %s", name);
    }
    if (!rc) rc = fd_write_all(&d->env, fd, name, text.p, text.n);
    if (!rc) rc = own(d, fd, d->mode);
    if (fd >= 0) close(fd);
    buf_free(&text);
    aof_manifest_free(&m);
    return rc;
}

/* ---- publishing ---- */

static int put_new(struct datadir *d)
{
    int err = renameat2(d->stage, d->name, d->fd, d->name, RENAME_NOREPLACE) ? errno : 0;
    /* A file system that cannot do that: a folder replaces only an empty one, a link replaces nothing. */
    if (err == EEXIST || err == EINVAL || err == ENOSYS) {
        if (d->form == DATADIR_MULTI) err = renameat(d->stage, d->name, d->fd, d->name) ? errno : 0;
        else if (err != EEXIST) {
            err = linkat(d->stage, d->name, d->fd, d->name, 0) ? errno : 0;
            if (!err) (void)unlinkat(d->stage, d->name, 0);
        }
    }
    if (err == EEXIST || err == ENOTEMPTY)
        return fail(&d->env, RSP_EEXIST, d->c->dir, "%s has appeared meanwhile", d->name);
    if (err) return fail_errno(&d->env, err, d->c->dir, "%s cannot be put there", d->name);
    return RSP_OK;
}

static int name_aside(struct datadir *d)
{
    time_t now = (time_t)(d->env.now_ms(d->env.clock_opaque) / 1000);
    char when[32] = "";
    struct tm tm;
    if (!gmtime_r(&now, &tm) || !strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm)) snprintf(when, sizeof when, "0");
    for (unsigned k = 1; k < 1000; k++) {
        struct stat st;
        char name[sizeof d->aside_name];
        if (k == 1) snprintf(name, sizeof name, "respite-aside-%s", when);
        else snprintf(name, sizeof name, "respite-aside-%s-%u", when, k);
        if (!fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW)) continue;
        if (renameat(d->fd, d->stage_name, d->fd, name)) {
            if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR) continue;
            return fail_errno(&d->env, errno, d->c->dir, "cannot make the folder %s", name);
        }
        memcpy(d->aside_name, name, sizeof name);
        d->stage_name[0] = 0; /* from here on it is never removed */
        return RSP_OK;
    }
    return fail(&d->env, RSP_EEXIST, d->c->dir, "there are too many folders respite-aside-%s", when);
}

/* A file gets a second name aside, then the new one replaces it: there is no instant without either. */
static int replace_file(struct datadir *d, const char *old, int *moved)
{
    struct stat st;
    int err, rc = sync_fd(d, d->stage);
    if (!rc && !renameat(d->stage, d->name, d->fd, d->name)) {
        *moved = 1;
        (void)renameat(d->stage, old, d->stage, d->name);
        return RSP_OK;
    }
    err = errno;
    *moved = fstatat(d->stage, d->name, &st, AT_SYMLINK_NOFOLLOW) != 0; /* it has happened all the same */
    if (!*moved) (void)unlinkat(d->stage, old, 0);
    return rc ? rc : fail_errno(&d->env, err, d->c->dir, "%s cannot be put there", d->name);
}

/* Without an exchange in one step: the old aside, the new in its place. *moved: the old lies aside. Of a folder there is
 * an instant in which neither is there. */
static int swap_slowly(struct datadir *d, int *moved)
{
    char old[sizeof d->name + 8];
    int rc;
    snprintf(old, sizeof old, "%.250s.old", d->name);
    if (d->form != DATADIR_MULTI && !linkat(d->fd, d->name, d->stage, old, 0)) return replace_file(d, old, moved);
    if (renameat(d->fd, d->name, d->stage, old))
        return fail_errno(&d->env, errno, d->c->dir, "%s cannot be put aside", d->name);
    *moved = 1;
    rc = sync_fd(d, d->stage); /* before its name is another's */
    if (rc || renameat(d->stage, d->name, d->fd, d->name)) {
        int err = errno;
        *moved = renameat(d->stage, old, d->fd, d->name) != 0;
        return rc ? rc : fail_errno(&d->env, err, d->c->dir, "%s cannot be put there", d->name);
    }
    (void)renameat(d->stage, old, d->stage, d->name);
    return RSP_OK;
}

/* A rename that failed may have happened all the same (network file systems): is anything but what we made in there? */
static int holds_old(const struct datadir *d, const struct stat *made)
{
    char old[sizeof d->name + 8];
    struct stat st;
    snprintf(old, sizeof old, "%.250s.old", d->name);
    if (!fstatat(d->stage, old, &st, AT_SYMLINK_NOFOLLOW)) return 1;
    return fstatat(d->stage, d->name, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != made->st_ino;
}

static int put_over(struct datadir *d)
{
    int rc = name_aside(d), moved = 0;
    struct stat made;
    if (rc) return rc;
    if (fstatat(d->stage, d->name, &made, AT_SYMLINK_NOFOLLOW))
        return fail_errno(&d->env, errno, d->c->dir, "what was restored is not in %s", d->aside_name);
    rc = sync_fd(d, d->fd);
    if (!rc && !renameat2(d->stage, d->name, d->fd, d->name, RENAME_EXCHANGE)) moved = 1;
    else if (!rc && (errno == EINVAL || errno == ENOSYS)) rc = swap_slowly(d, &moved);
    else if (!rc) rc = fail_errno(&d->env, errno, d->c->dir, "%s cannot take the place of the old one", d->name);
    if (!moved && !holds_old(d, &made)) { /* what is aside is not the old but the new: it goes */
        memcpy(d->stage_name, d->aside_name, sizeof d->stage_name);
        d->aside_name[0] = 0;
    }
    return rc ? rc : sync_fd(d, d->stage);
}

/* The new is in its place. */
static int put_beside(struct datadir *d)
{
    int rc = d->aside_name[0] ? RSP_OK : name_aside(d);
    /* Its name first: what a power cut left under the old one, the next run would remove. */
    if (!rc) rc = sync_fd(d, d->fd);
    for (size_t i = 0; i < d->beside_n && !rc; i++)
        if (renameat(d->fd, d->beside[i], d->stage, d->beside[i]) && errno != ENOENT)
            rc = fail_errno(&d->env, errno, d->c->dir, "%s cannot be put aside", d->beside[i]);
    if (!rc) rc = sync_fd(d, d->stage);
    return rc ? trail(&d->env, rc, "what was restored is in place, and will be loaded") : RSP_OK;
}

int datadir_publish(struct datadir *d, int folder)
{
    int multi = d->form == DATADIR_MULTI;
    int rc = own_file(d, folder, multi ? d->base : d->name);
    if (!rc && multi) rc = put_manifest(d, folder);
    if (!rc && multi) rc = own(d, folder, d->folder_mode);
    if (!rc) rc = sync_fd(d, d->stage);
    if (!rc) rc = d->exists ? put_over(d) : put_new(d);
    if (!rc) rc = sync_fd(d, d->fd);
    if (rc || !d->beside_n) return rc;
    rc = put_beside(d);
    return rc ? rc : sync_fd(d, d->fd);
}

void datadir_close(struct datadir *d)
{
    if (d->stage_name[0] && d->stage >= 0) clear(d->stage, 1);
    if (d->stage_name[0]) (void)unlinkat(d->fd, d->stage_name, AT_REMOVEDIR);
    if (d->stage >= 0) close(d->stage);
    if (d->fd >= 0) close(d->fd);
    d->stage = d->fd = -1;
}
