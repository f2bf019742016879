/* What this is: a caught SIGINT, SIGTERM or SIGHUP as a flag.
 * Rests on: cli/signal.h, cli/exit.h.
 * Does not: restart system calls: a blocked read answers EINTR. */
#include "cli/signal.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "cli/exit.h"

static volatile sig_atomic_t caught;

static void remember(int number)
{
    if (!caught) caught = number;
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

int signal_caught(void)
{
    return (int)caught;
}

int signal_exit_status(void)
{
    return caught ? EXIT_SIGNAL + (int)caught : EXIT_OK;
}
