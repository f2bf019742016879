/* What this is: what each type byte means in each dialect: its name, its value type and the small
 *   program that walks its value.
 * Rests on: respite/sys/rdb_batch.h.
 * Does not: read bytes. To add a type: a program here, its row in types.c, its elements in value*.c. */
#ifndef RDB_TYPES_H
#define RDB_TYPES_H

#include <respite/sys/rdb_batch.h>

enum walk_op {
    OP_END = 0,
    OP_STR,       /* a string */
    OP_LEN,       /* a length-encoded number */
    OP_FIX,       /* arg bytes */
    OP_SCORE,     /* ASCII double */
    OP_LOOP,      /* a count, then repeat up to the matching OP_NEXT */
    OP_LOOP_REG,  /* the same, but the count is the register: no bytes */
    OP_NEXT,      /* end of a loop: no bytes */
    OP_LEN_REG,   /* a number kept in the register */
    OP_OPTION,    /* 0 or 1; 0 passes over the next step */
    OP_TAG,       /* array element tag, kept in the register */
    OP_TAGGED,    /* its payload */
    OP_FORMAT,    /* 0: go on with the next step, 1: pass over two */
    OP_JUMP,      /* pass over arg steps: no bytes */
    OP_COUNT_STR, /* a listpack string; its element count becomes the register */
    OP_TEMPLATE,  /* template id; its number of fields becomes the register */
    OP_MODULE,    /* a module item; a string payload follows as OP_STR; the end passes over three */
    OP_BACK       /* go back two steps: no bytes */
};

struct walk_step {
    uint8_t op, role, arg;
};

struct rdb_type {
    const char *encoding;
    int8_t value_type; /* -1: not assigned in this dialect */
    uint8_t single;    /* the value is one string */
    uint16_t since;    /* first version that knows it */
    const struct walk_step *program;
};

#define RDB_TYPES 34 /* type bytes below this are value types */

/* NULL when the byte is no type of that dialect. */
const struct rdb_type *rdb_type(int dialect, int type);

#endif
