/* What this is: the names of a repository's objects, made and taken apart.
 * Rests on: repo_impl.h.
 * Does not: look at an object. respite-format(5), "REPOSITORY". */
#include <stdio.h>
#include <string.h>

#include "repo/repo_impl.h"
#include "seal/object.h"

#define DAY_SECONDS 86400u
#define SEQ_DIGITS 10
#define TIME_CHARS 16 /* YYYYMMDDThhmmssZ */
#define HASH_CHARS (2 * HASH_BYTES)
#define ID_CHARS (2 * ID_BYTES)

static const char *const kind_words[] = {NULL,     "commit",  "retire", "pin",  "unpin", "accept",
                                         "absent", "receipt", "note",   "gone", "lost"};
#define KINDS (int)(sizeof kind_words / sizeof *kind_words)

const char *rsp_record_kind_text(int kind)
{
    return kind > 0 && kind < KINDS ? kind_words[kind] : NULL;
}

void name_object(char *out, int kind, const uint8_t epoch[ID_BYTES], const uint8_t object[ID_BYTES])
{
    char e[ID_CHARS + 1], o[ID_CHARS + 1];
    hex_text(e, epoch, ID_BYTES);
    hex_text(o, object, ID_BYTES);
    snprintf(out, NAME_MAX_BYTES, "%s/%s/%s", kind == OBJECT_MANIFEST ? "manifests" : "data", e, o);
}

void name_envelope(char *out, const uint8_t epoch[ID_BYTES], const uint8_t hash[HASH_BYTES])
{
    char e[ID_CHARS + 1], h[HASH_CHARS + 1];
    hex_text(e, epoch, ID_BYTES);
    hex_text(h, hash, HASH_BYTES);
    snprintf(out, NAME_MAX_BYTES, "keys/%s/%s", e, h);
}

void name_roles(char *out, uint64_t n, const uint8_t hash[HASH_BYTES])
{
    char h[HASH_CHARS + 1];
    hex_text(h, hash, HASH_BYTES);
    snprintf(out, NAME_MAX_BYTES, "roles/%010llu-%s", (unsigned long long)n, h);
}

void name_hashed(char *out, const char *folder, const uint8_t hash[HASH_BYTES])
{
    char h[HASH_CHARS + 1];
    hex_text(h, hash, HASH_BYTES);
    snprintf(out, NAME_MAX_BYTES, "%s/%s", folder, h);
}

/* ---- time: the proleptic Gregorian calendar, without the C library's, which asks the environment ---- */

static uint64_t days_before(unsigned year) /* 1970-01-01 to January 1st of year */
{
    unsigned last = year - 1;
    return (uint64_t)(year - 1970) * 365 + (last / 4 - last / 100 + last / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static void time_text(char *out, size_t size, uint64_t ms)
{
    uint64_t s = (ms < NAME_TIME_MAX_MS ? ms : NAME_TIME_MAX_MS) / 1000, day = s / DAY_SECONDS;
    unsigned year = 1970 + (unsigned)(day / 366), month = 1, left, clock = (unsigned)(s % DAY_SECONDS);
    while (days_before(year + 1) <= day) year++;
    left = (unsigned)(day - days_before(year));
    while (left >= month_days(year, month)) left -= month_days(year, month++);
    snprintf(out, size, "%04u%02u%02uT%02u%02u%02uZ", year, month, left + 1, clock / 3600, clock / 60 % 60, clock % 60);
}

/* n decimal digits. */
static int digits(const char *p, size_t n, uint64_t *v)
{
    *v = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return 0;
        *v = *v * 10 + (unsigned)(p[i] - '0');
    }
    return 1;
}

static int time_parse(const char *p, uint64_t *ms)
{
    uint64_t year, month, day, h, m, s, days;
    if (p[8] != 'T' || p[15] != 'Z' || !digits(p, 4, &year) || !digits(p + 4, 2, &month) || !digits(p + 6, 2, &day) ||
        !digits(p + 9, 2, &h) || !digits(p + 11, 2, &m) || !digits(p + 13, 2, &s))
        return 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days((unsigned)year, (unsigned)month) ||
        h > 23 || m > 59 || s > 59)
        return 0;
    days = days_before((unsigned)year) + day - 1;
    for (unsigned i = 1; i < month; i++) days += month_days((unsigned)year, i);
    *ms = (days * DAY_SECONDS + h * 3600 + m * 60 + s) * 1000;
    return 1;
}

