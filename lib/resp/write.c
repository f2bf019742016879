/* What this is: commands as RESP, and what an error reply begins with.
 * Rests on: resp.h, base/bytes.h.
 * Does not: read. */
#include "resp/resp.h"

#include "base/bytes.h"

#define HEAD (1 + U64_TEXT + 2) /* "$<n>\r\n" */

/* There must be room for HEAD. */
static void head(struct buf *out, char type, uint64_t n)
{
    uint8_t *p = out->p + out->n;
    size_t at = 1;
    p[0] = (uint8_t)type;
    at += u64_text((char *)p + 1, n);
    p[at++] = '\r';
    p[at++] = '\n';
    out->n += at;
}

int resp_begin(struct buf *out, uint64_t argc)
{
    int rc = buf_reserve(out, HEAD);
    if (rc) return rc;
    head(out, '*', argc);
    return RSP_OK;
}

int resp_bulk_head(struct buf *out, uint64_t n)
{
    int rc = buf_reserve(out, HEAD);
    if (rc) return rc;
    head(out, '$', n);
    return RSP_OK;
}

int resp_bulk(struct buf *out, const void *p, size_t n)
{
    int rc = buf_reserve(out, n > SIZE_MAX - HEAD - 2 ? SIZE_MAX : HEAD + n + 2);
    if (rc) return rc;
    head(out, '$', n);
    if (n) memcpy(out->p + out->n, p, n);
    out->n += n;
    out->p[out->n++] = '\r';
    out->p[out->n++] = '\n';
    return RSP_OK;
}

int resp_text(struct buf *out, const char *word)
{
    return resp_bulk(out, word, strlen(word));
}

int resp_u64(struct buf *out, uint64_t v)
{
    char text[U64_TEXT];
    return resp_bulk(out, text, u64_text(text, v));
}

int resp_i64(struct buf *out, int64_t v)
{
    char text[I64_TEXT];
    return resp_bulk(out, text, i64_text(text, v));
}

int resp_words(struct buf *out, const char *words)
{
    uint64_t argc = 1;
    int rc;
    for (const char *p = words; (p = strchr(p, ' ')); p++) argc++;
    rc = resp_begin(out, argc);
    while (!rc) {
        const char *end = strchrnul(words, ' ');
        rc = resp_bulk(out, words, (size_t)(end - words));
        if (!*end) break;
        words = end + 1;
    }
    return rc;
}

int resp_error_is(struct rsp_span text, const char *code)
{
    size_t n = strlen(code);
    return text.n >= n && !memcmp(text.p, code, n) && (text.n == n || text.p[n] == ' ');
}
