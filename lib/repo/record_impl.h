/* What this is: what writing and reading of records share.
 * Rests on: repo_impl.h.
 * Does not: leave this folder. */
#ifndef REPO_RECORD_IMPL_H
#define REPO_RECORD_IMPL_H

#include "repo/repo_impl.h"

#define RECORD_MAGIC "RSPLOG1\n"
#define RECORD_MAGIC_BYTES 8
#define RECORD_SIGNATURE_BYTES 64
#define PARENTS_MAX 16
#define PARENT_BYTES 40

/* A record that carries another has this much around it at most. */
#define RECORD_CARRIER_MAX 4096u
#define RECORD_ORIGIN_LEAST (RECORD_MAGIC_BYTES + RECORD_SIGNATURE_BYTES)

/* record_origin.c: takes what the record at v says into r, which carries it: RSP_EINTEGRITY with *why; RSP_EVERSION: it has
 * an item that this release does not know. */
int record_origin_load(const struct rsp_env *env, struct rsp_record *r, struct rsp_span v, char why[128]);
/* As record_decode, of a record that another carries: it carries none. */
int record_decode_carried(const struct rsp_env *env, struct rsp_record *r, uint8_t *bytes, size_t n,
                          uint8_t repository[ID_BYTES]);

/* Forgets what it points to, as whoever copied a record must. */
void record_disown(struct rsp_record *r);
/* Gives back everything that decoding made. */
void record_unload(const struct rsp_env *env, struct rsp_record *r);

#endif
