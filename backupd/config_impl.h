/* What this is: a parsed configuration file, for the files of config.h.
 * Rests on: config.h.
 * Does not: belong to the interface. */
#ifndef BACKUPD_CONFIG_IMPL_H
#define BACKUPD_CONFIG_IMPL_H

#include "backupd/config.h"

struct config_head {
    enum config_section kind;
    const char *name; /* "" of [global] */
    int line;
};
struct config_entry {
    enum config_section kind;
    const char *name, *key, *value;
    char *where;           /* "FILE:LINE" */
    const struct opt *opt; /* NULL: url */
};
struct config {
    char *text; /* cut into strings; wiped in the end: a URI may hold a password */
    size_t text_n;
    char *path;
    struct config_head *heads;
    size_t heads_n;
    struct config_entry *entries; /* in the order of the file */
    size_t entries_n;
};

const char *config_kind_text(enum config_section kind);

#endif
