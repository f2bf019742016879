/* What this is: what a server's refusal of a write means for whoever restores.
 * Rests on: load_impl.h.
 * Does not: decide whether it matters. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "job/load_impl.h"

#define AGAIN "then run the restore again"

void load_key_words(const struct pipe_note *note, char *out, size_t size)
{
    char key[72];
    size_t shown = note->key_n < PIPE_KEY ? note->key_n : PIPE_KEY;
    if (note->flags & RESP_UNIT_FUNCTION) {
        printable(key, sizeof key, note->key, shown);
        snprintf(out, size, "the function library \"%s%s\"", key, note->key_n > shown ? "..." : "");
        return;
    }
    if (note->kind == LOAD_SELECT) {
        snprintf(out, size, "database %" PRIu32, note->db);
        return;
    }
    printable(key, sizeof key, note->key, shown);
    snprintf(out, size, "key \"%s%s\" in database %" PRIu32 "%s", key, note->key_n > shown ? "..." : "", note->db,
             note->keys > 1 ? " or one of those sent with it" : "");
}

static int denied(struct load *x, const char *name, const char *what, const char *why)
{
    return fail(&x->server_env, RSP_EDENIED, name, "%.110s: %s", what, why);
}

int load_refused(struct load *x, struct rsp_server *server, const struct pipe_note *note, struct rsp_span text)
{
    char what[160], words[120];
    struct rsp_server *s = server ? server : load_server(x);
    const struct rsp_server_facts *f = rsp_server_facts(s);
    const char *name = rsp_server_name(s);
    load_key_words(note, what, sizeof what);
    printable(words, sizeof words, text.p, text.n);
    if (resp_error_is(text, "OOM"))
        return fail(&x->server_env, RSP_ENOSPACE, name,
                    "%.110s: the server's memory is full (maxmemory): make room or raise it, " AGAIN, what);
    if (resp_error_is(text, "READONLY") && f->master_host[0])
        return fail(&x->server_env, RSP_EDENIED, name,
                    "%.100s: the server is a replica: restore into its master, %.64s:%" PRIu32, what, f->master_host,
                    f->master_port);
    if (resp_error_is(text, "READONLY"))
        return denied(x, name, what, "the server has become a replica: restore into its master");
    if (resp_error_is(text, "MISCONF"))
        return denied(x, name, what, "the server takes no writes since its last save failed: see to its disk, " AGAIN);
    if (resp_error_is(text, "NOREPLICAS"))
        return denied(x, name, what, "the server takes no writes without its replicas (min-replicas-to-write)");
    if (resp_error_is(text, "MOVED") || resp_error_is(text, "CROSSSLOT"))
        return fail(&x->server_env, RSP_EUNSUPPORTED, name,
                    "%.80s: %.80s: the server is a node of a cluster: name it cluster://...", what, words);
    if (note->flags & RESP_UNIT_FUNCTION && memmem(words, strlen(words), "already exists", 14))
        return fail(
            &x->server_env, RSP_EEXIST, name,
            "%.110s clashes with what the target has (%.80s): delete that library there, or leave functions out", what,
            words);
    if (resp_error_is(text, "BUSYKEY") || memmem(words, strlen(words), "already exists", 14))
        return fail(&x->server_env, RSP_EEXIST, name, "%.110s is there already: it appeared meanwhile", what);
    if (resp_error_is(text, "NOPERM") || resp_error_is(text, "LOADING") || resp_error_is(text, "BUSY")) {
        int rc = server_refused(s, "restore", text);
        return trail(&x->server_env, rc, "%s", what);
    }
    return fail(&x->server_env, RSP_EDENIED, name, "%.110s: the server refused it: %s", what, words);
}

int load_hand_on(struct load *x, const struct rsp_env *env, int rc)
{
    if (rc >= 0 || !env->error || env->error->code) return rc;
    if (x->server_error.code) *env->error = x->server_error;
    else if (x->own_error.code) *env->error = x->own_error;
    return rc;
}
