/* What this is: one record fetched and judged by itself: bytes, encoding, signature, the signer's right.
 * Rests on: log_impl.h.
 * Does not: look at other records (log_graph.c). */
#include <stdio.h>
#include <string.h>

#include "repo/log_impl.h"

#define ASKED_AT_ONCE 256

#define WAY_RECORD \
    "put the file back from a mirror, or give it up for ever: backupd expire --acknowledge NAME (listed as lost then)"
#define WAY_NEWER "use a newer release; when none knows it, give it up for ever: backupd expire --acknowledge NAME"
#define WAY_ROLES                                                                                                    \
    "backupd key republish, on a host that has seen it; when none has, root gives the roles up: backupd key forget " \
    "HASH; or give this record up for ever: backupd expire --acknowledge NAME"

static void wrong(struct judged *j, int status, const char *kind, const char *way_out, const char *format, ...)
    RSP_PRINTF(5, 6);
static void wrong(struct judged *j, int status, const char *kind, const char *way_out, const char *format, ...)
{
    va_list ap;
    if (j->status) return;
    j->status = status;
    j->kind = kind;
    j->way_out = way_out;
    va_start(ap, format);
    vsnprintf(j->words, sizeof j->words, format, ap);
    va_end(ap);
}

uint32_t record_flag(int kind)
{
    switch (kind) {
    case RSP_REC_COMMIT: return RSP_ROLE_WRITE;
    case RSP_REC_RECEIPT: return RSP_ROLE_WRITE | RSP_ROLE_PROVE; /* either */
    case RSP_REC_NOTE: return RSP_ROLE_READ | RSP_ROLE_WRITE | RSP_ROLE_KEEP | RSP_ROLE_PROVE;
    default: return RSP_ROLE_KEEP;
    }
}

int record_signer_may(const struct rsp_roles *roles, const uint8_t signer[32], int kind, const uint8_t source[ID_BYTES])
{
    const struct rsp_member *m = rsp_roles_find(roles, signer);
    uint32_t flags = record_flag(kind);
    if (!m) return 0;
    if (kind == RSP_REC_COMMIT) return rsp_member_may(m, RSP_ROLE_WRITE, source);
    for (uint32_t flag = 1; flag <= RSP_ROLE_PROVE; flag <<= 1)
        if ((flags & flag) && rsp_member_may(m, flag, flag == RSP_ROLE_WRITE ? source : NULL)) return 1;
    return 0;
}

/* The roles record of that hash; when root has given that one up, the newest stands in. */
static const struct rsp_roles *roles_of(const struct rsp_repo *repo, const uint8_t hash[HASH_BYTES])
{
    const struct rsp_roles *roles = repo_roles_by_hash(repo, hash);
    for (size_t i = 0; !roles && i < repo->roles_n; i++)
        for (size_t k = 0; k < repo->roles[i]->lost_n; k++)
            if (!memcmp(repo->roles[i]->lost[k], hash, HASH_BYTES)) return rsp_repo_roles(repo);
    return roles;
}

/* What is copied here is copied by a keeper, whatever right its origin needed. */
int record_may(const struct rsp_roles *roles, const struct rsp_record *r)
{
    return record_signer_may(roles, r->signer, r->copied ? RSP_REC_RETIRE : r->kind, r->source);
}

/* Of a copy: who signed the original had the right by the roles that it names. Whether that was taken away later is told
 * by the origin's log, and whoever copied it has read that. */
static void judge_origin(struct log *log, const struct rsp_record *r, struct judged *j)
{
    const struct rsp_roles *roles = roles_of(log->pub.repo, r->origin_roles);
    char hex[2 * HASH_BYTES + 1];
    hex_text(hex, r->origin_roles, HASH_BYTES);
    if (!roles) {
        log->new_roles = 1;
        wrong(j, RSP_EINTEGRITY, "roles", WAY_ROLES,
              "the record that it carries names the roles record %.16s..., which the store does not show", hex);
        return;
    }
    hex_text(hex, r->origin_signer, 32);
    if (!record_signer_may(roles, r->origin_signer, r->kind, r->source))
        wrong(j, RSP_EINTEGRITY, "record", WAY_RECORD,
              "forged: it carries a %s record signed by %.16s..., who had no right to one",
              rsp_record_kind_text(r->kind), hex);
}

