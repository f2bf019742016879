/* What this is: a caught SIGINT, SIGTERM or SIGHUP as a flag.
 * Rests on: cli/signal.h, cli/exit.h.
 * Does not: restart system calls: a blocked read answers EINTR. */
#include "cli/signal.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "cli/exit.h"

static volatile int caught; /* other threads read it: atomically, like the handler writes it */

static void remember(int number)
{
    if (!signal_caught()) __atomic_store_n(&caught, number, __ATOMIC_RELAXED);
}

void signal_install(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = remember;
    action.sa_flags = (int)SA_RESETHAND; /* a second one kills */
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
        sigaction(numbers[i], &action, NULL);
    }
}

const volatile int *signal_flag(void)
{
    return &caught;
}

int signal_caught(void)
{
    return __atomic_load_n(&caught, __ATOMIC_RELAXED);
}

int signal_exit_status(void)
{
    int number = signal_caught();
    return number ? EXIT_SIGNAL + number : EXIT_OK;
}
