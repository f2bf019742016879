/* What this is: reading the configuration file, and which of its values count for a verb.
 * Rests on: config_impl.h, cli/options.h.
 * Does not: parse (config_parse.c). */
#include "backupd/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backupd/config_impl.h"
#include "backupd/options.h"
#include "cli/connection.h"
#include "cli/exit.h"
#include "cli/options_table.h"
#include "cli/print.h"

#define FILE_MAX (1 << 20)

static int refuse(const char *path, const char *words, int err)
{
    print_err("%s: %s%s%s", path, words, err ? ": " : "", err ? strerror(err) : "");
    return EXIT_CONFIG;
}

static int read_all(int fd, char *text, size_t cap, size_t *n)
{
    for (*n = 0; *n < cap;) {
        ssize_t got = read(fd, text + *n, cap - *n);
        if (got == 0) return 0;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        *n += (size_t)got;
    }
    return 0;
}

/* A password in a URI: as for a file of identities, nobody else may read it. */
static int refuse_open(const struct config *c, const char *path, const struct stat *st)
{
    if (!S_ISREG(st->st_mode) || !(st->st_mode & S_IROTH)) return EXIT_OK;
    for (size_t i = 0; i < c->entries_n; i++)
        if (!strcmp(c->entries[i].key, "uri") && connection_has_password(c->entries[i].value)) {
            print_err("%s: a password stands here, and everybody may read it; 'chmod o-r %s'", c->entries[i].where,
                      path);
            return EXIT_CONFIG;
        }
    return EXIT_OK;
}

static int read_file(struct options *o, int fd, const char *path, struct config **ret)
{
    struct stat st;
    char *text;
    size_t n = 0;
    int code;
    if (fstat(fd, &st)) return refuse(path, "cannot be inspected", errno);
    if (S_ISDIR(st.st_mode)) return refuse(path, "is a directory", 0);
    /* Whoever may write here may choose the repository and the commands that are run. */
    if (S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH))
        return refuse(path, "everybody may write to it; 'chmod o-w' it, after a look at what it says", 0);
    text = malloc(FILE_MAX + 1);
    if (!text) return refuse(path, rsp_status_text(RSP_ENOMEM), 0);
    if (read_all(fd, text, FILE_MAX + 1, &n)) code = refuse(path, "cannot read", errno);
    else if (n > FILE_MAX) code = refuse(path, "is larger than 1 MiB", 0);
    else code = config_parse(o, path, text, n, ret);
    explicit_bzero(text, FILE_MAX + 1);
    free(text);
    if (code || !(code = refuse_open(*ret, path, &st))) return code;
    config_free(*ret);
    *ret = NULL;
    return code;
}

/* ---- which values count ---- */

static const struct config_entry *find_entry(const struct config *c, enum config_section kind, const char *name,
                                             const char *key)
{
    for (size_t i = 0; c && i < c->entries_n; i++)
        if (c->entries[i].kind == kind && !strcmp(c->entries[i].key, key) &&
            (kind == SECTION_GLOBAL || !strcmp(c->entries[i].name, name)))
            return &c->entries[i];
    return NULL;
}

static int head_there(const struct config *c, enum config_section kind, const char *name)
{
    for (size_t i = 0; c && i < c->heads_n; i++)
        if (c->heads[i].kind == kind && !strcmp(c->heads[i].name, name)) return 1;
    return 0;
}

/* What an option of a name will be: given, else of the file. */
static const char *chosen(const struct options *o, const struct config *c, int id, const char *key, const char *source)
{
    const struct config_entry *e = NULL;
    if (o->value[id].text) return o->value[id].text;
    if (source) e = find_entry(c, SECTION_SOURCE, source, key);
    if (!e) e = find_entry(c, SECTION_GLOBAL, "", key);
    return e ? e->value : NULL;
}

static int apply_opt(struct options *o, const struct config *c, const struct opt *opt, const char *source,
                     const char *repo)
{
    const struct config_entry *first = NULL;
    if (source && (opt->sections & SECTION_SOURCE)) first = find_entry(c, SECTION_SOURCE, source, opt->name);
    if (!first && repo && (opt->sections & SECTION_REPO)) first = find_entry(c, SECTION_REPO, repo, opt->name);
    if (!first && (opt->sections & SECTION_GLOBAL)) first = find_entry(c, SECTION_GLOBAL, "", opt->name);
    for (size_t i = 0; first && i < c->entries_n; i++) {
        const struct config_entry *e = &c->entries[i];
        if (e->kind != first->kind || strcmp(e->name, first->name) != 0 || strcmp(e->key, first->key) != 0) continue;
        if (options_config(o, opt, e->where, e->value)) return EXIT_CONFIG;
    }
    return EXIT_OK;
}

/* The URI that is the operand of backup or check; NULL: there is none. */
static const struct opt_value *operand_uri(const struct options *o, struct opt_value *room)
{
    if (!(o->verb->bit & (V_BACKUP | V_CHECK)) || !o->operands || !rsp_place_is_uri(o->operand[0])) return NULL;
    *room = (struct opt_value){.count = 1, .from = OPT_FROM_ARGV, .text = o->operand[0]};
    return room;
}

/* `backup SOURCE` is `backup --source SOURCE`. A server that arguments or environment name, and no source: it is called by
 * its address. */
