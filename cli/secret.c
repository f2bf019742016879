/* What this is: where a secret comes from.
 * Rests on: secret.h, cli/print.h, cli/signal.h, fork(2).
 * Does not: run a shell; ask at the terminal (terminal.c). */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/print.h"
#include "cli/signal.h"

int secret_fault(const struct secret *s, int status, const char *subject, int err, const char *format, ...)
{
    struct rsp_error *e = s->error;
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

int secret_from_fd(const struct secret *s, int fd, const char *subject, char *out, size_t cap, size_t *n)
{
    for (*n = 0;;) {
        ssize_t got = read(fd, out + *n, cap + 1 - *n);
        if (got == 0) return RSP_OK;
        if (got < 0 && errno == EINTR && !signal_caught()) continue;
        if (got < 0) return secret_fault(s, s->status, subject, errno, "the %s cannot be read", s->what);
        *n += (size_t)got;
        if (*n > cap) return secret_fault(s, s->status, subject, 0, "is longer than a %s can be", s->what);
    }
}

int secret_from_file(const struct secret *s, const char *path, char *out, size_t cap, size_t *n)
{
    struct stat st;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    *n = 0;
    if (fd < 0) return secret_fault(s, s->status, path, errno, "cannot open the file of the %s", s->what);
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO))) {
        if (s->strict && (st.st_mode & S_IROTH)) {
            close(fd);
            return secret_fault(s, s->status, path, 0, "everybody may read this %s; 'chmod 600' it", s->what);
        }
        print_warn("%s: others may read this %s; 'chmod 600' it", path, s->what);
    }
    rc = secret_from_fd(s, fd, path, out, cap, n);
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

static int run(const struct secret *s, char *const *words, char *out, size_t cap, size_t *n)
{
    int ends[2], rc, state = 0;
    pid_t child;
    if (pipe2(ends, O_CLOEXEC))
        return secret_fault(s, s->status, words[0], errno, "no pipe for the %s command", s->what);
    child = fork();
    if (child == 0) run_child(words, ends[1]);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return secret_fault(s, s->status, words[0], errno, "the %s command cannot be started", s->what);
    }
    rc = secret_from_fd(s, ends[0], words[0], out, cap, n);
    close(ends[0]);
    if (rc) kill(child, SIGTERM); /* a signal to us, or too much: it may wait for somebody for ever */
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {}
    if (rc || (WIFEXITED(state) && WEXITSTATUS(state) == 0)) return rc;
    if (WIFEXITED(state) && WEXITSTATUS(state) == 127)
        return secret_fault(s, s->status, words[0], 0, "the %s command is not there (no shell reads it)", s->what);
    return secret_fault(s, s->status, words[0], 0, "the %s command failed (status %d)", s->what,
                        WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state));
}

int secret_from_command(const struct secret *s, const char *command, char *out, size_t cap, size_t *n)
{
    char *text = strdup(command), *words[64];
    int k = text ? split_words(text, words, 64) : -1, rc;
    *n = 0;
    if (!text) return secret_fault(s, RSP_ENOMEM, NULL, 0, "no memory for the %s command", s->what);
    if (k <= 0)
        rc = secret_fault(s, s->status, command, 0, "is no command: a quotation mark is open, or there is none");
    else rc = run(s, words, out, cap, n);
    free(text);
    return rc;
}
