/* What this is: parsing of a command line by a program's option table.
 * Rests on: cli/options.h, cli/print.h.
 * Does not: read a value (options_value.c), find a verb (options_verb.c), print help (options_help.c). */
#include "cli/options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/options_near.h"
#include "cli/options_table.h"
#include "cli/print.h"

struct args {
    char **arg;
    int n, at;
};

size_t options_word(const char **at, const char **word)
{
    size_t n;
    if (!*at) return 0;
    *word = *at;
    n = strcspn(*at, ",");
    *at += n;
    if (**at) (*at)++;
    return n;
}

const char *options_arg(const struct opt *opt, char out[ARG_WORD_MAX])
{
    size_t n = 0;
    if (opt->kind == OPT_FLAG) return NULL;
    if (opt->arg) return opt->arg;
    switch (opt->kind) {
    case OPT_INT: return "N";
    case OPT_SIZE: return "SIZE";
    case OPT_DURATION: return "DURATION";
    case OPT_PERCENT: return "PERCENT";
    case OPT_PATH: return "FILE";
    case OPT_ENUM: break;
    default: return "TEXT";
    }
    out[0] = 0;
    for (size_t i = 0; opt->words[i] && n < ARG_WORD_MAX; i++)
        n += (size_t)snprintf(out + n, ARG_WORD_MAX - n, "%s%s", i ? "|" : "", opt->words[i]);
    return out;
}

static int out_of_memory(void)
{
    print_err("%s", rsp_status_text(RSP_ENOMEM));
    return EXIT_CAPACITY;
}

int options_usage(const struct options *o, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    if (vsnprintf(line, sizeof line, format, args) < 0) line[0] = 0;
    va_end(args);
    if (o->verb) print_err("%s: %s", o->word, line);
    else print_err("%s", line);
    return EXIT_USAGE;
}

static const struct opt *opt_find(const struct options *o, const char *name, size_t n)
{
    for (const struct opt *opt = o->program->opts; opt->name; opt++)
        if ((opt->verbs & o->verb->bit) && !strncmp(opt->name, name, n) && !opt->name[n]) return opt;
    return NULL;
}

static const struct opt *opt_of_letter(const struct options *o, char letter)
{
    for (const struct opt *opt = o->program->opts; opt->name; opt++)
        if ((opt->verbs & o->verb->bit) && opt->letter == letter) return opt;
    return NULL;
}

static int opt_unknown(const struct options *o, const char *name, size_t n)
{
    struct nearest best = {NULL, UINT_MAX};
    const struct opt *foreign = NULL;
    char wrong[64];
    if (n >= sizeof wrong) n = sizeof wrong - 1;
    memcpy(wrong, name, n);
    wrong[n] = 0;
    for (const struct opt *opt = o->program->opts; opt->name; opt++) {
        if (!strcmp(opt->name, wrong)) foreign = opt;
        else if ((opt->verbs & o->verb->bit) && opt->help) options_near(&best, wrong, opt->name);
    }
    if (foreign) {
        for (const struct verb *v = o->program->verbs; v->name; v++)
            if (foreign->verbs & v->bit)
                return options_usage(o, "'--%s' is no option of this verb, but of '%s'", wrong, v->name);
    }
    if (best.word) return options_usage(o, "unknown option '--%s'; did you mean '--%s'?", wrong, best.word);
    return options_usage(o, "unknown option '--%s'", wrong);
}

static int list_add(struct opt_value *value, const char *text)
{
    const char **list = realloc(value->list, (value->n + 1) * sizeof *list);
    if (!list) return out_of_memory();
    list[value->n++] = text;
    value->list = list;
    return EXIT_OK;
}

static int value_set(struct options *o, const struct opt *opt, const char *shown, const char *text, enum opt_from from)
{
    struct opt_value *value = &o->value[opt->id];
    int code = options_value_read(o, opt, shown, text, &value->number);
    if (code) return code;
    if (value->count && !opt->repeat && opt->kind != OPT_FLAG)
        return options_usage(o, "%s may be given only once", shown);
    if (opt->repeat && (code = list_add(value, text))) return code;
    value->text = text;
    value->from = from;
    /* NAME=no in the environment is the same as no flag. */
    if (from != OPT_FROM_DEFAULT && (opt->kind != OPT_FLAG || value->number)) value->count++;
    return EXIT_OK;
}

