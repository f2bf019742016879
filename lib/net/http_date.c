/* What this is: the dates that servers write, as milliseconds since the epoch.
 * Rests on: http.h.
 * Does not: know time zones but UTC, or the locale. */
#include "net/http.h"

#include <string.h>

struct moment {
    int64_t year;
    int month, day, hour, minute, second, ms; /* month 1 to 12 */
};

/* Exactly n digits. Moves *p behind them. */
static int digits(const char **p, int n, int *v)
{
    *v = 0;
    for (int i = 0; i < n; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9') return -1;
        *v = *v * 10 + (c - '0');
    }
    *p += n;
    return 0;
}

static int literal(const char **p, const char *text)
{
    size_t n = strlen(text);
    if (strncmp(*p, text, n)) return -1;
    *p += n;
    return 0;
}

static int month_of(const char **p, int *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (!strncmp(*p, names + 3 * i, 3)) {
            *month = i + 1;
            *p += 3;
            return 0;
        }
    return -1;
}

static int clock_of(const char **p, struct moment *m)
{
    return digits(p, 2, &m->hour) || literal(p, ":") || digits(p, 2, &m->minute) || literal(p, ":") ||
                   digits(p, 2, &m->second)
               ? -1
               : 0;
}

static int whole(const struct moment *m, int64_t *ms)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (m->year % 4 == 0 && m->year % 100) || m->year % 400 == 0;
    int64_t days, before = m->year - 1;
    if (m->year < 1 || m->month < 1 || m->month > 12 || m->day < 1 || m->hour > 23 || m->minute > 59 || m->second > 60)
        return -1;
    if (m->day > lengths[m->month - 1] + (m->month == 2 && leap)) return -1;
    days = before * 365 + before / 4 - before / 100 + before / 400 - 719162; /* 0001-01-01 to 1970-01-01 */
    for (int i = 1; i < m->month; i++) days += lengths[i - 1] + (i == 2 && leap);
    days += m->day - 1;
    *ms = (((days * 24 + m->hour) * 60 + m->minute) * 60 + m->second) * 1000 + m->ms;
    return 0;
}

/* "2026-11-20T14:45:12[.000]Z" */
static int iso(const char *p, struct moment *m)
{
    int year, scale = 100;
    if (digits(&p, 4, &year) || literal(&p, "-") || digits(&p, 2, &m->month) || literal(&p, "-") ||
        digits(&p, 2, &m->day) || literal(&p, "T") || clock_of(&p, m))
        return -1;
    m->year = year;
    if (*p == '.') {
        if (p[1] < '0' || p[1] > '9') return -1;
        for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10) m->ms += (*p - '0') * scale;
    }
    return strcmp(p, "Z") ? -1 : 0;
}

/* "20 Nov 2026 14:45:12 GMT", or with '-' and a year of two digits. */
static int dated(const char *p, struct moment *m)
{
    const char *between = p[0] && p[1] && p[2] == '-' ? "-" : " ";
    int year;
    if (digits(&p, 2, &m->day) || literal(&p, between) || month_of(&p, &m->month) || literal(&p, between)) return -1;
    if (*between == '-') {
        if (digits(&p, 2, &year)) return -1;
        year += year < 70 ? 2000 : 1900;
    } else if (digits(&p, 4, &year)) {
        return -1;
    }
    m->year = year;
    if (literal(&p, " ") || clock_of(&p, m)) return -1;
    return strcmp(p, " GMT") ? -1 : 0;
}

/* "Nov 20 14:45:12 2026"; a day below 10 has a blank before it. */
static int asctime_of(const char *p, struct moment *m)
{
    int year;
    if (month_of(&p, &m->month) || literal(&p, " ")) return -1;
    if (literal(&p, " ") ? digits(&p, 2, &m->day) : digits(&p, 1, &m->day)) return -1;
    if (literal(&p, " ") || clock_of(&p, m) || literal(&p, " ") || digits(&p, 4, &year)) return -1;
    m->year = year;
    return *p ? -1 : 0;
}

int http_date_parse(const char *text, int64_t *ms)
{
    struct moment m = {0};
    const char *comma = strchr(text, ',');
    int rc;
    if (*text >= '0' && *text <= '9') rc = iso(text, &m);
    else if (comma && comma[1] == ' ') rc = dated(comma + 2, &m); /* the day of the week says nothing new */
    else rc = strlen(text) > 4 && text[3] == ' ' ? asctime_of(text + 4, &m) : -1;
    return rc ? -1 : whole(&m, ms);
}
