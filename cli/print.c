/* What this is: messages to stderr, numbers and times as people read them.
 * Rests on: cli/print.h, cli/progress.h.
 * Does not: hold anything but the program's name. */
#include "cli/print.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/progress.h"

static const char *program_name = "respite";

void print_init(const char *program)
{
    program_name = program;
}

/* File names and records may hold anything: nothing of it shall steer a terminal. */
static void put_line(const char *kind, const char *text)
{
    progress_hide();
    flockfile(stderr);
    fprintf(stderr, "%s: %s", program_name, kind);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f) fprintf(stderr, "\\x%02x", c);
        else putc(c, stderr);
    }
    putc('\n', stderr);
    funlockfile(stderr);
    progress_show();
}

static void put_format(const char *kind, const char *format, va_list args) RSP_PRINTF(2, 0);
static void put_format(const char *kind, const char *format, va_list args)
{
    char line[1024];
    if (vsnprintf(line, sizeof line, format, args) < 0) return;
    put_line(kind, line);
}

void print_err(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_format("", format, args);
    va_end(args);
}

void print_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_format("warning: ", format, args);
    va_end(args);
}

void print_fault(const struct rsp_error *error, int status, const char *subject)
{
    char line[1024];
    if (error && error->code) rsp_error_format(error, line, sizeof line);
    else snprintf(line, sizeof line, "%s", rsp_status_text(status));
    if (subject && !(error && error->subject[0])) print_err("%s: %s", subject, line);
    else print_err("%s", line);
}

int print_finish(void)
{
    int err;
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_OK;
    err = errno;
    if (err == EPIPE) return EXIT_PIPE;
    if (err) print_err("standard output: %s", strerror(err));
    else print_err("standard output: not all data could be written");
    return err == ENOSPC || err == EDQUOT || err == EFBIG ? EXIT_CAPACITY : EXIT_TARGET;
}

char *text_size(char out[TEXT_MAX], uint64_t bytes)
{
    static const char letters[] = "KMGTPE";
    unsigned step = 0;
    uint64_t whole = bytes, rest = 0;
    while (whole >= 1024) {
        rest = whole % 1024;
        whole /= 1024;
        step++;
    }
    if (!step) snprintf(out, TEXT_MAX, "%llu B", (unsigned long long)bytes);
    else
        snprintf(out, TEXT_MAX, "%llu.%llu %ciB", (unsigned long long)whole, (unsigned long long)(rest * 10 / 1024),
                 letters[step - 1]);
    return out;
}

/* Civil date from days since 1970-01-01, by eras of 400 years that begin in March. */
static void date_of_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t shifted = days + 719468; /* days since 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t in_era = shifted - era * 146097;
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * in_year + 2) / 153; /* 0: March */
    *day = (unsigned)(in_year - (153 * m + 2) / 5 + 1);
    *month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

char *text_utc(char out[TEXT_MAX], int64_t ms)
{
    int64_t days = ms / 86400000, rest = ms % 86400000, year;
    unsigned month, day, r;
    if (rest < 0) rest += 86400000, days--;
    date_of_days(days, &year, &month, &day);
    if (year < 0 || year > 9999) {
        snprintf(out, TEXT_MAX, "@%lldms", (long long)ms);
        return out;
    }
    r = (unsigned)rest;
    snprintf(out, TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year, month, day, r / 3600000,
             r / 60000 % 60, r / 1000 % 60, r % 1000);
    return out;
}

char *text_duration(char out[TEXT_MAX], int64_t ms)
{
    const char *sign = ms < 0 ? "-" : "";
    unsigned long long v = ms < 0 ? -(unsigned long long)ms : (unsigned long long)ms;
    unsigned long long s = v / 1000;
    if (v < 1000) snprintf(out, TEXT_MAX, "%s%llums", sign, v);
    else if (s < 60) snprintf(out, TEXT_MAX, "%s%llus", sign, s);
    else if (s < 3600) snprintf(out, TEXT_MAX, "%s%llum%02llus", sign, s / 60, s % 60);
    else if (s < 86400) snprintf(out, TEXT_MAX, "%s%lluh%02llum", sign, s / 3600, s / 60 % 60);
    else snprintf(out, TEXT_MAX, "%s%llud%02lluh", sign, s / 86400, s / 3600 % 24);
    return out;
}

char *text_percent(char out[TEXT_MAX], uint64_t part, uint64_t whole)
{
    if (!whole) snprintf(out, TEXT_MAX, "-");
    else snprintf(out, TEXT_MAX, "%.1f%%", 100.0 * (double)part / (double)whole);
    return out;
}
