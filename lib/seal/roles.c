/* What this is: a roles record taken apart, and what a member may do.
 * Rests on: roles.h, base/mem.h.
 * Does not: sign one (roles_sign.c); follow the chain from one record to the next (repo). */
#include "seal/roles.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "seal/identity_text.h"

/* One record while it is read. base is where offsets in errors are counted from. */
struct reading {
    struct rsp_roles *r;
    const char *subject;
    const uint8_t *base;
    size_t member, left; /* taken so far */
};

static int bad(const struct reading *d, const uint8_t *at, const char *why)
{
    return fail_at(&d->r->env, RSP_EINTEGRITY, d->subject, (uint64_t)(at - d->base), "the roles record is wrong: %s",
                   why);
}

static int bad_list(const struct reading *d, const struct items *at)
{
    return bad(d, at->p + at->pos, "a tagged item is cut short or out of order");
}

/* Of an item that is not known. */
static int pass_over(const struct reading *d, const struct item *item)
{
    if (!(item->tag & ITEM_CRITICAL)) return RSP_OK;
    return fail_at(&d->r->env, RSP_EINTEGRITY, d->subject, (uint64_t)(item->v.p - d->base),
                   "the roles record has critical item %u, which this version of respite does not know: a newer one "
                   "is needed",
                   (unsigned)ITEM_NUMBER(item->tag));
}

static int member_sources(const struct reading *d, struct rsp_member *m, struct rsp_span v)
{
    if (!v.n || v.n % ID_BYTES) return bad(d, v.p, "a list of sources is not a multiple of 16 bytes");
    m->sources = mem_alloc(&d->r->env, v.n);
    if (!m->sources) return RSP_ENOMEM;
    memcpy(m->sources, v.p, v.n);
    m->sources_n = v.n / ID_BYTES;
    return RSP_OK;
}

static int member_sealed(const struct reading *d, struct rsp_member *m, struct rsp_span v)
{
    if (v.n != RSP_SEALED_BYTES) return bad(d, v.p, "a sealed secret has not 73 bytes");
    m->sealed = mem_alloc(&d->r->env, v.n);
    if (!m->sealed) return RSP_ENOMEM;
    memcpy(m->sealed, v.p, v.n);
    m->sealed_n = v.n;
    return RSP_OK;
}

static int member_item(const struct reading *d, struct rsp_member *m, const struct item *item)
{
    struct rsp_span v = item->v;
    switch (item->tag) {
    case MEMBER_KEY:
        if (v.n != 64) return bad(d, v.p, "an identity's keys have not 64 bytes");
        memcpy(m->key.sign, v.p, 32);
        memcpy(m->key.box, v.p + 32, 32);
        return RSP_OK;
    case MEMBER_FLAGS: return item_get_u32(v, &m->flags) ? RSP_OK : bad(d, v.p, "flags have not 4 bytes");
    case MEMBER_NAME:
        if (!name_good((const char *)v.p, v.n)) return bad(d, v.p, "a name is not 1 to 63 printable characters");
        memcpy(m->name, v.p, v.n);
        return RSP_OK;
    case MEMBER_SOURCES: return member_sources(d, m, v);
    case MEMBER_SEALED: return member_sealed(d, m, v);
    default: return pass_over(d, item);
    }
}

static int member_knows(uint16_t tag)
{
    return tag == MEMBER_KEY || tag == MEMBER_FLAGS || tag == MEMBER_NAME || tag == MEMBER_SOURCES ||
           tag == MEMBER_SEALED;
}

static int member_read(const struct reading *d, struct rsp_member *m, struct rsp_span v)
{
    struct items list;
    struct item item;
    unsigned seen = 0;
    int rc;
    items_begin(&list, v.p, v.n);
    while (!(rc = items_next(&list, &item))) {
        unsigned number = ITEM_NUMBER(item.tag);
        if (member_knows(item.tag)) {
            if (seen & 1u << number) return bad(d, item.v.p, "an item of an identity stands twice");
            seen |= 1u << number;
        }
        if ((rc = member_item(d, m, &item))) return rc;
    }
    if (rc != RSP_END) return bad_list(d, &list);
    if ((seen & 6u) != 6u) return bad(d, v.p, "an identity without keys or without flags");
    return RSP_OK;
}

