/* What this is: what a server will load from its data directory, and whether it can be put there.
 * Rests on: datadir.h, repl/versions.h.
 * Does not: change anything. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "job/datadir.h"
#include "repl/versions.h"

#define MULTI_SINCE 70000
#define PREAMBLE_SINCE 40000

/* ---- the form ---- */

static int there(const struct datadir *d, const char *name)
{
    struct stat st;
    return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Of a server that is not known what is there already tells; a single file is loaded by every server from 4.0 on. */
static int form_of_aof(const struct datadir *d, uint32_t version_n)
{
    if (version_n) return version_n >= MULTI_SINCE ? DATADIR_MULTI : DATADIR_SINGLE;
    if (there(d, d->c->appenddirname)) return DATADIR_MULTI;
    return there(d, d->c->appendfilename) ? DATADIR_SINGLE : DATADIR_MULTI;
}

static int choose_form(struct datadir *d, const struct rsp_datadir_options *o)
{
    const struct rsp_server_config *c = d->c;
    if (c->preload[0])
        return fail(&d->env, RSP_EINVAL, c->dir,
                    "its server is told to load \"preload-file %.120s\" and nothing else: take that line out of its "
                    "configuration first",
                    c->preload);
    if (c->appendonly && o->server_version && o->server_version < PREAMBLE_SINCE)
        return fail(
            &d->env, RSP_EINVAL, c->dir,
            "a server older than 4.0 with appendonly yes loads commands only, no RDB: set appendonly no, restore, "
            "start it, then turn its AOF on again (CONFIG SET appendonly yes)");
    d->form = c->appendonly ? form_of_aof(d, o->server_version) : DATADIR_RDB;
    snprintf(d->name, sizeof d->name, "%s",
             d->form == DATADIR_RDB      ? c->dbfilename
             : d->form == DATADIR_SINGLE ? c->appendfilename
                                         : c->appenddirname);
    if (!d->name[0] || strchr(d->name, '/') || !strcmp(d->name, ".") || !strcmp(d->name, ".."))
        return fail(&d->env, RSP_EINVAL, c->dir, "the configuration names no file that could lie there");
    if (d->form != DATADIR_MULTI) return RSP_OK;
    snprintf(d->base, sizeof d->base, "%s.1.base.rdb", c->appendfilename);
    if (!c->appendfilename[0] || strchr(c->appendfilename, '/') || strlen(d->base) > 255)
        return fail(&d->env, RSP_EINVAL, c->dir, "appendfilename cannot be used: its files' names would be too long");
    return RSP_OK;
}

/* ---- what is there ---- */

static int folder_empty(const struct datadir *d, const char *name)
{
    int fd = openat(d->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), n = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    if (!dir) {
        if (fd >= 0) close(fd);
        return 0;
    }
    while ((e = readdir(dir))) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(dir);
    return n == 0;
}

/* A file in the old folder of the AOF, whose mode the new ones get. */
static int mode_of_old(const struct datadir *d, mode_t *mode)
{
    int fd = openat(d->fd, d->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    struct stat st;
    if (!dir) {
        if (fd >= 0) close(fd);
        return 0;
    }
    while (!found && (e = readdir(dir))) {
        found = fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
        if (found) *mode = st.st_mode;
    }
    closedir(dir);
    return found;
}

static void look_beside(struct datadir *d)
{
    const char *const names[] = {d->c->dbfilename, d->c->appendfilename, d->c->appenddirname};
    for (size_t i = 0; i < 3; i++) {
        const char *name = names[i];
        if (!name[0] || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (!strcmp(name, d->name) || (d->beside_n && !strcmp(name, d->beside[0])) || d->beside_n == 2) continue;
        if (there(d, name) && !folder_empty(d, name)) d->beside[d->beside_n++] = name;
    }
}

/* Owner and mode of what will be replaced; else the owner of DIR. Files of root where DIR is another's were put there by
 * hand: no server of that user could have written them, or could read them as they mostly are. */
static int look_at_old(struct datadir *d)
{
    struct stat st;
    int multi = d->form == DATADIR_MULTI;
    if (fstat(d->fd, &st)) return fail_errno(&d->env, errno, d->c->dir, "cannot be inspected");
    d->uid = st.st_uid;
    d->gid = st.st_gid;
    d->mode = 0640;
    d->folder_mode = 0750;
    if (fstatat(d->fd, d->name, &st, AT_SYMLINK_NOFOLLOW)) {
        if (errno == ENOENT) return RSP_OK;
        return fail_errno(&d->env, errno, d->c->dir, "%s cannot be inspected", d->name);
    }
    d->exists = !(multi && S_ISDIR(st.st_mode) && folder_empty(d, d->name));
    if (S_ISLNK(st.st_mode) && fstatat(d->fd, d->name, &st, 0)) return RSP_OK; /* leads nowhere */
    if (multi ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode)) return RSP_OK;
    if (st.st_uid || !d->uid) {
        d->uid = st.st_uid;
        d->gid = st.st_gid;
    }
    if (multi) d->folder_mode = (st.st_mode & 0777) | 0700;
    else d->mode = (st.st_mode & 0777) | 0600;
    if (multi && mode_of_old(d, &st.st_mode)) d->mode = (st.st_mode & 0777) | 0600;
    return RSP_OK;
}

static int may_write(const struct datadir *d)
{
    if (faccessat(d->fd, ".", W_OK | X_OK, AT_EACCESS))
        return fail_errno(&d->env, errno, d->c->dir, "files cannot be made there");
    if (geteuid() && geteuid() != d->uid)
        return fail(&d->env, RSP_EPERM, d->c->dir,
                    "what its server loads must belong to the user with number %lu: run this as that user, or as root",
                    (unsigned long)d->uid);
    return RSP_OK;
}

int datadir_open(struct datadir *d, const struct rsp_env *env, const struct rsp_datadir_options *o)
{
    int rc;
    memset(d, 0, sizeof *d);
    env_init(&d->env, env);
    d->c = o->config;
    d->stage = -1;
    d->fd = open(d->c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0)
        return fail_errno(&d->env, errno, d->c->dir,
                          "cannot open the data directory (it must be there, with its owner)");
    rc = choose_form(d, o);
    if (!rc) rc = look_at_old(d);
    if (!rc) look_beside(d);
    if (!rc && d->exists && !o->force)
        rc = fail(&d->env, RSP_EEXIST, d->c->dir, "%s is there already: with force it is kept aside", d->name);
    if (!rc && d->beside_n && !o->force)
        rc = fail(&d->env, RSP_EEXIST, d->c->dir,
                  "%s is there already, which the server would write over in time: with force it is kept aside",
                  d->beside[0]);
    return rc ? rc : may_write(d);
}

/* ---- the version ---- */

/* The newest version in the dump's dialect that the server loads; 0: none of them. */
static unsigned loads(int dump, uint8_t server, uint16_t newest)
{
    if (dump == server) return newest;
    return server == RSP_RDB_VALKEY ? 11 : 0; /* a Valkey loads what was written before the families parted */
}

int datadir_version(const struct datadir *d, const struct rsp_datadir_options *o, const uint8_t *begin, size_t n)
{
    unsigned version = 0, most;
    uint8_t dialect = 0;
    uint16_t newest = 0;
    int dump = n >= 9 && !memcmp(begin, "REDIS", 5) ? RSP_RDB_REDIS : RSP_RDB_VALKEY, digits = 5;
    if (!o->server_kind || !o->server_version || n < 9) return RSP_OK;
    if (dump == RSP_RDB_VALKEY) digits = 6;
    if (dump == RSP_RDB_VALKEY && memcmp(begin, "VALKEY", 6)) return RSP_OK; /* the check will say what it is */
    for (; digits < 9; digits++) {
        if (begin[digits] < '0' || begin[digits] > '9') return RSP_OK;
        version = version * 10 + (unsigned)(begin[digits] - '0');
    }
    if (server_rdb_version(o->server_kind, o->server_version, &dialect, &newest)) return RSP_OK;
    most = loads(dump, dialect, newest);
    if (version <= most) return RSP_OK;
    return fail(&d->env, RSP_EVERSION, d->c->dir,
                "the snapshot is %s RDB version %u; %s %" PRIu32 ".%" PRIu32 ".%" PRIu32
                " loads %s RDB up to version %u: use a newer server, or restore into a running one",
                dump == RSP_RDB_REDIS ? "Redis" : "Valkey", version, o->server_kind, o->server_version / 10000,
                o->server_version / 100 % 100, o->server_version % 100, dialect == RSP_RDB_REDIS ? "Redis" : "Valkey",
                (unsigned)newest);
}

int datadir_space(const struct datadir *d, uint64_t bytes)
{
    struct statvfs v;
    uint64_t room;
    if (fstatvfs(d->fd, &v)) return RSP_OK; /* the write will tell */
    room = geteuid() ? v.f_bavail : v.f_bfree;
    if (!v.f_frsize || room > UINT64_MAX / v.f_frsize || bytes <= room * v.f_frsize) return RSP_OK;
    return fail(&d->env, RSP_ENOSPACE, d->c->dir, "%" PRIu64 " bytes are needed, %" PRIu64 " are free", bytes,
                room * v.f_frsize);
}

void datadir_path(const struct datadir *d, int whole, char *out, size_t size)
{
    const char *slash = d->c->dir[0] && d->c->dir[strlen(d->c->dir) - 1] == '/' ? "" : "/";
    if (whole && d->base[0]) snprintf(out, size, "%s%s%s/%s", d->c->dir, slash, d->name, d->base);
    else snprintf(out, size, "%s%s%s", d->c->dir, slash, d->name);
}
