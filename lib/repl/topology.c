/* What this is: asking servers of which some may not answer.
 * Rests on: topology.h, sync.h for the clock of waits.
 * Does not: know what is asked. */
#include "repl/topology.h"

#include <stdio.h>

#include "base/mem.h"
#include "repl/sync.h"

void look_begin(struct look *k, const struct rsp_env *env, const struct rsp_server_options *options)
{
    struct rsp_server_options o;
    memset(&o, 0, sizeof o);
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    memset(k, 0, sizeof *k);
    env_init(&k->env, env);
    k->mine = k->env;
    k->mine.error = &k->words;
    k->cancel = o.cancel;
    if (o.patience_ms > SERVER_TIME_MOST) o.patience_ms = SERVER_TIME_MOST;
    k->until = sync_clock_ms() + (o.patience_ms > 0 ? o.patience_ms : 0);
}

int look_reason(struct look *k, int rc, const char *name)
{
    char line[sizeof k->words.message + 8];
    if (rc == RSP_ENOMEM || rc == RSP_ECANCELED) {
        if (k->words.code) fail(&k->env, rc, k->words.subject, "%s", k->words.message);
        else fail(&k->env, rc, name, "%s", rsp_status_text(rc));
        return rc;
    }
    snprintf(line, sizeof line, "%s", k->words.code ? k->words.message : rsp_status_text(rc));
    rsp_error_clear(&k->words);
    look_say(k, rc, "%.80s: %s", name, line);
    return RSP_AGAIN;
}

void look_say(struct look *k, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vsnprintf(k->last, sizeof k->last, format, args) < 0) k->last[0] = 0;
    va_end(args);
    k->fault = status;
}

/* One that is busy is worth waiting for, whatever others say. */
static int worth(int status)
{
    return status == RSP_EBUSY ? 2 : (status != RSP_ENET && status != RSP_ETIMEOUT);
}

void look_forget(struct look *k)
{
    k->best[0] = 0;
}

void look_keep(struct look *k)
{
    if (k->best[0] && worth(k->fault) <= worth(k->best_fault)) return;
    memcpy(k->best, k->last, sizeof k->best);
    k->best_fault = k->fault;
}

void look_best(struct look *k)
{
    if (!k->best[0]) return;
    memcpy(k->last, k->best, sizeof k->last);
    k->fault = k->best_fault;
}

int look_wait(struct look *k, unsigned tries)
{
    if (sync_clock_ms() >= k->until) return RSP_END;
    return server_pause(&k->env, k->cancel, tries);
}

void look_times(struct rsp_endpoint *endpoint)
{
    if (!endpoint->connect_ms) endpoint->connect_ms = LOOK_CONNECT_MS;
    if (!endpoint->idle_ms || endpoint->idle_ms > LOOK_IDLE_MS) endpoint->idle_ms = LOOK_IDLE_MS;
}

void look_host_port(const char *host, uint32_t port, char *out, size_t size)
{
    snprintf(out, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

int look_host(struct rsp_span text, char out[256])
{
    out[0] = 0;
    if (!text.n || text.n > 255) return 0;
    for (size_t i = 0; i < text.n; i++) {
        int c = text.p[i];
        int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (!c || !strchr("._-:%", c))) return 0;
    }
    memcpy(out, text.p, text.n);
    out[text.n] = 0;
    return 1;
}
