/* What this is: key add, key remove: new roles records.
 * Rests on: context.h, identity.h.
 * Does not: sign them: root does, and its identity is given by --identity. */
#include <stdlib.h>
#include <string.h>

#include "backupd/identity.h"
#include "backupd/several.h"
#include "cli/exit.h"

#define READERS_MAX 256 /* of an envelope */
#define LEFT_MAX 64     /* heads of a source that a removed signer leaves: whoever forks plants thousands */
#define LEFT_ALL 8192   /* and of all sources: whoever may write for any invents them */

/* A roles record to be: a copy of the newest one, with own arrays; what its members point to is borrowed. */
struct draft {
    struct rsp_roles roles;
    uint8_t (*sources)[16]; /* of the changed member */
    uint8_t sealed[RSP_SEALED_BYTES];
};

static int draft_open(struct draft *d, const struct rsp_roles *now, size_t more_left)
{
    memset(d, 0, sizeof *d);
    d->roles = *now;
    d->roles.members = calloc(now->members_n + 1, sizeof *d->roles.members);
    d->roles.left = calloc(now->left_n + more_left + 1, sizeof *d->roles.left);
    if (!d->roles.members || !d->roles.left) return -1;
    memcpy(d->roles.members, now->members, now->members_n * sizeof *now->members);
    if (now->left_n) memcpy(d->roles.left, now->left, now->left_n * sizeof *now->left);
    return 0;
}

static void draft_close(struct draft *d)
{
    free(d->roles.members);
    free(d->roles.left);
    free(d->sources);
}

static int no_memory(struct context *c)
{
    return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
}

/* ---- roles from words ---- */

static int add_sources(struct context *c, struct draft *d, struct rsp_member *m, const char *list)
{
    char name[SOURCE_TEXT];
    const struct rsp_member old = *m;
    size_t count = 1;
    for (const char *p = list; *p; p++) count += *p == ',';
    d->sources = calloc(old.sources_n + count, sizeof *d->sources);
    if (!d->sources) return no_memory(c);
    if (old.sources_n) memcpy(d->sources, old.sources, old.sources_n * sizeof *d->sources);
    m->sources_n = old.sources_n;
    for (const char *at = list; count--; at += strcspn(at, ","), at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (!n || n > 200) return options_usage(c->o, "--role write:%s: a source has a name of 1 to 200 letters", list);
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        context_source_id(c, name, d->sources[m->sources_n++]);
    }
    m->sources = d->sources;
    return -1;
}

static int add_role(struct context *c, struct draft *d, struct rsp_member *m, const char *role)
{
    static const struct {
        const char *word;
        uint32_t flag;
    } words[] = {{"read", RSP_ROLE_READ}, {"keep", RSP_ROLE_KEEP}, {"prove", RSP_ROLE_PROVE}};
    int all = (m->flags & RSP_ROLE_WRITE) && !m->sources; /* more than any list */
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(role, words[i].word) != 0) continue;
        m->flags |= words[i].flag;
        return -1;
    }
    if (!strcmp(role, "write") || !strcmp(role, "write:*")) {
        m->flags |= RSP_ROLE_WRITE;
        m->sources = NULL;
        m->sources_n = 0;
        return -1;
    }
    if (strncmp(role, "write:", 6) != 0)
        return options_usage(c->o, "--role: '%s' is none of read, write, write:SOURCE,SOURCE, keep, prove", role);
    m->flags |= RSP_ROLE_WRITE;
    if (all) return -1;
    if (d->sources) return options_usage(c->o, "--role: several sources stand in one write:SOURCE,SOURCE");
    return add_sources(c, d, m, role + 6);
}

static int add_roles(struct context *c, struct draft *d, struct rsp_member *m)
{
    const struct opt_value *v = &c->o->value[O_ROLE];
    for (size_t i = 0; i < v->n; i++) {
        int code = add_role(c, d, m, v->list[i]);
        if (code >= 0) return code;
    }
    return -1;
}

/* ---- add ---- */

/* With more, nobody could back up any more. */
static int check_readers(struct context *c, const struct draft *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->roles.members_n; i++) n += (d->roles.members[i].flags & RSP_ROLE_READ) != 0;
    if (n <= READERS_MAX) return -1;
    return options_usage(c->o,
                         "--role read: a snapshot is sealed to at most %d readers, and there are as many; remove one",
                         READERS_MAX);
}

static int publish(struct context *c, struct draft *d, const struct rsp_identity *root)
{
    int rc = rsp_repo_set_roles(c->repo, &d->roles, root);
    if (rc == RSP_EEXIST)
        context_words(c, rc, c->url, 0,
                      "somebody else changed the roles meanwhile; look at 'key list', then try again");
    return rc ? context_fault(c, rc, c->url, EXIT_STORAGE) : -1;
}

