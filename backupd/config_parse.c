/* What this is: the parser of the configuration file: sections, keys, values, each with its line.
 * Rests on: config_impl.h, cli/options.h.
 * Does not: read files, choose among sections. */
#include "backupd/config_impl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/topology.h>

#include "backupd/store_options.h"
#include "cli/exit.h"
#include "cli/print.h"

struct parser {
    const struct options *o;
    struct config *config;
    const char *path;
    int line;
    struct config_head *head; /* the section that is being read */
};

static int bad(const struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int bad(const struct parser *p, const char *format, ...)
{
    char words[512];
    va_list args;
    va_start(args, format);
    if (vsnprintf(words, sizeof words, format, args) < 0) words[0] = 0;
    va_end(args);
    print_err("%s:%d: %s", p->path, p->line, words);
    return EXIT_CONFIG;
}

static int out_of_memory(void)
{
    print_err("%s", rsp_status_text(RSP_ENOMEM));
    return EXIT_CAPACITY;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts blanks off both ends. */
static char *trim(char *s)
{
    size_t n;
    while (is_blank(*s)) s++;
    n = strlen(s);
    while (n && is_blank(s[n - 1])) n--;
    s[n] = 0;
    return s;
}

static int name_ok(const char *name)
{
    size_t n = strlen(name);
    for (const char *p = name; *p; p++)
        if (*p <= ' ' || *p > '~' || *p == ':' || *p == '/') return 0;
    return n > 0 && n <= 200;
}

/* ---- sections ---- */

static const struct {
    const char *word;
    enum config_section kind;
} kinds[] = {{"global", SECTION_GLOBAL}, {"repo", SECTION_REPO}, {"source", SECTION_SOURCE}};

const char *config_kind_text(enum config_section kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].kind == kind) return kinds[i].word;
    return "";
}

static int add_head(struct parser *p, enum config_section kind, const char *name)
{
    struct config *c = p->config;
    struct config_head *heads;
    for (size_t i = 0; i < c->heads_n; i++)
        if (c->heads[i].kind == kind && !strcmp(c->heads[i].name, name))
            return bad(p, "the section stands already at line %d", c->heads[i].line);
    heads = realloc(c->heads, (c->heads_n + 1) * sizeof *heads);
    if (!heads) return out_of_memory();
    c->heads = heads;
    p->head = &heads[c->heads_n++];
    *p->head = (struct config_head){.kind = kind, .name = name, .line = p->line};
    return EXIT_OK;
}

/* s stands behind the '['. */
static int take_section(struct parser *p, char *s)
{
    char *end = strrchr(s, ']'), *name;
    size_t word;
    if (!end || *trim(end + 1)) return bad(p, "a section is [global], [repo NAME] or [source NAME]");
    *end = 0;
    s = trim(s);
    word = strcspn(s, " \t");
    name = trim(s + word);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strlen(kinds[i].word) != word || memcmp(kinds[i].word, s, word) != 0) continue;
        if (kinds[i].kind == SECTION_GLOBAL) {
            if (*name) return bad(p, "[global] has no name");
        } else if (!name_ok(name)) {
            return bad(p, "[%s NAME] wants a name without blanks, ':' and '/'", kinds[i].word);
        }
        return add_head(p, kinds[i].kind, name);
    }
    return bad(p, "unknown section [%s]; there are [global], [repo NAME] and [source NAME]", s);
}

/* ---- values ---- */

static int unquote(const struct parser *p, char *s)
{
    char *to = s, *from = s + 1;
    for (; *from && *from != '"'; from++) {
        if (*from == '\\' && (from[1] == '"' || from[1] == '\\')) from++;
        *to++ = *from;
    }
    if (*from != '"') return bad(p, "the closing quotation mark is missing");
    from = trim(from + 1);
    if (*from && *from != '#' && *from != ';') return bad(p, "'%s' stands behind the closing quotation mark", from);
    *to = 0;
    return EXIT_OK;
}

static int check_value(const struct parser *p, char *value)
{
    if (*value == '"') return unquote(p, value);
    for (const char *at = value; *at; at++) {
        if (*at == '"') return bad(p, "a quotation mark within a value: put the whole value in quotation marks");
        if ((*at == '#' || *at == ';') && at > value && is_blank(at[-1]))
            return bad(p, "a comment stands on a line of its own; if '%c' belongs to the value, use quotation marks",
                       *at);
    }
    return EXIT_OK;
}

static const struct opt *find_opt(const struct parser *p, const char *key, unsigned sections)
{
    for (const struct opt *opt = p->o->program->opts; opt->name; opt++)
        if ((opt->sections & sections) && !strcmp(opt->name, key)) return opt;
    return NULL;
}

