/* What this is: help texts and the dump of an option table.
 * Rests on: cli/options.h.
 * Does not: know the terminal: lines are made for 80 columns. */
#include <string.h>

#include "cli/options.h"
#include "cli/options_table.h"
#include "cli/print.h"

#define COLUMNS 80
#define INDENT 26

struct wrap {
    FILE *out;
    size_t column;
};

/* Words of text, broken before the line is full; further lines begin at INDENT. */
static void wrap_text(struct wrap *w, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, " ");
        if (w->column > INDENT && w->column + 1 + n >= COLUMNS) {
            fprintf(w->out, "\n%*s", INDENT, "");
            w->column = INDENT;
        } else if (w->column > INDENT) {
            putc(' ', w->out);
            w->column++;
        }
        fwrite(text, 1, n, w->out);
        w->column += n;
        text += n;
        text += strspn(text, " ");
    }
}

static void wrap_left(struct wrap *w, const char *left)
{
    size_t n = strlen(left);
    fprintf(w->out, "%s", left);
    if (n + 2 > INDENT) {
        putc('\n', w->out);
        n = 0;
    }
    fprintf(w->out, "%*s", (int)(INDENT - n), "");
    w->column = INDENT;
}

static void opt_help(const struct program *program, const struct opt *opt, FILE *out)
{
    struct wrap w = {out, 0};
    char word[ARG_WORD_MAX], left[ARG_WORD_MAX + 80], note[ARG_WORD_MAX + 80], letter[5] = "    ", name[ENV_NAME_MAX];
    const char *arg = options_arg(opt, word), *env = options_env(program, opt, name);
    if (opt->letter) snprintf(letter, sizeof letter, "-%c, ", opt->letter);
    if (opt->alone) snprintf(left, sizeof left, "  %s--%s[=%s]", letter, opt->name, arg);
    else snprintf(left, sizeof left, "  %s--%s%s%s", letter, opt->name, arg ? " " : "", arg ? arg : "");
    wrap_left(&w, left);
    wrap_text(&w, opt->help);
    if (opt->kind == OPT_INT && opt->max > opt->min && opt->max < INT64_MAX) {
        snprintf(note, sizeof note, "(%lld to %lld)", (long long)opt->min, (long long)opt->max);
        wrap_text(&w, note);
    }
    if (opt->text && opt->kind != OPT_FLAG) {
        snprintf(note, sizeof note, "(default %s)", opt->text);
        wrap_text(&w, note);
    }
    if (opt->repeat) wrap_text(&w, "(repeatable)");
    if (env) {
        snprintf(note, sizeof note, "[%s]", env);
        wrap_text(&w, note);
    }
    putc('\n', out);
}

static void verb_usage(const struct program *program, const struct verb *verb, FILE *out)
{
    const char *operands = verb->operands ? verb->operands : "";
    const char *at = verb->aliases, *alias = NULL;
    size_t n;
    int any = 0;
    fprintf(out, "usage: %s %s [options]%s%s\n\n  %s\n", program->name, verb->name, *operands ? " " : "", operands,
            verb->help);
    if (verb->aliases) fprintf(out, "  also: ");
    for (int i = 0; (n = options_word(&at, &alias)); i++) fprintf(out, "%s%.*s", i ? ", " : "", (int)n, alias);
    if (verb->aliases) putc('\n', out);
    for (const struct opt *opt = program->opts; opt->name; opt++) {
        if (!(opt->verbs & verb->bit) || !opt->help) continue;
        if (!any++) fprintf(out, "\noptions:\n");
        opt_help(program, opt, out);
    }
    if (verb->notes) fprintf(out, "\n%s\n", verb->notes);
}

static void verb_line(const struct verb *v, FILE *out)
{
    struct wrap w = {out, 0};
    char left[160];
    if (!v->help) return;
    snprintf(left, sizeof left, "  %s%s%s", v->name, v->operands ? " " : "", v->operands ? v->operands : "");
    wrap_left(&w, left);
    wrap_text(&w, v->help);
    putc('\n', out);
}

int options_help_group(const struct program *program, const char *word, FILE *out)
{
    int any = 0;
    for (const struct verb *v = program->verbs; v->name; v++) {
        size_t n = options_group(v, NULL);
        if (!n || strlen(word) != n || memcmp(word, v->name, n) != 0) continue;
        if (!any++) fprintf(out, "usage: %s %s VERB [options] [operands]\n\nverbs:\n", program->name, word);
        verb_line(v, out);
    }
    if (any) fprintf(out, "\n'%s help %s VERB' shows a verb's options.\n", program->name, word);
    return any;
}

void options_help(const struct program *program, const struct verb *verb, FILE *out)
{
    if (verb) {
        verb_usage(program, verb, out);
        return;
    }
    fprintf(out, "usage: %s VERB [options] [operands]\n\n  %s\n\nverbs:\n", program->name, program->about);
    for (const struct verb *v = program->verbs; v->name; v++) verb_line(v, out);
    fprintf(out, "\n'%s help VERB' shows a verb's options, '%s --version' the version.\n", program->name,
            program->name);
    if (program->notes) fprintf(out, "\n%s\n", program->notes);
}

void options_dump(const struct program *program, FILE *out)
{
    for (const struct opt *opt = program->opts; opt->name; opt++) {
        char word[ARG_WORD_MAX];
        const char *arg = options_arg(opt, word);
        int any = 0;
        if (!opt->help) continue;
        fprintf(out, "%s\t%c\t%s\t", opt->name, opt->letter ? opt->letter : '-', arg ? arg : "-");
        for (const struct verb *v = program->verbs; v->name; v++)
            if (opt->verbs & v->bit) fprintf(out, "%s%s", any++ ? "," : "", v->name);
        fprintf(out, "\t%s\n", opt->help);
    }
}