/* The member to change: the one with this key, or a new one at the end. */
static int pick_member(struct context *c, struct draft *d, const struct rsp_public *key, struct rsp_member **ret)
{
    const char *name = c->o->value[O_NAME].text;
    struct rsp_member *m = NULL;
    for (size_t i = 0; i < d->roles.members_n; i++) {
        struct rsp_member *one = &d->roles.members[i];
        if (!memcmp(one->key.sign, key->sign, 32)) m = one;
        else if (name && !strcmp(one->name, name))
            return options_usage(c->o, "--name: '%s' is another identity's name already", name);
    }
    if (!m) {
        if (!name) return options_usage(c->o, "--name NAME is missing: what roles records call it");
        m = &d->roles.members[d->roles.members_n++];
        m->key = *key;
    } else if (memcmp(m->key.box, key->box, 32) != 0) {
        return options_usage(c->o, "an identity with this signing key and another box key is there already");
    }
    if (name) {
        memset(m->name, 0, sizeof m->name);
        memcpy(m->name, name, strlen(name));
    }
    *ret = m;
    return -1;
}

static int add_member(struct context *c, const struct rsp_identity *root, const struct rsp_public *key,
                      struct rsp_identity *sealed)
{
    struct draft d;
    struct rsp_member *m = NULL;
    struct rsp_span passphrase = {NULL, 0};
    char text[RSP_PUBLIC_TEXT], rights[RIGHTS_TEXT];
    int code = draft_open(&d, rsp_repo_roles(c->repo), 0) ? no_memory(c) : pick_member(c, &d, key, &m), rc;
    if (code < 0 && !m) code = EXIT_INTERNAL;
    if (code < 0) code = add_roles(c, &d, m);
    if (code < 0) code = check_readers(c, &d);
    if (code < 0 && sealed) {
        rc = pass_new(c->passphrase, "the new reader", &passphrase);
        if (!rc) rc = rsp_identity_seal(sealed, passphrase, d.sealed);
        if (rc) code = context_fault(c, rc, "--passphrase-reader", EXIT_NO_KEY);
        m->sealed = d.sealed;
        m->sealed_n = sizeof d.sealed;
    }
    if (code < 0) code = publish(c, &d, root);
    if (code < 0) {
        rsp_public_text(&m->key, text);
        rights_text(rights, m);
        if (c->o->value[O_JSON].count) {
            struct json j;
            json_init(&j, stdout, 1);
            json_object(&j, NULL);
            json_text(&j, "name", m->name);
            json_text(&j, "rights", rights);
            json_text(&j, "public", text);
            json_bool(&j, "passphrase", m->sealed != NULL);
            json_close(&j, '}');
        } else {
            printf("%s  %s  %s\n", m->name, rights, text);
        }
        if (m->flags & RSP_ROLE_READ)
            print_err("note: it reads snapshots that are made from now on; 'key rewrap' with an identity that reads "
                      "opens those there are");
        if (sealed)
            print_err(
                "note: its secret lies under the passphrase in the roles record: whoever has the storage can guess "
                "passphrases offline, as fast as he can pay for");
    }
    draft_close(&d);
    return code < 0 ? EXIT_OK : code;
}

int verb_key_add(struct context *c)
{
    const struct rsp_identity *root = NULL;
    struct rsp_identity *sealed = NULL;
    struct rsp_public key;
    const char *name = c->o->value[O_NAME].text;
    int reader = c->o->value[O_PASSPHRASE_READER].count > 0, code, rc;
    if (reader == (c->o->operands > 0)) return options_usage(c->o, "give a public identity, or --passphrase-reader");
    if (!c->o->value[O_ROLE].n)
        return options_usage(c->o, "--role is missing: read, write, write:SOURCE, keep or prove");
    if (name && !name_usable(name))
        return options_usage(c->o, "--name: '%s' is not 1 to 63 printable characters without blanks", name);
    rc = reader ? rsp_identity_new(&c->env, name ? name : "", &sealed)
                : rsp_public_parse(&c->env, c->o->operand[0], &key);
    if (rc) {
        context_fault(c, rc, "PUB", EXIT_USAGE);
        return reader ? EXIT_INTERNAL : EXIT_USAGE;
    }
    if (reader) rsp_identity_public(sealed, &key);
    code = context_repo(c, NEED_SIGN);
    if (code < 0) code = context_signer(c, RSP_ROLE_ROOT, NULL, &root);
    if (code < 0) code = add_member(c, root, &key, sealed);
    rsp_identity_free(sealed);
    return code;
}

