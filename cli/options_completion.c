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

/* A verb as one word of the script: "key new" is key-new. */
static void put_label(const struct verb *verb, FILE *out)
{
    for (const char *p = verb->name; *p; p++) putc(*p == ' ' ? '-' : *p, out);
}

/* First words, each once. */
static void put_first_words(const struct program *program, FILE *out)
{
    int any = 0;
    for (const struct verb *v = program->verbs; v->name; v++) {
        int n = (int)options_group(v, NULL);
        if (!v->help || !options_group_first(program, v)) continue;
        fprintf(out, "%s%.*s", any++ ? " " : "", n ? n : (int)strlen(v->name), v->name);
    }
}

static void put_second_words(const struct verb *group, FILE *out)
{
    const char *second = NULL;
    for (const struct verb *v = group; v->name; v++) {
        if (!v->help || !options_group_same(v, group)) continue;
        options_group(v, &second);
        fprintf(out, "%s%s", v == group ? "" : " ", second);
    }
}

static void bash_verbs(const struct program *program, FILE *out)
{
    fprintf(out, "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                 "        mapfile -t COMPREPLY < <(compgen -W \"");
    put_first_words(program, out);
    fprintf(out, " help --help --version\" -- \"$cur\")\n        return\n    fi\n    verb=${COMP_WORDS[1]}\n"
                 "    case $verb in\n");
    for (const struct verb *v = program->verbs; v->name; v++) {
        const char *at = v->aliases, *alias = NULL;
        size_t n;
        for (int i = 0; (n = options_word(&at, &alias)); i++)
            fprintf(out, "%s%.*s", i ? " | " : "        ", (int)n, alias);
        if (v->aliases) fprintf(out, ") verb='%s' ;;\n", v->name);
        n = options_group(v, NULL);
        if (!n || !options_group_first(program, v)) continue;
        fprintf(out,
                "        %.*s)\n            if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
                "                mapfile -t COMPREPLY < <(compgen -W \"",
                (int)n, v->name);
        put_second_words(v, out);
        fprintf(out, "\" -- \"$cur\")\n                return\n            fi\n"
                     "            verb=$verb-${COMP_WORDS[2]}\n            ;;\n");
    }
    fprintf(out, "        help) mapfile -t COMPREPLY < <(compgen -W \"");
    put_first_words(program, out);
    fprintf(out, "\" -- \"$cur\"); return ;;\n    esac\n");
}

/* What may follow an option that takes a value. */
static void bash_values(const struct program *program, FILE *out)
{
    fprintf(out, "    case $verb:$prev in\n");
    for (const struct verb *v = program->verbs; v->name; v++) {
        for (const struct opt *opt = program->opts; opt->name; opt++) {
            if (!shown(opt, v) || opt->kind == OPT_FLAG) continue;
            if (opt->alone) continue;
            fprintf(out, "        ");
            put_label(v, out);
            fprintf(out, ":--%s", opt->name);
            if (opt->letter) {
                fprintf(out, " | ");
                put_label(v, out);
                fprintf(out, ":-%c", opt->letter);
            }
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
        fprintf(out, "        ");
        put_label(v, out);
        fprintf(out, ") words+=\"");
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
    else fprintf(out, "'--%s%s[", opt->name, opt->alone ? "=-" : arg ? "=" : "");
    zsh_text(opt->help, out);
    putc(']', out);
    if (arg) {
        fputs(opt->alone ? "::" : ":", out);
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

static void zsh_verb_lists(const struct program *program, FILE *out)
{
    const char *second = NULL;
    fprintf(out, "    local -a verbs seconds\n    verbs=(\n");
    for (const struct verb *v = program->verbs; v->name; v++) {
        size_t n = options_group(v, NULL);
        if (!v->help || !options_group_first(program, v)) continue;
        fprintf(out, "        '%.*s:", n ? (int)n : (int)strlen(v->name), v->name);
        if (n) put_second_words(v, out);
        else zsh_text(v->help, out);
        fprintf(out, "'\n");
    }
    fprintf(out, "        'help:show the options of a verb'\n    )\n"
                 "    if ((CURRENT == 2)); then\n        _describe verb verbs\n        return\n    fi\n"
                 "    local verb=${words[2]}\n    shift words\n    ((CURRENT--))\n    case $verb in\n");
    for (const struct verb *group = program->verbs; group->name; group++) {
        size_t n = options_group(group, NULL);
        if (!n || !options_group_first(program, group)) continue;
        fprintf(out, "        %.*s)\n            seconds=(\n", (int)n, group->name);
        for (const struct verb *v = group; v->name; v++) {
            if (!v->help || !options_group_same(v, group)) continue;
            options_group(v, &second);
            fprintf(out, "                '%s:", second);
            zsh_text(v->help, out);
            fprintf(out, "'\n");
        }
        fprintf(out, "            )\n            if ((CURRENT == 2)); then\n"
                     "                _describe verb seconds\n                return\n            fi\n"
                     "            verb=$verb-${words[2]}\n            shift words\n            ((CURRENT--))\n"
                     "            ;;\n");
    }
    fprintf(out, "    esac\n");
}

static void zsh(const struct program *program, FILE *out)
{
    fprintf(out, "#compdef %s\n# zsh completion for %s, made by: %s __completion zsh\n_%s()\n{\n", program->name,
            program->name, program->name, program->name);
    zsh_verb_lists(program, out);
    fprintf(out, "    case $verb in\n");
    for (const struct verb *v = program->verbs; v->name; v++) {
        const char *at = v->aliases, *alias = NULL;
        size_t n;
        fprintf(out, "        ");
        put_label(v, out);
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
