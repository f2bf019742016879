/* What this is: what the tests of the compact encodings share: building a blob, and walking damaged
 *   copies of it in blocks of exactly their size, so that a sanitizer sees every overread.
 * Rests on: enc/entry.h, libcheck.
 * Does not: know an encoding. */
#ifndef TESTS_BLOB_TEST_H
#define TESTS_BLOB_TEST_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "enc/entry.h"

/* As ck_assert, without its note of every check that holds: that costs a system call each. */
#define MUST(condition)                                                 \
    do {                                                                \
        if (!(condition)) ck_abort_msg("%s does not hold", #condition); \
    } while (0)

struct blob {
    uint8_t *p;
    size_t n, cap;
};

static inline void blob_add(struct blob *b, const void *p, size_t n)
{
    if (b->cap - b->n < n) {
        b->cap = 2 * b->cap + n;
        b->p = realloc(b->p, b->cap);
        MUST(b->p);
    }
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void blob_byte(struct blob *b, unsigned c)
{
    uint8_t byte = (uint8_t)c;
    blob_add(b, &byte, 1);
}

static inline void blob_fill(struct blob *b, uint8_t c, size_t n)
{
    while (n--) blob_byte(b, c);
}

static inline void blob_free(struct blob *b)
{
    free(b->p);
    memset(b, 0, sizeof *b);
}

/* Walks to the end or to a fault, looking at every byte handed out; how many elements in *seen. */
typedef int walk_fn(struct rsp_span blob, size_t *seen, struct blob_fault *fault);

static inline void look_at(struct rsp_span blob, const struct entry *e)
{
    size_t sum = 0;
    char scratch[I64_TEXT];
    struct rsp_span text = entry_text(e, scratch);
    if (!e->is_int && e->n) {
        MUST(e->p >= blob.p);
        MUST(e->p + e->n <= blob.p + blob.n);
    }
    for (size_t i = 0; i < text.n; i++) sum += text.p[i];
    MUST(sum <= 255 * text.n);
}

/* One walk over a copy in its own block. */
static inline int walk_copy(walk_fn *walk, const uint8_t *p, size_t n, struct blob_fault *fault)
{
    struct rsp_span span = {NULL, n};
    uint8_t *copy = NULL;
    size_t seen = 0;
    int rc;
    fault->offset = (size_t)-1;
    fault->reason = NULL;
    if (n) {
        copy = malloc(n);
        MUST(copy);
        memcpy(copy, p, n);
        span.p = copy;
    }
    rc = walk(span, &seen, fault);
    MUST(rc == RSP_END || rc == RSP_EFORMAT);
    if (rc == RSP_EFORMAT) {
        MUST(fault->reason);
        MUST(fault->offset <= n);
    }
    free(copy);
    return rc;
}

static inline void walk_is(walk_fn *walk, const void *p, size_t n, int want)
{
    struct blob_fault fault;
    int rc = walk_copy(walk, p, n, &fault);
    ck_assert_msg(rc == want, "walk gives %d, not %d: %s at %zu", rc, want, fault.reason ? fault.reason : "-",
                  fault.offset);
}

static inline void walk_fails(walk_fn *walk, const void *p, size_t n, size_t offset, const char *word)
{
    struct blob_fault fault;
    int rc = walk_copy(walk, p, n, &fault);
    ck_assert_int_eq(rc, RSP_EFORMAT);
    ck_assert_msg(strstr(fault.reason, word) != NULL, "the reason is \"%s\", without \"%s\"", fault.reason, word);
    ck_assert_uint_eq(fault.offset, offset);
}

/* Every truncation (as it is, and with its header's length and last byte put right when the header
 * begins with a length), every other value of every byte. */
static inline void walk_hostile(walk_fn *walk, const uint8_t *p, size_t n, int length_first)
{
    struct blob_fault fault;
    uint8_t *bytes = malloc(n);
    ck_assert_ptr_nonnull(bytes);
    for (size_t cut = 0; cut < n; cut++) {
        memcpy(bytes, p, n);
        MUST(walk_copy(walk, bytes, cut, &fault) == RSP_EFORMAT);
        if (cut < 5) continue;
        if (length_first) store_le32(bytes, (uint32_t)cut);
        bytes[cut - 1] = 0xff;
        walk_copy(walk, bytes, cut, &fault);
    }
    memcpy(bytes, p, n);
    for (size_t at = 0; at < n; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            bytes[at] = p[at] ^ (uint8_t)flip;
            walk_copy(walk, bytes, n, &fault);
        }
        bytes[at] = p[at];
    }
    ck_assert_int_eq(walk_copy(walk, p, n, &fault), RSP_END);
    free(bytes);
}

static inline int run_tests(const char *name, const TTest *const *tests, size_t n)
{
    Suite *s = suite_create(name);
    TCase *c = tcase_create(name);
    SRunner *r = srunner_create(s);
    int failed;
    tcase_set_timeout(c, 120);
    for (size_t i = 0; i < n; i++) tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