static void judge_right(struct log *log, struct rsp_record *r, struct judged *j)
{
    const struct rsp_repo *repo = log->pub.repo;
    const struct rsp_roles *roles = roles_of(repo, r->roles);
    char hex[2 * HASH_BYTES + 1];
    if (!roles) {
        log->new_roles = 1;
        hex_text(hex, r->roles, HASH_BYTES);
        wrong(j, RSP_EINTEGRITY, "roles", WAY_ROLES, "names the roles record %.16s..., which the store does not show",
              hex);
        return;
    }
    r->roles_n = memcmp(roles->hash, r->roles, HASH_BYTES) ? 0 : roles->n; /* 0: given up, its number is not known */
    if (!record_may(roles, r)) {
        hex_text(hex, r->signer, 32);
        wrong(j, RSP_EINTEGRITY, "record", WAY_RECORD,
              "forged: signed by %.16s..., who has no right to a %s%s record here", hex, r->copied ? "copied " : "",
              rsp_record_kind_text(r->kind));
        return;
    }
    if (r->copied) judge_origin(log, r, j);
    for (size_t i = 0; i < repo->roles_n; i++) { /* ascending by n: the first that takes the right away */
        const struct rsp_roles *later = repo->roles[i];
        if (later->n <= roles->n || roles_given_up(repo, later->hash, 0)) continue;
        if (!record_may(later, r)) {
            j->removed_n = later->n;
            return;
        }
    }
}

static int fetch_refs(struct log *log, struct rsp_record *r, struct judged *j)
{
    struct rsp_repo *repo = log->pub.repo;
    char name[NAME_MAX_BYTES];
    uint8_t *p = NULL;
    size_t n = 0;
    int rc;
    name_hashed(name, "refs", r->refs_hash);
    rc = repo_get_hashed(repo, name, r->refs_hash, REFS_FILE_MAX, &p, &n);
    if (!rc) {
        struct rsp_span bytes = {p, n};
        rc = refs_decode(&repo->env, r, bytes);
        rsp_store_release(repo->store, p, n);
    }
    if (rc == RSP_ENOMEM) return rc;
    if (rc) {
        if (repo->env.error) rsp_error_clear(repo->env.error);
        wrong(j, RSP_EINTEGRITY, "object", WAY_RECORD, "its list of objects, %.100s, is missing or damaged", name);
    }
    return RSP_OK;
}

/* A store that has the record listed and cannot read its bytes has a damaged record; everything else is the store's. */
static int unreadable(int rc)
{
    return rc == RSP_EIO || rc == RSP_ETRUNCATED || rc == RSP_ELIMIT || rc == RSP_EPERM;
}

static int is_done(const struct rsp_record *r)
{
    return (r->state & (RSP_RECORD_LOADED | RSP_RECORD_BROKEN)) != 0;
}

