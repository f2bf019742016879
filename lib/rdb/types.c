/* What this is: the table of value types.
 * Rests on: types.h; rdb.md sections 9, 10, 12, 13.
 * Does not: read bytes. */
#include "rdb/types.h"

#include <string.h>

// clang-format off
#define R(x) RSP_ROLE_##x
#define S(role)    {OP_STR, R(role), 0}
#define L(role)    {OP_LEN, R(role), 0}
#define F(n, role) {OP_FIX, R(role), n}
#define LOOP(role) {OP_LOOP, R(role), 0}
#define NEXT       {OP_NEXT, 0, 0}
#define END        {OP_END, 0, 0}

static const struct walk_step p_string[]   = {S(STRING), END};
static const struct walk_step p_list[]     = {LOOP(LENGTH), S(ITEM), NEXT, END};
static const struct walk_step p_set[]      = {LOOP(LENGTH), S(MEMBER), NEXT, END};
static const struct walk_step p_zset[]     = {LOOP(LENGTH), S(MEMBER), {OP_SCORE, R(SCORE), 0}, NEXT, END};
static const struct walk_step p_zset2[]    = {LOOP(LENGTH), S(MEMBER), F(8, SCORE), NEXT, END};
static const struct walk_step p_hash[]     = {LOOP(LENGTH), S(FIELD), S(VALUE), NEXT, END};
static const struct walk_step p_hash_2[]   = {LOOP(LENGTH), S(FIELD), S(VALUE), F(8, TTL_FIX), NEXT, END};
static const struct walk_step p_hash_rel[] = {F(8, MIN_EXPIRE), LOOP(LENGTH), L(TTL_REL), S(FIELD), S(VALUE), NEXT, END};
static const struct walk_step p_hash_abs[] = {LOOP(LENGTH), L(TTL_ABS), S(FIELD), S(VALUE), NEXT, END};
static const struct walk_step p_hash_ex[]  = {F(8, MIN_EXPIRE), S(LISTPACK), END};
static const struct walk_step p_zipmap[]   = {S(ZIPMAP), END};
static const struct walk_step p_ziplist[]  = {S(ZIPLIST), END};
static const struct walk_step p_listpack[] = {S(LISTPACK), END};
static const struct walk_step p_intset[]   = {S(INTSET), END};
static const struct walk_step p_quick[]    = {LOOP(LENGTH), S(NODE), NEXT, END};
static const struct walk_step p_quick2[]   = {LOOP(LENGTH), L(CONTAINER), S(NODE), NEXT, END};
static const struct walk_step p_paths[]    = {LOOP(LENGTH), S(PATH), LOOP(LENGTH), S(FIELD), S(VALUE), NEXT, NEXT, END};
static const struct walk_step p_module[]   = {L(MODULE_ID), {OP_MODULE, R(MODULE_ITEM), 0}, S(MODULE_STRING),
                                              {OP_BACK, 0, 0}, END};
static const struct walk_step p_array[]    = {{OP_LEN_REG, R(ARRAY_COUNT), 0}, {OP_OPTION, R(HAS_INSERT), 0},
                                              L(INSERT_INDEX), {OP_LOOP_REG, R(LENGTH), 0}, L(INDEX),
                                              {OP_TAG, R(TAG), 0}, {OP_TAGGED, R(ELEMENT), 0}, NEXT, END};
static const struct walk_step p_tmpl_lp[]  = {{OP_FORMAT, R(FIELDS_FORMAT), 0}, S(FIELDS_LISTPACK), {OP_JUMP, 0, 3},
                                              LOOP(LENGTH), S(TEMPLATE_FIELD), NEXT, S(LISTPACK), END};
static const struct walk_step p_tmpl_arr[] = {{OP_FORMAT, R(FIELDS_FORMAT), 0}, {OP_COUNT_STR, R(FIELDS_LISTPACK), 0},
                                              {OP_JUMP, 0, 3}, LOOP(LENGTH), S(TEMPLATE_FIELD), NEXT,
                                              {OP_LOOP_REG, R(LENGTH), 0}, S(VALUE), NEXT, END};
static const struct walk_step p_tmpl_ref[] = {{OP_TEMPLATE, R(TEMPLATE_ID), 0}, {OP_LOOP_REG, R(LENGTH), 0}, S(VALUE),
                                              NEXT, END};

#define NODES   LOOP(LENGTH), S(NODE_ID), S(STREAM_NODE), NEXT, L(LENGTH), L(LAST_MS), L(LAST_SEQ)
#define META2   L(FIRST_MS), L(FIRST_SEQ), L(MAXDEL_MS), L(MAXDEL_SEQ), L(ENTRIES_ADDED)
#define GROUP   LOOP(GROUPS), S(GROUP_NAME), L(GROUP_MS), L(GROUP_SEQ)
#define PEL     LOOP(PEL), F(16, PEL_ID), F(8, PEL_TIME), L(PEL_COUNT), NEXT
#define CPEL    LOOP(CPEL), F(16, CPEL_ID), NEXT
#define CONS1   LOOP(CONSUMERS), S(CONSUMER_NAME), F(8, SEEN), CPEL, NEXT
#define CONS2   LOOP(CONSUMERS), S(CONSUMER_NAME), F(8, SEEN), F(8, ACTIVE), CPEL, NEXT
#define NACKED  LOOP(NACKED), F(16, NACKED_ID), NEXT
#define IDMP    L(IDMP_DURATION), L(IDMP_MAX), LOOP(PRODUCERS), S(PRODUCER), LOOP(IIDS), S(IID), L(IID_MS), L(IID_SEQ), \
                NEXT, NEXT, L(IIDS_ADDED), L(IIDS_DUPLICATES)
