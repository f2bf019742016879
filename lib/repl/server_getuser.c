/* What this is: a user's rules, as ACL GETUSER tells them, applied to the commands that we need.
 * Rests on: server_impl.h.
 * Does not: read selectors: what the user's own rules deny may be allowed by one, and is then not known. */
#include "repl/server_impl.h"

#include "base/mem.h"

/* A command that a rule names: "config|get" by "config" and by itself. */
static int names(struct rsp_span rule, const char *command)
{
    const char *bar = strchr(command, '|');
    if (server_span_is(rule, command)) return 1;
    return bar && rule.n == (size_t)(bar - command) && !strncasecmp((const char *)rule.p, command, rule.n);
}

static int is_keys(const struct rsp_server_right *r)
{
    return r->rule[0] == '~';
}

static void set_all(struct rsp_server_right *rights, size_t n, int allowed)
{
    for (size_t i = 0; i < n; i++)
        if (!is_keys(&rights[i])) rights[i].allowed = allowed;
}

/* Whether the list that ACL CAT gives holds the command: containers are listed whole before 7.0. */
static int listed(const struct rsp_reply *list, const char *command)
{
    for (const struct rsp_reply *r = list->child; r; r = r->next)
        if ((r->type == RSP_REPLY_BULK || r->type == RSP_REPLY_STATUS) && names(r->text, command)) return 1;
    return 0;
}

static int category(struct rsp_server *s, struct rsp_span name, int allowed, struct rsp_server_right *rights, size_t n)
{
    const struct rsp_reply *list;
    struct rsp_span argv[3] = {{(const uint8_t *)"ACL", 3}, {(const uint8_t *)"CAT", 3}, name};
    int rc;
    if (server_span_is(name, "all")) {
        set_all(rights, n, allowed);
        return RSP_OK;
    }
    rc = rsp_server_ask(s, 3, argv, &list);
    if (rc) return rc;
    for (size_t i = 0; i < n; i++) {
        if (is_keys(&rights[i])) continue;
        if (list->type != RSP_REPLY_ARRAY) rights[i].allowed = rights[i].allowed == allowed ? allowed : -1;
        else if (listed(list, rights[i].command)) rights[i].allowed = allowed;
    }
    return RSP_OK;
}

/* "-@all +psync +config|get": the last rule that names a command holds. */
static int rule(struct rsp_server *s, struct rsp_span word, struct rsp_server_right *rights, size_t n)
{
    int allowed;
    if (server_span_is(word, "allcommands")) set_all(rights, n, 1);
    if (server_span_is(word, "nocommands")) set_all(rights, n, 0);
    if (word.n < 2 || (word.p[0] != '+' && word.p[0] != '-')) return RSP_OK;
    allowed = word.p[0] == '+';
    word.p++, word.n--;
    if (word.p[0] == '@') return category(s, (struct rsp_span){word.p + 1, word.n - 1}, allowed, rights, n);
    for (size_t i = 0; i < n; i++)
        if (!is_keys(&rights[i]) && names(word, rights[i].command)) rights[i].allowed = allowed;
    return RSP_OK;
}

/* The next word of text; text is what follows. */
static struct rsp_span next_word(struct rsp_span *text)
{
    struct rsp_span word;
    while (text->n && *text->p == ' ') text->p++, text->n--;
    word = *text;
    while (text->n && *text->p != ' ') text->p++, text->n--;
    word.n -= text->n;
    return word;
}

static int pattern_is_all(struct rsp_span p)
{
    return server_span_is(p, "*") || server_span_is(p, "~*") || server_span_is(p, "%RW~*");
}

/* Up to 6.2 a list of patterns, from 7.0 on a text of rules. */
static int all_keys(const struct rsp_reply *keys)
{
    struct rsp_span text, word;
    if (!keys) return 0;
    if (keys->type == RSP_REPLY_ARRAY) {
        for (const struct rsp_reply *r = keys->child; r; r = r->next)
            if (r->type == RSP_REPLY_BULK && pattern_is_all(r->text)) return 1;
        return 0;
    }
    if (keys->type != RSP_REPLY_BULK) return 0;
    text = keys->text;
    while ((word = next_word(&text)).n)
        if (pattern_is_all(word)) return 1;
    return 0;
}

static int has_selectors(const struct rsp_reply *user)
{
    const struct rsp_reply *r = server_member(user, "selectors");
    return r && r->type == RSP_REPLY_ARRAY && r->n;
}

/* The reply dies with the next question (ACL CAT): the rules are copied out of it first. */
int server_getuser(struct rsp_server *s, struct rsp_server_right *rights, size_t n)
{
    struct rsp_span argv[3] = {
        {(const uint8_t *)"ACL", 3}, {(const uint8_t *)"GETUSER", 7}, {(const uint8_t *)s->user, strlen(s->user)}};
    const struct rsp_reply *r, *commands;
    struct rsp_span text, word;
    struct buf rules;
    int keys, selectors, rc = rsp_server_ask(s, 3, argv, &r);
    if (rc || r->type != RSP_REPLY_ARRAY) return rc;
    commands = server_member(r, "commands");
    if (!commands || commands->type != RSP_REPLY_BULK) return RSP_OK;
    keys = all_keys(server_member(r, "keys"));
    selectors = has_selectors(r);
    buf_init(&rules, &s->env);
    rc = buf_add(&rules, commands->text.p, commands->text.n);
    if (!rc) set_all(rights, n, 0);
    text = (struct rsp_span){rules.p, rules.n};
    while (!rc && (word = next_word(&text)).n) rc = rule(s, word, rights, n);
    for (size_t i = 0; i < n; i++) {
        if (is_keys(&rights[i])) rights[i].allowed = keys;
        if (selectors && !rights[i].allowed) rights[i].allowed = -1;
    }
    buf_free(&rules);
    return rc;
}