/* ---- records ---- */

void name_record(char *out, uint64_t seq, uint64_t time_ms, int kind, const uint8_t hash[HASH_BYTES])
{
    char h[HASH_CHARS + 1], t[48];
    const char *word = rsp_record_kind_text(kind);
    hex_text(h, hash, HASH_BYTES);
    time_text(t, sizeof t, time_ms);
    snprintf(out, NAME_MAX_BYTES, "%010llu-%s-%s-%s", (unsigned long long)seq, t, word ? word : "", h);
}

void name_record_path(char *out, const struct rsp_record *r)
{
    char s[ID_CHARS + 1];
    hex_text(s, r->source, ID_BYTES);
    snprintf(out, NAME_MAX_BYTES, "log/%s/%s", s, r->name);
}

static int lower_hex(const char *p, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < 2 * n; i++)
        if (p[i] >= 'A' && p[i] <= 'F') return 0;
    return hex_parse(p, 2 * n, out, n);
}

static int kind_parse(const char *p, size_t n)
{
    for (int k = 1; k < KINDS; k++)
        if (strlen(kind_words[k]) == n && !memcmp(kind_words[k], p, n)) return k;
    return 0;
}

int name_record_parse(const char *path, struct rsp_record *r)
{
    size_t n = strnlen(path, NAME_MAX_BYTES), fixed = 4 + ID_CHARS + 1 + SEQ_DIGITS + 1 + TIME_CHARS + 1;
    const char *p = path;
    int kind;
    if (n <= fixed + 1 + HASH_CHARS || n >= NAME_MAX_BYTES || memcmp(p, "log/", 4)) return 0;
    if (!lower_hex(p + 4, ID_BYTES, r->source) || p[4 + ID_CHARS] != '/') return 0;
    p += 4 + ID_CHARS + 1;
    n -= 4 + ID_CHARS + 1;
    if (n >= sizeof r->name || !digits(p, SEQ_DIGITS, &r->seq) || r->seq == 0 || p[SEQ_DIGITS] != '-') return 0;
    if (!time_parse(p + SEQ_DIGITS + 1, &r->time_ms) || p[SEQ_DIGITS + 1 + TIME_CHARS] != '-') return 0;
    fixed = SEQ_DIGITS + 1 + TIME_CHARS + 1;
    kind = kind_parse(p + fixed, n - fixed - 1 - HASH_CHARS);
    if (!kind || p[n - HASH_CHARS - 1] != '-' || !lower_hex(p + n - HASH_CHARS, HASH_BYTES, r->hash)) return 0;
    r->kind = (uint8_t)kind;
    memcpy(r->name, p, n);
    r->name[n] = 0;
    return 1;
}

int name_roles_parse(const char *name, uint64_t *n, uint8_t hash[HASH_BYTES])
{
    return strnlen(name, NAME_MAX_BYTES) == SEQ_DIGITS + 1 + HASH_CHARS && digits(name, SEQ_DIGITS, n) && *n &&
           name[SEQ_DIGITS] == '-' && lower_hex(name + SEQ_DIGITS + 1, HASH_BYTES, hash);
}

int name_hashed_parse(const char *name, const char *folder, uint8_t hash[HASH_BYTES])
{
    size_t n = strlen(folder);
    return !strncmp(name, folder, n) && name[n] == '/' && strnlen(name + n + 1, NAME_MAX_BYTES) == HASH_CHARS &&
           lower_hex(name + n + 1, HASH_BYTES, hash);
}
