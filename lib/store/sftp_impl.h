/* What this is: the sftp: driver's handle, and what its files ask of each other.
 * Rests on: remote.h, net/sftp.h.
 * Does not: leave this folder. */
#ifndef STORE_SFTP_IMPL_H
#define STORE_SFTP_IMPL_H

#include "net/sftp.h"
#include "store/remote.h"

#define FOLDERS_KNOWN 16
#define SFTP_WHERE 1200 /* of a path there: the root's and the name's */

struct sftp_store {
    struct rsp_store s;
    struct net_client *client;
    struct sftp_server *server;
    char *root; /* absolute, without a slash at its end: "" is the server's own root */
    size_t part_bytes;
    int refuses_second;                        /* -1: not tried yet */
    pthread_mutex_t lock;                      /* over known and next */
    char known[FOLDERS_KNOWN][NAME_BYTES + 1]; /* folders that were there when last looked */
    unsigned next;                             /* the one that gives way */
};

/* A call on the object, folder or .part that `name` is ("": the root): path and subject live in w. */
struct sftp_where {
    struct sftp_call call;
    char path[SFTP_WHERE], subject[WHERE_BYTES];
};
void sftp_at(const struct sftp_store *f, const struct rsp_env *env, const char *name, struct sftp_where *w);

/* ---- trying again (sftp_try.c) ---- */

/* The tries of one request, which have a record of their own: the caller's may hold an older fault. */
struct sftp_tries {
    const struct rsp_env *given;
    struct rsp_env env;
    struct rsp_error words;
    struct net_retry retry;
    int asked;
};
void sftp_tries_begin(struct sftp_tries *t, const struct rsp_env *env);
int sftp_retryable(const struct sftp_tries *t);
/* After a try that ended in *rc: 1 when there shall be another. Else its words are in the caller's record. A verdict
 * "is not there", "not permitted" or "failed" is asked for a second time (see net/sftp.h), faults of the network as
 * often as the client has it. */
int sftp_again(const struct sftp_store *f, struct sftp_tries *t, int *rc);
/* As sftp_again, but such verdicts stand. */
int sftp_again_net(const struct sftp_store *f, struct sftp_tries *t, int *rc);
/* Ends the tries with rc, whose words the caller gets. Returns rc. */
int sftp_tries_end(struct sftp_tries *t, int rc);

/* One look: 1 there, 0 not there, or a fault. */
int sftp_look_once(const struct sftp_store *f, const struct rsp_env *env, const char *name, struct sftp_facts *facts);
int sftp_looks(const struct sftp_store *f, const struct rsp_env *env, const char *name, struct sftp_facts *facts);
/* 1, 0, or a fault. */
int sftp_folder_there(const struct sftp_store *f, const struct rsp_env *env, const char *name, int64_t *mtime);
/* RSP_OK with the object's bytes in out, as sftp_fetch. */
int sftp_whole(const struct sftp_store *f, const struct rsp_env *env, const char *name, size_t max, struct buf *out);
/* Commands that may be carried out twice; name is the subject. */
int sftp_runs(const struct sftp_store *f, const struct rsp_env *env, const char *name, const struct sftp_commands *l);

/* ---- folders (sftp_folder.c) ---- */

/* Adds the mkdirs for the folders of name, those that are not known to be there. */
int sftp_add_mkdirs(struct sftp_store *f, const char *name, struct sftp_commands *l);
void sftp_folder_made(struct sftp_store *f, const char *name);
/* Something above name was removed, or was found to be missing. */
void sftp_folder_forget(struct sftp_store *f, const char *name);
/* Adds the rmdirs of the folders of name, from the innermost: those that are not empty stay. */
int sftp_add_rmdirs(const struct sftp_store *f, const char *name, struct sftp_commands *l);
/* Makes the root and what is above it. */
int sftp_make_root(struct sftp_store *f);
/* Removes a file, and the folders that are empty without it. */
int sftp_remove_file(struct sftp_store *f, const char *name);

/* ---- uploads: sftp_upload.c, sftp_part.c, sftp_publish.c ---- */

#define PART_NAME (NAME_BYTES + PART_BYTES + 2)

struct sftp_upload {
    struct rsp_upload u;
    int replace;
    uint64_t sent;        /* bytes that .part has for sure: each of them was confirmed */
    int lost;             /* the network failed us for good: nothing more is sent */
    struct buf filling;   /* what write has brought */
    struct buf sending;   /* the part that goes out */
    char part[PART_NAME]; /* "": there is none yet */
    char name[NAME_BYTES + 1];
    struct sftp_sender *sender;
};

int sftp_upload_begin(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret);
int sftp_upload_write(struct rsp_upload *u, const void *p, size_t n);
int sftp_upload_commit(struct rsp_upload *u);
void sftp_upload_drop(struct rsp_upload *u);
/* Removes .part, and the folders that are empty without it: one try, without words. */
void sftp_part_remove(struct sftp_upload *u);
/* Waits until nothing is being sent; the fault of what was. */
int sftp_upload_idle(struct sftp_upload *u);
/* The name of a file before its publication, in the folder of `name`, random. */
int sftp_part_name(const struct rsp_env *env, const char *name, char part[PART_NAME]);
/* Sends b behind what .part has, which is made first: RSP_OK when all of it was confirmed. By whichever thread. */
int sftp_part_send(struct sftp_upload *u, const struct rsp_env *env, struct buf *b);
/* 1: the fault was of a full disk, and *rc and the record now say so. */
int sftp_disk_full(const struct sftp_store *f, struct sftp_tries *t, uint64_t n, int *rc);

/* ---- walks (sftp_list.c) ---- */
int sftp_store_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
                    void *opaque);
int sftp_store_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque);

#endif
