/* What this is: the text forms of identities: public, secret, sealed, the identity file, the recovery sheet.
 * Rests on: identity_text.h, respite/sink.h.
 * Does not: read files (identity_parse.c). Text with a secret is made in locked memory and leaves it in one write. */
#include "seal/identity_text.h"

#include <string.h>

#include "base/mem.h"

#define FILE_TEXT_MAX 1024
#define SHEET_TEXT_MAX 2048

int name_good(const char *name, size_t n)
{
    if (!n || n > 63 || name[0] == ' ' || name[n - 1] == ' ') return 0;
    for (size_t i = 0; i < n; i++)
        if (name[i] < 0x20 || name[i] > 0x7e) return 0;
    return 1;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

int has_prefix(const char *s, size_t s_n, const char *prefix)
{
    size_t n = strlen(prefix);
    if (s_n < n) return 0;
    for (size_t i = 0; i < n; i++)
        if (lower(s[i]) != prefix[i]) return 0;
    return 1;
}

void checked_text(char *out, const char *prefix, const uint8_t *p, size_t n)
{
    uint8_t all[RSP_SEALED_BYTES + CHECK_BYTES], h[HASH_BYTES];
    size_t prefix_n = strlen(prefix);
    memcpy(all, p, n);
    hash256(h, p, n);
    memcpy(all + n, h, CHECK_BYTES);
    memcpy(out, prefix, prefix_n);
    base32_text(out + prefix_n, all, n + CHECK_BYTES);
    out[prefix_n + BASE32_TEXT(n + CHECK_BYTES)] = 0;
    wipe(all, sizeof all);
}

int checked_parse(const char *s, size_t s_n, const char *prefix, uint8_t *out, size_t n)
{
    uint8_t all[RSP_SEALED_BYTES + CHECK_BYTES], h[HASH_BYTES];
    size_t prefix_n = strlen(prefix);
    int good = has_prefix(s, s_n, prefix) && base32_parse(s + prefix_n, s_n - prefix_n, all, n + CHECK_BYTES);
    if (good) {
        hash256(h, all, n);
        good = same_bytes(h, all + n, CHECK_BYTES);
    }
    if (good) memcpy(out, all, n);
    wipe(all, sizeof all);
    return good;
}

_Static_assert(sizeof PUBLIC_PREFIX + BASE32_TEXT(64 + CHECK_BYTES) <= RSP_PUBLIC_TEXT, "room for rsp-pub-");
_Static_assert(sizeof(struct rsp_public) == 64, "sign and box side by side");

void rsp_public_text(const struct rsp_public *key, char out[RSP_PUBLIC_TEXT])
{
    checked_text(out, PUBLIC_PREFIX, (const uint8_t *)key, sizeof *key);
}

int public_parse(const char *s, size_t s_n, struct rsp_public *key)
{
    return checked_parse(s, s_n, PUBLIC_PREFIX, (uint8_t *)key, sizeof *key);
}

int rsp_public_parse(const struct rsp_env *env, const char *text, struct rsp_public *key)
{
    struct rsp_env e;
    size_t n = strlen(text);
    env_init(&e, env);
    for (; n && strchr(" \t\r\n", text[n - 1]); n--) {}
    for (; n && strchr(" \t\r\n", *text); n--) text++;
    if (has_prefix(text, n, SECRET_PREFIX) || has_prefix(text, n, SEALED_PREFIX)) /* and its words go nowhere */
        return fail(&e, RSP_EFORMAT, NULL, "this is a secret where a public identity (rsp-pub-...) belongs");
    if (!has_prefix(text, n, PUBLIC_PREFIX))
        return fail(&e, RSP_EFORMAT, NULL, "a public identity begins with rsp-pub-; this does not");
    if (!public_parse(text, n, key))
        return fail(&e, RSP_EFORMAT, NULL,
                    "this public identity has a wrong or missing letter: its check does not match; copy it again");
    return RSP_OK;
}

void sheet_check(unsigned number, const uint8_t part[8], uint8_t check[2])
{
    static const char label[] = "respite sheet";
    uint8_t text[sizeof label - 1 + 1 + 8], h[HASH_BYTES];
    memcpy(text, label, sizeof label - 1);
    text[sizeof label - 1] = (uint8_t)number;
    memcpy(text + sizeof label, part, 8);
    hash256(h, text, sizeof text);
    memcpy(check, h, 2);
    wipe(text, sizeof text);
    wipe(h, sizeof h);
}

/* Text that grows in locked memory of a size that always suffices. */
struct page {
    char *p;
    size_t n, cap;
};

static void put(struct page *page, const char *s)
{
    size_t n = strlen(s);
    if (n > page->cap - page->n) n = page->cap - page->n;
    memcpy(page->p + page->n, s, n);
    page->n += n;
}

static void put_public(struct page *page, const char *label, const struct rsp_public *key)
{
    char text[RSP_PUBLIC_TEXT];
    rsp_public_text(key, text);
    put(page, label);
    put(page, text);
    put(page, "\n");
}

static void put_checked(struct page *page, const char *label, const char *prefix, const uint8_t *p, size_t n)
{
    char text[sizeof SEALED_PREFIX + BASE32_TEXT(RSP_SEALED_BYTES + CHECK_BYTES)];
    checked_text(text, prefix, p, n);
    put(page, label);
    put(page, text);
    put(page, "\n");
    wipe(text, sizeof text);
}

int rsp_identity_write(const struct rsp_identity *id, struct rsp_span passphrase, struct rsp_sink *sink)
{
    const struct rsp_env *env = &id->env;
    uint8_t sealed[RSP_SEALED_BYTES];
    struct page page = {secret_new(env, FILE_TEXT_MAX), 0, FILE_TEXT_MAX};
    int rc;
    if (!page.p) return RSP_ENOMEM;
    put(&page, "# An identity of respite. Whoever can read this file");
    put(&page, passphrase.p ? " and knows its passphrase" : "");
    put(&page, " has its rights.\n");
    if (id->name[0]) {
        put(&page, "name: ");
        put(&page, id->name);
        put(&page, "\n");
    }
    if (id->has_root) put_public(&page, "root: ", &id->root);
    put_public(&page, "public: ", &id->public);
    if (passphrase.p) {
        if ((rc = passphrase_seal(env, id->s->secret, passphrase, sealed))) goto out;
        put_checked(&page, "sealed: ", SEALED_PREFIX, sealed, sizeof sealed);
    } else {
        put_checked(&page, "secret: ", SECRET_PREFIX, id->s->secret, sizeof id->s->secret);
    }
    rc = rsp_sink_write(sink, page.p, page.n);
out:
    secret_free(page.p);
    return rc;
}

static void put_sheet_line(struct page *page, unsigned number, const uint8_t part[8])
{
    uint8_t all[SHEET_BYTES];
    char text[BASE32_TEXT(SHEET_BYTES)], line[] = "0: xxxx xxxx xxxx xxxx\n";
    memcpy(all, part, 8);
    sheet_check(number, part, all + 8);
    base32_text(text, all, sizeof all);
    line[0] = (char)('0' + number);
    for (size_t i = 0; i < sizeof text; i++) {
        char c = text[i];
        line[3 + i + i / 4] = c >= 'a' ? (char)(c - 32) : c;
    }
    put(page, line);
    wipe(all, sizeof all);
    wipe(text, sizeof text);
    wipe(line, sizeof line);
}

static void put_sheet_words(struct page *page, const struct rsp_identity *id)
{
    int is_root = !id->has_root || !memcmp(&id->root, &id->public, sizeof id->root);
    uint8_t lineage[ID_BYTES];
    char hex[2 * ID_BYTES + 1];
    put(page, "# RECOVERY SHEET of respite\n#\n");
    if (is_root) {
        rsp_lineage_of(&id->public, lineage);
        hex_text(hex, lineage, sizeof lineage);
        put(page, "# The four lines below are the root secret of the backups of lineage\n#   ");
        put(page, hex);
        put(page, "\n# Whoever has them can read every backup and decide who else may. Without them, and\n"
                  "# without another reader's identity, no backup can be read again.\n");
    } else {
        put(page, "# The four lines below are the secret of one identity. Whoever has them has its rights, and\n"
                  "# can read every backup that it may read.\n");
    }
    if (id->name[0]) {
        put(page, "# Name: ");
        put(page, id->name);
        put(page, "\n");
    }
    put_public(page, "# Public: ", &id->public);
    put(page, "#\n"
              "# Print this sheet, lock it away, and keep no copy on a machine.\n"
              "# To restore, type the four lines into a file that only you can read, and run\n"
              "#   backupd restore --identity FILE ...\n"
              "# Small letters will do; blanks and dashes do not matter; each line is checked by itself.\n\n");
}

int rsp_identity_sheet(const struct rsp_identity *id, struct rsp_sink *sink)
{
    struct page page = {secret_new(&id->env, SHEET_TEXT_MAX), 0, SHEET_TEXT_MAX};
    int rc;
    if (!page.p) return RSP_ENOMEM;
    put_sheet_words(&page, id);
    for (unsigned i = 0; i < SHEET_LINES; i++) put_sheet_line(&page, i + 1, id->s->secret + (size_t)8 * i);
    rc = rsp_sink_write(sink, page.p, page.n);
    secret_free(page.p);
    return rc;
}
