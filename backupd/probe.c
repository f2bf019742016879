/* What this is: backupd probe: the conformance suite of stores against the user's own storage, and what to set up there.
 * Rests on: context.h, config.h, store_options.h, respite/sys/store.h.
 * Does not: need a repository, or an identity. */
#include <string.h>

#include "backupd/config.h"
#include "backupd/store_options.h"
#include "cli/exit.h"

#define PARTS ((uint64_t)3)
#define ADVICE_MAX 32

struct probing {
    struct json *j;
    int counts[4];                  /* enum rsp_probe_verdict */
    const char *advice[ADVICE_MAX]; /* of rows that are not OK; fixed words */
    size_t advice_n;
};

static int tell(void *opaque, const struct rsp_probe_row *row)
{
    static const char *const words[] = {"OK", "note", "WARN", "FAILED"};
    static const char *const names[] = {"ok", "note", "warning", "failed"};
    struct probing *p = opaque;
    p->counts[row->verdict]++;
    if (p->j) {
        json_object(p->j, NULL);
        json_text(p->j, "what", row->what);
        json_text(p->j, "verdict", names[row->verdict]);
        json_text(p->j, "found", row->found);
        if (row->advice) json_text(p->j, "advice", row->advice);
        json_close(p->j, '}');
        return RSP_OK;
    }
    printf("%-7s %-12s %s\n", words[row->verdict], row->what, row->found);
    fflush(stdout); /* on a slow storage the next row takes its time */
    for (size_t i = 0; row->advice && i < p->advice_n; i++)
        if (!strcmp(p->advice[i], row->advice)) return RSP_OK;
    if (row->advice && p->advice_n < ADVICE_MAX) p->advice[p->advice_n++] = row->advice;
    return RSP_OK;
}

static int verdict(const struct probing *p)
{
    if (p->counts[RSP_PROBE_FAILED]) return EXIT_STORAGE;
    return p->counts[RSP_PROBE_WARN] ? EXIT_FINDINGS : EXIT_OK;
}

static void conclude(const struct probing *p)
{
    if (p->advice_n) printf("\nto set up:\n");
    for (size_t i = 0; i < p->advice_n; i++) printf("  - %s\n", p->advice[i]);
    if (p->counts[RSP_PROBE_FAILED])
        printf("\n%d of the tests failed: no repository should be kept here\n", p->counts[RSP_PROBE_FAILED]);
}

static int run(struct context *c)
{
    struct rsp_probe_options options = {.size = sizeof options,
                                        .read_only = c->o->value[O_READ_ONLY].count != 0,
                                        .large = PARTS *
                                                 (uint64_t)config_repo_value(c->o, c->repo_name, O_PART_SIZE).number};
    struct probing p = {0};
    struct json j;
    int rc;
    if (options.large) options.large++; /* three parts and one byte */
    if (c->o->value[O_JSON].count) {
        p.j = &j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        json_text(&j, "url", rsp_store_url(c->store));
        json_array(&j, "rows");
    }
    rc = rsp_store_probe(c->store, &options, tell, &p);
    if (p.j) {
        json_close(&j, ']');
        json_text(&j, "verdict", p.counts[3] ? "failed" : p.counts[2] ? "warning" : "ok");
        json_close(&j, '}');
    }
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    if (!p.j) conclude(&p);
    return verdict(&p);
}

int verb_probe(struct context *c)
{
    struct rsp_store_options options = {.size = sizeof options, .read_only = c->o->value[O_READ_ONLY].count != 0};
    int code;
    c->url = config_url(c->o, c->o->value[O_REPO].text, &c->repo_name, &code);
    if (!c->url)
        return code ? code : options_usage(c->o, "which storage? --repo file:/path, s3://..., sftp://..., davs://...");
    code = context_store(c, c->url, &options, &c->store);
    return code < 0 ? run(c) : code;
}
