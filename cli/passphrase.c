/* What this is: where a passphrase comes from.
 * Rests on: passphrase.h, secret.h, mlock(2).
 * Does not: read from the terminal (terminal.c), keep a secret in memory that may be swapped or dumped. */
#include "cli/passphrase.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/print.h"
#include "cli/secret.h"
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

static struct secret words(struct passphrase *p)
{
    return (struct secret){.what = "passphrase", .status = RSP_EKEY, .error = p->error};
}

#define refuse(p, subject, ...) secret_fault(&(struct secret){.error = (p)->error}, RSP_EKEY, subject, 0, __VA_ARGS__)

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
    const struct secret s = words(p);
    char prompt[300];
    if (v && v == p->options.file) return secret_from_file(&s, v->text, p->text, PASSPHRASE_MAX, &p->n);
    if (v && v == p->options.fd)
        return secret_from_fd(&s, (int)v->number, "--passphrase-fd", p->text, PASSPHRASE_MAX, &p->n);
    if (v) return secret_from_command(&s, v->text, p->text, PASSPHRASE_MAX, &p->n);
    if (!terminal_there())
        return refuse(p, subject,
                      "is under a passphrase, and there is no terminal to ask at: give it by --passphrase-file, "
                      "--passphrase-fd or --passphrase-command, or RESPITE_PASSPHRASE_FILE");
    snprintf(prompt, sizeof prompt, "passphrase of %s: ", subject ? subject : "the identity");
    if (!terminal_line(prompt, p->text, PASSPHRASE_MAX, &p->n)) return RSP_OK;
    return refuse(p, subject, "no passphrase was typed");
}

int pass_get(struct passphrase *p, const char *subject, struct rsp_span *ret)
{
    if (!p->have) {
        int rc = fetch(p, subject);
        if (rc) return rc;
        if (p->n && p->text[p->n - 1] == '\n') p->n--;
        if (!p->n) return refuse(p, subject, "the passphrase is empty");
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
    return same ? RSP_OK : refuse(p, subject, "the two passphrases differ");
}

int pass_ask(void *opaque, const char *subject, char *out, size_t cap, size_t *n)
{
    struct rsp_span text = {NULL, 0};
    int rc = pass_get(opaque, subject, &text);
    if (rc) return rc;
    if (!text.p || text.n > cap) return refuse((struct passphrase *)opaque, subject, "the passphrase is too long");
    memcpy(out, text.p, text.n);
    *n = text.n;
    return RSP_OK;
}

int secret_read(struct passphrase *p, struct rsp_span *ret)
{
    const struct secret s = {.what = "seed", .status = RSP_EKEY, .error = p->error};
    size_t n = 0;
    int rc;
    if (isatty(STDIN_FILENO)) {
        rc = terminal_secret("recovery sheet (four lines) or secret; an empty line ends it:\n", p->secret,
                             SECRET_TEXT_MAX, &n)
                 ? refuse(p, "--identity -", "nothing was typed")
                 : RSP_OK;
    } else {
        rc = secret_from_fd(&s, STDIN_FILENO, "standard input", p->secret, SECRET_TEXT_MAX, &n);
    }
    ret->p = (const uint8_t *)p->secret;
    ret->n = n;
    return rc;
}
