/* What this is: listpacks and ziplists in pieces.
 * Rests on: blob_stream.h.
 * Does not: do anything that listpack.c and ziplist.c do faster on a blob that is there. */
#include "enc/blob_stream.h"

#include "enc/listpack.h"
#include "enc/ziplist.h"

#define LISTPACK_HEADER 6
#define ZIPLIST_HEADER 10
#define END_BYTE 0xff
#define UNKNOWN 65535u

enum { AT_HEADER, AT_ELEMENT, IN_TEXT, AT_BACK, AT_DONE };

void blob_stream_init(struct blob_stream *s, int ziplist, uint64_t n)
{
    memset(s, 0, sizeof *s);
    s->ziplist = ziplist != 0;
    s->n = n;
}

static int bad(struct blob_fault *fault, uint64_t offset, const char *reason)
{
    if (fault) {
        fault->offset = (size_t)offset;
        fault->reason = reason;
    }
    return RSP_EFORMAT;
}

/* Collects a head of want bytes. 1 when they are there. */
static int gather(struct blob_stream *s, struct rsp_span in, size_t *pos, size_t want)
{
    while (s->have_n < want && *pos < in.n) {
        s->have[s->have_n++] = in.p[(*pos)++];
        s->at++;
    }
    return s->have_n >= want;
}

static int header(struct blob_stream *s, struct blob_fault *fault)
{
    if (load_le32(s->have) != s->n) return bad(fault, 0, "the header's length is not the blob's");
    s->count = load_le16(s->have + (s->ziplist ? 8 : 4));
    s->tail = s->ziplist ? load_le32(s->have + 4) : 0;
    if (s->ziplist && (s->tail < ZIPLIST_HEADER || s->tail > s->n - 1))
        return bad(fault, 4, "the tail offset points outside the ziplist");
    s->last = ZIPLIST_HEADER;
    s->have_n = 0;
    s->state = AT_ELEMENT;
    return RSP_OK;
}

static int at_end(struct blob_stream *s, struct blob_fault *fault)
{
    if (s->have[0] != END_BYTE) return bad(fault, s->n - 1, "the last byte is not 0xFF");
    if (s->count != UNKNOWN && s->seen != s->count)
        return s->ziplist ? bad(fault, 8, "fewer entries than the header counts")
                          : bad(fault, 4, "fewer elements than the header counts");
    if (s->ziplist && s->tail != s->last) return bad(fault, 4, "the tail offset is not that of the last entry");
    s->state = AT_DONE;
    return RSP_END;
}

/* How many bytes of a listpack element must be there for its size to be known, integers whole. */
static size_t listpack_need(uint8_t b)
{
    static const uint8_t integers[] = {3, 4, 5, 9};
    if (b >> 6 < 3) return 1;
    if (b >> 5 == 6 || b >> 4 == 14) return 2;
    if (b == 0xf0) return 5;
    return b >= 0xf1 && b <= 0xf4 ? integers[b - 0xf1] : 1;
}

static size_t ziplist_need(uint8_t b)
{
    struct entry e;
    size_t head;
    uint64_t size = ziplist_entry_size(&b, 1, &e, &head);
    if (b < 0xc0) return head;
    return size ? (size_t)size : 1;
}

static int listpack_element(struct blob_stream *s, struct entry *e, struct blob_fault *fault)
{
    size_t head = 0;
    uint64_t size, room = s->n - 1 - s->element;
    uint8_t b = s->have[0];
    if (b == END_BYTE) return bad(fault, s->element, "an end byte before the end of the listpack");
    if (b < 0x80) {
        *e = (struct entry){NULL, 0, b, 1};
        size = 1;
    } else if (b < 0xc0) {
        *e = (struct entry){NULL, b & 63U, 0, 0};
        size = 1 + e->n;
    } else {
        size = listpack_element_size(s->have, s->have_n, e, &head);
    }
    if (!size) return bad(fault, s->element, "not an encoding of listpack elements");
    if (size >= room) return bad(fault, s->element, "the element reaches past the end of the listpack");
    s->size = size;
    return RSP_OK;
}

static int ziplist_element(struct blob_stream *s, size_t width, struct entry *e, struct blob_fault *fault)
{
    size_t head = 0;
    uint64_t size, room = s->n - 1 - s->element;
    uint64_t previous = width == 5 ? load_le32(s->have + 1) : s->have[0];
    if (previous != s->size) return bad(fault, s->element, "the length of the entry before does not match it");
    if (room <= width) return bad(fault, s->element, "the entry reaches past the end of the ziplist");
    size = ziplist_entry_size(s->have + width, s->have_n - width, e, &head);
    if (!size) return bad(fault, s->element + width, "not an encoding of ziplist entries");
    if (size > room - width) return bad(fault, s->element, "the entry reaches past the end of the ziplist");
    s->size = width + size;
    s->last = s->element;
    return RSP_OK;
}