/* ---- remove ---- */

static const struct rsp_member *find_member(struct context *c, const char *word)
{
    const struct rsp_roles *roles = rsp_repo_roles(c->repo);
    struct rsp_public key;
    const struct rsp_member *m = rsp_roles_find_name(roles, word);
    if (!m && !strncmp(word, "rsp-pub-", 8) && !rsp_public_parse(&c->env, word, &key))
        m = rsp_roles_find(roles, key.sign);
    rsp_error_clear(&c->error);
    return m;
}

static int head_counts(const struct rsp_record *r)
{
    return (r->state & RSP_RECORD_HEAD) && (r->state & RSP_RECORD_LOADED) && !(r->state & RSP_RECORD_BROKEN);
}

/* A head to be left: the place that it has among those of its source. */
struct left {
    const struct rsp_record *r;
    int others; /* signed by somebody else: it is never planted, and leads to what came before it */
    size_t place;
};

static int left_order(const void *a, const void *b)
{
    const struct left *x = a, *y = b;
    int order = memcmp(x->r->source, y->r->source, 16);
    if (order) return order;
    if (x->others != y->others) return y->others - x->others;
    if (x->r->seq != y->r->seq) return x->r->seq < y->r->seq ? 1 : -1;
    return memcmp(x->r->hash, y->r->hash, 32);
}

/* Each source's first, then each one's second; those that the store has had for longer before what was invented. */
static int place_order(const void *a, const void *b)
{
    const struct left *x = a, *y = b;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    if (x->others != y->others) return y->others - x->others;
    if (x->r->stored_ms != y->r->stored_ms) return x->r->stored_ms < y->r->stored_ms ? -1 : 1;
    return left_order(a, b);
}

/* The repositories of --repos: each has a log of its own, and all of them get the one record. */
struct lineage {
    struct context own[SNAPSHOT_PLACES_MAX - 1], *at[SNAPSHOT_PLACES_MAX];
    size_t n;
};

static int lineage_open(struct lineage *l, struct context *c)
{
    struct several_names names;
    int code = several_names(&names, c);
    l->n = 0;
    for (size_t i = 0; code < 0 && i < names.n; i++) {
        l->at[l->n] = i ? &l->own[i - 1] : c;
        if (i) code = context_open(l->at[l->n], c->o);
        l->n++;
        if (code < 0) code = context_repo_at(l->at[i], names.name[i], i ? NEED_NOTHING : NEED_SIGN);
        if (code < 0 && i && memcmp(rsp_repo_roles(l->at[i]->repo)->root, rsp_repo_roles(c->repo)->root, 32) != 0)
            code = options_usage(c->o, "--repos: %s is of another lineage", names.name[i]);
    }
    return code;
}

static int lineage_logs(struct lineage *l, size_t *heads)
{
    *heads = 0;
    for (size_t i = 0; i < l->n; i++) {
        int code = context_log(l->at[i], NULL, 0, 0);
        if (code >= 0) return code;
        for (size_t k = 0; k < l->at[i]->log->records_n; k++) *heads += (size_t)head_counts(l->at[i]->log->records[k]);
    }
    return -1;
}

/* The record that the first has now; code, or what went wrong. */
static int lineage_follow(struct lineage *l, int code)
{
    for (size_t i = 1; i < l->n; i++) {
        int its = context_reopen(l->at[i]);
        if (its < 0) its = context_roles_back(l->at[i]);
        if (its >= 0 && code < 0) code = its;
    }
    return code;
}

static void lineage_close(struct lineage *l)
{
    for (size_t i = 1; i < l->n; i++) context_close(l->at[i]);
}

/* The heads that stay valid for the signer behind d's others; *out: how many were left out. -1: no memory. */
static int leave_heads(const struct lineage *l, struct draft *d, const uint8_t sign[32], size_t heads, size_t *out)
{
    struct left *all = calloc(heads + 1, sizeof *all);
    size_t n = 0, kept = 0;
    if (!all) return -1;
    for (size_t k = 0; k < l->n; k++)
        for (size_t i = 0; i < l->at[k]->log->records_n; i++) {
            const struct rsp_record *r = l->at[k]->log->records[i];
            if (!head_counts(r)) continue;
            all[n].r = r;
            all[n++].others = memcmp(r->signer, sign, 32) != 0;
        }
    qsort(all, n, sizeof *all, left_order);
    for (size_t i = 0; i < n; i++) {
        int same = i && !memcmp(all[i].r->source, all[i - 1].r->source, 16);
        all[i].place = same ? all[i - 1].place + 1 : 0;
    }
    for (size_t i = 0; i < n; i++)
        if (all[i].place < LEFT_MAX) all[kept++] = all[i];
    if (kept > LEFT_ALL) {
        qsort(all, kept, sizeof *all, place_order);
        kept = LEFT_ALL;
    }
    for (size_t i = 0; i < kept; i++) {
        struct rsp_left_head *head = &d->roles.left[d->roles.left_n++];
        memcpy(head->signer, sign, 32);
        memcpy(head->source, all[i].r->source, 16);
        memcpy(head->hash, all[i].r->hash, 32);
    }
    *out = n - kept;
    free(all);
    return 0;
}

