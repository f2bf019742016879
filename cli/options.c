/* What this is: parsing of a command line by a program's option table.
 * Rests on: cli/options.h, cli/print.h.
 * Does not: print help (options_help.c). */
#include "cli/options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/filter.h>

#include "cli/exit.h"
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

/* How many letters must be put in, taken out or changed to come from a to b; long words: far. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[33];
    size_t na = strlen(a), nb = strlen(b);
    if (na > 32 || nb > 32) return UINT_MAX;
    for (unsigned k = 0; k <= nb; k++) row[k] = k;
    for (size_t i = 0; i < na; i++) {
        unsigned diagonal = row[0];
        row[0]++;
        for (size_t k = 0; k < nb; k++) {
            unsigned change = diagonal + (a[i] != b[k]);
            unsigned shorter = row[k + 1] < row[k] ? row[k + 1] : row[k];
            diagonal = row[k + 1];
            row[k + 1] = change <= shorter ? change : shorter + 1;
        }
    }
    return row[nb];
}

struct nearest {
    const char *word;
    unsigned distance;
};

static void consider(struct nearest *best, const char *wrong, const char *word)
{
    size_t n = strlen(wrong);
    unsigned d = distance(wrong, word);
    if (d > 2 && n >= 2 && !strncmp(wrong, word, n)) d = 2; /* a beginning of it */
    if (d > 2 || d >= strlen(word) || d >= best->distance) return;
    best->word = word;
    best->distance = d;
}

static const struct verb *verb_find(const struct program *program, const char *word)
{
    for (const struct verb *v = program->verbs; v->name; v++) {
        const char *at = v->aliases, *alias = NULL;
        size_t n;
        if (!strcmp(v->name, word)) return v;
        while ((n = options_word(&at, &alias)))
            if (strlen(word) == n && !memcmp(word, alias, n)) return v;
    }
    return NULL;
}

static int verb_unknown(const struct program *program, const char *word)
{
    struct nearest best = {NULL, UINT_MAX};
    for (const struct verb *v = program->verbs; v->name; v++) consider(&best, word, v->name);
    if (best.word) print_err("unknown verb '%s'; did you mean '%s'?", word, best.word);
    else print_err("unknown verb '%s'; '%s --help' lists them", word, program->name);
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
        else if ((opt->verbs & o->verb->bit) && opt->help) consider(&best, wrong, opt->name);
    }
    if (foreign) {
        for (const struct verb *v = o->program->verbs; v->name; v++)
            if (foreign->verbs & v->bit)
                return options_usage(o, "'--%s' is no option of this verb, but of '%s'", wrong, v->name);
    }
    if (best.word) return options_usage(o, "unknown option '--%s'; did you mean '--%s'?", wrong, best.word);
    return options_usage(o, "unknown option '--%s'", wrong);
}

/* Strict decimal: no blanks, no '+'. */
static int parse_int(const char *text, int64_t *v)
{
    int negative = text[0] == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, sum = 0;
    const char *p = text + negative;
    if (!*p) return 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (sum > (limit - digit) / 10) return 0;
        sum = sum * 10 + digit;
    }
    if (*p) return 0;
    if (!negative) *v = (int64_t)sum;
    else *v = sum ? -(int64_t)(sum - 1) - 1 : 0;
    return 1;
}

static int parse_flag_text(const char *text, int64_t *v)
{
    static const char *const words[] = {"0", "1", "no", "yes", "false", "true", "off", "on"};
    for (int i = 0; i < 8; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *v = i & 1;
        return 1;
    }
    return 0;
}

/* The numbers of a range as the user would write them. */
static int out_of_range(const struct options *o, const struct opt *opt, const char *shown, const char *text)
{
    char low[TEXT_MAX], high[TEXT_MAX];
    if (opt->kind == OPT_SIZE) {
        text_size(low, (uint64_t)opt->min), text_size(high, (uint64_t)opt->max);
    } else if (opt->kind == OPT_DURATION) {
        text_duration(low, opt->min), text_duration(high, opt->max);
    } else {
        snprintf(low, sizeof low, "%lld", (long long)opt->min);
        snprintf(high, sizeof high, "%lld", (long long)opt->max);
    }
    if (opt->max == INT64_MAX) return options_usage(o, "%s: '%s' is less than %s", shown, text, low);
    return options_usage(o, "%s: '%s' is not within %s and %s", shown, text, low, high);
}

