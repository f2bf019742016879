/* What this is: reading an identity from its file, its recovery sheet or its bare text.
 * Rests on: identity_text.h, base/mem.h.
 * Does not: put a word of what it reads into an error: it may be a secret; the number of the line must do. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "seal/identity_text.h"

enum { HAS_NAME = 1, HAS_ROOT = 2, HAS_PUBLIC = 4, HAS_SECRET = 8, HAS_SEALED = 16 };

/* In secret memory as a whole. */
struct parse {
    const struct rsp_env *env;
    const char *subject;
    unsigned line, public_line, has, sheet; /* sheet: bit per line seen */
    struct rsp_public root, public;
    char name[64];
    uint8_t secret[32], sealed[RSP_SEALED_BYTES];
};

static int bad(const struct parse *p, const char *why)
{
    return fail(p->env, RSP_EFORMAT, p->subject, "line %u: %s", p->line, why);
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **s, size_t *n)
{
    for (; *n && is_blank(**s); --*n) ++*s;
    for (; *n && is_blank((*s)[*n - 1]); --*n) {}
}

static int take_secret(struct parse *p, const char *s, size_t n)
{
    if (p->has & (HAS_SECRET | HAS_SEALED) || p->sheet) return bad(p, "a second secret; a file holds one");
    if (has_prefix(s, n, SECRET_PREFIX)) {
        if (!checked_parse(s, n, SECRET_PREFIX, p->secret, sizeof p->secret))
            return bad(p, "the secret has a wrong or missing letter: its check does not match");
        p->has |= HAS_SECRET;
    } else if (has_prefix(s, n, SEALED_PREFIX)) {
        if (!checked_parse(s, n, SEALED_PREFIX, p->sealed, sizeof p->sealed))
            return bad(p, "the sealed secret has a wrong or missing letter: its check does not match");
        p->has |= HAS_SEALED;
    } else {
        return bad(p, "a secret begins with rsp-secret- or rsp-sealed-");
    }
    return RSP_OK;
}

/* What is misread on paper. */
static char sheet_letter(char c)
{
    return (char)(c == '0' ? 'O' : c == '1' ? 'I' : c == '8' ? 'B' : c);
}

static int take_sheet(struct parse *p, unsigned number, const char *s, size_t n)
{
    char text[BASE32_TEXT(SHEET_BYTES)];
    uint8_t part[SHEET_BYTES], check[2];
    size_t at = 0;
    int rc = RSP_OK;
    if (p->has & (HAS_SECRET | HAS_SEALED)) return bad(p, "a second secret; a file holds one");
    if (p->sheet & 1u << number)
        return fail(p->env, RSP_EFORMAT, p->subject, "line %u: line %u of the recovery sheet stands there twice",
                    p->line, number);
    for (size_t i = 0; i < n; i++) {
        if (is_blank(s[i]) || s[i] == '-') continue;
        if (at < sizeof text) text[at] = sheet_letter(s[i]);
        at++;
    }
    if (at != sizeof text) {
        rc = fail(p->env, RSP_EFORMAT, p->subject, "line %u: line %u of the recovery sheet has %zu letters, not %zu",
                  p->line, number, at, sizeof text);
    } else if (!base32_parse(text, sizeof text, part, sizeof part)) {
        rc = fail(p->env, RSP_EFORMAT, p->subject,
                  "line %u: line %u of the recovery sheet has a sign that is no letter and no digit from 2 to 7",
                  p->line, number);
    } else {
        sheet_check(number, part, check);
        if (!same_bytes(check, part + 8, sizeof check))
            rc = fail(p->env, RSP_EFORMAT, p->subject,
                      "line %u: line %u of the recovery sheet is mistyped: its check does not match", p->line, number);
    }
    if (!rc) {
        memcpy(p->secret + (size_t)8 * (number - 1), part, 8);
        p->sheet |= 1u << number;
    }
    wipe(text, sizeof text);
    wipe(part, sizeof part);
    return rc;
}

static int take_public(struct parse *p, unsigned flag, const char *s, size_t n, struct rsp_public *key)
{
    if (p->has & flag) return bad(p, "stands there a second time");
    if (!public_parse(s, n, key)) return bad(p, "no public identity, or one with a wrong letter");
    p->has |= flag;
    return RSP_OK;
}

static int take_named(struct parse *p, const char *key, size_t key_n, const char *s, size_t n)
{
    if (key_n == 1 && key[0] >= '1' && key[0] <= '4') return take_sheet(p, (unsigned)(key[0] - '0'), s, n);
    if (key_n == 4 && !memcmp(key, "root", 4)) return take_public(p, HAS_ROOT, s, n, &p->root);
    if (key_n == 6 && !memcmp(key, "public", 6)) {
        p->public_line = p->line;
        return take_public(p, HAS_PUBLIC, s, n, &p->public);
    }
    if (key_n == 6 && !memcmp(key, "secret", 6)) {
        if (!has_prefix(s, n, SECRET_PREFIX)) return bad(p, "a secret begins with rsp-secret-");
        return take_secret(p, s, n);
    }
    if (key_n == 6 && !memcmp(key, "sealed", 6)) {
        if (!has_prefix(s, n, SEALED_PREFIX)) return bad(p, "a sealed secret begins with rsp-sealed-");
        return take_secret(p, s, n);
    }
    if (key_n == 4 && !memcmp(key, "name", 4)) {
        if (p->has & HAS_NAME) return bad(p, "stands there a second time");
        if (!name_good(s, n)) return bad(p, "a name is 1 to 63 printable ASCII characters");
        memcpy(p->name, s, n);
        p->has |= HAS_NAME;
        return RSP_OK;
    }
    return bad(p, "no line of an identity file: they begin with name:, root:, public:, secret:, sealed:, or 1: to 4:");
}

