/* What this is: RDB files built in memory for the tests of check and digest.
 * Rests on: libcheck.
 * Does not: write what a test does not need. */
#ifndef TESTS_RDB_FILE_TEST_H
#define TESTS_RDB_FILE_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/rdb.h>

/* As ck_assert, without its note of every check that holds: that costs a system call each. */
#define MUST(condition)                                                 \
    do {                                                                \
        if (!(condition)) ck_abort_msg("%s does not hold", #condition); \
    } while (0)

struct file {
    uint8_t *p;
    size_t n, cap;
};

static inline void add(struct file *f, const void *p, size_t n)
{
    if (f->cap - f->n < n) {
        f->cap = 2 * f->cap + n + 64;
        f->p = realloc(f->p, f->cap);
        MUST(f->p);
    }
    if (n) memcpy(f->p + f->n, p, n);
    f->n += n;
}

static inline void byte(struct file *f, unsigned c)
{
    uint8_t b = (uint8_t)c;
    add(f, &b, 1);
}

static inline void length(struct file *f, size_t n)
{
    if (n < 64) {
        byte(f, (unsigned)n);
        return;
    }
    byte(f, 0x80);
    for (int k = 24; k >= 0; k -= 8) byte(f, (unsigned)(n >> k) & 255);
}

static inline void bytes(struct file *f, const void *p, size_t n)
{
    length(f, n);
    add(f, p, n);
}

static inline void text(struct file *f, const char *s)
{
    bytes(f, s, strlen(s));
}

static inline void le64(struct file *f, uint64_t v)
{
    for (int k = 0; k < 64; k += 8) byte(f, (unsigned)(v >> k) & 255);
}

static inline void begin(struct file *f)
{
    memset(f, 0, sizeof *f);
    add(f, "REDIS0011", 9);
}

/* With the checksum switched off. */
static inline void finish(struct file *f)
{
    byte(f, 0xff);
    le64(f, 0);
}

static inline void key(struct file *f, unsigned type, const char *name)
{
    byte(f, type);
    text(f, name);
}

/* A listpack of short strings; those that are one or two digits long become integers below 128. */
static inline void listpack(struct file *f, const char *const *s, size_t n)
{
    struct file b = {0};
    add(&b, "\0\0\0\0\0\0", 6);
    for (size_t i = 0; i < n; i++) {
        size_t k = strlen(s[i]);
        if (k && k < 3 && strspn(s[i], "0123456789") == k) {
            byte(&b, (unsigned)atoi(s[i]));
            byte(&b, 1);
        } else {
            byte(&b, 0x80 | (unsigned)k);
            add(&b, s[i], k);
            byte(&b, (unsigned)k + 1);
        }
    }
    byte(&b, 0xff);
    b.p[0] = (uint8_t)b.n;
    b.p[1] = (uint8_t)(b.n >> 8);
    b.p[4] = (uint8_t)n;
    bytes(f, b.p, b.n);
    free(b.p);
}

/* A ziplist of short strings. */
static inline void ziplist(struct file *f, const char *const *s, size_t n)
{
    struct file b = {0};
    size_t before = 0, tail = 10;
    add(&b, "\0\0\0\0\0\0\0\0\0\0", 10);
    for (size_t i = 0; i < n; i++) {
        tail = b.n;
        byte(&b, (unsigned)before);
        byte(&b, (unsigned)strlen(s[i]));
        add(&b, s[i], strlen(s[i]));
        before = b.n - tail;
    }
    byte(&b, 0xff);
    b.p[0] = (uint8_t)b.n;
    b.p[1] = (uint8_t)(b.n >> 8);
    b.p[4] = (uint8_t)tail;
    b.p[8] = (uint8_t)n;
    bytes(f, b.p, b.n);
    free(b.p);
}

/* LZF of literals only: compresses nothing, but is LZF. */
static inline void lzf(struct file *f, const uint8_t *p, size_t n)
{
    byte(f, 0xc3);
    length(f, n + (n + 31) / 32);
    length(f, n);
    for (size_t i = 0; i < n; i += 32) {
        size_t k = n - i < 32 ? n - i : 32;
        byte(f, (unsigned)k - 1);
        add(f, p + i, k);
    }
}

#endif
