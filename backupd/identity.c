/* What this is: writing identity files, names of identities, rights as words.
 * Rests on: identity.h.
 * Does not: load identities (context.c). */
#include "backupd/identity.h"

#include <string.h>
#include <unistd.h>

#include "cli/exit.h"

int identity_passphrase(struct context *c, struct rsp_span *ret)
{
    int rc;
    ret->p = NULL;
    ret->n = 0;
    if (!pass_given(c->passphrase)) return -1;
    rc = pass_get(c->passphrase, "the new identity", ret);
    return rc ? context_fault(c, rc, "--passphrase", EXIT_NO_KEY) : -1;
}

int identity_save(struct context *c, const struct rsp_identity *id, const char *path)
{
    struct rsp_sink *sink = NULL;
    struct rsp_span passphrase;
    int rc, code = identity_passphrase(c, &passphrase);
    if (code >= 0) return code;
    rc = rsp_sink_file(&c->env, path, 0, &sink);
    if (!rc) rc = rsp_identity_write(id, passphrase, sink);
    if (!rc) rc = rsp_sink_commit(sink);
    rsp_sink_free(sink);
    return rc ? context_fault(c, rc, path, EXIT_TARGET) : -1;
}

int name_usable(const char *name)
{
    size_t n = strlen(name);
    for (const char *p = name; *p; p++)
        if (*p <= ' ' || *p > '~') return 0;
    return n > 0 && n < 64 && strncmp(name, "rsp-", 4) != 0;
}

const char *identity_name(struct context *c, char out[64])
{
    const char *given = c->o->value[O_NAME].text;
    if (given && !name_usable(given)) {
        options_usage(c->o, "--name: '%s' is not 1 to 63 printable characters without blanks", given);
        return NULL;
    }
    if (given) return given;
    if (gethostname(out, 64) || (out[63] = 0, !name_usable(out))) {
        options_usage(c->o, "this host has no usable name: give one by --name");
        return NULL;
    }
    return out;
}

void rights_text(char out[RIGHTS_TEXT], const struct rsp_member *m)
{
    static const struct {
        uint32_t flag;
        const char *word;
    } words[] = {{RSP_ROLE_ROOT, "root"},
                 {RSP_ROLE_READ, "read"},
                 {RSP_ROLE_WRITE, "write"},
                 {RSP_ROLE_KEEP, "keep"},
                 {RSP_ROLE_PROVE, "prove"}};
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0] && n < RIGHTS_TEXT; i++) {
        if (!(m->flags & words[i].flag)) continue;
        n += (size_t)snprintf(out + n, RIGHTS_TEXT - n, "%s%s", n ? "," : "", words[i].word);
        if (words[i].flag == RSP_ROLE_WRITE && m->sources && n < RIGHTS_TEXT)
            n += (size_t)snprintf(out + n, RIGHTS_TEXT - n, "(%zu sources)", m->sources_n);
    }
    if (!n) snprintf(out, RIGHTS_TEXT, "-");
}
