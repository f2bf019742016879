/* What this is: the second look at candidates for duplicates, within the check.
 * Rests on: check_impl.h.
 * Does not: concern anything but check_dups.c and check_second.c. */
#ifndef RDB_CHECK_SECOND_H
#define RDB_CHECK_SECOND_H

#include "rdb/check_impl.h"

#define KEY_LOG_HEAD 16 /* offset u64, db u32, length u32; then the key */

const struct big_record *big_find(const struct check *c, uint64_t record);
/* Join side of the second pass over the file. */
int second_join(struct check *c, struct check_result *r);
void second_free(struct check *c);

#endif
