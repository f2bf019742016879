/* What this is: opening several repositories for one backup, and what is said of each.
 * Rests on: several.h, cli/exit.h.
 * Does not: stop because one of them is out of reach: that is what the others are for. */
#include "backupd/several.h"

#include <string.h>

#include "cli/connection.h"
#include "cli/exit.h"

#define BLANKS " \t,"

/* Contexts point to the names to their end, which is behind the verb's. */
static int split(struct several_names *names, const struct context *c, const char *list)
{
    static char room[8192]; /* one command line in a process */
    char *at;
    if (strlen(list) >= sizeof room) return options_usage(c->o, "--repos: the list is too long");
    memcpy(room, list, strlen(list) + 1);
    for (at = room + strspn(room, BLANKS); *at; at += strspn(at, BLANKS)) {
        if (names->n == SNAPSHOT_PLACES_MAX)
            return options_usage(c->o, "--repos: more than %d repositories", SNAPSHOT_PLACES_MAX);
        names->name[names->n++] = at;
        at += strcspn(at, BLANKS);
        if (*at) *at++ = 0;
    }
    if (!names->n) return options_usage(c->o, "--repos: names no repository");
    for (size_t i = 0; i < names->n; i++)
        for (size_t k = i + 1; k < names->n; k++)
            if (!strcmp(names->name[i], names->name[k]))
                return options_usage(c->o, "--repos: %s stands there twice", names->name[i]);
    return -1;
}

int several_names(struct several_names *names, const struct context *c)
{
    const struct opt_value *v = c->o->value;
    memset(names, 0, sizeof *names);
    if (v[O_REPOS].count && v[O_REPOS].from >= v[O_REPO].from) return split(names, c, v[O_REPOS].text);
    names->name[names->n++] = v[O_REPO].text;
    return -1;
}

static int open_one(struct several *s, size_t i, const struct options *o, const char *source)
{
    struct several_place *p = &s->place[i];
    const struct rsp_identity *signer;
    uint8_t id[16];
    int code = i ? context_open(p->c, o) : -1;
    if (code < 0) code = context_repo_at(p->c, p->name, NEED_SIGN);
    if (code < 0 && s->n > 1) code = context_roles_back(p->c);
    if (code < 0) {
        context_source_id(p->c, source, id);
        code = context_signer(p->c, RSP_ROLE_WRITE, id, &signer);
    }
    return code;
}

int several_open(struct several *s, struct context *c, const char *source)
{
    int code;
    memset(s, 0, sizeof *s);
    code = several_names(&s->names, c);
    if (code >= 0) return code;
    s->n = s->names.n;
    for (size_t i = 0; i < s->n; i++) {
        struct several_place *p = &s->place[i];
        p->name = s->names.name[i];
        p->c = i ? &s->own[i - 1] : c;
        p->code = open_one(s, i, c->o, source);
        if (p->code >= 0) continue;
        p->result = s->open++;
        if (!s->first) s->first = p->c;
        else s->also[p->result - 1] = p->c->repo;
    }
    if (!s->open) return s->place[0].code;
    return -1;
}

/* One that was refused because it holds a password is shown without. */
static const char *shown(const struct several_place *p, char *out, size_t size)
{
    connection_hide(p->c->url ? p->c->url : p->name, out, size);
    return out;
}

static void tell(const struct several_place *p, const struct rsp_commit_result *r)
{
    char words[512], url[512];
    if (!r || r->status == RSP_OK) return;
    rsp_error_format(&r->words, words, sizeof words);
    print_err("%s: not stored there: %s", shown(p, url, sizeof url), words[0] ? words : rsp_status_text(r->status));
}

static void why_json(struct json *j, int status, const struct rsp_error *e)
{
    char words[512];
    if (!status) return; /* told by the option that was wrong */
    json_text(j, "status", rsp_status_name(status));
    rsp_error_format(e, words, sizeof words);
    if (words[0]) json_text(j, "why", words);
}

void several_report(const struct several *s, struct json *j)
{
    char hash[HEX32], url[512];
    if (s->n < 2) return;
    if (j) json_array(j, "repositories");
    for (size_t i = 0; i < s->n; i++) {
        const struct several_place *p = &s->place[i];
        const struct rsp_commit_result *r = p->code < 0 ? &s->results[p->result] : NULL;
        int there = r && r->status == RSP_OK;
        tell(p, r);
        shown(p, url, sizeof url);
        if (!j) {
            printf("%s %s\n", there ? "  in" : "  NOT in", url);
            continue;
        }
        json_object(j, NULL);
        json_text(j, "repo", url);
        json_bool(j, "stored", there);
        if (there && r->record) {
            text_hex(hash, r->record->hash, 32);
            json_text(j, "record", hash);
        }
        if (!there) why_json(j, r ? r->status : p->c->error.code, r ? &r->words : &p->c->error);
        json_close(j, '}');
    }
    if (j) json_close(j, ']');
}

void several_take_logs(struct several *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct several_place *p = &s->place[i];
        struct rsp_commit_result *r = &s->results[p->result];
        if (p->code >= 0 || !r->log) continue;
        context_take_log(p->c, r->log);
        r->log = NULL;
    }
}

int several_finish(struct several *s, const struct context *c, int code)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct several_place *p = &s->place[i];
        int missed = p->code >= 0 || s->results[p->result].status != RSP_OK;
        if (missed && code == EXIT_OK) code = EXIT_FINDINGS;
        if (p->c != c && p->code < 0) code = context_finish(p->c, code);
    }
    return code;
}

void several_close(struct several *s)
{
    for (size_t i = 1; i < s->n; i++)
        if (s->place[i].c) context_close(s->place[i].c);
    memset(s, 0, sizeof *s);
}
