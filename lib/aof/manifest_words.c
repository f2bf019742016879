/* What this is: one line into words, as the server's manifests and configuration files have them, and back.
 * Rests on: manifest.h.
 * Does not: know what a word means. */
#include "aof/manifest.h"

static int blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t escaped(uint8_t c)
{
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
    }
}

/* From behind a quote to behind the one that closes it. */
static int in_quotes(const uint8_t *p, size_t n, size_t *at, uint8_t quote, struct buf *word)
{
    size_t i = *at;
    while (i < n && p[i] != quote) {
        uint8_t c = p[i];
        int rc;
        if (c == '\\' && quote == '\'' && n - i > 1 && p[i + 1] == '\'') {
            c = '\'';
            i += 2;
        } else if (c == '\\' && quote == '"' && n - i > 3 && p[i + 1] == 'x' && digit(p[i + 2]) >= 0 &&
                   digit(p[i + 3]) >= 0) {
            c = (uint8_t)(digit(p[i + 2]) << 4 | digit(p[i + 3]));
            i += 4;
        } else if (c == '\\' && quote == '"' && n - i > 1) {
            c = escaped(p[i + 1]);
            i += 2;
        } else {
            i++;
        }
        rc = buf_byte(word, c);
        if (rc) return rc;
    }
    if (i == n) return RSP_EFORMAT;
    i++;
    *at = i;
    return i < n && !blank(p[i]) ? RSP_EFORMAT : RSP_OK;
}

int line_word(const uint8_t *p, size_t n, size_t *at, struct buf *word)
{
    int rc = RSP_OK;
    word->n = 0;
    while (*at < n && blank(p[*at])) ++*at;
    if (*at == n) return RSP_END;
    while (*at < n && !blank(p[*at]) && !rc) {
        uint8_t c = p[(*at)++];
        rc = c == '"' || c == '\'' ? in_quotes(p, n, at, c, word) : buf_byte(word, c);
    }
    return rc;
}

static int plain(const uint8_t *p, size_t n)
{
    if (!n) return 0;
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] >= 0x7f || p[i] == '\\' || p[i] == '"' || p[i] == '\'') return 0;
    return 1;
}

static int put_escaped(struct buf *out, uint8_t c)
{
    static const char from[] = "\n\r\t\b\a\\\"", to[] = "nrtba\\\"", hex[] = "0123456789abcdef";
    const char *known = c ? strchr(from, c) : NULL;
    uint8_t text[4] = {'\\', 'x', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15]};
    if (known) {
        text[1] = (uint8_t)to[known - from];
        return buf_add(out, text, 2);
    }
    return c >= ' ' && c < 0x7f ? buf_byte(out, c) : buf_add(out, text, 4);
}

int line_word_put(struct buf *out, const uint8_t *p, size_t n)
{
    int rc;
    if (plain(p, n)) return buf_add(out, p, n);
    rc = buf_byte(out, '"');
    for (size_t i = 0; i < n && !rc; i++) rc = put_escaped(out, p[i]);
    return rc ? rc : buf_byte(out, '"');
}
