/* What this is: the fault and the advice that a server's error reply means.
 * Rests on: server_impl.h.
 * Does not: retry. */
#include "repl/server_impl.h"

#include <stdio.h>

#include "base/mem.h"

#define RULE_BYTES 80

static int word_char(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("._|-", c);
}

/* The word of what from p on, in small letters, behind what stands in out. */
static const char *add_word(const char *p, char *out, size_t size, size_t *at)
{
    for (; *p && word_char(*p) && *at + 1 < size; p++) out[(*at)++] = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    out[*at] = 0;
    return p;
}

/* What is no command: keys, channels, databases. */
static const char *rule_of_data(struct rsp_span text)
{
    if (server_span_has(text, "command")) return NULL;
    if (server_span_has(text, "key")) return "~*";
    if (server_span_has(text, "channel")) return "&*";
    return server_span_has(text, "database") ? "alldbs" : NULL;
}

/* Servers of all versions name the command in quotes; before 7.0 not its subcommand ("the 'config' command or its
 * subcommand"): that is taken from what was asked. */
void server_rule(const char *what, struct rsp_span text, char *out, size_t size)
{
    const char *data = rule_of_data(text), *rest;
    const uint8_t *p = text.n ? memchr(text.p, '\'', text.n) : NULL, *end = text.p + text.n, *close;
    char named[64] = "";
    size_t at = 1;
    if (data) {
        snprintf(out, size, "%s", data);
        return;
    }
    close = p ? memchr(p + 1, '\'', (size_t)(end - p - 1)) : NULL;
    if (close) server_span_copy(named, sizeof named, (struct rsp_span){p + 1, (size_t)(close - p - 1)});
    snprintf(out, size, "+");
    if (*named && !*add_word(named, out, size, &at)) {
        if (!server_span_has(text, "subcommand")) return;
    }
    at = 1;
    rest = add_word(what, out, size, &at);
    if (*rest == ' ' && server_span_has(text, "subcommand") && at + 2 < size) {
        out[at++] = '|';
        add_word(rest + 1, out, size, &at);
    }
}

static int denied(struct rsp_server *s, const char *what, struct rsp_span text)
{
    char rule[RULE_BYTES], run[RULE_BYTES];
    server_rule(what, text, rule, sizeof rule);
    if (rule[0] != '+')
        return fail(&s->env, RSP_EDENIED, s->name,
                    "the user '%s' has no right to every %s that %s needs; on the server: ACL SETUSER %s %s", s->user,
                    rule[0] == '~' ? "key" : (rule[0] == '&' ? "channel" : "database"), what, s->user, rule);
    snprintf(run, sizeof run, "%s", rule + 1);
    for (char *c = run; *c; c++) {
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 32);
        else if (*c == '|') *c = ' ';
    }
    return fail(&s->env, RSP_EDENIED, s->name, "the user '%s' may not run %s; on the server: ACL SETUSER %s %s",
                s->user, run, s->user, rule);
}

static int no_password(struct rsp_server *s)
{
    return fail(&s->env, RSP_EDENIED, s->name,
                "the server asks for a password: give it by REDISCLI_AUTH, --askpass or --pass-file");
}

static int wrong_password(struct rsp_server *s)
{
    return fail(&s->env, RSP_EDENIED, s->name,
                "the server does not take this password for the user '%s', or the user is off; the password comes from "
                "REDISCLI_AUTH, --askpass or --pass-file",
                s->user);
}

static int busy(struct rsp_span text)
{
    static const char *const codes[] = {"LOADING", "BUSY", "NOMASTERLINK", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN"};
    static const char *const parts[] = {"failing over", "save already in progress", "another child process",
                                        "max number of clients", "rewriting already in progress"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (resp_error_is(text, codes[i])) return 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (server_span_has(text, parts[i])) return 1;
    return 0;
}

int server_refused(struct rsp_server *s, const char *what, struct rsp_span text)
{
    char words[160];
    int rc;
    if (resp_error_is(text, "NOPERM")) return denied(s, what, text);
    if (resp_error_is(text, "NOAUTH") || server_span_has(text, "ERR operation not permitted")) return no_password(s);
    if (resp_error_is(text, "WRONGPASS") || server_span_has(text, "ERR invalid password")) return wrong_password(s);
    printable(words, sizeof words, text.p, text.n);
    if (resp_error_is(text, "DENIED"))
        return fail(&s->env, RSP_EDENIED, s->name,
                    "the server takes connections only from its own host (protected mode): connect there, or give it a "
                    "password");
    if (resp_error_is(text, "OOM"))
        return fail(&s->env, RSP_ENOSPACE, s->name, "%.64s: the server's memory is full (maxmemory): %s", what, words);
    if (busy(text)) {
        rc = fail(&s->env, RSP_EBUSY, s->name, "%.64s: %s", what, words);
        if (s->env.error->code == rc) s->env.error->retryable = 1;
        return rc;
    }
    return fail(&s->env, RSP_EDENIED, s->name, "%.64s: the server refused: %s", what, words);
}
