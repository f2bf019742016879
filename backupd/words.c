/* What this is: small texts: hexadecimal, flags of a snapshot, points in time as people write them.
 * Rests on: context.h.
 * Does not: print. */
#include <string.h>

#include "backupd/context.h"

void text_hex(char *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

void snapshot_text(char out[SNAPSHOT_TEXT], const uint8_t id[16])
{
    text_hex(out, id, (SNAPSHOT_TEXT - 1) / 2);
}

static void add_word(char *out, size_t size, const char *word)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s%s", n ? "," : "", word);
}

void flags_text(char out[FLAGS_TEXT], const struct rsp_record *r)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } flags[] = {{RSP_COMMIT_UNSEALED, "unsealed"}, {RSP_COMMIT_GOOD, "good"},   {RSP_COMMIT_DAMAGED, "damaged"},
                 {RSP_COMMIT_PARTIAL, "partial"},   {RSP_COMMIT_QUICK, "quick"}, {RSP_COMMIT_READ, "read-back"}},
      states[] = {{RSP_RECORD_PINNED, "pinned"},
                  {RSP_RECORD_ACCEPTED, "accepted"},
                  {RSP_RECORD_RETIRED, "retired"},
                  {RSP_RECORD_LOST, "lost"},
                  {RSP_RECORD_BROKEN, "broken"}};
    out[0] = 0;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (r->flags & flags[i].bit) add_word(out, FLAGS_TEXT, flags[i].word);
    if (r->copied) add_word(out, FLAGS_TEXT, "copied");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (r->state & states[i].bit) add_word(out, FLAGS_TEXT, states[i].word);
    if (!out[0]) add_word(out, FLAGS_TEXT, "-");
}

/* ---- points in time ---- */

/* n digits. */
static int take_digits(const char **at, int n, int64_t *v)
{
    *v = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9') return -1;
        *v = *v * 10 + (**at - '0');
    }
    return 0;
}

static int take_number(const char *text, int64_t *v)
{
    size_t n = strspn(text, "0123456789");
    if (!n || n > 15 || text[n]) return -1;
    return take_digits(&text, (int)n, v);
}

static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    int64_t era, in_era, in_year;
    if (m <= 2) y--;
    era = y / 400;
    in_era = y - era * 400;
    in_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static int days_in(int64_t y, int64_t m)
{
    if (m == 2) return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : 28;
    return m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
}

/* "THH:MM", "THH:MM:SS", each with or without "Z". */
static int take_clock(const char *at, int64_t *seconds)
{
    int64_t h, m, s = 0;
    at++;
    if (take_digits(&at, 2, &h) || *at++ != ':' || take_digits(&at, 2, &m)) return -1;
    if (*at == ':' && (at++, take_digits(&at, 2, &s))) return -1;
    if (*at == 'Z') at++;
    if (*at || h > 23 || m > 59 || s > 59) return -1;
    *seconds = h * 3600 + m * 60 + s;
    return 0;
}

int parse_time(const char *text, int64_t *ms)
{
    const char *at = text;
    int64_t y, m, d, seconds = 0;
    if (!text[strspn(text, "0123456789")]) return take_number(text, ms);
    if (*text == '@') {
        if (take_number(text + 1, &seconds) || seconds > 100000000000) return -1;
        *ms = seconds * 1000;
        return 0;
    }
    if (take_digits(&at, 4, &y) || *at++ != '-' || take_digits(&at, 2, &m) || *at++ != '-' || take_digits(&at, 2, &d))
        return -1;
    if (m < 1 || m > 12 || d < 1 || d > days_in(y, m)) return -1;
    if (*at && ((*at != 'T' && *at != ' ') || take_clock(at, &seconds))) return -1;
    *ms = (days_of(y, m, d) * 86400 + seconds) * 1000;
    return 0;
}
