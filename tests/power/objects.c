/* What this is: a run over the file: store, or over a checkpoint's file, for the power-cut harness, and the judge of the
 *   trees it leaves.
 * Rests on: sys/store.h, job/checkpoint.h; power_mark of shim.so.
 * Does not: use the repository.
 *
 * objects run ROOT            publishes, deletes, repairs; a second run finds what the first left
 * objects judge TREE N|end    reads the lines of "rebuild list" and says what is wrong with the tree cut before N
 * objects checkpoint FILE [N...] as it is after N records; 0: removes it;
 *                             without N: says "absent", or its N if it is whole */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/store.h>

#include "job/checkpoint.h"

#define OBJECT_BYTES 9000

static struct rsp_error error;
static struct rsp_env env = {.size = sizeof env, .error = &error};
static void (*mark)(const char *);

static void need(int rc, const char *what)
{
    char words[512];
    if (!rc) return;
    rsp_error_format(&error, words, sizeof words);
    fprintf(stderr, "objects: %s: %s\n", what, words);
    exit(1);
}

static void say(const char *word, const char *name)
{
    char words[256];
    snprintf(words, sizeof words, "%s %s", word, name);
    if (mark) mark(words);
}

/* What an object of that name holds. */
static const char *content(const char *name)
{
    static char p[OBJECT_BYTES];
    for (size_t i = 0; i < sizeof p; i++) p[i] = name[i % strlen(name)];
    return p;
}

static void put(struct rsp_store *s, const char *name)
{
    need(rsp_store_put(s, name, content(name), OBJECT_BYTES), name);
    say("have", name);
}

static void upload(struct rsp_store *s, const char *name)
{
    struct rsp_upload *u = NULL;
    struct rsp_store_item item;
    if (rsp_store_stat(s, name, &item) == RSP_OK) { /* of an earlier run: its commit may not have returned */
        put(s, name);
        return;
    }
    rsp_error_clear(&error);
    need(rsp_store_begin(s, name, &u), name);
    for (size_t i = 0; i < OBJECT_BYTES; i += 3000) need(rsp_upload_write(u, content(name) + i, 3000), name);
    need(rsp_upload_commit(u), name);
    rsp_upload_free(u);
    say("have", name);
}

static int wanted(void *opaque, const struct rsp_store_item *item)
{
    (void)opaque;
    (void)item;
    return 1;
}

static int run(const char *root)
{
    char url[4096];
    struct rsp_store *s;
    struct rsp_store_options o = {.size = sizeof o, .create = 1};
    snprintf(url, sizeof url, "file:%s/store", root);
    *(void **)&mark = dlsym(RTLD_DEFAULT, "power_mark");
    need(rsp_store_open(&env, url, &o, &s), url);
    need(rsp_store_leftovers(s, wanted, NULL), "leftovers");
    put(s, "repository/a");
    upload(s, "data/e1/o1");
    upload(s, "data/e1/o2");
    put(s, "keys/e1/k");
    put(s, "log/s/1-commit");
    put(s, "log/s/1-commit");
    say("drop", "data/e1/o1");
    need(rsp_store_delete(s, "data/e1/o1"), "delete");
    say("drop", "data/e1/o2");
    need(rsp_store_delete(s, "data/e1/o2"), "delete");
    upload(s, "data/e1/o3");
    need(rsp_store_repair(s, "keys/e1/k", content("keys/e1/k"), OBJECT_BYTES), "repair");
    put(s, "log/s/2-commit");
    rsp_store_free(s);
    return 0;
}

/* ---- judge ---- */

static struct {
    char name[64];
    int have;
} known[16];
static int wrong;

static void learn(const char *word, const char *name)
{
    size_t i = 0;
    while (i < 15 && known[i].name[0] && strcmp(known[i].name, name)) i++;
    snprintf(known[i].name, sizeof known[i].name, "%s", name);
    known[i].have = !strcmp(word, "have");
}

