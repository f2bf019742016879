/* What this is: one string out of a small JSON document, as the services that hand out keys send it.
 * Rests on: s3_impl.h.
 * Does not: read numbers, build a tree, or say where a fault is. */
#include <string.h>

#include "store/s3_impl.h"

#define DEPTH_MAX 32

struct scan {
    const char *p, *end;
};

static void blanks(struct scan *s)
{
    while (s->p < s->end && memchr(" \t\r\n", *s->p, 4)) s->p++;
}

static int hex4(struct scan *s, unsigned *v)
{
    *v = 0;
    if (s->end - s->p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char c = *s->p++;
        if (c >= '0' && c <= '9') *v = *v << 4 | (unsigned)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f') *v = *v << 4 | (unsigned)((c | 32) - 'a' + 10);
        else return -1;
    }
    return 0;
}

/* A string, the quote at p: its text to out, of which size - 1 bytes may be used (out NULL: passed over). Keys and tokens
 * are ASCII: what is escaped beyond that, or a zero, is refused. The length or -1. */
static int string(struct scan *s, char *out, size_t size)
{
    size_t n = 0;
    for (s->p++; s->p < s->end && *s->p != '"'; n++) {
        char c = *s->p++;
        if ((unsigned char)c < ' ') return -1;
        if (c == '\\') {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            const char *known;
            unsigned v = 0;
            if (s->p == s->end) return -1;
            c = *s->p++;
            known = memchr(from, c, sizeof from - 1);
            if (known) c = to[known - from];
            else if (c != 'u' || hex4(s, &v)) return -1;
            else if (out && (!v || v > 127)) return -1;
            else c = (char)(v & 127);
        }
        if (!out) continue;
        if (n + 1 >= size) return -1;
        out[n] = c;
    }
    if (s->p == s->end) return -1;
    s->p++;
    if (out) out[n] = 0;
    return (int)n;
}

/* Passes over one value: brackets are counted, strings are respected. */
static int skip(struct scan *s)
{
    int depth = 0;
    do {
        blanks(s);
        if (s->p == s->end) return -1;
        if (*s->p == '"') {
            if (string(s, NULL, 0) < 0) return -1;
        } else if (*s->p == '{' || *s->p == '[') {
            if (++depth > DEPTH_MAX) return -1;
            s->p++;
        } else if (*s->p == '}' || *s->p == ']') {
            if (--depth < 0) return -1;
            s->p++;
        } else if (depth && (*s->p == ',' || *s->p == ':')) {
            s->p++;
        } else {
            const char *from = s->p;
            while (s->p < s->end && !memchr(" \t\r\n,:{}[]\"", *s->p, 12)) s->p++;
            if (s->p == from) return -1;
        }
    } while (depth);
    return 0;
}

int s3_json_string(const char *text, size_t n, const char *name, char *out, size_t size)
{
    struct scan s = {text, text + n};
    char key[64];
    int found = 0;
    blanks(&s);
    if (s.p == s.end || *s.p != '{') return -1;
    s.p++;
    for (;;) {
        struct scan before;
        blanks(&s);
        if (s.p < s.end && *s.p == '}') return found;
        if (s.p == s.end || *s.p != '"') return -1;
        before = s;
        if (string(&s, key, sizeof key) < 0) { /* too long for one of ours */
            key[0] = 0;
            s = before;
            if (string(&s, NULL, 0) < 0) return -1;
        }
        blanks(&s);
        if (s.p == s.end || *s.p++ != ':') return -1;
        blanks(&s);
        if (s.p < s.end && *s.p == '"' && !found && !strcmp(key, name)) {
            if (string(&s, out, size) < 0) return -1;
            found = 1;
        } else if (skip(&s)) {
            return -1;
        }
        blanks(&s);
        if (s.p < s.end && *s.p == ',') s.p++;
        else if (s.p == s.end || *s.p != '}') return -1;
    }
}
