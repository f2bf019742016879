/* What this is: the parser of extended regular expressions.
 * Rests on: ere_tree.h.
 * Does not: recurse deeper than ERE_MAX_DEPTH groups. */
#include <string.h>

#include "base/mem.h"
#include "match/ere.h"
#include "match/ere_tree.h"

/* A group adds at most three levels to the tree; what goes beyond are repetitions of repetitions. */
#define MAX_TREE_DEPTH (3 * ERE_MAX_DEPTH)

struct parser {
    struct ere_tree *tree;
    const uint8_t *p;
    size_t n, at;
    unsigned depth;
};

#define BAD(parser, ...) fail_at((parser)->tree->env, RSP_EINVAL, (parser)->tree->subject, (parser)->at, __VA_ARGS__)

static int node_new(struct parser *s, enum ere_kind kind, uint32_t *ret)
{
    struct ere_tree *t = s->tree;
    struct ere_node *node;
    if (t->n == t->cap) return BAD(s, "the expression is too large");
    node = &t->node[t->n];
    memset(node, 0, sizeof *node);
    node->kind = (uint8_t)kind;
    node->child = node->next = ERE_NONE;
    node->states = 1;
    *ret = (uint32_t)t->n++;
    return RSP_OK;
}

/* Puts child into parent, before those that it has. */
static int node_put(struct parser *s, uint32_t parent, uint32_t child)
{
    struct ere_node *a = &s->tree->node[parent], *b = &s->tree->node[child];
    uint32_t own = a->kind == ERE_ALT && a->child != ERE_NONE; /* the fork between two branches */
    if (a->child == ERE_NONE) a->states = 0;
    if (b->states + own > ERE_MAX_STATES - a->states) return BAD(s, "the expression is too large");
    a->states += b->states + own;
    if (a->depth <= b->depth) a->depth = b->depth + 1;
    b->next = a->child;
    a->child = child;
    return RSP_OK;
}

static int node_repeat(struct parser *s, uint32_t child, uint32_t min, uint32_t max, uint32_t *ret)
{
    const struct ere_node *b = &s->tree->node[child];
    uint64_t copies = max == ERE_NO_MAX ? (min ? min : 1) : max;
    uint64_t forks = max == ERE_NO_MAX ? 1 : max - min;
    uint64_t states = copies * b->states + forks; /* no factor is larger than 10 * ERE_MAX_STATES */
    struct ere_node *a;
    int rc;
    if (states > ERE_MAX_STATES) return BAD(s, "the expression is too large: a repetition stands for too many copies");
    if (!states) states = 1;
    if (b->depth >= MAX_TREE_DEPTH) return BAD(s, "the expression is nested too deeply");
    if ((rc = node_new(s, ERE_REPEAT, ret))) return rc;
    a = &s->tree->node[*ret];
    b = &s->tree->node[child];
    a->child = child;
    a->min = min;
    a->max = max;
    a->states = (uint32_t)states;
    a->depth = b->depth + 1;
    return RSP_OK;
}

enum char_class { ALPHA, ALNUM, BLANK, CNTRL, DIGIT, GRAPH, LOWER, PRINT, PUNCT, SPACE, UPPER, XDIGIT, NO_CLASS };

/* As the C locale has them, whatever the process's locale. */
static int in_class(enum char_class class, unsigned c)
{
    int lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9';
    int graph = c > 0x20 && c < 0x7f;
    switch (class) {
    case ALPHA: return lower || upper;
    case ALNUM: return lower || upper || digit;
    case BLANK: return c == ' ' || c == '\t';
    case CNTRL: return c < 0x20 || c == 0x7f;
    case DIGIT: return digit;
    case GRAPH: return graph;
    case LOWER: return lower;
    case PRINT: return graph || c == ' ';
    case PUNCT: return graph && !lower && !upper && !digit;
    case SPACE: return c == ' ' || (c >= '\t' && c <= '\r');
    case UPPER: return upper;
    case XDIGIT: return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    case NO_CLASS: break;
    }
    return 0;
}

static enum char_class find_class(const uint8_t *p, size_t n)
{
    static const char *const names[] = {"alpha", "alnum", "blank", "cntrl", "digit", "graph",
                                        "lower", "print", "punct", "space", "upper", "xdigit"};
    size_t i = 0;
    while (i < NO_CLASS && (strlen(names[i]) != n || memcmp(names[i], p, n) != 0)) i++;
    return (enum char_class)i;
}

static void set_class(uint64_t set[4], enum char_class class)
{
    for (unsigned c = 0; c < 256; c++)
        if (in_class(class, c)) ere_set_add(set, c);
}

static void set_invert(uint64_t set[4])
{
    for (int i = 0; i < 4; i++) set[i] = ~set[i];
}

