/* What this is: what copy and repair share: objects read ahead, and passed on only when they are what was signed.
 * Rests on: keep.h.
 * Does not: leave this folder. */
#ifndef REPO_COPY_IMPL_H
#define REPO_COPY_IMPL_H

#include "repo/keep.h"

/* ---- an object's bytes, parts of it fetched ahead by threads (parts.c) ---- */
#define PART_BYTES_READ (4u << 20)
struct parts;
int parts_open(const struct rsp_env *env, struct rsp_store *store, const char *name, uint64_t bytes, unsigned threads,
               struct parts **ret);
/* At least one byte, which lives until the next call; RSP_END behind the last. */
int parts_next(struct parts *p, struct rsp_span *view);
void parts_free(struct parts *p);

/* ---- one object (pass_on.c) ---- */

struct passing {
    const struct rsp_env *env;   /* of to */
    const struct rsp_env *other; /* of from: its record is another, perhaps */
    struct rsp_store *from, *to;
    unsigned threads;
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t done_bytes, uint64_t of_bytes);
    void *opaque;
    uint64_t done, of;
    char why[256]; /* of what is no fault of the run, but of an object */
};
int passing_cancelled(const struct passing *p);
/* The bytes that ref signs, hashed while they pass; visible in `to` only when they are right. replace: over what is there.
 * RSP_EINTEGRITY: from has not these bytes (p->why tells; no record is written). Another status is a fault of a store. */
int pass_object(struct passing *p, const char *name, const struct rsp_ref *ref, int replace);
/* The same of an object that has its H in its name, of at most max bytes. */
int pass_hashed(struct passing *p, const char *name, const uint8_t hash[HASH_BYTES], size_t max, int replace);
/* Of a store: RSP_OK the bytes are right, RSP_EINTEGRITY they are not, or cannot be read (p->why). */
int pass_check(struct passing *p, struct rsp_store *store, const char *name, const struct rsp_ref *ref);
/* 1: a status that says something of one object; the store goes on. */
int pass_finding(int status);

/* ---- copy ---- */
struct claims {
    const struct rsp_ref **p; /* sorted */
    size_t n, cap, of;        /* of: records of the target when they were collected */
};
struct copy {
    struct rsp_log *from, *to;
    struct rsp_copy_options o;
    struct rsp_copy_report report;
    struct inventory here, there; /* of from, of to */
    struct claims claims;         /* what copied commits of to say of their objects */
    struct passing pass;
    struct rsp_record **commits; /* of from, oldest first */
    size_t commits_n, room;
};
/* copy_objects.c: everything that the commit of from needs, in to: envelopes, objects, manifest, list. RSP_EINTEGRITY with
 * pass.why: it cannot be copied. */
int copy_objects(struct copy *c, struct rsp_record *r);
/* sure: those that are there are read too. */
int copy_envelopes(struct copy *c, struct rsp_record *r, int sure);
/* The bytes that copy_objects would move. */
uint64_t copy_bytes(struct copy *c, struct rsp_record *r);

/* copy_fate.c: what the target says of a commit of from: a fate (with words), or 0: to be copied. */
int copy_fate(struct copy *c, const struct rsp_record *r, struct rsp_record **there, const char **why);
/* THERE or WENT when the log has that very snapshot; rival: a living one of its id that says something else. */
int copy_find(const struct rsp_log *log, const struct rsp_record *r, struct rsp_record **there, int *rival);
/* Whether somebody else has copied it since the log of to was read. */
int copy_meanwhile(struct copy *c, const struct rsp_record *r, int *made);
/* 1: by roles that only the target has, its signer has no right any more (pass.why). */
int copy_removed(struct copy *c, const struct rsp_record *r);
/* 1: a keeper brought just these bytes to the target; below 0 a fault. */
int copy_vouched(struct copy *c, const struct rsp_ref *ref);
void copy_claims_free(struct copy *c);
const uint8_t *copy_origin_hash(const struct rsp_record *r);

#endif
