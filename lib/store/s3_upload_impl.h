/* What this is: an upload: what is buffered, and parts under way.
 * Rests on: s3_impl.h.
 * Does not: leave s3_upload.c and s3_parts.c. */
#ifndef STORE_S3_UPLOAD_IMPL_H
#define STORE_S3_UPLOAD_IMPL_H

#include "store/s3_impl.h"

struct s3_part {
    char etag[S3_ETAG]; /* the store's */
};

struct s3_job { /* one buffer and the part that is sent from it */
    struct s3_upload *u;
    uint8_t *p; /* part_bytes */
    size_t n;
    unsigned number;           /* from 1 */
    struct s3_sum sum;         /* of p, while it is filled */
    char hash[HEX_SHA256 + 1]; /* "": the thread that sends it makes it */
    int busy;
    pthread_t thread;
    int running;
};

struct s3_upload {
    struct rsp_upload u;
    char name[NAME_BYTES + 1];
    int replace;
    struct buf first; /* while it is small */
    uint64_t bytes;
    char *id; /* of the upload in parts; NULL before a second part is needed */
    char version[S3_ID];

    unsigned parallel;
    struct s3_job *jobs; /* parallel + 1 buffers, NULL while it is small; jobs[filling] is being filled */
    size_t jobs_n;
    size_t filling;
    struct buf parts; /* struct s3_part */
    unsigned parts_n;

    pthread_mutex_t lock;
    pthread_cond_t change;
    int stop;
    _Atomic int hurry; /* requests under way are not tried again */
    int fault;
    struct rsp_error words; /* of the first that failed */
};

/* s3_parts.c */
int s3_parts_room(struct s3_upload *u); /* buffers: nothing is asked of the store yet */
int s3_parts_add(struct s3_upload *u, const uint8_t *p, size_t n);
int s3_parts_finish(struct s3_upload *u); /* the last part, too; all are there */
int s3_parts_end(struct s3_upload *u);    /* makes the object of them */
void s3_parts_close(
    struct s3_upload *u); /* threads end, buffers go; what was sent is removed unless it became an object */

#endif
