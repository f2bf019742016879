/* What this is: a progress line on a terminal's stderr.
 * Rests on: cli/progress.h, cli/print.h.
 * Does not: run a thread: whoever feeds it draws it. */
#include "cli/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/print.h"

#define LOOK_BYTES (64U << 10) /* a look at the clock at most this often */
#define DRAW_MS 100

struct progress {
    _Atomic uint64_t done;
    _Atomic uint64_t looked; /* done at the last look at the clock */
    uint64_t total;
    int64_t began_ms, drawn_ms; /* under the lock */
    int visible;                /* a line stands on the terminal now */
    char label[64];
};

/* A terminal is one, so is its line: print_err must find it without being told. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct progress *current;

static int64_t now_ms(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t)) return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 10) return 80;
    return size.ws_col;
}

void progress_format(char *out, unsigned size, unsigned width, const char *label, uint64_t done, uint64_t total,
                     double seconds)
{
    char a[TEXT_MAX], b[TEXT_MAX], c[TEXT_MAX], left[TEXT_MAX], line[320];
    double rate = seconds > 0 ? (double)done / seconds : 0;
    const char *colon = label && label[0] ? ": " : "";
    if (!label) label = "";
    text_size(a, done);
    text_size(c, rate > 0 && rate < 1e18 ? (uint64_t)rate : 0);
    if (total) {
        /* A file may grow while it is read. */
        uint64_t rest = done < total ? total - done : 0;
        double wait = rate > 0 ? (double)rest / rate : -1;
        if (wait >= 0.001 && wait < 1e9) text_duration(left, (int64_t)(wait + 0.999) * 1000);
        else snprintf(left, sizeof left, "%s", wait >= 0 && wait < 0.001 ? "0s" : "-");
        snprintf(line, sizeof line, "%s%s%s / %s  %3u%%  %s/s  %s left", label, colon, a, text_size(b, total),
                 rest ? (unsigned)(100.0 * (double)done / (double)total) : 100U, c, left);
    } else {
        snprintf(line, sizeof line, "%s%s%s  %s/s", label, colon, a, c);
    }
    if (width + 1 < size) size = width + 1;
    snprintf(out, size, "%s", line);
}

static void wipe(struct progress *p)
{
    if (!p->visible) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    p->visible = 0;
}

static void draw(struct progress *p, int64_t now)
{
    char line[320];
    p->drawn_ms = now;
    /* One column stays free: a full line would wrap. */
    progress_format(line, sizeof line, columns() - 1, p->label, atomic_load(&p->done), p->total,
                    (double)(now - p->began_ms) / 1000);
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    p->visible = 1;
}

struct progress *progress_start(const char *label, uint64_t total, int off)
{
    const char *term = getenv("TERM");
    struct progress *p;
    if (off || !isatty(STDERR_FILENO) || (term && !strcmp(term, "dumb"))) return NULL;
    p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->total = total;
    p->began_ms = p->drawn_ms = now_ms();
    /* The label is often a file name. */
    for (size_t i = 0; label && label[i] && i + 1 < sizeof p->label; i++)
        p->label[i] = (unsigned char)label[i] < 0x20 || label[i] == 0x7f ? '?' : label[i];
    pthread_mutex_lock(&lock);
    current = p;
    pthread_mutex_unlock(&lock);
    return p;
}

void progress_update(struct progress *p, uint64_t done)
{
    uint64_t looked;
    int64_t now;
    if (!p) return;
    atomic_store_explicit(&p->done, done, memory_order_relaxed);
    looked = atomic_load_explicit(&p->looked, memory_order_relaxed);
    if (done >= looked && done - looked < LOOK_BYTES) return;
    atomic_store_explicit(&p->looked, done, memory_order_relaxed);
    now = now_ms();
    if (pthread_mutex_trylock(&lock)) return; /* another thread draws, or prints */
    if (p == current && now - p->drawn_ms >= DRAW_MS) draw(p, now);
    pthread_mutex_unlock(&lock);
}

void progress_end(struct progress *p)
{
    if (!p) return;
    pthread_mutex_lock(&lock);
    wipe(p);
    if (current == p) current = NULL;
    pthread_mutex_unlock(&lock);
    free(p);
}

void progress_hide(void)
{
    pthread_mutex_lock(&lock);
    if (current) wipe(current);
}

void progress_show(void)
{
    pthread_mutex_unlock(&lock);
}