static int key_unknown(const struct parser *p, const char *key)
{
    static const char *const secrets[] = {"passphrase", "password",      "pass",      "auth", "secret",
                                          "seed",       "repo-password", "s3-secret", NULL};
    for (int i = 0; secrets[i]; i++)
        if (!strcmp(key, secrets[i]))
            return bad(p, "no secret stands in this file: name a file by passphrase-file, pass-file (of a server's "
                          "password), repo-password-file or s3-secret-file, or a command by passphrase-command, "
                          "repo-password-command or s3-secret-command");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (find_opt(p, key, kinds[i].kind))
            return bad(p, "key '%s' does not belong into [%s], but into [%s%s]", key, config_kind_text(p->head->kind),
                       kinds[i].word, kinds[i].kind == SECTION_GLOBAL ? "" : " NAME");
    return bad(p, "unknown key '%s'", key);
}

static int add_entry(struct parser *p, const struct opt *opt, const char *key, const char *value)
{
    struct config *c = p->config;
    size_t room = strlen(p->path) + 24;
    struct config_entry *entries = realloc(c->entries, (c->entries_n + 1) * sizeof *entries);
    char *where;
    if (entries) c->entries = entries;
    where = entries ? malloc(room) : NULL;
    if (!where) return out_of_memory();
    snprintf(where, room, "%s:%d", p->path, p->line);
    entries[c->entries_n++] = (struct config_entry){p->head->kind, p->head->name, key, value, where, opt};
    return EXIT_OK;
}

static int take_entry(struct parser *p, char *line)
{
    char *equals = strchr(line, '='), *key = line, *value;
    const struct config *c = p->config;
    const struct opt *opt = NULL;
    int64_t ms;
    int code, mode;
    if (!equals) return bad(p, "neither a [section] nor 'key = value'");
    if (!p->head) return bad(p, "a key stands before the first section");
    *equals = 0;
    key = trim(key);
    value = trim(equals + 1);
    if (!*key) return bad(p, "a key is missing before '='");
    code = check_value(p, value);
    if (code) return code;
    if (!*value) return bad(p, "%s: has no value", key);
    if (p->head->kind != SECTION_REPO || strcmp(key, "url") != 0) {
        opt = find_opt(p, key, p->head->kind);
        if (!opt) return key_unknown(p, key);
        if (!strcmp(key, "uri") && !rsp_place_is_uri(value))
            return bad(p, "uri: is no URI such as redis://host:port, rediss://host:port, unix:///path, "
                          "sentinel://host:port/NAME or cluster://host:port");
        if (!strcmp(key, "lock") && store_lock_parse(value, &mode, &ms))
            return bad(p, "lock: '%s' is not such as governance:30d or compliance:30d", value);
    } else if (!strchr(value, ':')) {
        return bad(p, "url: '%s' is no URL such as file:/srv/backup", value);
    }
    for (size_t i = 0; i < c->entries_n && !(opt && opt->repeat); i++)
        if (c->entries[i].kind == p->head->kind && !strcmp(c->entries[i].name, p->head->name) &&
            !strcmp(c->entries[i].key, key))
            return bad(p, "%s: stands twice in this section; before at %s", key, c->entries[i].where);
    code = add_entry(p, opt, key, value);
    if (!code && opt && options_config_check(p->o, opt, c->entries[c->entries_n - 1].where, value)) code = EXIT_CONFIG;
    return code;
}

static int take_line(struct parser *p, char *line)
{
    size_t n = strlen(line);
    if (n && line[n - 1] == '\r') line[n - 1] = 0;
    for (const char *at = line; *at; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f) return bad(p, "a control character");
    line = trim(line);
    if (!*line || *line == '#' || *line == ';') return EXIT_OK;
    if (*line == '[') return take_section(p, line + 1);
    return take_entry(p, line);
}

int config_parse(const struct options *o, const char *path, const char *text, size_t n, struct config **ret)
{
    struct parser p = {.o = o, .path = path};
    char *at, *end;
    int code = EXIT_OK;
    *ret = NULL;
    p.config = calloc(1, sizeof *p.config);
    if (!p.config) return out_of_memory();
    p.config->text = malloc(n + 1);
    if (!p.config->text) code = out_of_memory();
    if (!code) {
        p.config->text_n = n;
        memcpy(p.config->text, text, n);
        p.config->text[n] = 0;
        at = p.config->text;
        end = at + n;
        while (!code && at < end) {
            char *stop = memchr(at, '\n', (size_t)(end - at));
            if (!stop) stop = end;
            p.line++;
            if (memchr(at, 0, (size_t)(stop - at))) code = bad(&p, "a byte of zero");
            *stop = 0;
            if (!code) code = take_line(&p, at);
            at = stop + 1;
        }
    }
    if (code) config_free(p.config);
    else *ret = p.config;
    return code;
}

void config_free(void *opaque)
{
    struct config *c = opaque;
    if (!c) return;
    for (size_t i = 0; i < c->entries_n; i++) free(c->entries[i].where);
    free(c->entries);
    free(c->heads);
    if (c->text) explicit_bzero(c->text, c->text_n);
    free(c->text);
    free(c->path);
    free(c);
}
