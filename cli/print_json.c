/* What this is: JSON for small reports.
 * Rests on: cli/print.h.
 * Does not: check that a caller nests well; report write errors (print_finish does). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"

void json_init(struct json *j, FILE *file, int pretty)
{
    memset(j, 0, sizeof *j);
    j->file = file;
    j->pretty = pretty;
}

/* Length of the well-formed UTF-8 sequence at p, or 0. */
static size_t utf8_length(const uint8_t *p, size_t n)
{
    size_t length;
    if (p[0] < 0x80) return 1;
    length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || length > n) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0; /* too long; surrogates */
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    return length;
}

static int is_utf8(const uint8_t *p, size_t n)
{
    for (size_t i = 0, length; i < n; i += length)
        if (!(length = utf8_length(p + i, n - i))) return 0;
    return 1;
}

static void put_string(FILE *f, const uint8_t *p, size_t n)
{
    putc('"', f);
    for (size_t i = 0; i < n;) {
        size_t length = utf8_length(p + i, n - i);
        uint8_t c = p[i];
        if (c == '"' || c == '\\') fprintf(f, "\\%c", c);
        else if (c == '\n') fputs("\\n", f);
        else if (c == '\t') fputs("\\t", f);
        else if (c < 0x20 || c == 0x7f) fprintf(f, "\\u%04x", c);
        else if (length) fwrite(p + i, 1, length, f);
        else fputs("\xef\xbf\xbd", f);
        i += length ? length : 1;
    }
    putc('"', f);
}

static void put_base64(FILE *f, const uint8_t *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        putc(digits[v >> 18], f);
        putc(digits[v >> 12 & 63], f);
        putc(left > 1 ? digits[v >> 6 & 63] : '=', f);
        putc(left > 2 ? digits[v & 63] : '=', f);
    }
}

static void new_line(const struct json *j)
{
    if (!j->pretty) return;
    putc('\n', j->file);
    for (unsigned i = 0; i < j->depth; i++) fputs("  ", j->file);
}

static void begin(struct json *j, const char *name)
{
    if (j->depth) {
        if (j->filled >> j->depth & 1) putc(',', j->file);
        new_line(j);
    }
    j->filled |= 1ULL << j->depth;
    if (!name) return;
    put_string(j->file, (const uint8_t *)name, strlen(name));
    fputs(j->pretty ? ": " : ":", j->file);
}

static void finish(const struct json *j)
{
    if (!j->depth) putc('\n', j->file);
}

static void open_level(struct json *j, const char *name, char bracket)
{
    begin(j, name);
    putc(bracket, j->file);
    if (j->depth < 62) j->depth++;
    j->filled &= ~(1ULL << j->depth);
}

void json_object(struct json *j, const char *name)
{
    open_level(j, name, '{');
}

void json_array(struct json *j, const char *name)
{
    open_level(j, name, '[');
}

void json_close(struct json *j, char bracket)
{
    int filled = (int)(j->filled >> j->depth & 1);
    if (j->depth) j->depth--;
    if (filled) new_line(j);
    putc(bracket, j->file);
    finish(j);
}

void json_text(struct json *j, const char *name, const char *text)
{
    begin(j, name);
    put_string(j->file, (const uint8_t *)text, strlen(text));
    finish(j);
}

void json_bytes(struct json *j, const char *name, struct rsp_span bytes)
{
    begin(j, name);
    if (is_utf8(bytes.p, bytes.n)) {
        put_string(j->file, bytes.p, bytes.n);
    } else {
        fputs("{\"base64\":\"", j->file);
        put_base64(j->file, bytes.p, bytes.n);
        fputs("\"}", j->file);
    }
    finish(j);
}

void json_u64(struct json *j, const char *name, uint64_t v)
{
    begin(j, name);
    fprintf(j->file, "%llu", (unsigned long long)v);
    finish(j);
}

void json_i64(struct json *j, const char *name, int64_t v)
{
    begin(j, name);
    fprintf(j->file, "%lld", (long long)v);
    finish(j);
}

void json_double(struct json *j, const char *name, double v)
{
    begin(j, name);
    if (isnan(v)) {
        fputs("\"nan\"", j->file);
    } else if (isinf(v)) {
        fputs(v > 0 ? "\"inf\"" : "\"-inf\"", j->file);
    } else {
        char text[40];
        int digits = 15;
        do snprintf(text, sizeof text, "%.*g", digits, v);
        while (strtod(text, NULL) != v && ++digits <= 17);
        fputs(text, j->file);
    }
    finish(j);
}

void json_bool(struct json *j, const char *name, int v)
{
    begin(j, name);
    fputs(v ? "true" : "false", j->file);
    finish(j);
}

void json_null(struct json *j, const char *name)
{
    begin(j, name);
    fputs("null", j->file);
    finish(j);
}
