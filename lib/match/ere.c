/* What this is: an expression's automaton: built from the tree, run over a key.
 * Rests on: ere_tree.h.
 * Does not: go back: a byte is looked at once, whatever the expression.
 *
 * The tree becomes a list of states (nondeterministic). For each state that takes a byte it is
 * worked out beforehand which states stand open behind it, so that a step is a union of bit sets.
 * Where the deterministic table stays small it is built at once too; it never changes afterwards,
 * so threads share it without a lock. */
#include "match/ere.h"

#include <string.h>

#include "base/mem.h"
#include "match/ere_tree.h"

#define MAX_WORDS ((ERE_MAX_STATES + 2 + 63) / 64)
#define TABLE_ROWS 1024
#define TABLE_WORK 16000000 /* words of bit sets that building the table may touch: some milliseconds */
#define NO_STATE UINT32_MAX

enum state_kind { TAKE, FORK, AT_BEGIN, AT_END, MATCH };

struct state {
    enum state_kind kind;
    uint32_t out, out2; /* out2: FORK */
    uint32_t node;      /* TAKE: whose set it takes */
};

/* Row 0 of the table is "no match is possible any more", row 1 "has matched". */
struct table {
    uint8_t class_of[256]; /* bytes that no state tells apart are one class */
    unsigned classes, rows;
    uint64_t *sets; /* [rows][words] */
    uint16_t *next; /* [rows][classes] */
    uint8_t matches_at_end[TABLE_ROWS];
};

struct ere {
    const struct rsp_env *env;
    unsigned states, words;  /* states; words of a bit set of states */
    uint64_t *takes;         /* [256][words]: the states that take a byte */
    uint64_t *behind;        /* [states][words]: open behind a state that took one */
    uint64_t *start, *again; /* open at the key's begin, and at every later byte */
    uint64_t *at_end;        /* the states that are a match when the key ends */
    uint32_t match;
    int matches_empty;
    uint64_t *block; /* what the five above point into */
    size_t block_n;
    struct table *table; /* NULL: would be large */
};

struct build {
    struct ere_tree tree;
    struct state *state;
    uint32_t n;
    uint32_t *stack; /* for open_states: [ERE_MAX_STATES + 2] */
};

static void bit_set(uint64_t *set, uint32_t i)
{
    set[i >> 6] |= 1ULL << (i & 63);
}

static int bit_has(const uint64_t *set, uint32_t i)
{
    return (int)(set[i >> 6] >> (i & 63) & 1);
}

static int meets(const uint64_t *a, const uint64_t *b, unsigned words)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < words; i++) any |= a[i] & b[i];
    return any != 0;
}

/* The parser has bounded the count (ere_node.states), so the array never runs over. */
static uint32_t state_add(struct build *b, enum state_kind kind, uint32_t out, uint32_t out2)
{
    b->state[b->n] = (struct state){.kind = kind, .out = out, .out2 = out2, .node = ERE_NONE};
    return b->n++;
}

static uint32_t states_of(struct build *b, uint32_t at, uint32_t out);

static uint32_t states_of_repeat(struct build *b, const struct ere_node *node, uint32_t out)
{
    uint32_t first = out;
    uint32_t must = node->min;
    if (node->max == ERE_NO_MAX) {
        uint32_t loop = state_add(b, FORK, NO_STATE, out);
        uint32_t body = states_of(b, node->child, loop);
        b->state[loop].out = body;
        first = must ? body : loop;
        if (must) must--;
    } else {
        for (uint32_t i = node->min; i < node->max; i++) {
            uint32_t body = states_of(b, node->child, first);
            first = state_add(b, FORK, body, out);
        }
    }
    for (; must; must--) first = states_of(b, node->child, first);
    return first;
}

/* Adds the states of a node that go on at out; its first state. Recursion is as deep as the tree,
 * which the parser has bounded. */
static uint32_t states_of(struct build *b, uint32_t at, uint32_t out)
{
    const struct ere_node *node = &b->tree.node[at];
    uint32_t first = out;
    switch ((enum ere_kind)node->kind) {
    case ERE_EMPTY: break;
    case ERE_SET:
        first = state_add(b, TAKE, out, NO_STATE);
        b->state[first].node = at;
        break;
    case ERE_BEGIN: first = state_add(b, AT_BEGIN, out, NO_STATE); break;
    case ERE_END: first = state_add(b, AT_END, out, NO_STATE); break;
    case ERE_CAT:
        for (uint32_t i = node->child; i != ERE_NONE; i = b->tree.node[i].next) first = states_of(b, i, first);
        break;
    case ERE_ALT:
        first = NO_STATE;
        for (uint32_t i = node->child; i != ERE_NONE; i = b->tree.node[i].next) {
            uint32_t branch = states_of(b, i, out);
            first = first == NO_STATE ? branch : state_add(b, FORK, branch, first);
        }
        break;
    case ERE_REPEAT: first = states_of_repeat(b, node, out); break;
    }
    return first;
}