/* Keys and names that meet no others, rights that fit the key. */
const char *roles_members_fault(const struct rsp_member *members, size_t n, const uint8_t root[32], size_t *which)
{
    *which = 0;
    if (!n || n > ROLES_MEMBERS_MAX) return "not 1 to 1024 identities";
    for (size_t i = 0; i < n; i++) {
        const struct rsp_member *m = members + i;
        int is_root = !memcmp(m->key.sign, root, 32);
        *which = i;
        if (m->flags & ~ROLE_ALL) return "a flag that is not defined";
        if (is_root && (m->flags != ROLE_ALL || m->sources_n)) return "root without one of its rights";
        if (!is_root && m->flags & RSP_ROLE_ROOT) return "the flag root on a key that is not root";
        for (size_t k = 0; k < i; k++) {
            if (!memcmp(members[k].key.sign, m->key.sign, 32) || !memcmp(members[k].key.box, m->key.box, 32))
                return "a key that another identity has already";
            if (m->name[0] && !strcmp(members[k].name, m->name)) return "a name that another identity has already";
        }
    }
    return NULL;
}

static int lost_read(const struct reading *d, struct rsp_span v)
{
    struct rsp_roles *r = d->r;
    if (!v.n || v.n % HASH_BYTES) return bad(d, v.p, "the list of lost records is not a multiple of 32 bytes");
    r->lost = mem_alloc(&r->env, v.n);
    if (!r->lost) return RSP_ENOMEM;
    memcpy(r->lost, v.p, v.n);
    r->lost_n = v.n / HASH_BYTES;
    return RSP_OK;
}

static int left_read(struct reading *d, struct rsp_span v)
{
    struct rsp_left_head *h = d->r->left + d->left++;
    if (v.n != LEFT_BYTES) return bad(d, v.p, "a head that is left has not 80 bytes");
    memcpy(h->signer, v.p, 32);
    memcpy(h->source, v.p + 32, ID_BYTES);
    memcpy(h->hash, v.p + 32 + ID_BYTES, HASH_BYTES);
    return RSP_OK;
}

static int record_item(struct reading *d, const struct item *item)
{
    struct rsp_roles *r = d->r;
    struct rsp_span v = item->v;
    switch (item->tag) {
    case ROLES_LINEAGE:
        if (v.n != ID_BYTES || memcmp(v.p, r->lineage, ID_BYTES)) return bad(d, v.p, "it is of another lineage");
        return RSP_OK;
    case ROLES_N: return item_get_u64(v, &r->n) && r->n ? RSP_OK : bad(d, v.p, "its number is not a u64 from 1");
    case ROLES_PREVIOUS:
        if (v.n != HASH_BYTES || r->n < 2) return bad(d, v.p, "a first record names one before it, or not by 32 bytes");
        memcpy(r->previous, v.p, HASH_BYTES);
        return RSP_OK;
    case ROLES_TIME: return item_get_u64(v, &r->time_ms) ? RSP_OK : bad(d, v.p, "its time has not 8 bytes");
    case ROLES_ROOT:
        if (v.n != 32 || memcmp(v.p, r->root, 32)) return bad(d, v.p, "it names another root");
        return RSP_OK;
    case ROLES_MEMBER: return member_read(d, r->members + d->member++, v);
    case ROLES_LEFT: return left_read(d, v);
    case ROLES_LOST: return lost_read(d, v);
    default: return pass_over(d, item);
    }
}

/* Room for as many members and heads as stand there. */
static int make_room(struct reading *d, struct items list)
{
    struct rsp_roles *r = d->r;
    struct item item;
    size_t members = 0, left = 0;
    while (!items_next(&list, &item)) {
        members += item.tag == ROLES_MEMBER;
        left += item.tag == ROLES_LEFT;
    }
    if (!members || members > ROLES_MEMBERS_MAX) return bad(d, list.p, "it has not 1 to 1024 identities");
    r->members = mem_zero(&r->env, members * sizeof *r->members);
    if (!r->members) return RSP_ENOMEM;
    r->members_n = members;
    if (!left) return RSP_OK;
    r->left = mem_zero(&r->env, left * sizeof *r->left);
    if (!r->left) return RSP_ENOMEM;
    r->left_n = left;
    return RSP_OK;
}

static int record_read(struct reading *d, struct rsp_span v)
{
    struct items list;
    struct item item;
    unsigned seen = 0, need = 1u << 1 | 1u << 2 | 1u << 5;
    const char *fault;
    size_t which;
    int rc;
    items_begin(&list, v.p, v.n);
    if ((rc = make_room(d, list))) return rc;
    while (!(rc = items_next(&list, &item))) {
        unsigned number = ITEM_NUMBER(item.tag);
        int known = item.tag == ROLES_TIME || (item.tag & ITEM_CRITICAL && number >= 1 && number <= 8);
        if (known && number != 6 && number != 7) {
            if (seen & 1u << number) return bad(d, item.v.p, "an item stands twice");
            seen |= 1u << number;
        }
        if ((rc = record_item(d, &item))) return rc;
    }
    if (rc != RSP_END) return bad_list(d, &list);
    if (d->r->n > 1) need |= 1u << 3;
    if ((seen & need) != need) return bad(d, v.p, "an item that must be there is missing");
    fault = roles_members_fault(d->r->members, d->r->members_n, d->r->root, &which);
    if (fault)
        return fail(&d->r->env, RSP_EINTEGRITY, d->subject, "the roles record is wrong: identity %zu has %s", which + 1,
                    fault);
    return RSP_OK;
}

