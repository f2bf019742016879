/* What this is: a listpack or ziplist walked whole and in pieces: both must say the same.
 * Rests on: enc/blob_stream.h, enc/listpack.h, enc/ziplist.h.
 * Does not: compare where a fault lies: in pieces the last byte is seen last. */
#ifndef TESTS_BLOB_COMPARE_H
#define TESTS_BLOB_COMPARE_H

#include "enc/blob_stream.h"
#include "enc/listpack.h"
#include "enc/ziplist.h"

struct blob_sum {
    uint64_t hash, elements;
};

static inline void blob_sum_bytes(struct blob_sum *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) s->hash = (s->hash ^ p[i]) * 1099511628211U;
}

static inline void blob_sum_end(struct blob_sum *s, int is_int)
{
    s->hash = (s->hash ^ (is_int ? 0x1ffU : 0x100U)) * 1099511628211U;
    s->elements++;
}

static inline int blob_whole(int ziplist, struct rsp_span blob, struct blob_sum *s)
{
    struct listpack lp;
    struct ziplist zl;
    struct entry e;
    int rc = ziplist ? ziplist_open(&zl, blob, NULL) : listpack_open(&lp, blob, NULL);
    while (!rc) {
        char digits[I64_TEXT];
        struct rsp_span t;
        rc = ziplist ? ziplist_next(&zl, &e, NULL) : listpack_next(&lp, &e, NULL);
        if (rc) break;
        t = entry_text(&e, digits);
        blob_sum_bytes(s, t.p, t.n);
        blob_sum_end(s, e.is_int);
    }
    return rc;
}

/* In windows of so many bytes. RSP_AGAIN: it wants more than there is. */
static inline int blob_pieces(int ziplist, struct rsp_span blob, size_t window, struct blob_sum *s)
{
    struct blob_stream b;
    struct blob_fault f = {0, ""};
    struct entry e;
    size_t at = 0;
    int rc = RSP_AGAIN, first, last, open = 0;
    blob_stream_init(&b, ziplist, blob.n);
    while (rc == RSP_AGAIN && at < blob.n) {
        struct rsp_span in = {blob.p + at, blob.n - at < window ? blob.n - at : window};
        size_t pos = 0;
        while (!(rc = blob_stream_step(&b, in, &pos, &e, &first, &last, &f))) {
            char digits[I64_TEXT];
            struct rsp_span t = entry_text(&e, digits);
            if (first == open || pos > in.n) return RSP_ESTATE; /* pieces out of order */
            open = !last;
            blob_sum_bytes(s, t.p, t.n);
            if (last) blob_sum_end(s, e.is_int);
        }
        at += pos;
        if (rc == RSP_AGAIN && pos != in.n) return RSP_ESTATE;
        if (rc == RSP_END && at != blob.n) return RSP_ESTATE;
    }
    return rc;
}

/* 1 when both agree. */
static inline int blob_agree(int ziplist, struct rsp_span blob, size_t window)
{
    struct blob_sum a = {1, 0}, b = {1, 0};
    int whole = blob_whole(ziplist, blob, &a), pieces = blob_pieces(ziplist, blob, window, &b);
    if (blob.n == 0) return whole < 0; /* nothing to give in pieces */
    return whole == pieces && (whole < 0 || (a.hash == b.hash && a.elements == b.elements));
}

#endif
