/* What this is: where a passphrase comes from.
 * Rests on: passphrase.h, cli/print.h, cli/signal.h, mlock(2), fork(2).
 * Does not: read from the terminal (terminal.c), keep a secret in memory that may be swapped or dumped. */
#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/print.h"
#include "cli/signal.h"
#include "cli/terminal.h"

struct passphrase {
    char text[PASSPHRASE_MAX + 1];
    size_t n;
    int have;
    char secret[SECRET_TEXT_MAX + 1];
    struct pass_options options;
    struct rsp_error *error;
};

/* Under the address sanitizer the process has to be traced by itself at its end: leaks are found so. */
#if defined(__SANITIZE_ADDRESS__)
#define TRACED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRACED 1
#endif
#endif
#ifndef TRACED
#define TRACED 0
#endif

void pass_no_cores(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) || (!TRACED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)))
        print_warn("core dumps cannot be turned off");
}

int pass_open(struct passphrase **ret, const struct pass_options *options, struct rsp_error *error)
{
    struct passphrase *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *ret = NULL;
    if (p == MAP_FAILED) return RSP_ENOMEM;
    /* Where memory may not be locked, `backupd check` says so. */
    (void)mlock(p, sizeof *p);
    (void)madvise(p, sizeof *p, MADV_DONTDUMP);
    p->options = *options;
    p->error = error;
    *ret = p;
    return RSP_OK;
}

void pass_close(struct passphrase *p)
{
    if (!p) return;
    explicit_bzero(p, sizeof *p);
    munmap(p, sizeof *p);
}

/* Fills the record unless there is something in it, and returns status. err: errno, or 0. */
static int RSP_PRINTF(5, 6)
    refuse(struct passphrase *p, int status, const char *subject, int err, const char *format, ...)
{
    struct rsp_error *e = p->error;
    va_list args;
    if (e->code) return status;
    e->code = status;
    e->sys_errno = err;
    snprintf(e->subject, sizeof e->subject, "%s", subject ? subject : "");
    va_start(args, format);
    if (vsnprintf(e->message, sizeof e->message, format, args) < 0) e->message[0] = 0;
    va_end(args);
    return status;
}

/* ---- reading ---- */

/* Up to cap bytes and whether there are more: RSP_ELIMIT. */
static int read_fd(struct passphrase *p, int fd, const char *subject, char *out, size_t cap, size_t *n)
{
    for (*n = 0;;) {
        ssize_t got = read(fd, out + *n, cap + 1 - *n);
        if (got == 0) return RSP_OK;
        if (got < 0 && errno == EINTR && !signal_caught()) continue;
        if (got < 0) return refuse(p, RSP_EKEY, subject, errno, "the passphrase cannot be read");
        *n += (size_t)got;
        if (*n > cap) return refuse(p, RSP_EKEY, subject, 0, "is longer than a passphrase or a seed can be");
    }
}

static int read_file(struct passphrase *p, const char *path)
{
    struct stat st;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return refuse(p, RSP_EKEY, path, errno, "cannot open the file of the passphrase");
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)))
        print_warn("%s: others may read this passphrase; 'chmod 600' it", path);
    rc = read_fd(p, fd, path, p->text, PASSPHRASE_MAX, &p->n);
    close(fd);
    return rc;
}

int split_words(char *text, char **words, int max)
{
    char *from = text, *to = text;
    int n = 0;
    for (;;) {
        char quote = 0;
        from += strspn(from, " \t");
        if (!*from) break;
        if (n + 1 >= max) return -1;
        words[n++] = to;
        for (; *from && (quote || (*from != ' ' && *from != '\t')); from++) {
            if (quote ? *from == quote : (*from == '\'' || *from == '"')) {
                quote = quote ? 0 : *from;
                continue;
            }
            if (*from == '\\' && quote != '\'' && from[1]) from++;
            *to++ = *from;
        }
        if (quote) return -1;
        if (*from) from++;
        *to++ = 0;
    }
    words[n] = NULL;
    return n;
}

static void run_child(char *const *words, int out)
{
    int null = open("/dev/null", O_RDONLY);
    signal(SIGPIPE, SIG_DFL);
    if (null >= 0) dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execvp(words[0], words);
    _exit(127);
}

