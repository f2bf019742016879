/* What this is: the word that was probably meant.
 * Rests on: nothing.
 * Does not: belong to the interface. */
#ifndef CLI_OPTIONS_NEAR_H
#define CLI_OPTIONS_NEAR_H

struct nearest {
    const char *word; /* NULL: none is near */
    unsigned distance;
};

/* Takes word when it is nearer to what was written than the best so far; begin with {NULL, UINT_MAX}. */
void options_near(struct nearest *best, const char *wrong, const char *word);

#endif
