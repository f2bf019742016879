/* What this is: what reading and signing a roles record share: its tags and the rules of its members.
 * Rests on: identity.h, items.h.
 * Does not: leave the folder. respite-format(5), "Roles". */
#ifndef SEAL_ROLES_H
#define SEAL_ROLES_H

#include "seal/identity.h"
#include "seal/items.h"

#define ROLES_MAGIC "RSPROL1\n"
#define ROLES_MAGIC_BYTES 8
#define ROLES_BYTES_MAX (4u << 20)
#define ROLES_MEMBERS_MAX 1024
#define ROLE_ALL 31u
#define SIGNATURE_BYTES 64
#define LEFT_BYTES (32 + ID_BYTES + HASH_BYTES)

enum {
    ROLES_LINEAGE = ITEM_CRITICAL | 1,
    ROLES_N = ITEM_CRITICAL | 2,
    ROLES_PREVIOUS = ITEM_CRITICAL | 3,
    ROLES_TIME = 4,
    ROLES_ROOT = ITEM_CRITICAL | 5,
    ROLES_MEMBER = ITEM_CRITICAL | 6,
    ROLES_LEFT = ITEM_CRITICAL | 7,
    ROLES_LOST = ITEM_CRITICAL | 8,
    MEMBER_KEY = ITEM_CRITICAL | 1,
    MEMBER_FLAGS = ITEM_CRITICAL | 2,
    MEMBER_NAME = 3,
    MEMBER_SOURCES = ITEM_CRITICAL | 4,
    MEMBER_SEALED = 5
};

/* What holds between the fields of one member and between members; NULL, or what is wrong and *which member. */
const char *roles_members_fault(const struct rsp_member *members, size_t n, const uint8_t root[32], size_t *which);

#endif