int options_config_check(const struct options *o, const struct opt *opt, const char *where, const char *text)
{
    char shown[400];
    int64_t number;
    snprintf(shown, sizeof shown, "%s: %s", where, opt->name);
    return options_value_read(o, opt, shown, text, &number);
}

int options_config(struct options *o, const struct opt *opt, const char *where, const char *text)
{
    struct opt_value *value = &o->value[opt->id];
    char shown[400];
    int code;
    snprintf(shown, sizeof shown, "%s: %s", where, opt->name);
    if (value->from > OPT_FROM_CONFIG) return options_config_check(o, opt, where, text);
    code = value_set(o, opt, shown, text, OPT_FROM_CONFIG);
    value->where = where;
    return code;
}

/* "--name", "--name=value", "--name value"; name is behind the dashes. */
static int take_long(struct options *o, struct args *args, const char *name)
{
    size_t n = strcspn(name, "=");
    const struct opt *opt = opt_find(o, name, n);
    char shown[72];
    if (!opt) return opt_unknown(o, name, n);
    snprintf(shown, sizeof shown, "--%s", opt->name);
    if (opt->kind == OPT_FLAG) {
        if (name[n]) return options_usage(o, "%s takes no value", shown);
        return value_set(o, opt, shown, "1", OPT_FROM_ARGV);
    }
    if (name[n]) return value_set(o, opt, shown, name + n + 1, OPT_FROM_ARGV);
    if (opt->alone) return value_set(o, opt, shown, opt->alone, OPT_FROM_ARGV);
    if (args->at == args->n) return options_usage(o, "%s needs a value", shown);
    return value_set(o, opt, shown, args->arg[args->at++], OPT_FROM_ARGV);
}

/* "-x", "-xy", "-x value", "-xvalue". -1 after the help of -h. */
static int take_letters(struct options *o, struct args *args, const char *letters)
{
    for (; *letters; letters++) {
        const struct opt *opt = opt_of_letter(o, *letters);
        char shown[3] = {'-', *letters, 0};
        int code;
        if (!opt && *letters == 'h') return -1;
        if (!opt) return options_usage(o, "unknown option '%s'", shown);
        if (opt->kind != OPT_FLAG) {
            if (letters[1]) return value_set(o, opt, shown, letters + 1, OPT_FROM_ARGV);
            if (*letters == 'h' && args->at == args->n) return -1; /* -h of a host, without one */
            if (args->at == args->n) return options_usage(o, "%s needs a value", shown);
            return value_set(o, opt, shown, args->arg[args->at++], OPT_FROM_ARGV);
        }
        if ((code = value_set(o, opt, shown, "1", OPT_FROM_ARGV))) return code;
    }
    return EXIT_OK;
}

/* -1 when help was asked for. */
static int take_all(struct options *o, struct args *args)
{
    int only_operands = 0, code;
    while (args->at < args->n) {
        const char *arg = args->arg[args->at++];
        if (only_operands || arg[0] != '-' || !arg[1]) {
            o->operand[o->operands++] = arg;
            continue;
        }
        if (!strcmp(arg, "--help")) return -1;
        if (!strcmp(arg, "--")) {
            only_operands = 1;
            continue;
        }
        code = arg[1] == '-' ? take_long(o, args, arg + 2) : take_letters(o, args, arg + 1);
        if (code) return code;
    }
    return EXIT_OK;
}

const char *options_env(const struct program *program, const struct opt *opt, char out[ENV_NAME_MAX])
{
    size_t n;
    if (opt->env || !program->env_prefix) return opt->env;
    n = (size_t)snprintf(out, ENV_NAME_MAX, "%s%s", program->env_prefix, opt->name);
    if (n >= ENV_NAME_MAX) return NULL;
    for (char *p = out + strlen(program->env_prefix); *p; p++) {
        if (*p == '-') *p = '_';
        else if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 'a' + 'A');
    }
    return out;
}

static int take_environment(struct options *o)
{
    for (const struct opt *opt = o->program->opts; opt->name; opt++) {
        char name[ENV_NAME_MAX];
        const char *env, *text;
        int code;
        if (!(opt->verbs & o->verb->bit) || o->value[opt->id].from != OPT_FROM_NONE) continue;
        env = options_env(o->program, opt, name);
        text = env ? getenv(env) : NULL;
        if (!text || !*text) continue;
        code = value_set(o, opt, env, text, OPT_FROM_ENV);
        if (code) return code;
    }
    return EXIT_OK;
}

