/* What this is: completion scripts for bash and zsh from an option table.
 * Rests on: cli/options.h.
 * Does not: complete keys, which would mean reading a file while one types. */
#include <string.h>

#include "cli/exit.h"
#include "cli/options.h"
#include "cli/options_table.h"
#include "cli/print.h"

static int shown(const struct opt *opt, const struct verb *verb)
{
    return opt->help && (opt->verbs & verb->bit);
}

static void put_words(const char *const *words, FILE *out)
{
    for (size_t i = 0; words[i]; i++) fprintf(out, "%s%s", i ? " " : "", words[i]);
}

static void bash_verbs(const struct program *program, FILE *out)
{
    fprintf(out, "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                 "        mapfile -t COMPREPLY < <(compgen -W \"");
    for (const struct verb *v = program->verbs; v->name; v++)
        if (v->help) fprintf(out, "%s ", v->name);
    fprintf(out, "help --help --version\" -- \"$cur\")\n        return\n    fi\n    verb=${COMP_WORDS[1]}\n"
                 "    case $verb in\n");
    for (const struct verb *v = program->verbs; v->name; v++) {
        const char *at = v->aliases, *alias = NULL;
        size_t n;
        for (int i = 0; (n = options_word(&at, &alias)); i++)
            fprintf(out, "%s%.*s", i ? " | " : "        ", (int)n, alias);
        if (v->aliases) fprintf(out, ") verb='%s' ;;\n", v->name);
    }
    fprintf(out, "        help) mapfile -t COMPREPLY < <(compgen -W \"");
    for (const struct verb *v = program->verbs; v->name; v++)
        if (v->help) fprintf(out, "%s%s", v == program->verbs ? "" : " ", v->name);
    fprintf(out, "\" -- \"$cur\"); return ;;\n    esac\n");
}

/* What may follow an option that takes a value. */
static void bash_values(const struct program *program, FILE *out)
{
    fprintf(out, "    case $verb:$prev in\n");
    for (const struct verb *v = program->verbs; v->name; v++) {
        for (const struct opt *opt = program->opts; opt->name; opt++) {
            if (!shown(opt, v) || opt->kind == OPT_FLAG) continue;
            fprintf(out, "        %s:--%s", v->name, opt->name);
            if (opt->letter) fprintf(out, " | %s:-%c", v->name, opt->letter);
            fprintf(out, ") ");
            if (opt->words) {
                fprintf(out, "mapfile -t COMPREPLY < <(compgen -W \"");
                put_words(opt->words, out);
                fprintf(out, "\" -- \"$cur\"); ");
            } else if (opt->kind == OPT_PATH) {
                fprintf(out, "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); ");
            }
            fprintf(out, "return ;;\n");
        }
    }
    fprintf(out, "    esac\n");
}

static void bash(const struct program *program, FILE *out)
{
    fprintf(out,
            "# bash completion for %s, made by: %s __completion bash\n"
            "# shellcheck shell=bash\n"
            "_%s()\n{\n    local cur prev verb words\n    COMPREPLY=()\n"
            "    cur=${COMP_WORDS[COMP_CWORD]}\n    prev=${COMP_WORDS[COMP_CWORD - 1]}\n",
            program->name, program->name, program->name);
    bash_verbs(program, out);
    /* bash cuts "--name=value" into three words. */
    fprintf(out, "    if [ \"$cur\" = = ]; then\n        cur=\n"
                 "    elif [ \"$prev\" = = ]; then\n        prev=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n");
    bash_values(program, out);
    fprintf(out, "    if [[ $cur != -* || $cur == - ]]; then\n"
                 "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                 "        [ \"$cur\" = - ] || return 0\n    fi\n    words=--help\n    case $verb in\n");
    for (const struct verb *v = program->verbs; v->name; v++) {
        fprintf(out, "        %s) words+=\"", v->name);
        for (const struct opt *opt = program->opts; opt->name; opt++)
            if (shown(opt, v)) fprintf(out, " --%s", opt->name);
        fprintf(out, "\" ;;\n");
    }
    fprintf(out,
            "    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
            "complete -o filenames -F _%s %s\n",
            program->name, program->name);
}

/* Inside '...': quotes and what _arguments and _describe read as marks are escaped. */
static void zsh_text(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '\'') fputs("'\\''", out);
        else if (strchr("[]:\\", *text)) fprintf(out, "\\%c", *text);
        else putc(*text, out);
    }
}

static void zsh_option(const struct opt *opt, FILE *out)
{
    char word[ARG_WORD_MAX];
    const char *arg = options_arg(opt, word);
    fprintf(out, " \\\n                ");
    if (opt->repeat) fprintf(out, "'*'");
    else if (opt->letter) fprintf(out, "'(-%c --%s)'", opt->letter, opt->name);
    if (opt->letter) fprintf(out, "{-%c%s,--%s%s}'[", opt->letter, arg ? "+" : "", opt->name, arg ? "=" : "");
    else fprintf(out, "'--%s%s[", opt->name, arg ? "=" : "");
    zsh_text(opt->help, out);
    putc(']', out);
    if (arg) {
        putc(':', out);
        zsh_text(arg, out);
        putc(':', out);
        if (opt->words) {
            putc('(', out);
            put_words(opt->words, out);
            putc(')', out);
        } else if (opt->kind == OPT_PATH) {
            fprintf(out, "_files");
        }
    }
    putc('\'', out);
}

static void zsh(const struct program *program, FILE *out)
{
    fprintf(out,
            "#compdef %s\n# zsh completion for %s, made by: %s __completion zsh\n_%s()\n{\n"
            "    local -a verbs\n    verbs=(\n",
            program->name, program->name, program->name, program->name);
    for (const struct verb *v = program->verbs; v->name; v++) {
        if (!v->help) continue;
        fprintf(out, "        '%s:", v->name);
        zsh_text(v->help, out);
        fprintf(out, "'\n");
    }
    fprintf(out, "        'help:show the options of a verb'\n    )\n"
                 "    if ((CURRENT == 2)); then\n        _describe verb verbs\n        return\n    fi\n"
                 "    local verb=${words[2]}\n    shift words\n    ((CURRENT--))\n    case $verb in\n");
    for (const struct verb *v = program->verbs; v->name; v++) {
        const char *at = v->aliases, *alias = NULL;
        size_t n;
        fprintf(out, "        %s", v->name);
        while ((n = options_word(&at, &alias))) fprintf(out, "|%.*s", (int)n, alias);
        fprintf(out, ")\n            _arguments -s -S '--help[show the options]'");
        for (const struct opt *opt = program->opts; opt->name; opt++)
            if (shown(opt, v)) zsh_option(opt, out);
        fprintf(out, " \\\n                '*:operand:_files'\n            ;;\n");
    }
    fprintf(out, "        help) _describe verb verbs ;;\n    esac\n}\n_%s \"$@\"\n", program->name);
}

int options_completion(const struct program *program, const char *shell, FILE *out)
{
    if (!strcmp(shell, "bash")) {
        bash(program, out);
    } else if (!strcmp(shell, "zsh")) {
        zsh(program, out);
    } else {
        print_err("__completion: bash or zsh");
        return EXIT_USAGE;
    }
    return EXIT_OK;
}