static int read_enum(const struct options *o, const struct opt *opt, const char *shown, const char *text, int64_t *v)
{
    char words[ARG_WORD_MAX];
    struct opt bare = {.kind = OPT_ENUM, .words = opt->words};
    for (int i = 0; opt->words[i]; i++) {
        if (strcmp(opt->words[i], text) != 0) continue;
        *v = i;
        return EXIT_OK;
    }
    return options_usage(o, "%s: '%s' is none of %s", shown, text, options_arg(&bare, words));
}

/* shown: the option or the environment variable, for messages. */
static int read_number(const struct options *o, const struct opt *opt, const char *shown, const char *text, int64_t *v)
{
    uint64_t bytes;
    switch (opt->kind) {
    case OPT_FLAG:
        if (!parse_flag_text(text, v)) return options_usage(o, "%s: '%s' is neither yes nor no", shown, text);
        return EXIT_OK;
    case OPT_INT:
        if (!parse_int(text, v)) return options_usage(o, "%s: '%s' is not a number", shown, text);
        if (!opt->min && !opt->max && *v < 0) return options_usage(o, "%s: '%s' is less than 0", shown, text);
        break;
    case OPT_SIZE:
        if (rsp_parse_size(text, &bytes) || bytes > INT64_MAX)
            return options_usage(o, "%s: '%s' is not a size such as 64M or 1GiB", shown, text);
        *v = (int64_t)bytes;
        break;
    case OPT_DURATION:
        if (rsp_parse_duration(text, v))
            return options_usage(o, "%s: '%s' is not a duration such as 250ms, 30s or 2h", shown, text);
        break;
    case OPT_ENUM: return read_enum(o, opt, shown, text, v);
    default: return EXIT_OK;
    }
    if ((opt->min || opt->max) && (*v < opt->min || *v > opt->max)) return out_of_range(o, opt, shown, text);
    return EXIT_OK;
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
    int code = read_number(o, opt, shown, text, &value->number);
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

static int take_environment(struct options *o)
{
    for (const struct opt *opt = o->program->opts; opt->name; opt++) {
        const char *text;
        int code;
        if (!(opt->verbs & o->verb->bit) || o->value[opt->id].from != OPT_FROM_NONE) continue;
        text = opt->env ? getenv(opt->env) : NULL;
        if (text && *text) code = value_set(o, opt, opt->env, text, OPT_FROM_ENV);
        else if (opt->text) code = value_set(o, opt, opt->name, opt->text, OPT_FROM_DEFAULT);
        else continue;
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

static int parse_verb(struct options *o, struct args *args)
{
    int code;
    o->word = args->arg[1];
    args->at = 2;
    o->value = calloc((size_t)o->program->count + 1, sizeof *o->value);
    o->operand = calloc((size_t)args->n, sizeof *o->operand);
    if (!o->value || !o->operand) return out_of_memory();
    code = take_all(o, args);
    if (code < 0) {
        options_help(o->program, o->verb, stdout);
        return print_finish();
    }
    if (code || (code = take_environment(o)) || (code = check_operands(o))) return code;
    return -1;
}

static int parse_help(const struct program *program, const struct args *args)
{
    const struct verb *verb = NULL;
    if (args->n > 2 && !(verb = verb_find(program, args->arg[2]))) return verb_unknown(program, args->arg[2]);
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
    o->verb = verb_find(program, word);
    if (!o->verb) return verb_unknown(program, word);
    return parse_verb(o, &args);
}

void options_free(struct options *o)
{
    for (int i = 0; o->value && i < o->program->count; i++) free(o->value[i].list);
    free(o->value);
    free(o->operand);
    o->value = NULL;
    o->operand = NULL;
    o->operands = 0;
}