static const struct walk_step p_stream1[] = {NODES, GROUP, PEL, CONS1, NEXT, END};
static const struct walk_step p_stream2[] = {NODES, META2, GROUP, L(ENTRIES_READ), PEL, CONS1, NEXT, END};
static const struct walk_step p_stream3[] = {NODES, META2, GROUP, L(ENTRIES_READ), PEL, CONS2, NEXT, END};
static const struct walk_step p_stream4[] = {NODES, META2, GROUP, L(ENTRIES_READ), PEL, CONS2, NEXT, IDMP, END};
static const struct walk_step p_stream5[] = {NODES, META2, GROUP, L(ENTRIES_READ), PEL, CONS2, NACKED, NEXT, IDMP, END};

#define NONE {NULL, -1, 0, 0, NULL}
static const struct rdb_type common[22] = {
    {"raw", RSP_RDB_STRING, 1, 1, p_string},            /* 0 */
    {"linkedlist", RSP_RDB_LIST, 0, 1, p_list},         /* 1 */
    {"hashtable", RSP_RDB_SET, 0, 1, p_set},            /* 2 */
    {"skiplist", RSP_RDB_ZSET, 0, 1, p_zset},           /* 3 */
    {"hashtable", RSP_RDB_HASH, 0, 1, p_hash},          /* 4 */
    {"skiplist", RSP_RDB_ZSET, 0, 8, p_zset2},          /* 5 */
    NONE,                                               /* 6: a module's bytes without opcodes; cannot be parsed */
    {"module", RSP_RDB_MODULE, 0, 8, p_module},         /* 7 */
    NONE,                                               /* 8 */
    {"zipmap", RSP_RDB_HASH, 1, 2, p_zipmap},           /* 9 */
    {"ziplist", RSP_RDB_LIST, 1, 2, p_ziplist},         /* 10 */
    {"intset", RSP_RDB_SET, 1, 2, p_intset},            /* 11 */
    {"ziplist", RSP_RDB_ZSET, 1, 2, p_ziplist},         /* 12 */
    {"ziplist", RSP_RDB_HASH, 1, 4, p_ziplist},         /* 13 */
    {"quicklist", RSP_RDB_LIST, 0, 7, p_quick},         /* 14 */
    {"stream1", RSP_RDB_STREAM, 0, 9, p_stream1},       /* 15 */
    {"listpack", RSP_RDB_HASH, 1, 10, p_listpack},      /* 16 */
    {"listpack", RSP_RDB_ZSET, 1, 10, p_listpack},      /* 17 */
    {"quicklist2", RSP_RDB_LIST, 0, 10, p_quick2},      /* 18 */
    {"stream2", RSP_RDB_STREAM, 0, 10, p_stream2},      /* 19 */
    {"listpack", RSP_RDB_SET, 1, 11, p_listpack},       /* 20 */
    {"stream3", RSP_RDB_STREAM, 0, 11, p_stream3},      /* 21 */
};
static const struct rdb_type redis[RDB_TYPES - 22] = {
    {"hashtable_ttl", RSP_RDB_HASH, 0, 12, p_hash_abs}, /* 22: release candidates of 7.4 */
    {"listpack_ttl", RSP_RDB_HASH, 1, 12, p_listpack},  /* 23: idem */
    {"hashtable_ttl", RSP_RDB_HASH, 0, 12, p_hash_rel}, /* 24 */
    {"listpack_ttl", RSP_RDB_HASH, 0, 12, p_hash_ex},   /* 25 */
    {"stream4", RSP_RDB_STREAM, 0, 13, p_stream4},      /* 26 */
    {"stream5", RSP_RDB_STREAM, 0, 14, p_stream5},      /* 27 */
    {"array", RSP_RDB_ARRAY, 0, 14, p_array},           /* 28 */
    {"template", RSP_RDB_HASH, 0, 15, p_tmpl_lp},       /* 29 */
    {"template", RSP_RDB_HASH, 1, 15, p_listpack},      /* 30 */
    {"template", RSP_RDB_HASH, 0, 15, p_tmpl_arr},      /* 31 */
    {"template", RSP_RDB_HASH, 0, 15, p_tmpl_ref},      /* 32 */
    NONE,                                               /* 33: GCRA, in no stock build */
};
static const struct rdb_type valkey[2] = {
    {"hashtable_ttl", RSP_RDB_HASH, 0, 80, p_hash_2},   /* 22 */
    {"path_hash", RSP_RDB_HASH, 0, 81, p_paths},        /* 23 */
};
// clang-format on

const struct rdb_type *rdb_type(int dialect, int type)
{
    const struct rdb_type *t = NULL;
    if (type < 0 || type >= RDB_TYPES) return NULL;
    if (type < 22) t = &common[type];
    else if (dialect == RSP_RDB_REDIS) t = &redis[type - 22];
    else if (type < 24) t = &valkey[type - 22];
    return t && t->value_type >= 0 ? t : NULL;
}

int rsp_rdb_value_type(int dialect, int type)
{
    const struct rdb_type *t = rdb_type(dialect, type);
    return t ? t->value_type : -1;
}

const char *rsp_rdb_encoding_name(int dialect, int type)
{
    const struct rdb_type *t = rdb_type(dialect, type);
    return t ? t->encoding : "unknown";
}

const char *rsp_rdb_value_type_name(int value_type)
{
    static const char *const names[] = {"string", "list", "set", "zset", "hash", "stream", "array", "module"};
    return value_type >= 0 && value_type < 8 ? names[value_type] : "unknown";
}

void rsp_rdb_module_name(uint64_t id, char out[10])
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int i = 0; i < 9; i++) out[i] = set[id >> (58 - 6 * i) & 63];
    out[9] = 0;
}
