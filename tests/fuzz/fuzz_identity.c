/* What this is: the fuzz target of identity files, recovery sheets and public identities.
 * Rests on: fuzz.h, respite/sys/seal.h.
 * Does not: give a passphrase: Argon2id is slow, and what comes before it is what is parsed. */
#include "fuzz.h"

#include "seal/identity.h"

/* What was read must come back from its own text and its own sheet. */
static void again(const struct rsp_env *env, const struct rsp_identity *id, int sheet)
{
    struct rsp_identity *back = NULL;
    struct rsp_sink *sink;
    struct rsp_span view;
    MUST(rsp_sink_memory(env, &sink) == RSP_OK);
    MUST((sheet ? rsp_identity_sheet(id, sink) : rsp_identity_write(id, (struct rsp_span){NULL, 0}, sink)) == RSP_OK);
    MUST(rsp_sink_view(sink, &view) == RSP_OK);
    MUST(rsp_identity_parse(env, view, "again", NULL, NULL, &back) == RSP_OK);
    MUST(!memcmp(back->s->secret, id->s->secret, 32));
    MUST(!memcmp(&back->public, &id->public, sizeof id->public));
    MUST(sheet || (back->has_root == id->has_root && !strcmp(back->name, id->name)));
    rsp_identity_free(back);
    rsp_sink_free(sink);
}

static void public_text(const struct rsp_env *env, const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1), out[RSP_PUBLIC_TEXT];
    struct rsp_public key, same;
    MUST(text);
    memcpy(text, data, n);
    text[n] = 0;
    if (rsp_public_parse(env, text, &key) == RSP_OK) {
        rsp_public_text(&key, out);
        MUST(rsp_public_parse(env, out, &same) == RSP_OK && !memcmp(&key, &same, sizeof key));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error;
    struct rsp_env env = {.size = sizeof env, .error = &error};
    struct rsp_identity *id = NULL;
    int rc;
    memset(&error, 0, sizeof error);
    rc = rsp_identity_parse(&env, (struct rsp_span){data, n}, "input", NULL, NULL, &id);
    MUST(rc == RSP_OK || rc == RSP_EFORMAT || rc == RSP_EKEY || rc == RSP_ELIMIT || rc == RSP_EVERSION);
    MUST(error.code == rc && !rc == !!id);
    if (id) {
        again(&env, id, 0);
        again(&env, id, 1);
    }
    rsp_identity_free(id);
    public_text(&env, data, n);
    return 0;
}
