/* What this is: the log of what a program changed below one directory: written by shim.c, read by rebuild.c.
 * Rests on: nothing.
 * Does not: outlive a test run: its bytes are the machine's. */
#ifndef POWER_POWER_H
#define POWER_POWER_H

#include <stdint.h>

#define POWER_MAGIC 0x31504f50u

enum power_kind {
    POWER_CREATE,   /* a: the new file's path, "" when it has none (O_TMPFILE); length: its mode, offset: its owner */
    POWER_WRITE,    /* a, offset, length; the bytes follow */
    POWER_TRUNCATE, /* a, length: the new size */
    POWER_SYNC,     /* a; is_dir: of a folder */
    POWER_RANGE,    /* sync_file_range: nothing becomes durable */
    POWER_RENAME,   /* a to b */
    POWER_EXCHANGE, /* a and b */
    POWER_LINK,     /* b is a new name of ino (a: another name, or "") */
    POWER_MKDIR,    /* length: its mode, offset: its owner */
    POWER_UNLINK,
    POWER_RMDIR,
    POWER_TIMES,
    POWER_MODE,  /* a, length: the mode */
    POWER_OWNER, /* a, offset: the user's number << 32 | the group's */
    POWER_MARK,  /* a: words of the program; has the number of the operation that comes next, and counts as none */
    POWER_KINDS
};

/* One record: this, the paths a and b (relative to the directory, no terminators), the bytes of a write. Operations that
 * failed are not told of, but have had their number. */
struct power_op {
    uint32_t magic, kind;
    uint64_t number, ino, offset, length;
    uint32_t a_n, b_n, is_dir, reserved;
};

#endif