/* [:name:], [.x.] or [=x=] at s->at. *byte: the character, or -1 for a class, which is added. */
static int parse_named(struct parser *s, uint64_t set[4], int *byte)
{
    uint8_t mark = s->p[s->at + 1];
    size_t begin = s->at + 2, end = begin;
    enum char_class class;
    while (end + 1 < s->n && !(s->p[end] == mark && s->p[end + 1] == ']')) end++;
    if (end + 1 >= s->n) return BAD(s, "'[%c' without '%c]'", mark, mark);
    if (mark == ':') {
        class = find_class(s->p + begin, end - begin);
        if (class == NO_CLASS) return BAD(s, "no such character class");
        set_class(set, class);
        *byte = -1;
    } else {
        if (end - begin != 1) return BAD(s, "only single characters may stand in [%c %c]", mark, mark);
        *byte = s->p[begin];
    }
    s->at = end + 2;
    return RSP_OK;
}

static int parse_member(struct parser *s, uint64_t set[4], int *byte)
{
    if (s->p[s->at] == '[' && s->n - s->at >= 2 && memchr(":.=", s->p[s->at + 1], 3)) return parse_named(s, set, byte);
    *byte = s->p[s->at++];
    return RSP_OK;
}

/* s->at is behind '['. */
static int parse_bracket(struct parser *s, uint64_t set[4])
{
    size_t open = s->at - 1;
    int negate = s->at < s->n && s->p[s->at] == '^';
    int rc, first = 1;
    if (negate) s->at++;
    for (; s->at < s->n && (first || s->p[s->at] != ']'); first = 0) {
        int low, high;
        if ((rc = parse_member(s, set, &low))) return rc;
        if (s->n - s->at >= 2 && s->p[s->at] == '-' && s->p[s->at + 1] != ']') {
            s->at++;
            if ((rc = parse_member(s, set, &high))) return rc;
            if (low < 0 || high < 0) return BAD(s, "a class cannot be the end of a range");
            if (low > high) return BAD(s, "the range's end stands before its begin");
            for (int c = low; c <= high; c++) ere_set_add(set, (unsigned)c);
        } else if (low >= 0) {
            ere_set_add(set, (unsigned)low);
        }
    }
    if (s->at >= s->n) {
        s->at = open;
        return BAD(s, "'[' without ']'");
    }
    s->at++;
    if (negate) set_invert(set);
    return RSP_OK;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* s->at is behind '\'. */
static int parse_escape(struct parser *s, uint64_t set[4])
{
    uint8_t c;
    if (s->at == s->n) return BAD(s, "'\\' at the end");
    c = s->p[s->at];
    switch (c) {
    case 'd':
    case 'D': set_class(set, DIGIT); break;
    case 's':
    case 'S': set_class(set, SPACE); break;
    case 'w':
    case 'W':
        set_class(set, ALNUM);
        ere_set_add(set, '_');
        break;
    case 'n': ere_set_add(set, '\n'); break;
    case 'r': ere_set_add(set, '\r'); break;
    case 't': ere_set_add(set, '\t'); break;
    case 'x':
        if (s->n - s->at < 3 || hex_value(s->p[s->at + 1]) < 0 || hex_value(s->p[s->at + 2]) < 0)
            return BAD(s, "'\\x' must be followed by two hexadecimal digits");
        ere_set_add(set, (unsigned)(hex_value(s->p[s->at + 1]) * 16 + hex_value(s->p[s->at + 2])));
        s->at += 2;
        break;
    default:
        if (c >= '1' && c <= '9') return BAD(s, "back-references are not supported");
        if (in_class(ALNUM, c)) return BAD(s, "unknown escape '\\%c'", c);
        ere_set_add(set, c);
    }
    if (c == 'D' || c == 'S' || c == 'W') set_invert(set);
    s->at++;
    return RSP_OK;
}

static int parse_alternatives(struct parser *s, uint32_t *ret);

/* s->at is behind '('. */
static int parse_group(struct parser *s, uint32_t *ret)
{
    size_t open = s->at - 1;
    int rc;
    if (s->depth >= ERE_MAX_DEPTH) return BAD(s, "the expression is nested too deeply");
    s->depth++;
    if ((rc = parse_alternatives(s, ret))) return rc;
    s->depth--;
    if (s->at == s->n) {
        s->at = open;
        return BAD(s, "'(' without ')'");
    }
    s->at++;
    return RSP_OK;
}

static int parse_atom(struct parser *s, uint32_t *ret)
{
    uint8_t c = s->p[s->at];
    uint64_t *set;
    int rc;
    if (memchr("*+?{", c, 4)) return BAD(s, "'%c' has nothing to repeat (write \\%c for the character)", c, c);
    s->at++;
    if (c == '(') return parse_group(s, ret);
    if (c == '^') return node_new(s, ERE_BEGIN, ret);
    if (c == '$') return node_new(s, ERE_END, ret);
    if ((rc = node_new(s, ERE_SET, ret))) return rc;
    set = s->tree->node[*ret].set;
    if (c == '.') set_invert(set);
    else if (c == '[') return parse_bracket(s, set);
    else if (c == '\\') return parse_escape(s, set);
    else ere_set_add(set, c);
    return RSP_OK;
}

static int parse_count(struct parser *s, uint32_t *count)
{
    size_t begin = s->at;
    uint32_t v = 0;
    for (; s->at < s->n && s->p[s->at] >= '0' && s->p[s->at] <= '9'; s->at++)
        if (v <= ERE_MAX_STATES) v = v * 10 + (uint32_t)(s->p[s->at] - '0'); /* beyond it is too large anyway */
    *count = v;
    return s->at > begin;
}

/* {m}, {m,}, {m,n}, {,n}; s->at is behind '{'. */
static int parse_bounds(struct parser *s, uint32_t *min, uint32_t *max)
{
    int has_min = parse_count(s, min), has_max = has_min;
    *max = *min;
    if (s->at < s->n && s->p[s->at] == ',') {
        s->at++;
        has_max = parse_count(s, max);
        if (!has_max) *max = ERE_NO_MAX;
    }
    if (!(has_min || has_max) || s->at == s->n || s->p[s->at] != '}')
        return BAD(s, "'{' must be followed by counts, as in {2,5} (write \\{ for the character)");
    if (*min > *max) return BAD(s, "the repetition's first count is larger than its second");
    s->at++;
    return RSP_OK;
}

/* An atom with the repetitions behind it. */
static int parse_piece(struct parser *s, uint32_t *ret)
{
    int rc = parse_atom(s, ret);
    while (!rc && s->at < s->n && memchr("*+?{", s->p[s->at], 4)) {
        uint8_t c = s->p[s->at];
        uint32_t min = c == '+', max = c == '?' ? 1 : ERE_NO_MAX;
        uint8_t kind = s->tree->node[*ret].kind;
        if (kind == ERE_BEGIN || kind == ERE_END) return BAD(s, "'%c' cannot repeat an anchor", c);
        s->at++;
        if (c == '{' && (rc = parse_bounds(s, &min, &max))) return rc;
        rc = node_repeat(s, *ret, min, max, ret);
    }
    return rc;
}

static int parse_branch(struct parser *s, uint32_t *ret)
{
    uint32_t piece, cat = ERE_NONE;
    int rc, pieces = 0;
    while (s->at < s->n && s->p[s->at] != '|' && s->p[s->at] != ')') {
        if ((rc = parse_piece(s, &piece))) return rc;
        if (++pieces == 1) {
            *ret = piece;
            continue;
        }
        if (pieces == 2) {
            if ((rc = node_new(s, ERE_CAT, &cat))) return rc;
            if ((rc = node_put(s, cat, *ret))) return rc;
            *ret = cat;
        }
        if ((rc = node_put(s, cat, piece))) return rc;
    }
    return pieces ? RSP_OK : node_new(s, ERE_EMPTY, ret);
}

static int parse_alternatives(struct parser *s, uint32_t *ret)
{
    uint32_t branch, alt;
    int rc;
    if ((rc = parse_branch(s, ret))) return rc;
    if (s->at < s->n && s->p[s->at] == '|') {
        if ((rc = node_new(s, ERE_ALT, &alt))) return rc;
        if ((rc = node_put(s, alt, *ret))) return rc;
        *ret = alt;
        while (s->at < s->n && s->p[s->at] == '|') {
            s->at++;
            if ((rc = parse_branch(s, &branch))) return rc;
            if ((rc = node_put(s, alt, branch))) return rc;
        }
    }
    if (s->at < s->n && s->depth == 0) return BAD(s, "')' without '(' (write \\) for the character)");
    return RSP_OK;
}

int ere_parse(struct ere_tree *tree, const char *pattern, size_t n)
{
    struct parser s = {.tree = tree, .p = (const uint8_t *)pattern, .n = n};
    if (n > ERE_MAX_PATTERN) return BAD(&s, "the expression is too large");
    tree->n = 0;
    tree->cap = 2 * n + 4;
    tree->node = mem_alloc(tree->env, tree->cap * sizeof *tree->node);
    if (!tree->node) return RSP_ENOMEM;
    return parse_alternatives(&s, &tree->root);
}

void ere_tree_free(struct ere_tree *tree)
{
    mem_free(tree->env, tree->node, tree->cap * sizeof *tree->node);
    tree->node = NULL;
}
