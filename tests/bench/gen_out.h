/* What this is: bytes, strings, integers and listpacks of an RDB file, and words to fill them with, for the generator.
 * Rests on: nothing.
 * Does not: know the shapes. */
#ifndef BENCH_GEN_OUT_H
#define BENCH_GEN_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf {
    uint8_t *p;
    size_t n, cap;
};

struct gen {
    FILE *file;
    uint64_t crc, bytes, lzf_bytes, lzf_raw, keys;
    struct buf out;
    int compress, version;
};
extern struct gen g;

uint64_t rnd(void);                       /* splitmix64 with a fixed seed */
uint32_t below(uint32_t n);               /* 0 .. n - 1 */
uint32_t between(uint32_t a, uint32_t b); /* both ends included */
_Noreturn void die(const char *what);     /* says errno */

void put(struct buf *b, const void *p, size_t n);
void put_u8(struct buf *b, unsigned v);
void put_le(struct buf *b, uint64_t v, int n);
void put_be(struct buf *b, uint64_t v, int n);
void put_len(struct buf *b, uint64_t v);
void put_int_str(struct buf *b, int64_t v);
/* A string as a server writes it, LZF when that pays. An integer goes through put_int_str. */
void put_str(struct buf *b, const void *p, size_t n);
void put_text(struct buf *b, const char *s);
void flush(size_t limit); /* writes g.out when it holds limit bytes or more */

/* A listpack that fills all of b. */
void lp_begin(struct buf *b);
void lp_str(struct buf *b, const void *p, size_t n);
void lp_text(struct buf *b, const char *s);
void lp_int(struct buf *b, int64_t v);
void lp_end(struct buf *b, size_t count);

#define BASE_MS 1700000000000 /* the time of the files; none of their keys has expired, or will before 2100 */
#define FAR_MS 4102444800000

size_t token(char *out, size_t n); /* n letters and digits that do not compress, and a NUL */
/* Writes pattern to out, which has room, and returns the length. $w is a word, $f a first name, $l a last name,
 * $2 00-99, $b 0-255, $n 0-99999, $m a month, $d a day, $h an hour, $s a minute or second. The draws are made here,
 * one by one: as arguments of one call they would come in an order that each compiler chooses. */
size_t fill(char *out, const char *pattern);
/* A value of a small object: text into out, which has 80 bytes, and its length; or 0 and an integer. */
size_t value(char *out, int64_t *number);

#endif
