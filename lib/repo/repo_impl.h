/* What this is: what an open repository holds, and what the files of this folder ask of each other.
 * Rests on: respite/sys/repo.h, seal/.
 * Does not: leave the library. */
#ifndef REPO_REPO_IMPL_H
#define REPO_REPO_IMPL_H

#include <respite/sys/repo.h>

#include "base/buf.h"
#include "seal/crypt.h"

#define RECORD_MAX (4u << 20)        /* bytes of a signed object */
#define RECORD_OPEN_MAX (256u << 10) /* of one that many may sign: all are held in memory */
#define REFS_INLINE (64u << 10)
#define REF_BYTES 73
enum { REF_DATA = 1, REF_MANIFEST = 2 }; /* kinds of objects that a reference may name */

struct rsp_repo {
    struct rsp_env env;
    struct rsp_store *store;
    struct rsp_state *state;
    struct rsp_identity *
        *identities; /* pointers borrowed, array owned; passphrase readers that were opened are added by the program */
    size_t identities_n;
    int accept_rollback;
    char *expect_head;
    struct rsp_public root;
    uint8_t id[ID_BYTES], lineage[ID_BYTES];
    int id_sure;              /* known from the state, or there is but one repository object */
    struct rsp_roles **roles; /* every valid roles record, by n then hash: store's and state's */
    size_t roles_n;
    struct rsp_trouble
        *troubles; /* found while opening (roles missing from the store...): a log load takes them over */
    size_t troubles_n, troubles_cap;
};

/* ---- names (names.c): out has NAME_MAX_BYTES ---- */
#define NAME_MAX_BYTES 256
void name_object(char *out, int kind, const uint8_t epoch[ID_BYTES], const uint8_t object[ID_BYTES]);
void name_envelope(char *out, const uint8_t epoch[ID_BYTES], const uint8_t hash[HASH_BYTES]);
void name_roles(char *out, uint64_t n, const uint8_t hash[HASH_BYTES]);
void name_hashed(char *out, const char *folder, const uint8_t hash[HASH_BYTES]); /* repository/, refs/ */
/* The part below log/<source>/, and the whole. */
void name_record(char *out, uint64_t seq, uint64_t time_ms, int kind, const uint8_t hash[HASH_BYTES]);
void name_record_path(char *out, const struct rsp_record *r);
/* "log/<source>/<...>" taken apart into source, seq, time_ms (seconds), kind, hash and name. 1 when it is one. */
int name_record_parse(const char *path, struct rsp_record *r);
#define NAME_SEQ_MAX 9999999999ull /* the greatest seq, or n of roles, that a name can say */
#define REFS_FILE_MAX (64u << 20)  /* bytes of refs/<hash> */
/* No source ever has as many records: a parent that is not there and claims a number above is invented. */
#define SEQ_BELIEVED 4999999999ull
/* A head this near to the end is not joined: whoever planted it would stop all others. */
#define SEQ_JOINED (NAME_SEQ_MAX - 1000000)
#define NAME_TIME_MAX_MS 253402300799999ull /* the end of the year 9999 */
/* "<n>-<hash>", the part below roles/; "FOLDER/<hash>". 1 when it is one. */
int name_roles_parse(const char *name, uint64_t *n, uint8_t hash[HASH_BYTES]);
int name_hashed_parse(const char *name, const char *folder, uint8_t hash[HASH_BYTES]);

/* ---- records (record.c): bytes <-> struct, no rules but those of the encoding ---- */
struct rsp_record *record_new(const struct rsp_env *env);
void record_free(const struct rsp_env *env, struct rsp_record *r);
/* Appends magic, items, signature; fills in r->hash, name, bytes, signer; sorts r->parents. r's time_ms is cut to whole
 * seconds in the name only. tags: of a note "k=v"; of a lost record names of objects. RSP_EINVAL: what record_decode would
 * refuse. */
int record_encode(const struct rsp_env *env, struct rsp_record *r, const uint8_t repository[ID_BYTES],
                  const struct rsp_identity *signer, const char *const *tags, size_t tags_n);
