/* What this is: the checkpoint of this run, and whether that of an earlier one fits.
 * Rests on: load_impl.h, checkpoint.h, base/bytes.h.
 * Does not: decide when it is written (load_put.c). */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "job/load_impl.h"

static uint64_t options_hash(const struct load *x)
{
    static const uint8_t key[16] = "respite load opt";
    const struct rsp_resp_options *o = &x->o.resp;
    uint64_t n[] = {(uint64_t)o->existing, (uint64_t)o->ttl, (uint64_t)o->payloads, o->no_functions != 0,
                    (uint64_t)x->o.streams};
    struct sip s;
    uint8_t b[8];
    sip_init(&s, key, 0);
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) store_le64(b, n[i]), sip_add(&s, b, 8);
    sip_add(&s, o->losses.action, sizeof o->losses.action);
    for (size_t i = 0; i < o->dbs_n; i++) {
        store_le32(b, o->dbs[i].from), store_le32(b + 4, o->dbs[i].to);
        sip_add(&s, b, 8);
    }
    return sip_end64(&s);
}

static int other(struct load *x, const char *what)
{
    return fail(&x->env, RSP_EINVAL, x->o.checkpoint,
                "the checkpoint is of a restore %s: finish that one, or remove the file to begin again", what);
}

static int stands(const struct checkpoint *c, const char *run_id)
{
    if (!strcmp(c->run_id, run_id)) return 1;
    for (const struct checkpoint_node *n = c->more; n; n = n->next)
        if (!strcmp(n->run_id, run_id)) return 1;
    return 0;
}

static int is_used(const struct load *x, const char *run_id)
{
    size_t n = routes_n(x->routes);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(routes_node(x->routes, i)->run_id, run_id)) return 1;
    return 0;
}

/* Slots may have moved meanwhile, and their keys with them: but every server that was written to must be there still. */
static int check_nodes(struct load *x)
{
    const struct checkpoint *c = &x->mark;
    const char *gone = is_used(x, c->run_id) ? NULL : c->place;
    for (const struct checkpoint_node *n = c->more; n && !gone; n = n->next)
        if (!is_used(x, n->run_id)) gone = n->place;
    if (!gone) return RSP_OK;
    return fail(&x->env, RSP_EINVAL, x->o.checkpoint,
                "the checkpoint is of another server (%.100s), or that was started again%s: what was written may "
                "be gone; remove the file and begin again",
                gone, x->routes->cluster ? ", or is no primary any more" : "");
}

static void place_of(const struct routes_node *x, char *out, size_t size)
{
    const char *name = rsp_server_name(x->server);
    printable(out, size, (const uint8_t *)name, strlen(name));
}

int load_mark_nodes(struct load *x)
{
    size_t n = routes_n(x->routes);
    char place[sizeof x->mark.place];
    int rc = RSP_OK;
    for (size_t i = 0; i < n && !rc; i++) {
        const struct routes_node *node = routes_node(x->routes, i);
        if (!node->server || stands(&x->mark, node->run_id)) continue;
        place_of(node, place, sizeof place);
        rc = checkpoint_node_add(&x->mark, node->run_id, place);
    }
    return rc;
}

int load_mark_open(struct load *x)
{
    const char *snapshot = x->o.snapshot ? x->o.snapshot : "";
    int rc = checkpoint_read(&x->mark, x->o.checkpoint, &x->resumed);
    if (rc) return rc;
    if (x->resumed) {
        if (strcmp(x->mark.snapshot, snapshot)) return other(x, "of another snapshot");
        rc = check_nodes(x);
        if (rc) return rc;
        if (x->mark.options != options_hash(x)) return other(x, "with other options");
        x->skipped_before = x->mark.skipped;
        x->o.resp.now_ms = x->mark.now_ms; /* expiries are judged and moved as in the first run */
        x->o.resp.shift_ms = x->mark.shift_ms;
        return RSP_OK;
    }
    snprintf(x->mark.snapshot, sizeof x->mark.snapshot, "%s", snapshot);
    snprintf(x->mark.run_id, sizeof x->mark.run_id, "%s", routes_node(x->routes, 0)->run_id);
    place_of(routes_node(x->routes, 0), x->mark.place, sizeof x->mark.place);
    x->mark.options = options_hash(x);
    x->mark.now_ms = x->o.resp.now_ms;
    x->mark.shift_ms = x->o.resp.shift_ms;
    return load_mark_nodes(x);
}

int load_mark_check(struct load *x)
{
    if (x->resumed && x->mark.selection != x->selection)
        return other(x, "of other keys: the filter, or what it judges by, is another");
    x->mark.selection = x->selection;
    return RSP_OK;
}