/* Adds to set what can be reached from a state without taking a byte: where begin and end say
 * whether the place is the key's begin or end. seen is cleared by us. */
static void open_states(struct build *b, uint32_t from, int begin, int end, uint64_t *set, uint64_t *seen,
                        unsigned words)
{
    size_t n = 0;
    memset(seen, 0, words * sizeof *seen);
    bit_set(seen, from);
    b->stack[n++] = from;
    while (n) {
        uint32_t at = b->stack[--n];
        const struct state *s = &b->state[at];
        uint32_t out[2] = {NO_STATE, NO_STATE};
        if (s->kind == FORK) out[0] = s->out, out[1] = s->out2;
        else if (s->kind == AT_BEGIN && begin) out[0] = s->out;
        else if (s->kind == AT_END && end) out[0] = s->out;
        else if (s->kind != AT_BEGIN) bit_set(set, at);
        for (int i = 0; i < 2; i++) {
            if (out[i] == NO_STATE || bit_has(seen, out[i])) continue;
            bit_set(seen, out[i]);
            b->stack[n++] = out[i];
        }
    }
}

static int sets_new(struct ere *e, struct build *b, uint32_t first)
{
    uint64_t seen[MAX_WORDS], set[MAX_WORDS];
    unsigned words = e->words = (b->n + 63) / 64;
    uint64_t *p;
    e->states = b->n;
    e->block_n = (size_t)words * (256 + b->n + 3) * sizeof *e->block;
    e->block = p = mem_zero(e->env, e->block_n);
    if (!p) return RSP_ENOMEM;
    e->takes = p, p += (size_t)words * 256;
    e->behind = p, p += (size_t)words * b->n;
    e->start = p, e->again = p + words, e->at_end = p + 2 * (size_t)words;
    for (uint32_t i = 0; i < b->n; i++) {
        const struct state *s = &b->state[i];
        if (s->kind == TAKE) {
            for (unsigned c = 0; c < 256; c++)
                if (ere_set_has(b->tree.node[s->node].set, c)) bit_set(e->takes + (size_t)c * words, i);
            open_states(b, s->out, 0, 0, e->behind + (size_t)i * words, seen, words);
        } else if (s->kind == AT_END) {
            memset(set, 0, sizeof set);
            open_states(b, i, 0, 1, set, seen, words);
            if (bit_has(set, e->match)) bit_set(e->at_end, i);
        }
    }
    bit_set(e->at_end, e->match);
    open_states(b, first, 1, 0, e->start, seen, words);
    open_states(b, first, 0, 0, e->again, seen, words);
    memset(set, 0, sizeof set);
    open_states(b, first, 1, 1, set, seen, words);
    e->matches_empty = bit_has(set, e->match);
    return RSP_OK;
}

/* One byte: from the set of open states now to the set then. */
static void step(const struct ere *e, const uint64_t *now, uint8_t byte, uint64_t *then)
{
    const uint64_t *takes = e->takes + (size_t)byte * e->words;
    memcpy(then, e->again, e->words * sizeof *then);
    for (unsigned w = 0; w < e->words; w++) {
        uint64_t active = now[w] & takes[w];
        for (; active; active &= active - 1) {
            size_t i = w * 64 + (unsigned)__builtin_ctzll(active);
            const uint64_t *behind = e->behind + i * e->words;
            for (unsigned k = 0; k < e->words; k++) then[k] |= behind[k];
        }
    }
}

int ere_match_states(const struct ere *e, const uint8_t *text, size_t n)
{
    uint64_t sets[2][MAX_WORDS];
    uint64_t *now = sets[0], *then = sets[1];
    if (n == 0) return e->matches_empty;
    memcpy(now, e->start, e->words * sizeof *now);
    for (size_t i = 0; i < n; i++) {
        uint64_t *swap = now;
        if (bit_has(now, e->match)) return 1;
        step(e, now, text[i], then);
        now = then;
        then = swap;
    }
    return meets(now, e->at_end, e->words);
}

static void classes_find(const struct ere *e, struct table *t, uint8_t sample[256])
{
    size_t row = e->words * sizeof *e->takes;
    for (unsigned c = 0; c < 256; c++) {
        unsigned k = 0;
        while (k < t->classes &&
               memcmp(e->takes + (size_t)sample[k] * e->words, e->takes + (size_t)c * e->words, row) != 0)
            k++;
        if (k == t->classes) sample[t->classes++] = (uint8_t)c;
        t->class_of[c] = (uint8_t)k;
    }
}

/* The row of a set of states, added when it is new; TABLE_ROWS when there is no room. */
static unsigned table_row(const struct ere *e, struct table *t, const uint64_t *set)
{
    uint64_t any = 0;
    unsigned row;
    if (bit_has(set, e->match)) return 1;
    for (unsigned i = 0; i < e->words; i++) any |= set[i];
    if (!any) return 0;
    for (row = 2; row < t->rows; row++)
        if (!memcmp(t->sets + (size_t)row * e->words, set, e->words * sizeof *set)) return row;
    if (row == TABLE_ROWS) return row;
    memcpy(t->sets + (size_t)row * e->words, set, e->words * sizeof *set);
    t->matches_at_end[row] = (uint8_t)meets(set, e->at_end, e->words);
    t->rows++;
    return row;
}