static int signature_good(const struct rsp_env *env, struct rsp_span bytes, const uint8_t root[32], const char *subject)
{
    if (bytes.n < ROLES_MAGIC_BYTES + SIGNATURE_BYTES || memcmp(bytes.p, ROLES_MAGIC, ROLES_MAGIC_BYTES))
        return fail(env, RSP_EINTEGRITY, subject, "this is no roles record");
    if (bytes.n > ROLES_BYTES_MAX)
        return fail(env, RSP_EINTEGRITY, subject, "a roles record of %zu bytes is longer than 4 MiB", bytes.n);
    if (!sign_check(root, bytes.p, bytes.n - SIGNATURE_BYTES, bytes.p + bytes.n - SIGNATURE_BYTES))
        return fail(env, RSP_EINTEGRITY, subject, "the roles record is damaged or was not signed by this root");
    return RSP_OK;
}

int rsp_roles_parse(const struct rsp_env *env, struct rsp_span bytes, const uint8_t root[32], const char *subject,
                    struct rsp_roles **ret)
{
    struct rsp_env e;
    struct rsp_public key = {{0}, {0}};
    struct reading d = {NULL, subject, NULL, 0, 0};
    struct rsp_roles *r;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    if ((rc = crypt_init(&e))) return rc;
    if ((rc = signature_good(&e, bytes, root, subject))) return rc;
    if (!(r = mem_zero(&e, sizeof *r))) return RSP_ENOMEM;
    r->env = e;
    rc = RSP_ENOMEM;
    if (!(r->bytes = mem_alloc(&e, bytes.n))) goto out;
    memcpy(r->bytes, bytes.p, bytes.n);
    r->bytes_n = bytes.n;
    hash256(r->hash, bytes.p, bytes.n);
    memcpy(r->root, root, 32);
    memcpy(key.sign, root, 32);
    rsp_lineage_of(&key, r->lineage);
    d.r = r;
    d.base = r->bytes;
    rc = record_read(&d,
                     (struct rsp_span){r->bytes + ROLES_MAGIC_BYTES, bytes.n - ROLES_MAGIC_BYTES - SIGNATURE_BYTES});
    if (rc) goto out;
    *ret = r;
    return RSP_OK;
out:
    rsp_roles_free(r);
    return rc;
}

void rsp_roles_free(struct rsp_roles *roles)
{
    struct rsp_env e;
    if (!roles) return;
    e = roles->env;
    for (size_t i = 0; i < roles->members_n; i++) {
        struct rsp_member *m = roles->members + i;
        mem_free(&e, m->sources, m->sources_n * sizeof *m->sources);
        mem_free(&e, m->sealed, m->sealed_n);
    }
    mem_free(&e, roles->members, roles->members_n * sizeof *roles->members);
    mem_free(&e, roles->left, roles->left_n * sizeof *roles->left);
    mem_free(&e, roles->lost, roles->lost_n * sizeof *roles->lost);
    mem_free(&e, roles->bytes, roles->bytes_n);
    mem_free(&e, roles, sizeof *roles);
}

const struct rsp_member *rsp_roles_find(const struct rsp_roles *roles, const uint8_t sign[32])
{
    for (size_t i = 0; i < roles->members_n; i++)
        if (!memcmp(roles->members[i].key.sign, sign, 32)) return roles->members + i;
    return NULL;
}

const struct rsp_member *rsp_roles_find_name(const struct rsp_roles *roles, const char *name)
{
    if (!*name) return NULL;
    for (size_t i = 0; i < roles->members_n; i++)
        if (!strcmp(roles->members[i].name, name)) return roles->members + i;
    return NULL;
}

int rsp_member_may(const struct rsp_member *member, uint32_t flag, const uint8_t source[16])
{
    if ((member->flags & flag) != flag) return 0;
    if (!(flag & RSP_ROLE_WRITE) || !source || !member->sources || member->flags & RSP_ROLE_ROOT) return 1;
    for (size_t i = 0; i < member->sources_n; i++)
        if (!memcmp(member->sources[i], source, ID_BYTES)) return 1;
    return 0;
}
