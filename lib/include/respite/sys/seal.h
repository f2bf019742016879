/* What this is: identities, what they may do (roles), and pack files: one sealed file for pipelines.
 * Rests on: env.h, source.h, sink.h.
 * Does not: know repositories (sys/repo.h). No stable promise (sys); the formats are pinned in respite-format(5). */
#ifndef RESPITE_SYS_SEAL_H
#define RESPITE_SYS_SEAL_H

#include <respite/env.h>
#include <respite/sink.h>
#include <respite/source.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- identities ---- */

struct rsp_public {
    uint8_t sign[32], box[32]; /* Ed25519, X25519 */
};
#define RSP_PUBLIC_TEXT 120 /* "rsp-pub-..." and a terminator */
RSP_API void rsp_public_text(const struct rsp_public *key, char out[RSP_PUBLIC_TEXT]);
/* RSP_EFORMAT when it is none (wrong letters, wrong check bytes). Blanks at both ends are passed over. */
RSP_API RSP_NODISCARD int rsp_public_parse(const struct rsp_env *env, const char *text, struct rsp_public *key);

/* A secret with its key pairs, in locked memory. */
struct rsp_identity;

/* Writes the passphrase into out (at most cap bytes) and its length into *n. subject says for what. RSP_EKEY when there
 * is none to be had. */
typedef int (*rsp_ask_fn)(void *opaque, const char *subject, char *out, size_t cap, size_t *n);

RSP_API RSP_NODISCARD int rsp_identity_new(const struct rsp_env *env, const char *name, struct rsp_identity **ret);
/* text is an identity file, a recovery sheet, or a bare rsp-secret-... or rsp-sealed-...; subject names it in errors.
 * ask may be NULL: a sealed one is then RSP_EKEY. RSP_EFORMAT: says which line is wrong (a sheet's lines are checked one
 * by one). RSP_EKEY: wrong passphrase. RSP_ELIMIT: Argon2id parameters out of bounds, refused before any work, or text
 * of more than 64 KiB. RSP_EVERSION: sealed in a form that this version does not know. */
RSP_API RSP_NODISCARD int rsp_identity_parse(const struct rsp_env *env, struct rsp_span text, const char *subject,
                                             rsp_ask_fn ask, void *opaque, struct rsp_identity **ret);
/* Reads the file at path ("-": not special). A file that others may read is a warning in the log. */
RSP_API RSP_NODISCARD int rsp_identity_load(const struct rsp_env *env, const char *path, rsp_ask_fn ask, void *opaque,
                                            struct rsp_identity **ret);
RSP_API void rsp_identity_public(const struct rsp_identity *id, struct rsp_public *key);
RSP_API const char *rsp_identity_name(const struct rsp_identity *id); /* "" when unknown */
/* The root that the file names; NULL: none. */
RSP_API const struct rsp_public *rsp_identity_root(const struct rsp_identity *id);
RSP_API RSP_NODISCARD int rsp_identity_set_root(struct rsp_identity *id, const struct rsp_public *root);
/* The identity file's text into a memory sink; under a passphrase when p is not NULL. Slow then (Argon2id, 256 MiB). */
RSP_API RSP_NODISCARD int rsp_identity_write(const struct rsp_identity *id, struct rsp_span passphrase,
                                             struct rsp_sink *sink);
/* The recovery sheet, four checked lines between words that say what it is. */
RSP_API RSP_NODISCARD int rsp_identity_sheet(const struct rsp_identity *id, struct rsp_sink *sink);
RSP_API void rsp_identity_free(struct rsp_identity *id); /* wipes */

RSP_API void rsp_lineage_of(const struct rsp_public *root, uint8_t lineage[16]);
RSP_API void rsp_source_id(const uint8_t lineage[16], const char *name, uint8_t id[16]);

/* ---- roles ---- */

enum rsp_role { RSP_ROLE_READ = 1, RSP_ROLE_WRITE = 2, RSP_ROLE_KEEP = 4, RSP_ROLE_PROVE = 8, RSP_ROLE_ROOT = 16 };