/* 1 when the whole table was worked out, 0 when it would be large. */
static int table_fill(const struct ere *e, struct table *t, const uint8_t sample[256])
{
    uint64_t set[MAX_WORDS];
    size_t work = 0;
    t->rows = 2;
    t->matches_at_end[1] = 1;
    for (unsigned c = 0; c < t->classes; c++) {
        t->next[c] = 0;
        t->next[t->classes + c] = 1;
    }
    /* The begin of a key is row 2, even when nothing or everything is matched from there. */
    memcpy(t->sets + 2 * (size_t)e->words, e->start, e->words * sizeof *set);
    t->matches_at_end[2] = (uint8_t)meets(e->start, e->at_end, e->words);
    t->rows = 3;
    for (unsigned row = 2; row < t->rows; row++) {
        const uint64_t *from = t->sets + (size_t)row * e->words;
        for (unsigned i = 0; i < e->words; i++) work += t->classes * (size_t)__builtin_popcountll(from[i]) * e->words;
        work += (size_t)t->classes * t->rows; /* for finding a row again: most differ in the first word */
        if (work > TABLE_WORK) return 0;
        for (unsigned c = 0; c < t->classes; c++) {
            unsigned to;
            step(e, from, sample[c], set);
            if (bit_has(from, e->match)) bit_set(set, e->match);
            to = table_row(e, t, set);
            if (to == TABLE_ROWS) return 0;
            t->next[row * t->classes + c] = (uint16_t)to;
        }
    }
    return 1;
}

static size_t sets_size(const struct ere *e)
{
    return (size_t)TABLE_ROWS * e->words * sizeof(uint64_t);
}

static size_t next_size(const struct table *t)
{
    return (size_t)TABLE_ROWS * t->classes * sizeof *t->next;
}

static void table_free(const struct ere *e, struct table *t)
{
    if (!t) return;
    mem_free(e->env, t->sets, sets_size(e));
    mem_free(e->env, t->next, next_size(t));
    mem_free(e->env, t, sizeof *t);
}

static int table_new(struct ere *e)
{
    uint8_t sample[256];
    struct table *t = mem_zero(e->env, sizeof *t);
    if (!t) return RSP_ENOMEM;
    classes_find(e, t, sample);
    t->sets = mem_alloc(e->env, sets_size(e));
    t->next = mem_alloc(e->env, next_size(t));
    if (!t->sets || !t->next) {
        table_free(e, t);
        return RSP_ENOMEM;
    }
    if (!table_fill(e, t, sample)) {
        table_free(e, t);
        return RSP_OK;
    }
    mem_free(e->env, t->sets, sets_size(e)); /* matching needs the rows' numbers only */
    t->sets = NULL;
    e->table = t;
    return RSP_OK;
}

int ere_match(const struct ere *e, const uint8_t *text, size_t n)
{
    const struct table *t = e->table;
    unsigned row = 2;
    if (!t) return ere_match_states(e, text, n);
    if (n == 0) return e->matches_empty;
    for (size_t i = 0; i < n; i++) {
        row = t->next[row * t->classes + t->class_of[text[i]]];
        if (row <= 1) return (int)row;
    }
    return t->matches_at_end[row];
}

int ere_has_table(const struct ere *e)
{
    return e->table != NULL;
}

int ere_new(const struct rsp_env *env, const char *subject, const char *pattern, size_t n, struct ere **ret)
{
    struct build b = {.tree = {.env = env, .subject = subject}};
    size_t state_size = (ERE_MAX_STATES + 2) * sizeof *b.state, stack_size = (ERE_MAX_STATES + 2) * sizeof *b.stack;
    struct ere *e = mem_zero(env, sizeof *e);
    int rc = RSP_ENOMEM;
    if (!e) goto out;
    e->env = env;
    if ((rc = ere_parse(&b.tree, pattern, n))) goto out;
    rc = RSP_ENOMEM;
    if (!(b.state = mem_alloc(env, state_size)) || !(b.stack = mem_alloc(env, stack_size))) goto out;
    e->match = state_add(&b, MATCH, NO_STATE, NO_STATE);
    if ((rc = sets_new(e, &b, states_of(&b, b.tree.root, e->match)))) goto out;
    rc = table_new(e);
out:
    if (b.tree.node) ere_tree_free(&b.tree);
    mem_free(env, b.state, state_size);
    mem_free(env, b.stack, stack_size);
    if (rc) {
        ere_free(e);
        e = NULL;
    }
    *ret = e;
    return rc;
}

void ere_free(struct ere *e)
{
    if (!e) return;
    table_free(e, e->table);
    mem_free(e->env, e->block, e->block_n);
    mem_free(e->env, e, sizeof *e);
}