static int take_operand(struct options *o)
{
    static char address[CONNECTION_NAME]; /* one command line in a process */
    struct opt_value *v = &o->value[O_SOURCE], room;
    const struct opt_value *uri = operand_uri(o, &room);
    enum opt_from from;
    if (!(o->verb->bit & (V_BACKUP | V_CHECK))) return EXIT_OK;
    if (o->operands && !uri) {
        if (v->from == OPT_FROM_ARGV && strcmp(v->text, o->operand[0]) != 0)
            return options_usage(o, "two sources: '%s' and --source %s", o->operand[0], v->text);
        *v = (struct opt_value){.count = 1, .from = OPT_FROM_ARGV, .text = o->operand[0]};
        return EXIT_OK;
    }
    from = connection_named(o, backupd_connection, uri);
    if (v->from >= OPT_FROM_ENV || from <= o->value[O_FROM].from) return EXIT_OK;
    connection_name(o, backupd_connection, uri, address);
    *v = (struct opt_value){.count = 1, .from = from, .text = address};
    return EXIT_OK;
}

/* The first of several is the one whose section counts. NULL: there are none. */
static const char *first_repo(const char *list)
{
    static char name[4096]; /* one command line in a process */
    if (!list) return NULL;
    list += strspn(list, " \t,");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(list, " \t,"), list);
    return *name ? name : NULL;
}

static int takes_several(const struct options *o)
{
    for (const struct opt *opt = o->program->opts; opt->name; opt++)
        if (opt->id == O_REPOS && (opt->verbs & o->verb->bit)) return 1;
    return 0;
}

static const struct config_entry *twice(const struct config *c, const char *source)
{
    return find_entry(c, SECTION_SOURCE, source, "repo") ? find_entry(c, SECTION_SOURCE, source, "repos") : NULL;
}

static int apply(struct options *o, const struct config *c)
{
    const char *source = chosen(o, c, O_SOURCE, "source", NULL);
    const char *repo, *repos;
    if (!source) source = CONFIG_SOURCE;
    if (twice(c, source)) {
        print_err("%s: [source %s] has repo and repos; one of them says where it goes", twice(c, source)->where,
                  source);
        return EXIT_CONFIG;
    }
    repo = o->value[O_REPO].text;
    repos = repo || !takes_several(o) ? NULL : first_repo(chosen(o, c, O_REPOS, "repos", source));
    repo = repos ? repos : chosen(o, c, O_REPO, "repo", source);
    for (const struct opt *opt = o->program->opts; opt->name; opt++) {
        int code;
        if (!opt->sections || !(opt->verbs & o->verb->bit)) continue;
        code = apply_opt(o, c, opt, source, repo);
        if (code) return code;
    }
    return EXIT_OK;
}

int config_load(struct options *o)
{
    const struct opt_value *given = &o->value[O_CONFIG];
    const char *path = given->text ? given->text : CONFIG_DEFAULT, *repo = o->value[O_REPO].text;
    struct config *c = NULL;
    int fd, code = take_operand(o);
    if (code) return code;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        if (!given->text && errno == ENOENT) return -1;
        /* One's own repository needs no configuration of the machine. */
        if (!given->text && errno == EACCES && repo && strchr(repo, ':')) return -1;
        return refuse(path, "cannot open", errno);
    }
    code = read_file(o, fd, path, &c);
    close(fd);
    if (code) return code;
    o->config = c;
    c->path = strdup(path);
    if (!c->path) return refuse(path, rsp_status_text(RSP_ENOMEM), 0);
    code = apply(o, c);
    return code ? code : -1;
}

/* ---- questions ---- */

int config_has_source(const struct options *o, const char *name)
{
    return head_there(o->config, SECTION_SOURCE, name);
}

const char *config_url(const struct options *o, const char *repo, const char **name, int *code)
{
    const struct config *c = o->config;
    const struct config_entry *e;
    *name = NULL;
    *code = EXIT_OK;
    if (!repo || strchr(repo, ':')) return repo;
    e = find_entry(c, SECTION_REPO, repo, "url");
    *name = repo;
    if (e) return e->value;
    *code = EXIT_CONFIG;
    if (head_there(c, SECTION_REPO, repo)) print_err("%s: [repo %s] has no url", c->path, repo);
    else if (c) print_err("%s: there is no section [repo %s]; a URL begins with file:", c->path, repo);
    else
        print_err("repo '%s' is no URL such as file:/srv/backup, and there is no configuration file that names it",
                  repo);
    return NULL;
}

struct opt_value config_repo_value(const struct options *o, const char *repo, int id)
{
    struct opt_value v = {0}, given = o->value[id];
    const struct config_entry *e = NULL;
    const struct opt *opt = o->program->opts;
    while (opt->name && !(opt->id == id && (opt->verbs & o->verb->bit))) opt++;
    if (!opt->name || given.from >= OPT_FROM_ENV) return given;
    if (repo && (opt->sections & SECTION_REPO)) e = find_entry(o->config, SECTION_REPO, repo, opt->name);
    if (!e && (opt->sections & SECTION_GLOBAL)) e = find_entry(o->config, SECTION_GLOBAL, "", opt->name);
    if (!e) return given.from == OPT_FROM_CONFIG ? v : given; /* that is of another section */
    v = (struct opt_value){.count = 1, .from = OPT_FROM_CONFIG, .where = e->where, .text = e->value};
    if (options_value_read(o, opt, e->where, e->value, &v.number)) v.count = 0;
    if (opt->kind == OPT_FLAG && !v.number) v.count = 0;
    return v;
}

const char *config_source_name(const struct options *o, size_t i)
{
    const struct config *c = o->config;
    for (size_t k = 0; c && k < c->heads_n; k++) {
        if (c->heads[k].kind != SECTION_SOURCE) continue;
        if (!i--) return c->heads[k].name;
    }
    return NULL;
}

const char *config_path(const struct options *o)
{
    const struct config *c = o->config;
    return c ? c->path : NULL;
}

const char *config_where(const struct options *o, enum config_section section, const char *name, const char *key)
{
    const struct config_entry *e = find_entry(o->config, section, name, key);
    return e ? e->where : NULL;
}