/* The store's answer, whose words are the repository's record's: bytes are only looked at. */
static int judge_answer(struct log *log, struct rsp_record *r, struct judged *j, int rc, const uint8_t *p, size_t n)
{
    struct rsp_repo *repo = log->pub.repo;
    struct rsp_error kept = {0}, *user = repo->env.error;
    struct rsp_env env = repo->env;
    uint8_t *own;
    env.error = &kept;
    if (!rc && n > record_max(r->kind)) rc = RSP_ELIMIT;
    if (rc && (unreadable(rc) || (rc == RSP_ENOTFOUND && log->last_try))) {
        if (user) rsp_error_clear(user);
        wrong(j, RSP_EINTEGRITY, "record", WAY_RECORD, "cannot be read: %s", rsp_status_text(rc));
        r->state |= RSP_RECORD_BROKEN;
        return RSP_OK;
    }
    if (rc) return rc;
    own = mem_alloc(&env, n ? n : 1);
    if (!own) return fail(&repo->env, RSP_ENOMEM, NULL, "out of memory");
    memcpy(own, p, n);
    rc = n ? record_decode(&env, r, own, n, j->repository) : RSP_EINTEGRITY;
    if (!n) mem_free(&env, own, 1);
    if (rc == RSP_ENOMEM) return fail(&repo->env, RSP_ENOMEM, NULL, "out of memory");
    if (rc == RSP_EVERSION) judge_right(log, r, j); /* it may be nothing but a forgery */
    if (rc) {
        wrong(j, rc, "record", rc == RSP_EVERSION ? WAY_NEWER : WAY_RECORD, "%s",
              kept.message[0] ? kept.message : "empty");
        r->state |= RSP_RECORD_BROKEN;
        return RSP_OK;
    }
    judge_right(log, r, j);
    if (!j->status && log->refs && r->refs_apart) rc = fetch_refs(log, r, j);
    /* Without its list of objects the record itself is as valid as before. */
    if (!rc) r->state |= j->status && strcmp(j->kind, "object") != 0 ? RSP_RECORD_BROKEN : RSP_RECORD_LOADED;
    return rc;
}

int log_fetch_record(struct log *log, struct rsp_record *r, struct judged *j)
{
    struct rsp_repo *repo = log->pub.repo;
    char path[NAME_MAX_BYTES];
    uint8_t *p = NULL;
    size_t n = 0;
    int rc;
    if (is_done(r)) return RSP_OK;
    name_record_path(path, r);
    rc = rsp_store_get(repo->store, path, record_max(r->kind), &p, &n);
    rc = judge_answer(log, r, j, rc, p, n);
    if (p) rsp_store_release(repo->store, p, n);
    return rc;
}

/* Names that are asked for together; places: which records they are. */
struct asking {
    struct log *log;
    char (*paths)[NAME_MAX_BYTES];
    const char **names;
    size_t *places, n;
};

static int on_answer(void *opaque, size_t i, int status, const uint8_t *p, size_t n)
{
    struct asking *a = opaque;
    size_t place = a->places[i];
    return judge_answer(a->log, a->log->pub.records[place], &a->log->judged[place], status, p, n);
}

static int ask_together(struct asking *a, const uint8_t *want)
{
    struct log *log = a->log;
    int rc = RSP_OK;
    for (size_t i = 0; i < log->pub.records_n && !rc;) {
        for (a->n = 0; i < log->pub.records_n && a->n < ASKED_AT_ONCE; i++) {
            if (!want[i] || is_done(log->pub.records[i])) continue;
            name_record_path(a->paths[a->n], log->pub.records[i]);
            a->names[a->n] = a->paths[a->n];
            a->places[a->n++] = i;
        }
        if (a->n) rc = rsp_store_get_many(log->pub.repo->store, a->names, a->n, RECORD_MAX, on_answer, a);
    }
    return rc;
}

int log_fetch_wanted(struct log *log, const uint8_t *want)
{
    const struct rsp_env *env = &log->pub.env;
    struct asking a = {.log = log};
    int rc = RSP_ENOMEM;
    a.paths = mem_alloc(env, ASKED_AT_ONCE * sizeof *a.paths);
    a.names = mem_alloc(env, ASKED_AT_ONCE * sizeof *a.names);
    a.places = mem_alloc(env, ASKED_AT_ONCE * sizeof *a.places);
    if (a.paths && a.names && a.places) rc = ask_together(&a, want);
    mem_free(env, a.places, ASKED_AT_ONCE * sizeof *a.places);
    mem_free(env, a.names, ASKED_AT_ONCE * sizeof *a.names);
    mem_free(env, a.paths, ASKED_AT_ONCE * sizeof *a.paths);
    return rc;
}