static int take_line(struct parse *p, const char *s, size_t n)
{
    const char *colon;
    size_t key_n;
    trim(&s, &n);
    if (!n || *s == '#') return RSP_OK;
    if (has_prefix(s, n, SECRET_PREFIX) || has_prefix(s, n, SEALED_PREFIX)) return take_secret(p, s, n);
    if (has_prefix(s, n, PUBLIC_PREFIX)) return bad(p, "a public identity, where the secret one is needed");
    colon = memchr(s, ':', n);
    if (!colon) return bad(p, "neither \"name: value\" nor a secret");
    key_n = (size_t)(colon - s);
    n -= key_n + 1;
    colon++;
    trim(&s, &key_n);
    trim(&colon, &n);
    return take_named(p, s, key_n, colon, n);
}

static int take_text(struct parse *p, struct rsp_span text)
{
    const char *s = (const char *)text.p;
    size_t left = text.n;
    int rc;
    while (left) {
        const char *end = memchr(s, '\n', left);
        size_t n = end ? (size_t)(end - s) : left;
        p->line++;
        if ((rc = take_line(p, s, n))) return rc;
        if (end) n++;
        s += n;
        left -= n;
    }
    for (unsigned i = 1; p->sheet && i <= SHEET_LINES; i++)
        if (!(p->sheet & 1u << i))
            return fail(p->env, RSP_EFORMAT, p->subject, "line %u of the recovery sheet is missing", i);
    if (!p->sheet && !(p->has & (HAS_SECRET | HAS_SEALED)))
        return fail(p->env, RSP_EFORMAT, p->subject,
                    p->has & HAS_PUBLIC ? "only the public identity stands here; the secret is needed"
                                        : "no identity stands here");
    return RSP_OK;
}

static int finish(struct parse *p, rsp_ask_fn ask, void *opaque, struct rsp_identity **ret)
{
    struct rsp_identity *id = NULL;
    int rc = RSP_OK;
    if (p->has & HAS_SEALED) rc = passphrase_ask(p->env, p->subject, p->sealed, ask, opaque, p->secret);
    if (!rc) rc = identity_from_secret(p->env, p->secret, p->name, &id);
    if (rc) return rc;
    if (p->has & HAS_PUBLIC && memcmp(&p->public, &id->public, sizeof p->public)) {
        rsp_identity_free(id);
        p->line = p->public_line;
        return bad(p, "this public identity does not belong to the secret");
    }
    if (p->has & HAS_ROOT) {
        id->root = p->root;
        id->has_root = 1;
    }
    *ret = id;
    return RSP_OK;
}

int rsp_identity_parse(const struct rsp_env *env, struct rsp_span text, const char *subject, rsp_ask_fn ask,
                       void *opaque, struct rsp_identity **ret)
{
    struct rsp_env e;
    struct parse *p;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    if ((rc = crypt_init(&e))) return rc;
    if (text.n > IDENTITY_TEXT_MAX)
        return fail(&e, RSP_ELIMIT, subject, "an identity has at most %u bytes of text; this is none",
                    IDENTITY_TEXT_MAX);
    p = secret_new(&e, sizeof *p);
    if (!p) return RSP_ENOMEM;
    p->env = &e;
    p->subject = subject;
    rc = take_text(p, text);
    if (!rc) rc = finish(p, ask, opaque, ret);
    secret_free(p);
    return rc;
}

/* Up to cap bytes into p; *n of them. RSP_ELIMIT when there are more than IDENTITY_TEXT_MAX. */
static int read_all(const struct rsp_env *env, int fd, const char *path, uint8_t *p, size_t *n)
{
    size_t cap = IDENTITY_TEXT_MAX + 1;
    *n = 0;
    while (*n < cap) {
        ssize_t got = read(fd, p + *n, cap - *n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(env, errno, path, "cannot read the identity");
        if (!got) return RSP_OK;
        *n += (size_t)got;
    }
    return fail(env, RSP_ELIMIT, path, "longer than %u bytes: this is no identity", IDENTITY_TEXT_MAX);
}

int rsp_identity_load(const struct rsp_env *env, const char *path, rsp_ask_fn ask, void *opaque,
                      struct rsp_identity **ret)
{
    struct rsp_env e;
    struct stat st;
    uint8_t *p = NULL;
    size_t n;
    int rc, fd;
    *ret = NULL;
    env_init(&e, env);
    if ((rc = crypt_init(&e))) return rc;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return fail_errno(&e, errno, path, "cannot open the identity");
    if (fstat(fd, &st)) {
        rc = fail_errno(&e, errno, path, "cannot ask for the mode of the identity");
        goto out;
    }
    if (S_ISREG(st.st_mode) && st.st_mode & (S_IRGRP | S_IROTH))
        log_line(&e, RSP_LOG_WARN, "%s: others than its owner may read this identity (mode %04o); chmod 600 it", path,
                 (unsigned)(st.st_mode & 07777));
    p = secret_new(&e, IDENTITY_TEXT_MAX + 1);
    if (!p) {
        rc = RSP_ENOMEM;
        goto out;
    }
    if (!(rc = read_all(&e, fd, path, p, &n)))
        rc = rsp_identity_parse(&e, (struct rsp_span){p, n}, path, ask, opaque, ret);
out:
    secret_free(p);
    close(fd);
    return rc;
}
