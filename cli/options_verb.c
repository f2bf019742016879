/* What this is: finding the verb that a command line names, of one word or two, and the word that was meant.
 * Rests on: cli/options.h, cli/print.h.
 * Does not: read options. */
#include <limits.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/options.h"
#include "cli/options_near.h"
#include "cli/options_table.h"
#include "cli/print.h"

/* How many letters must be put in, taken out or changed to come from a to b; long words: far. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[33];
    size_t na = strlen(a), nb = strlen(b);
    if (na > 32 || nb > 32) return UINT_MAX;
    for (unsigned k = 0; k <= nb; k++) row[k] = k;
    for (size_t i = 0; i < na; i++) {
        unsigned diagonal = row[0];
        row[0]++;
        for (size_t k = 0; k < nb; k++) {
            unsigned change = diagonal + (a[i] != b[k]);
            unsigned shorter = row[k + 1] < row[k] ? row[k + 1] : row[k];
            diagonal = row[k + 1];
            row[k + 1] = change <= shorter ? change : shorter + 1;
        }
    }
    return row[nb];
}

void options_near(struct nearest *best, const char *wrong, const char *word)
{
    size_t n = strlen(wrong);
    unsigned d = distance(wrong, word);
    if (d > 2 && n >= 2 && !strncmp(wrong, word, n)) d = 2; /* a beginning of it */
    if (d > 2 || d >= strlen(word) || d >= best->distance) return;
    best->word = word;
    best->distance = d;
}

size_t options_group(const struct verb *verb, const char **second)
{
    size_t n = strcspn(verb->name, " ");
    if (!verb->name[n]) return 0;
    if (second) *second = verb->name + n + 1;
    return n;
}

int options_group_same(const struct verb *a, const struct verb *b)
{
    size_t n = options_group(a, NULL);
    return n && n == options_group(b, NULL) && !memcmp(a->name, b->name, n);
}

int options_group_first(const struct program *program, const struct verb *verb)
{
    for (const struct verb *v = program->verbs; v != verb; v++)
        if (options_group_same(v, verb)) return 0;
    return 1;
}

static const struct verb *find_one(const struct program *program, const char *word)
{
    for (const struct verb *v = program->verbs; v->name; v++) {
        const char *at = v->aliases, *alias = NULL;
        size_t n;
        if (!strcmp(v->name, word)) return v;
        while ((n = options_word(&at, &alias)))
            if (strlen(word) == n && !memcmp(word, alias, n)) return v;
    }
    return NULL;
}

/* The first verb of the group that word names. */
static const struct verb *find_group(const struct program *program, const char *word)
{
    for (const struct verb *v = program->verbs; v->name; v++) {
        size_t n = options_group(v, NULL);
        if (n && strlen(word) == n && !memcmp(word, v->name, n)) return v;
    }
    return NULL;
}

static int second_unknown(const struct verb *group, const char *word)
{
    struct nearest best = {NULL, UINT_MAX};
    const char *second = "";
    char list[256];
    size_t n = 0, first = options_group(group, NULL);
    for (const struct verb *v = group; v->name; v++) {
        if (!options_group_same(v, group)) continue;
        options_group(v, &second);
        if (word) options_near(&best, word, second);
        if (n < sizeof list) n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", second);
    }
    if (best.word)
        print_err("unknown verb '%.*s %s'; did you mean '%.*s %s'?", (int)first, group->name, word, (int)first,
                  group->name, best.word);
    else if (word) print_err("unknown verb '%.*s %s'; there are: %s", (int)first, group->name, word, list);
    else print_err("'%.*s' needs a second word: %s", (int)first, group->name, list);
    return 0;
}

int options_verb(const struct program *program, char *const *args, int n, const struct verb **verb)
{
    const struct verb *group = find_group(program, args[0]);
    const char *word = n > 1 && args[1][0] != '-' ? args[1] : NULL;
    struct nearest best = {NULL, UINT_MAX};
    *verb = find_one(program, args[0]);
    if (*verb) return 1;
    for (const struct verb *v = group; word && v && v->name; v++) {
        const char *second = "";
        if (!options_group_same(v, group)) continue;
        options_group(v, &second);
        if (strcmp(second, word) != 0) continue;
        *verb = v;
        return 2;
    }
    if (group) return second_unknown(group, word);
    for (const struct verb *v = program->verbs; v->name; v++) options_near(&best, args[0], v->name);
    if (best.word) print_err("unknown verb '%s'; did you mean '%s'?", args[0], best.word);
    else print_err("unknown verb '%s'; '%s --help' lists them", args[0], program->name);
    return 0;
}