static int each(void *opaque, const struct rsp_store_item *item)
{
    uint8_t *p;
    size_t n;
    need(rsp_store_get(opaque, item->name, 1 << 20, &p, &n), item->name);
    if (n != OBJECT_BYTES || memcmp(p, content(item->name), n)) {
        printf("%s is not whole\n", item->name);
        wrong = 1;
    }
    rsp_store_release(opaque, p, n);
    return RSP_OK;
}

static int judge(const char *tree, const char *cut)
{
    char line[512], url[4096], word[16], name[64];
    unsigned long long n, end = strcmp(cut, "end") ? strtoull(cut, NULL, 10) : UINT64_MAX;
    struct rsp_store *s = NULL;
    struct rsp_store_item item;
    while (fgets(line, sizeof line, stdin))
        if (sscanf(line, "%llu mark %15s %63s", &n, word, name) == 3 && n <= end) learn(word, name);
    snprintf(url, sizeof url, "file:%s/store", tree);
    if (rsp_store_open(&env, url, NULL, &s) == RSP_OK) need(rsp_store_list(s, "", each, s), "list");
    for (size_t i = 0; i < 16 && known[i].name[0]; i++) {
        if (!known[i].have || (s && rsp_store_stat(s, known[i].name, &item) == RSP_OK)) continue;
        printf("%s is lost\n", known[i].name);
        wrong = 1;
    }
    rsp_store_free(s);
    return wrong;
}

/* ---- the checkpoint of a restore ---- */

#define OPEN_KEYS 3
#define KEY_BYTES 2000

static void fill(struct checkpoint *c, uint64_t n)
{
    uint8_t key[KEY_BYTES];
    checkpoint_init(c, &env);
    snprintf(c->snapshot, sizeof c->snapshot, "%032x", 7u);
    snprintf(c->place, sizeof c->place, "place");
    c->acknowledged = n;
    c->bound = n + 10;
    for (uint32_t i = 0; i < OPEN_KEYS; i++) {
        memset(key, (int)(n + i), sizeof key);
        need(checkpoint_add(c, i, (struct rsp_span){key, sizeof key}, UINT64_MAX), "checkpoint");
    }
}

static int same_checkpoint(const struct checkpoint *a, const struct checkpoint *b)
{
    const struct checkpoint_open *x = a->open, *y = b->open;
    for (; x && y && x->db == y->db && x->n == y->n && !memcmp(x->key, y->key, x->n); x = x->next) y = y->next;
    return !x && !y && a->bound == b->bound && !strcmp(a->snapshot, b->snapshot) && !strcmp(a->place, b->place);
}

static void checkpoint_now(const char *path, const char *n)
{
    struct checkpoint c;
    *(void **)&mark = dlsym(RTLD_DEFAULT, "power_mark");
    if (!strcmp(n, "0")) {
        need(checkpoint_remove(&env, path), path);
    } else {
        fill(&c, strtoull(n, NULL, 10));
        need(checkpoint_write(&c, path), path);
        checkpoint_free(&c);
    }
    say("reached", n);
}

static int checkpoint_say(const char *path)
{
    struct checkpoint is, whole;
    int there = 0, same = 0;
    checkpoint_init(&is, &env);
    need(checkpoint_read(&is, path, &there), path);
    if (there) {
        fill(&whole, is.acknowledged);
        same = same_checkpoint(&is, &whole);
        checkpoint_free(&whole);
    }
    if (!there) puts("absent");
    else if (same) printf("%llu\n", (unsigned long long)is.acknowledged);
    else puts("not whole");
    checkpoint_free(&is);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "run")) return run(argv[2]);
    if (argc == 4 && !strcmp(argv[1], "judge")) return judge(argv[2], argv[3]);
    if (argc < 3 || strcmp(argv[1], "checkpoint")) return 2;
    if (argc == 3) return checkpoint_say(argv[2]);
    for (int i = 3; i < argc; i++) checkpoint_now(argv[2], argv[i]);
    return 0;
}