struct rsp_member {
    struct rsp_public key;
    uint32_t flags;
    char name[64];
    uint8_t (*sources)[16]; /* write is for these only; NULL: every source */
    size_t sources_n;
    uint8_t *sealed; /* its secret under a passphrase (73 bytes), or NULL */
    size_t sealed_n;
};
/* A head that a removed signer leaves valid. */
struct rsp_left_head {
    uint8_t signer[32], source[16], hash[32];
};

/* One roles record, parsed, signature checked. */
struct rsp_roles {
    struct rsp_env env; /* the allocator of everything below */
    uint8_t hash[32], lineage[16], previous[32], root[32];
    uint64_t n, time_ms;
    struct rsp_member *members;
    size_t members_n;
    struct rsp_left_head *left;
    size_t left_n;
    uint8_t (*lost)[32];
    size_t lost_n;
    uint8_t *bytes; /* as stored */
    size_t bytes_n;
};
/* RSP_EINTEGRITY: malformed, not signed by root (32-byte Ed25519 key), of another lineage. */
RSP_API RSP_NODISCARD int rsp_roles_parse(const struct rsp_env *env, struct rsp_span bytes, const uint8_t root[32],
                                          const char *subject, struct rsp_roles **ret);
/* Encodes and signs: n, time_ms, previous, members, left and lost as they stand in *draft; the rest is filled in.
 * RSP_ERIGHT when root is not the identity of draft's lineage (zeros: not set yet). RSP_EINVAL: what rsp_roles_parse
 * would refuse, an empty but not NULL list of sources, or root itself not among the members with every flag. */
RSP_API RSP_NODISCARD int rsp_roles_sign(const struct rsp_env *env, const struct rsp_roles *draft,
                                         const struct rsp_identity *root, struct rsp_roles **ret);
RSP_API const struct rsp_member *rsp_roles_find(const struct rsp_roles *roles, const uint8_t sign[32]);
RSP_API const struct rsp_member *rsp_roles_find_name(const struct rsp_roles *roles, const char *name);
/* 1 when the member may sign for flag (and, for RSP_ROLE_WRITE, for that source; NULL: any). */
RSP_API int rsp_member_may(const struct rsp_member *member, uint32_t flag, const uint8_t source[16]);
/* The identity of a passphrase reader, from its sealed secret in the roles record. */
RSP_API RSP_NODISCARD int rsp_member_open(const struct rsp_env *env, const struct rsp_member *member, rsp_ask_fn ask,
                                          void *opaque, struct rsp_identity **ret);
/* Seals id's secret under a passphrase into out (73 bytes). */
#define RSP_SEALED_BYTES 73
RSP_API RSP_NODISCARD int rsp_identity_seal(const struct rsp_identity *id, struct rsp_span passphrase,
                                            uint8_t out[RSP_SEALED_BYTES]);
RSP_API void rsp_roles_free(struct rsp_roles *roles);

/* ---- pack files ---- */

struct rsp_pack_options {
    size_t size;
    const struct rsp_public *readers; /* at least one */
    size_t readers_n;
    int level;        /* zstd; 0: 3 */
    unsigned threads; /* 0: as many as processors */
    int no_recheck;   /* do not decompress and compare each chunk */
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t bytes);
    void *opaque;
};
/* Everything from source, sealed, to sink. Neither commits nor frees. Memory: a few chunks a thread and one object of
 * at most 8 MiB. A non-blocking source is RSP_EUNSUPPORTED. */
RSP_API RSP_NODISCARD int rsp_pack_write(const struct rsp_env *env, struct rsp_source *source, struct rsp_sink *sink,
                                         const struct rsp_pack_options *options);
/* 1 when the source begins with a pack file's magic (peeks). */
RSP_API int rsp_pack_detect(struct rsp_source *source);
/* The plaintext of a pack file. Owns inner once it returns RSP_OK; identities are borrowed only during the call.
 * threads 0: as many as processors. What lies in front of a fault is handed out first. RSP_EFORMAT: another kind of
 * file.
 * RSP_EKEY: none of them opens it, and whom it is sealed to is said. Faults of the data are RSP_EINTEGRITY with the
 * object and the chunk; truncation at any place is one. */
RSP_API RSP_NODISCARD int rsp_source_unpack(const struct rsp_env *env, struct rsp_source *inner,
                                            struct rsp_identity *const *identities, size_t n, unsigned threads,
                                            struct rsp_source **ret);

#ifdef __cplusplus
}
#endif
#endif