/* Takes bytes over (env's allocator, n of them) whatever happens. Decodes into r, whose name parts are set already:
 * RSP_EINTEGRITY with words when hash, name, signature or encoding do not agree. RSP_EVERSION: an unknown critical item;
 * what is known of it is filled in all the same, and its signature was right. After another fault r is as it was.
 * *repository receives the id it names. */
int record_decode(const struct rsp_env *env, struct rsp_record *r, uint8_t *bytes, size_t n,
                  uint8_t repository[ID_BYTES]);
size_t record_max(int kind); /* bytes that one of that kind has at most */
/* refs/<hash>: encode appends; decode checks magic, hash and number, fills r->refs. */
int refs_encode(struct buf *out, const struct rsp_ref *refs, size_t n);
int refs_decode(const struct rsp_env *env, struct rsp_record *r, struct rsp_span bytes);
/* Bare references, 73 bytes each, into a list of env's allocator. RSP_EINTEGRITY: *why says it; no record is written. */
int refs_load(const struct rsp_env *env, struct rsp_span bytes, struct rsp_ref **refs, size_t *n, const char **why);
void ref_store(uint8_t out[REF_BYTES], const struct rsp_ref *ref);
void ref_load(struct rsp_ref *ref, const uint8_t in[REF_BYTES]);

/* ---- state (state.c) beyond the public part ---- */
/* As rsp_state_lookup, but RSP_ENOTFOUND comes without words. */
int state_find(struct rsp_state *state, const char *url, uint8_t lineage[ID_BYTES], uint8_t id[ID_BYTES]);
struct seen_head {
    uint8_t source[ID_BYTES], hash[HASH_BYTES];
    uint64_t seq;
};
/* *heads from env's allocator, *n of them; none is no fault. */
int state_heads_load(struct rsp_state *state, const uint8_t lineage[ID_BYTES], const uint8_t repository[ID_BYTES],
                     struct seen_head **heads, size_t *n);
int state_heads_save(struct rsp_state *state, const uint8_t lineage[ID_BYTES], const uint8_t repository[ID_BYTES],
                     const struct seen_head *heads, size_t n);
/* Roles records remembered: each is called with the bytes. */
int state_roles_each(struct rsp_state *state, const uint8_t lineage[ID_BYTES],
                     int (*each)(void *opaque, struct rsp_span bytes), void *opaque);
int state_roles_save(struct rsp_state *state, const struct rsp_roles *roles);

/* ---- repository (repo.c, roles_chain.c) ---- */
/* 1 when root has given it up in a roles record of at least that number. */
int roles_given_up(const struct rsp_repo *repo, const uint8_t hash[HASH_BYTES], uint64_t from_n);
const struct rsp_roles *repo_roles_by_hash(const struct rsp_repo *repo, const uint8_t hash[HASH_BYTES]);
/* Roles that root signed since the repository was opened; what else is new in roles/ is passed over. */
int repo_refresh_roles(struct rsp_repo *repo, int *grown);
/* Fetches a small object and checks that its bytes have the hash: RSP_EINTEGRITY. *p by rsp_store_release. */
int repo_get_hashed(struct rsp_repo *repo, const char *name, const uint8_t hash[HASH_BYTES], size_t max, uint8_t **p,
                    size_t *n);
int repo_trouble(struct rsp_repo *repo, int status, const char *kind, const char *name, const char *way_out,
                 const char *format, ...) RSP_PRINTF(6, 7);
void repo_troubles_free(struct rsp_repo *repo); /* both in log.c */

/* ---- epochs (epoch.c) ---- */
/* The epoch key that the commit's envelopes give up to an identity at hand (or zeros with suite none): secret memory, freed
 * by secret_free. RSP_EKEY with words: whom they are sealed to. Bad envelopes are noted in the log hook. The oldest
 * 1024 are looked at, and of those that are for an identity at hand 64 are tried. */
int epoch_open(struct rsp_repo *repo, const uint8_t epoch[ID_BYTES], const uint8_t commitment[HASH_BYTES], int unsealed,
               uint8_t **key);

#endif
