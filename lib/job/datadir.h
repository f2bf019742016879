/* What this is: a data directory that a restore changes: what is there, what will be there, who owns it.
 * Rests on: respite/sys/live.h.
 * Does not: leave lib/job.
 *
 * Everything is built in DIR/.respite-restore-XXXXXXXX, which no server looks at, and made durable there. Then one rename
 * publishes it: of the RDB, of the single AOF, or of the folder of the AOF with its manifest. When something of that name is
 * there, the folder first becomes DIR/respite-aside-TIME, and the two are exchanged: at each instant either all of the old or
 * all of the new is there, and what is called "aside" is never removed. Data of another form (dump.rdb beside an AOF, an AOF
 * where it is off) is no danger to what is loaded, but would be overwritten by the server that loads it: it goes aside last.
 * A file system that exchanges no names (some of the network): a file is still replaced in one step; a folder is away for
 * an instant, but lies aside then. */
#ifndef JOB_DATADIR_H
#define JOB_DATADIR_H

#include <sys/types.h>

#include <respite/sys/live.h>

enum datadir_form {
    DATADIR_RDB,    /* DIR/dbfilename */
    DATADIR_SINGLE, /* DIR/appendfilename, an AOF that is an RDB and nothing behind it: 4.0 to 6.2 */
    DATADIR_MULTI   /* DIR/appenddirname with a base and a manifest: 7.0 and later */
};

struct datadir {
    struct rsp_env env;
    const struct rsp_server_config *c;
    int fd;                /* DIR */
    int form;              /* enum datadir_form */
    char name[256];        /* in DIR: what appears */
    char base[256 + 16];   /* MULTI: the file in it */
    int exists;            /* something of that name, but for an empty folder */
    const char *beside[2]; /* data of another form: what is restored will write over it, sooner or later */
    size_t beside_n;
    uid_t uid; /* of what is written */
    gid_t gid;
    mode_t mode, folder_mode;
    int stage;           /* the folder it is built in; -1: none */
    char stage_name[64]; /* in DIR; "": none, or it is called aside now */
    char aside_name[64]; /* in DIR; "": none */
};

/* ---- datadir_plan.c: before anything changes ---- */

/* Opens DIR, decides the form, looks at what is there. RSP_EEXIST without force; RSP_EPERM: what is written could not be given
 * the owner that it needs. */
int datadir_open(struct datadir *d, const struct rsp_env *env, const struct rsp_datadir_options *o);
/* The dump that begins so is none that this server loads: RSP_EVERSION. n < 9: nothing is said. */
int datadir_version(const struct datadir *d, const struct rsp_datadir_options *o, const uint8_t *begin, size_t n);
/* RSP_ENOSPACE. */
int datadir_space(const struct datadir *d, uint64_t bytes);
/* "DIR/name" or "DIR/name/base". */
void datadir_path(const struct datadir *d, int whole, char *out, size_t size);

/* ---- datadir_place.c: building and publishing ---- */

/* Makes the folder it is built in; removes those that interrupted runs left. */
int datadir_stage(struct datadir *d);
/* The folder in which the RDB is written, and the name that it has there: *folder is the caller's to close. */
int datadir_folder(struct datadir *d, int *folder, const char **name);
/* The RDB lies in the folder: owner, mode, manifest, durable; then in one step where the server looks. */
int datadir_publish(struct datadir *d, int folder);
/* Without publish: removes what was built. */
void datadir_close(struct datadir *d);

#endif
