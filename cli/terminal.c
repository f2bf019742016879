/* What this is: prompts without echo.
 * Rests on: terminal.h, cli/signal.h, termios(3), poll(2).
 * Does not: edit lines: the terminal does. */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/signal.h"

struct terminal {
    int fd, own;
    struct termios before;
};

static int terminal_open(struct terminal *t)
{
    struct termios quiet;
    t->own = !isatty(STDIN_FILENO);
    t->fd = t->own ? open("/dev/tty", O_RDWR | O_CLOEXEC) : STDIN_FILENO;
    if (t->fd < 0) return -1;
    if (!tcgetattr(t->fd, &t->before)) {
        quiet = t->before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        quiet.c_lflag |= ICANON | ECHONL;
        if (!tcsetattr(t->fd, TCSAFLUSH, &quiet)) return 0;
    }
    if (t->own) close(t->fd);
    return -1;
}

static void terminal_close(struct terminal *t)
{
    tcsetattr(t->fd, TCSAFLUSH, &t->before);
    if (t->own) close(t->fd);
}

/* One line into out, which has room for cap bytes: its length with the line feed, 0 at the end, -1. */
static ssize_t read_line(struct terminal *t, char *out, size_t cap)
{
    for (;;) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        ssize_t n;
        if (signal_caught()) return -1;
        if (poll(&p, 1, 100) <= 0) continue;
        n = read(t->fd, out, cap);
        if (n >= 0 || errno != EINTR) return n;
    }
}

static void say(const char *text)
{
    ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n;
}

int terminal_there(void)
{
    int fd;
    if (isatty(STDIN_FILENO)) return 1;
    if (!isatty(STDERR_FILENO)) return 0;
    fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0) return 0;
    close(fd);
    return 1;
}

int terminal_line(const char *prompt, char *out, size_t cap, size_t *n)
{
    struct terminal t;
    ssize_t got;
    if (terminal_open(&t)) return -1;
    say(prompt);
    got = read_line(&t, out, cap);
    terminal_close(&t);
    if (got <= 0 || out[got - 1] != '\n') return -1;
    *n = (size_t)got - 1;
    return 0;
}

int terminal_secret(const char *prompt, char *out, size_t cap, size_t *n)
{
    struct terminal t;
    ssize_t got;
    *n = 0;
    if (terminal_open(&t)) return -1;
    say(prompt);
    do {
        got = read_line(&t, out + *n, cap - *n);
        if (got > 0) *n += (size_t)got;
    } while (got > 1 && *n < cap);
    terminal_close(&t);
    return got < 0 || *n < 2 ? -1 : 0;
}