/* An element's head is wanted. RSP_OK: it is there, *e says what it is. */
static int element(struct blob_stream *s, struct rsp_span in, size_t *pos, struct entry *e, struct blob_fault *fault)
{
    size_t width = 0;
    int rc;
    if (!s->have_n) s->element = s->at;
    if (!gather(s, in, pos, 1)) return RSP_AGAIN;
    if (s->element == s->n - 1) return at_end(s, fault);
    if (s->seen >= s->count && s->count != UNKNOWN)
        return bad(fault, s->element,
                   s->ziplist ? "more entries than the header counts" : "more elements than the header counts");
    if (s->ziplist) {
        if (s->have[0] == END_BYTE) return bad(fault, s->element, "an end byte before the end of the ziplist");
        width = s->have[0] == 0xfe ? 5 : 1;
        if (s->n - 1 - s->element <= width)
            return bad(fault, s->element, "the entry reaches past the end of the ziplist");
        if (!gather(s, in, pos, width + 1)) return RSP_AGAIN;
        if (s->n - 1 - s->element < width + ziplist_need(s->have[width]))
            return bad(fault, s->element, "the entry reaches past the end of the ziplist");
        if (!gather(s, in, pos, width + ziplist_need(s->have[width]))) return RSP_AGAIN;
        rc = ziplist_element(s, width, e, fault);
    } else {
        if (s->n - 1 - s->element < listpack_need(s->have[0]))
            return bad(fault, s->element, "the element reaches past the end of the listpack");
        if (!gather(s, in, pos, listpack_need(s->have[0]))) return RSP_AGAIN;
        rc = listpack_element(s, e, fault);
    }
    s->have_n = 0;
    return rc;
}

static int back(struct blob_stream *s, struct rsp_span in, size_t *pos, struct blob_fault *fault)
{
    uint64_t start = s->element + s->size;
    size_t width;
    if (!gather(s, in, pos, 1)) return RSP_AGAIN;
    width = listpack_back_width((size_t)s->size, s->have[0]);
    if (width > s->n - 1 - start) return bad(fault, start, "the back-length reaches past the end of the listpack");
    if (!gather(s, in, pos, width)) return RSP_AGAIN;
    for (size_t i = 0; i < width; i++) {
        uint8_t want = (uint8_t)(s->size >> 7 * (width - 1 - i) & 127) | (i ? 128 : 0);
        if (s->have[i] != want) return bad(fault, start, "back-length does not match the element");
    }
    s->have_n = 0;
    s->state = AT_ELEMENT;
    return RSP_OK;
}

/* The head of an element is complete: what comes next. 1: *e is a whole element already. */
static int begin(struct blob_stream *s, struct entry *e)
{
    s->seen++;
    s->text_n = s->left = e->is_int ? 0 : e->n;
    s->state = !e->is_int && e->n ? IN_TEXT : s->ziplist ? AT_ELEMENT : AT_BACK;
    return s->state != IN_TEXT;
}

static void text(struct blob_stream *s, struct rsp_span in, size_t *pos, struct entry *e, int *first, int *last)
{
    size_t n = in.n - *pos;
    if (n > s->left) n = (size_t)s->left;
    *e = (struct entry){in.p + *pos, n, 0, 0};
    *first = s->left == s->text_n;
    s->left -= n;
    s->at += n;
    *pos += n;
    *last = !s->left;
    if (*last) s->state = s->ziplist ? AT_ELEMENT : AT_BACK;
}

int blob_stream_step(struct blob_stream *s, struct rsp_span in, size_t *pos, struct entry *e, int *first, int *last,
                     struct blob_fault *fault)
{
    int rc;
    for (;;) {
        switch (s->state) {
        case AT_HEADER:
            if (s->n <= (s->ziplist ? ZIPLIST_HEADER : LISTPACK_HEADER))
                return bad(fault, 0, s->ziplist ? "shorter than an empty ziplist" : "shorter than an empty listpack");
            if (!gather(s, in, pos, s->ziplist ? ZIPLIST_HEADER : LISTPACK_HEADER)) return RSP_AGAIN;
            rc = header(s, fault);
            if (rc) return rc;
            break;
        case AT_ELEMENT:
            rc = element(s, in, pos, e, fault);
            if (rc) return rc;
            if (!begin(s, e)) break;
            *first = *last = 1;
            if (!e->is_int) e->p = (const uint8_t *)"";
            return RSP_OK;
        case IN_TEXT:
            if (*pos == in.n) return RSP_AGAIN;
            text(s, in, pos, e, first, last);
            return RSP_OK;
        case AT_BACK:
            rc = back(s, in, pos, fault);
            if (rc) return rc;
            break;
        default: return RSP_END;
        }
    }
}
