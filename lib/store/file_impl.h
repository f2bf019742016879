/* What this is: the file: driver's handle, and what its files ask of each other.
 * Rests on: store_impl.h.
 * Does not: leave this folder. */
#ifndef STORE_FILE_IMPL_H
#define STORE_FILE_IMPL_H

#include "store/store_impl.h"

#define FOLDERS_KEPT 8
#define RETRIES 100 /* for a folder that another process removes while a file is being made in it */

/* A folder open for uploads, whose own name and those above it were made durable. */
struct file_folder {
    char path[NAME_BYTES + 1]; /* without a slash at its end */
    int fd;                    /* -1: unused */
};

struct file_store {
    struct rsp_store s;
    int root;
    int no_tmpfile; /* found out: files without a name cannot be had here */
    struct file_folder kept[FOLDERS_KEPT];
    unsigned next; /* the one that gives way */
};

/* ---- folders (file_folder.c); functions that return int give 0 or an errno ---- */
int sync_fd(int fd);     /* of a file */
int sync_folder(int fd); /* "cannot be synced" is what some file systems say of every folder */
/* The last part of name; the folder's path is what stands before it. */
const char *folder_leaf(const char *name);
/* Opens the folder whose path is the first n bytes of name, part by part: ELOOP at a symbolic link. */
int folder_open(const struct file_store *f, const char *name, size_t n, int *fd);
/* The folder of an object, made if need be, durable up to the root. The caller closes it. */
int folder_make(struct file_store *f, const char *name, int *fd);
/* It was removed behind our back: the next folder_make makes it anew. */
void folder_forget(struct file_store *f, const char *name);
/* Removes the folder whose path is the first n bytes of name, and those above, as long as they are empty. */
void folder_tidy(const struct file_store *f, const char *name, size_t n);
/* One step down, never through a symbolic link. */
int folder_step(int dir, const char *part, int *next);
/* Makes path and the directories above it that are missing. */
int root_make(const char *path);

/* A fault with the object as its subject. */
int file_fault(const struct rsp_store *s, const struct rsp_env *env, int err, const char *name, const char *what);

/* ---- uploads (file_upload.c) ---- */
int file_begin(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret);
int file_write(struct rsp_upload *u, const void *p, size_t n);
int file_commit(struct rsp_upload *u);
void file_drop(struct rsp_upload *u);
int file_settle(struct rsp_store *s, const char *name);
int file_now(struct rsp_store *s, int64_t *ms);
/* 1 when name (without folders) is that of a file before its publication. */
int is_part(const char *name);

/* ---- walks (file_list.c) ---- */
int file_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
              void *opaque);
int file_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque);

#endif