static void drop_member(struct draft *d, const uint8_t sign[32])
{
    size_t n = 0;
    for (size_t i = 0; i < d->roles.members_n; i++)
        if (memcmp(d->roles.members[i].key.sign, sign, 32) != 0) d->roles.members[n++] = d->roles.members[i];
    d->roles.members_n = n;
}

static void print_removed(struct context *c, const struct rsp_member *m, const struct draft *d, size_t from, size_t out)
{
    char hash[HEX32], source[SOURCE_TEXT];
    struct json j;
    int json = c->o->value[O_JSON].count > 0;
    if (json) {
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        json_text(&j, "removed", m->name);
        json_bool(&j, "dry_run", c->o->value[O_DRY_RUN].count > 0);
        json_array(&j, "valid_up_to");
    } else {
        printf("%s%s\n", c->o->value[O_DRY_RUN].count ? "would remove " : "removed ", m->name);
    }
    for (size_t i = from; i < d->roles.left_n; i++) {
        const struct rsp_left_head *head = &d->roles.left[i];
        text_hex(hash, head->hash, json ? 32 : 8);
        context_source_text(c, head->source, source);
        if (!json) {
            printf("  source %s: valid up to %s\n", source, hash);
            continue;
        }
        json_object(&j, NULL);
        json_text(&j, "source", source);
        json_text(&j, "head", hash);
        json_close(&j, '}');
    }
    if (json) {
        json_close(&j, ']');
        json_u64(&j, "heads_left_out", out);
        context_json_troubles(c, &j);
        json_close(&j, '}');
    }
    if (out)
        print_err(
            "note: %zu heads more were left out (at most %d of a source count): what %s signed and only they lead "
            "to is invalid now; 'verify' names it, and 'expire --acknowledge' gives it up",
            out, LEFT_MAX, m->name);
    if (m->flags & (RSP_ROLE_READ | RSP_ROLE_ROOT))
        print_err(
            "note: this protects the future only: what %s could read until now, it can read for ever, also from a "
            "copy of the storage",
            m->name);
}

static int remove_from(struct context *c, struct lineage *l)
{
    const struct rsp_identity *root = NULL;
    const struct rsp_member *m = find_member(c, c->o->operand[0]);
    struct draft d;
    size_t before, heads, out = 0;
    int code;
    if (!m) {
        print_err("no identity '%s' in the roles record; 'key list' shows them", c->o->operand[0]);
        return EXIT_NOT_FOUND;
    }
    if ((m->flags & RSP_ROLE_ROOT) || !memcmp(m->key.sign, rsp_repo_roles(c->repo)->root, 32))
        return options_usage(c->o, "%s is root: it cannot be removed; a new root is a new repository", m->name);
    code = context_signer(c, RSP_ROLE_ROOT, NULL, &root);
    if (code < 0) code = lineage_logs(l, &heads);
    if (code >= 0) return code;
    if (draft_open(&d, rsp_repo_roles(c->repo), heads < LEFT_ALL ? heads : LEFT_ALL)) {
        draft_close(&d);
        return no_memory(c);
    }
    before = d.roles.left_n;
    if (leave_heads(l, &d, m->key.sign, heads, &out)) {
        draft_close(&d);
        return no_memory(c);
    }
    drop_member(&d, m->key.sign);
    {
        const struct rsp_member gone = *m; /* of the record that publishing replaces */
        code = c->o->value[O_DRY_RUN].count ? -1 : publish(c, &d, root);
        if (code < 0) print_removed(c, &gone, &d, before, out);
    }
    if (!c->o->value[O_DRY_RUN].count) code = lineage_follow(l, code);
    draft_close(&d);
    return code < 0 ? EXIT_OK : code;
}

int verb_key_remove(struct context *c)
{
    struct lineage *l = calloc(1, sizeof *l);
    int code;
    if (!l) return no_memory(c);
    code = lineage_open(l, c);
    if (code < 0) code = remove_from(c, l);
    lineage_close(l);
    free(l);
    return code;
}
