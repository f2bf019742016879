/* What this is: a program started, looked after and ended.
 * Rests on: engine.h, base/mem.h.
 * Does not: use a shell, nor let a program outlive the thread that started it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "job/engine.h"
#include "repl/sync_turns.h"

#define KEPT 3 /* the descriptor that a child keeps beside the standard ones */
#define TOLD 4 /* where it tells why it could not begin */

/* ---- in the child: async-signal-safe calls only ---- */

static void reset_signals(void)
{
    struct sigaction sa;
    sigset_t none;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = SIG_DFL;
    for (int i = 1; i < NSIG; i++) (void)sigaction(i, &sa, NULL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptors first go where nothing that is needed can lie. */
static int arrange(const struct child_start *s, int told)
{
    int null = open("/dev/null", O_RDONLY), out, keep = -1, tell;
    null = null < 0 ? -1 : fcntl(null, F_DUPFD, 10);
    out = fcntl(s->out, F_DUPFD, 10);
    tell = fcntl(told, F_DUPFD, 10);
    if (s->keep >= 0) keep = fcntl(s->keep, F_DUPFD, 10);
    if (null < 0 || out < 0 || tell < 0 || (s->keep >= 0 && keep < 0)) return -1;
    if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) return -1;
    if (keep >= 0 && dup2(keep, KEPT) < 0) return -1;
    if (dup2(tell, TOLD) < 0 || fcntl(TOLD, F_SETFD, FD_CLOEXEC) < 0) return -1;
    if (keep < 0) (void)close(KEPT);
    return close_range(TOLD + 1, ~0u, 0);
}

static _Noreturn void become(const struct child_start *s, char *const *environment, int told, pid_t parent)
{
    struct rlimit none = {0, 0};
    int err;
    if (setsid() >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
        setrlimit(RLIMIT_CORE, &none) == 0 && (s->dir < 0 || fchdir(s->dir) == 0)) {
        reset_signals();
        turns_usual(); /* a proof of a live backup starts us from a thread that works in long turns */
        if (arrange(s, told) == 0) {
            told = TOLD;
            (void)execve(s->path, (char *const *)(uintptr_t)s->argv, environment);
        }
    }
    err = errno;
    while (write(told, &err, sizeof err) < 0 && errno == EINTR) continue;
    _exit(127);
}

/* ---- here ---- */

static int read_why(int fd)
{
    int err = 0;
    ssize_t n;
    do n = read(fd, &err, sizeof err);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof err ? err : 0;
}

int child_start(const struct rsp_env *env, struct child *c, const struct child_start *s)
{
    char path[4096], locale[] = "LC_ALL=C";
    char *environment[] = {path, locale, NULL};
    sigset_t all, before;
    int told[2], err;
    pid_t parent = getpid();
    c->pid = 0;
    c->status = -1;
    if ((size_t)snprintf(path, sizeof path, "PATH=%s", s->search) >= sizeof path)
        return fail(env, RSP_EINVAL, s->argv[0], "the search path is too long");
    if (pipe2(told, O_CLOEXEC)) return fail_errno(env, errno, s->argv[0], "cannot start it: no pipe");
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours shall run in the child */
    c->pid = fork();
    err = errno;
    if (!c->pid) become(s, environment, told[1], parent);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(told[1]);
    if (c->pid < 0) {
        c->pid = 0;
    } else {
        err = read_why(told[0]);
        if (err) child_kill(c);
    }
    close(told[0]);
    return err && c->pid <= 0 ? fail_errno(env, err, s->argv[0], "cannot start it") : RSP_OK;
}

static int wait_for(struct child *c, int flags)
{
    pid_t n;
    if (c->pid <= 0) return 1;
    do n = waitpid(c->pid, &c->status, flags);
    while (n < 0 && errno == EINTR);
    if (!n) return 0;
    if (n < 0) c->status = -1; /* somebody else waits for every child here */
    c->pid = -c->pid;
    return 1;
}

int child_ended(struct child *c)
{
    return wait_for(c, WNOHANG);
}

void child_kill(struct child *c)
{
    pid_t group = c->pid > 0 ? c->pid : -c->pid;
    if (!group) return;
    if (c->pid > 0) {
        (void)kill(-group, SIGKILL);
        (void)kill(c->pid, SIGKILL); /* it may not have come to its own session yet */
        (void)wait_for(c, 0);
    }
    c->pid = -group;
}

void child_text(const struct child *c, char *out, size_t size)
{
    if (c->status == -1) snprintf(out, size, "ended");
    else if (WIFSIGNALED(c->status)) snprintf(out, size, "signal %d", WTERMSIG(c->status));
    else snprintf(out, size, "exit status %d", WEXITSTATUS(c->status));
}

int child_pause(const struct rsp_env *env, volatile const int *cancel, int ms)
{
    struct timespec t = {0, (long)ms * 1000000};
    if (cancel && *cancel) return fail(env, RSP_ECANCELED, NULL, "cancelled");
    (void)nanosleep(&t, NULL);
    if (cancel && *cancel) return fail(env, RSP_ECANCELED, NULL, "cancelled");
    return RSP_OK;
}
