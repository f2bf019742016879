/* What this is: runs one command with its output to /dev/null and prints one line: wall, user and system seconds,
 * largest resident set in KiB. With --pipe FILE, FILE comes to its stdin through a pipe.
 * Rests on: wait4, which counts this command alone and not the process that fills the pipe.
 * Does not: repeat or judge. It exits as the command does, 128 + n for signal n. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    _exit(126);
}

static void feed(const char *path, int to)
{
    static char block[256 << 10];
    int from = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;
    if (from < 0) die(path);
    while ((got = read(from, block, sizeof block)) != 0) {
        ssize_t at = 0;
        if (got < 0) die(path);
        while (at < got) {
            ssize_t n = write(to, block + at, (size_t)(got - at));
            if (n < 0) _exit(errno == EPIPE ? 0 : 1); /* the command need not read it all */
            at += n;
        }
    }
    _exit(0);
}

static void command(char **argv, int in)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0) die("/dev/null");
    if (dup2(in < 0 ? null : in, 0) < 0 || dup2(null, 1) < 0) die("dup2");
    if (!getenv("RUN1_STDERR") && dup2(null, 2) < 0) die("dup2");
    execvp(argv[0], argv);
    _exit(127);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    int first = 1, status, fed = 0, ends[2] = {-1, -1};
    struct timespec a, b;
    struct rusage use;
    pid_t feeder = -1, child;
    if (argc > 2 && strcmp(argv[1], "--pipe") == 0) {
        path = argv[2];
        first = 3;
    }
    if (first >= argc) {
        fputs("usage: run1 [--pipe FILE] COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    if (path && pipe2(ends, O_CLOEXEC)) die("pipe");
    clock_gettime(CLOCK_MONOTONIC, &a);
    child = fork();
    if (child < 0) die("fork");
    if (child == 0) command(argv + first, ends[0]);
    if (path) {
        feeder = fork();
        if (feeder < 0) die("fork");
        if (feeder == 0) {
            signal(SIGPIPE, SIG_IGN);
            close(ends[0]);
            feed(path, ends[1]);
        }
        close(ends[0]);
        close(ends[1]);
    }
    while (wait4(child, &status, 0, &use) < 0)
        if (errno != EINTR) die("wait4");
    clock_gettime(CLOCK_MONOTONIC, &b);
    if (feeder > 0 && waitpid(feeder, &fed, 0) < 0) die("waitpid");
    if (fed) return 126; /* the command saw less than the file */
    printf("%.3f %.3f %.3f %ld\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
           seconds(use.ru_utime), seconds(use.ru_stime), use.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