static int run_command(struct passphrase *p, char *const *words)
{
    int ends[2], rc, state = 0;
    pid_t child;
    if (pipe2(ends, O_CLOEXEC)) return refuse(p, RSP_EKEY, words[0], errno, "no pipe for the passphrase command");
    child = fork();
    if (child == 0) run_child(words, ends[1]);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return refuse(p, RSP_EKEY, words[0], errno, "the passphrase command cannot be started");
    }
    rc = read_fd(p, ends[0], words[0], p->text, PASSPHRASE_MAX, &p->n);
    close(ends[0]);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {}
    if (rc || (WIFEXITED(state) && WEXITSTATUS(state) == 0)) return rc;
    if (WIFEXITED(state) && WEXITSTATUS(state) == 127)
        return refuse(p, RSP_EKEY, words[0], 0, "the passphrase command is not there (no shell reads it)");
    return refuse(p, RSP_EKEY, words[0], 0, "the passphrase command failed (status %d)",
                  WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state));
}

static int read_command(struct passphrase *p, const char *command)
{
    char *text = strdup(command), *words[64];
    int n = text ? split_words(text, words, 64) : -1, rc;
    if (!text) return refuse(p, RSP_ENOMEM, NULL, 0, "no memory for the passphrase command");
    if (n <= 0) rc = refuse(p, RSP_EKEY, command, 0, "is no command: a quotation mark is open, or there is none");
    else rc = run_command(p, words);
    free(text);
    return rc;
}

/* ---- choosing ---- */

/* The option that counts: the one given nearest; NULL when there is none. */
static const struct opt_value *chosen(const struct passphrase *p)
{
    const struct opt_value *const options[] = {p->options.file, p->options.fd, p->options.command}, *best = NULL;
    for (int i = 0; i < 3; i++)
        if (options[i]->count && (!best || options[i]->from > best->from)) best = options[i];
    return best;
}

int pass_given(const struct passphrase *p)
{
    return chosen(p) != NULL;
}

static int fetch(struct passphrase *p, const char *subject)
{
    const struct opt_value *v = chosen(p);
    char prompt[300];
    if (v && v == p->options.file) return read_file(p, v->text);
    if (v && v == p->options.fd) return read_fd(p, (int)v->number, "--passphrase-fd", p->text, PASSPHRASE_MAX, &p->n);
    if (v) return read_command(p, v->text);
    if (!terminal_there())
        return refuse(p, RSP_EKEY, subject, 0,
                      "is under a passphrase, and there is no terminal to ask at: give it by --passphrase-file, "
                      "--passphrase-fd or --passphrase-command, or RESPITE_PASSPHRASE_FILE");
    snprintf(prompt, sizeof prompt, "passphrase of %s: ", subject ? subject : "the identity");
    if (!terminal_line(prompt, p->text, PASSPHRASE_MAX, &p->n)) return RSP_OK;
    return refuse(p, RSP_EKEY, subject, 0, "no passphrase was typed");
}

int pass_get(struct passphrase *p, const char *subject, struct rsp_span *ret)
{
    if (!p->have) {
        int rc = fetch(p, subject);
        if (rc) return rc;
        if (p->n && p->text[p->n - 1] == '\n') p->n--;
        if (!p->n) return refuse(p, RSP_EKEY, subject, 0, "the passphrase is empty");
        p->have = 1;
    }
    ret->p = (const uint8_t *)p->text;
    ret->n = p->n;
    return RSP_OK;
}

int pass_new(struct passphrase *p, const char *subject, struct rsp_span *ret)
{
    int asked = !p->have && !pass_given(p), same;
    size_t n = 0;
    int rc = pass_get(p, subject, ret);
    if (rc || !asked) return rc;
    same = !terminal_line("once more: ", p->secret, PASSPHRASE_MAX, &n) && n == p->n && !memcmp(p->secret, p->text, n);
    explicit_bzero(p->secret, sizeof p->secret);
    return same ? RSP_OK : refuse(p, RSP_EKEY, subject, 0, "the two passphrases differ");
}

int pass_ask(void *opaque, const char *subject, char *out, size_t cap, size_t *n)
{
    struct rsp_span text = {NULL, 0};
    int rc = pass_get(opaque, subject, &text);
    if (rc) return rc;
    if (!text.p || text.n > cap) return refuse(opaque, RSP_EKEY, subject, 0, "the passphrase is too long");
    memcpy(out, text.p, text.n);
    *n = text.n;
    return RSP_OK;
}

int secret_read(struct passphrase *p, struct rsp_span *ret)
{
    size_t n = 0;
    int rc;
    if (isatty(STDIN_FILENO)) {
        rc = terminal_secret("recovery sheet (four lines) or secret; an empty line ends it:\n", p->secret,
                             SECRET_TEXT_MAX, &n)
                 ? refuse(p, RSP_EKEY, "--identity -", 0, "nothing was typed")
                 : RSP_OK;
    } else {
        rc = read_fd(p, STDIN_FILENO, "standard input", p->secret, SECRET_TEXT_MAX, &n);
    }
    ret->p = (const uint8_t *)p->secret;
    ret->n = n;
    return rc;
}
