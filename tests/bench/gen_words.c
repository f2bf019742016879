/* What this is: the texts that the generator puts into values.
 * Rests on: gen_out.h for the draws.
 * Does not: write to the file. */
#include "gen_out.h"

#include <string.h>

/* Words. None of them reads as an integer, so that a server would store the same bytes. */

static const char *const first_names[] = {
    "Maria", "Jon",   "Aiko",  "Pedro", "Lena",   "Amir", "Jos\xc3\xa9", "Ingrid", "Chloe", "Tom\xc3\xa1\xc5\xa1",
    "Wei",   "Nadia", "Oscar", "Priya", "Samuel", "Yara"};
static const char *const last_names[] = {"Keller", "Silva",  "Tanaka", "Novak", "Okafor",   "Larsen",
                                         "Moreau", "Haddad", "Rossi",  "Bauer", "Kowalski", "Mehta",
                                         "Jensen", "Costa",  "Weber",  "Dubois"};
static const char *const words[] = {"amber",  "basalt", "cedar",   "delta",  "ember", "fjord",  "garnet", "harbor",
                                    "iris",   "jade",   "kelp",    "lagoon", "maple", "nickel", "onyx",   "pearl",
                                    "quartz", "raven",  "saffron", "tulip",  "umber", "velvet", "willow", "xenon",
                                    "yarrow", "zinc",   "blue",    "vip",    "new",   "trial",  "beta",   "north"};

#define PICK(a) ((a)[below((uint32_t)(sizeof(a) / sizeof *(a)))])

size_t token(char *out, size_t n)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < n; i++) out[i] = set[rnd() >> 58];
    out[0] = 'T';
    out[n] = 0;
    return n;
}

static size_t put_number(char *out, uint32_t v, int digits) /* digits 0: as many as it has */
{
    return (size_t)snprintf(out, 12, "%0*u", digits ? digits : 1, v);
}

size_t fill(char *out, const char *pattern)
{
    size_t n = 0;
    for (const char *p = pattern; *p; p++) {
        const char *text = NULL;
        if (*p != '$') {
            out[n++] = *p;
            continue;
        }
        switch (*++p) {
        case 'w': text = PICK(words); break;
        case 'f': text = PICK(first_names); break;
        case 'l': text = PICK(last_names); break;
        case '2': n += put_number(out + n, below(100), 2); break;
        case 'b': n += put_number(out + n, below(256), 0); break;
        case 'n': n += put_number(out + n, below(100000), 0); break;
        case 'm': n += put_number(out + n, between(1, 12), 2); break;
        case 'd': n += put_number(out + n, between(1, 28), 2); break;
        case 'h': n += put_number(out + n, below(24), 2); break;
        default: n += put_number(out + n, below(60), 2); break;
        }
        if (!text) continue;
        memcpy(out + n, text, strlen(text));
        n += strlen(text);
    }
    out[n] = 0;
    return n;
}

size_t value(char *out, int64_t *number)
{
    switch (below(10)) {
    case 0: *number = (int64_t)below(100); return 0;
    case 1: *number = (int64_t)(BASE_MS / 1000 + below(100000000)); return 0;
    case 2: return token(out, between(12, 32));
    case 3: return fill(out, "$w.$w@example.org");
    case 4: return fill(out, "2024-$m-$dT$h:$s:00Z");
    case 5: return fill(out, "$f $l");
    case 6: return fill(out, "10.$b.$b.$b");
    case 7: return fill(out, "$w-$w");
    case 8: return fill(out, "https://www.example.org/$w/$w");
    default: return fill(out, "$w");
    }
}