static int take_defaults(struct options *o)
{
    for (const struct opt *opt = o->program->opts; opt->name; opt++) {
        int code;
        if (!opt->text || !(opt->verbs & o->verb->bit) || o->value[opt->id].from != OPT_FROM_NONE) continue;
        code = value_set(o, opt, opt->name, opt->text, OPT_FROM_DEFAULT);
        if (code) return code;
    }
    return EXIT_OK;
}

static int check_operands(const struct options *o)
{
    const struct verb *verb = o->verb;
    const char *word = verb->operands ? verb->operands : "";
    if (o->operands > (size_t)verb->max) {
        if (verb->max == 0) return options_usage(o, "takes no operands, but '%s' was given", o->operand[0]);
        return options_usage(o, "unexpected operand '%s'", o->operand[verb->max]);
    }
    if (o->operands >= (size_t)verb->min) return EXIT_OK;
    for (size_t i = 0; i < o->operands && *word; i++) {
        word += strcspn(word, " ");
        word += strspn(word, " ");
    }
    return options_usage(o, "%.*s is missing; usage: %s %s [options] %s", (int)strcspn(word, " ."), word,
                         o->program->name, verb->name, verb->operands);
}

static int take_config(struct options *o)
{
    int code = o->program->config ? o->program->config(o) : -1;
    return code < 0 ? EXIT_OK : code;
}

static int parse_verb(struct options *o, struct args *args)
{
    int code;
    o->value = calloc((size_t)o->program->count + 1, sizeof *o->value);
    o->operand = calloc((size_t)args->n, sizeof *o->operand);
    if (!o->value || !o->operand) return out_of_memory();
    code = take_all(o, args);
    if (code < 0) {
        options_help(o->program, o->verb, stdout);
        return print_finish();
    }
    if (code || (code = take_environment(o)) || (code = check_operands(o))) return code;
    if ((code = take_config(o)) || (code = take_defaults(o))) return code;
    return -1;
}

static int parse_help(const struct program *program, const struct args *args)
{
    const struct verb *verb = NULL;
    if (args->n == 3 && options_help_group(program, args->arg[2], stdout)) return print_finish();
    if (args->n > 2 && !options_verb(program, args->arg + 2, args->n - 2, &verb)) return EXIT_USAGE;
    options_help(program, verb, stdout);
    return print_finish();
}

int options_parse(const struct program *program, int argc, char **argv, struct options *o)
{
    struct args args = {.arg = argv, .n = argc};
    const char *word = argc > 1 ? argv[1] : NULL;
    int code;
    memset(o, 0, sizeof *o);
    o->program = program;
    print_init(program->name);
    if (!word) {
        print_err("a verb is missing; '%s --help' lists them", program->name);
        return EXIT_USAGE;
    }
    if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h")) return parse_help(program, &args);
    if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
        printf("%s %s\n", program->name, program->version);
        return print_finish();
    }
    if (!strcmp(word, "__options")) {
        options_dump(program, stdout);
        return print_finish();
    }
    if (!strcmp(word, "__completion")) {
        code = options_completion(program, argc > 2 ? argv[2] : "", stdout);
        return code ? code : print_finish();
    }
    if (word[0] == '-') {
        print_err("the verb comes first: %s VERB [options]; '%s' is none", program->name, word);
        return EXIT_USAGE;
    }
    if (argc == 3 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")) &&
        options_help_group(program, word, stdout))
        return print_finish();
    args.at = 1 + options_verb(program, argv + 1, argc - 1, &o->verb);
    if (args.at == 1) return EXIT_USAGE;
    o->word = args.at == 2 ? word : o->verb->name;
    return parse_verb(o, &args);
}

void options_free(struct options *o)
{
    for (int i = 0; o->value && i < o->program->count; i++) free(o->value[i].list);
    free(o->value);
    free(o->operand);
    if (o->program && o->program->config_free) o->program->config_free(o->config);
    o->config = NULL;
    o->value = NULL;
    o->operand = NULL;
    o->operands = 0;
}
