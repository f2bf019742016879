/* What this is: tests of roles records: a known one, forged, cut, badly made, signed anew.
 * Rests on: libcheck; the known record was made by another implementation. LDFLAGS: -Wl,--wrap=crypto_pwhash
 * Does not: test what a repository makes of them. */
#include "keys_test.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "fake_argon.h"
#include "seal/items.h"
#include "seal/roles.h"

static const char known_hex[] =
    "525350524f4c310a018010000000d538878308398328a34f2ccb8e62334d0280080000000100000000000000040008000000006c50c4a00100"
    "00058020000000cb8b1e9715576f00b528a346e9963611c2aa972494417bd5d196c91c76657ca806805a000000018040000000cb8b1e971557"
    "6f00b528a346e9963611c2aa972494417bd5d196c91c76657ca8bbdf011901e37ef016eec47b357b4ed2f444a85f75ed8d02eefa92c3ffea00"
    "380280040000001f000000030004000000736565640680bf00000001804000000079cef235b391dddc9f16ed2330e753f8a8c8a988ffe305d4"
    "3e9e2404cdec1fd0610e097601d9a343b80eb9fe5ac125a1f57b6e2106e914b59b5b261c7a79dd5e0280040000000600000003000400000068"
    "6f737404801000000075d82388e542c1827a88d569981f1713050049000000010200000000000100c8c9cacbcccdcecfd0d1d2d3d4d5d6d7a5"
    "de5dde91160204c2e2c7a567afbe13d609e65a26a59b54acf0f02446bca9d54d5bc035a323f38fccb368c2d58db477078050000000a1a1a1a1"
    "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a3a3a3a3a3a3a3a3a3a3a3a3a3"
    "a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3088040000000b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b2"
    "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2611dfdc9ab27141ccdab2212499f07cd2c432d997d53b343e2c2"
    "08be4d191577475dcc335b6874240b69fe91969c9de415de24576ef0f98262be866bdcb60b0c";

static struct rsp_identity *root, *host;
static uint8_t bytes[1024], source[16];
static size_t bytes_n;

static void begin(void)
{
    uint8_t secret[32], lineage[16];
    setup();
    ramp(secret, 32, 0);
    ck_assert_int_eq(identity_from_secret(&env, secret, "seed", &root), RSP_OK);
    ramp(secret, 32, 100);
    ck_assert_int_eq(identity_from_secret(&env, secret, "host", &host), RSP_OK);
    rsp_lineage_of(&root->public, lineage);
    rsp_source_id(lineage, "web", source);
    bytes_n = unhex(known_hex, bytes, sizeof bytes);
}
static void end(void)
{
    rsp_identity_free(root);
    rsp_identity_free(host);
    teardown();
}

static int parse(const uint8_t *p, size_t n, struct rsp_roles **ret)
{
    uint8_t *exact = malloc(n ? n : 1);
    int rc;
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, p, n);
    memset(&error, 0, sizeof error);
    rc = rsp_roles_parse(&env, (struct rsp_span){exact, n}, root->public.sign, "roles/1", ret);
    ck_assert_int_eq(error.code, rc);
    ck_assert(!rc == !!*ret);
    free(exact);
    return rc;
}

START_TEST(known)
{
    struct rsp_roles *r;
    const struct rsp_member *m;
    uint8_t b1[32], a1[32];
    memset(a1, 0xa1, 32);
    memset(b1, 0xb2, 32);
    ck_assert_int_eq(parse(bytes, bytes_n, &r), RSP_OK);
    same_hex(r->hash, 32, "2abeeacba5919cb8e4ba6c716a904ff43798fdf4f9a6783f97f56e1a86e6efcb");
    same_hex(r->lineage, 16, "d538878308398328a34f2ccb8e62334d");
    ck_assert_mem_eq(r->root, root->public.sign, 32);
    ck_assert_uint_eq(r->n, 1);
    ck_assert_uint_eq(r->time_ms, 1790000000000);
    ck_assert(r->members_n == 2 && r->left_n == 1 && r->lost_n == 2);
    ck_assert(r->bytes_n == bytes_n && !memcmp(r->bytes, bytes, bytes_n));
    ck_assert_mem_eq(r->left[0].signer, a1, 32);
    ck_assert_uint_eq(r->left[0].source[15], 0xa2);
    ck_assert_uint_eq(r->left[0].hash[0], 0xa3);
    ck_assert_mem_eq(r->lost[1], b1, 32);
    m = rsp_roles_find(r, root->public.sign);
    ck_assert(m == r->members && m->flags == 31 && !m->sources && !m->sealed);
    ck_assert_str_eq(m->name, "seed");
    m = rsp_roles_find_name(r, "host");
    ck_assert(m == r->members + 1 && m->flags == 6 && m->sources_n == 1 && m->sealed_n == RSP_SEALED_BYTES);
    ck_assert_mem_eq(m->sources[0], source, 16);
    ck_assert_mem_eq(&m->key, &host->public, 64);
    ck_assert_ptr_null(rsp_roles_find(r, a1));
    ck_assert_ptr_null(rsp_roles_find_name(r, "hos"));
    ck_assert_ptr_null(rsp_roles_find_name(r, ""));
    rsp_roles_free(r);
    rsp_roles_free(NULL);
}
END_TEST

START_TEST(rights)
{
    struct rsp_roles *r;
    const struct rsp_member *seed, *writer;
    uint8_t other[16] = {1};
    ck_assert_int_eq(parse(bytes, bytes_n, &r), RSP_OK);
    seed = r->members;
    writer = r->members + 1;
    for (uint32_t flag = 1; flag <= RSP_ROLE_ROOT; flag <<= 1) ck_assert_int_eq(rsp_member_may(seed, flag, other), 1);
    ck_assert_int_eq(rsp_member_may(writer, RSP_ROLE_READ, NULL), 0);
    ck_assert_int_eq(rsp_member_may(writer, RSP_ROLE_WRITE, NULL), 1);
    ck_assert_int_eq(rsp_member_may(writer, RSP_ROLE_WRITE, source), 1);
    ck_assert_int_eq(rsp_member_may(writer, RSP_ROLE_WRITE, other), 0);
    ck_assert_int_eq(rsp_member_may(writer, RSP_ROLE_KEEP, other), 1);
    ck_assert_int_eq(rsp_member_may(writer, RSP_ROLE_PROVE, source), 0);
    ck_assert_int_eq(rsp_member_may(writer, RSP_ROLE_ROOT, NULL), 0);
    ck_assert_int_eq(rsp_member_may(writer, 0, NULL), 1);
    rsp_roles_free(r);
}
END_TEST

START_TEST(every_bit_and_length)
{
    struct rsp_roles *r;
    for (size_t i = 0; i < bytes_n * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        ck_assert_int_eq(parse(bytes, bytes_n, &r), RSP_EINTEGRITY);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t n = 0; n < bytes_n; n++) ck_assert_int_eq(parse(bytes, n, &r), RSP_EINTEGRITY);
    bytes[bytes_n] = 0;
    ck_assert_int_eq(parse(bytes, bytes_n + 1, &r), RSP_EINTEGRITY);
    ck_assert_int_eq(rsp_roles_parse(&env, (struct rsp_span){bytes, bytes_n}, host->public.sign, "x", &r),
                     RSP_EINTEGRITY);
    ck_assert_ptr_null(r);
}
END_TEST

/* As above, but signed by root again after each change: what is accepted then is another meaning, and none breaks. */
START_TEST(signed_nonsense)
{
    struct rsp_roles *r;
    unsigned accepted = 0;
    for (size_t n = 8; n < bytes_n - 64; n++) {
        uint8_t cut[1024];
        memcpy(cut, bytes, n);
        identity_sign(root, cut, n, cut + n);
        if (parse(cut, n + 64, &r) == RSP_OK) {
            ck_assert(r->members_n && !r->lost_n); /* something is missing */
            rsp_roles_free(r);
            accepted++;
        }
    }
    ck_assert_uint_eq(accepted, 3); /* cut just behind the seed, the host, the head */
    accepted = 0;
    for (size_t i = 8; i < bytes_n - 64; i++) {
        bytes[i] ^= 0x80;
        identity_sign(root, bytes, bytes_n - 64, bytes + bytes_n - 64);
        if (parse(bytes, bytes_n, &r) == RSP_OK) {
            accepted++;
            rsp_roles_free(r);
        } else {
            ck_assert_int_eq(error.code, RSP_EINTEGRITY);
        }
        bytes[i] ^= 0x80;
    }
    ck_assert_uint_lt(accepted, bytes_n - 64);
}
END_TEST

/* A record of the items that the letters name, signed: L lineage, N n = 1, M n = 2, P previous, T time, R root's key,
 * S the seed, H the host, I a third one, l left head, o lost; a c: unknown items; the rest are wrong ones. */
static void put(struct buf *b, char letter)
{
    static const uint8_t many[80] = {1, 2, 3};
    uint8_t lineage[16], keys[64];
    const struct rsp_public *who = letter == 'S' ? &root->public : &host->public;
    const uint32_t flags = letter == 'S' ? 31 : letter == 'g' ? 32 : letter == 'G' ? 16 : 2;
    size_t at;
    int rc = 0;
    rsp_lineage_of(&root->public, lineage);
    memcpy(keys, who, 64);
    switch (letter) {
    case 'L': rc = item_add(b, ROLES_LINEAGE, lineage, 16); break;
    case 'x': rc = item_add(b, ROLES_LINEAGE, many, 16); break;
    case 'N': rc = item_u64(b, ROLES_N, 1); break;
    case 'M': rc = item_u64(b, ROLES_N, 2); break;
    case '0': rc = item_u64(b, ROLES_N, 0); break;
    case '4': rc = item_u32(b, ROLES_N, 1); break;
    case 'P': rc = item_add(b, ROLES_PREVIOUS, many, 32); break;
    case 'p': rc = item_add(b, ROLES_PREVIOUS, many, 31); break;
    case 'T': rc = item_u64(b, ROLES_TIME, 5); break;
    case 't': rc = item_u32(b, ROLES_TIME, 5); break;
    case 'u': rc = item_u64(b, ITEM_CRITICAL | 4, 5); break;
    case 'R': rc = item_add(b, ROLES_ROOT, root->public.sign, 32); break;
    case 'r': rc = item_add(b, ROLES_ROOT, host->public.sign, 32); break;
    case 'l': rc = item_add(b, ROLES_LEFT, many, 80); break;
    case 'k': rc = item_add(b, ROLES_LEFT, many, 79); break;
    case 'o': rc = item_add(b, ROLES_LOST, many, 64); break;
    case 'q': rc = item_add(b, ROLES_LOST, many, 63); break;
    case 'e': rc = item_add(b, ROLES_LOST, many, 0); break;
    case 'a': rc = item_add(b, 9, "new", 3); break;
    case 'c': rc = item_add(b, ITEM_CRITICAL | 9, "new", 3); break;
    default:
        if (letter == 'I') keys[0] ^= 1, keys[40] ^= 1;
        rc = item_begin(b, ROLES_MEMBER, &at);
        if (letter != '.') rc = rc ? rc : item_add(b, MEMBER_KEY, keys, letter == 'h' ? 63 : 64);
        if (letter != 'f') rc = rc ? rc : item_u32(b, MEMBER_FLAGS, flags);
        if (letter == 'F') rc = item_u32(b, MEMBER_FLAGS, 2);
        if (letter == 'A' || letter == 'I') rc = item_add(b, MEMBER_NAME, "same", 4);
        if (letter == 'n') rc = item_add(b, MEMBER_NAME, "", 0);
        if (letter == 'm') rc = item_add(b, MEMBER_NAME, "a\nb", 3);
        if (letter == 'w') rc = item_add(b, MEMBER_NAME, many, 64);
        if (letter == 's') rc = item_add(b, MEMBER_SOURCES, many, 15);
        if (letter == 'z') rc = item_add(b, MEMBER_SOURCES, many, 0);
        if (letter == 'y') rc = item_add(b, MEMBER_SOURCES, many, 32);
        if (letter == '2') rc = item_add(b, MEMBER_SEALED, many, 72);
        if (letter == '3') rc = item_add(b, MEMBER_SEALED, many, 73);
        if (letter == 'C') rc = item_add(b, ITEM_CRITICAL | 6, "", 0);
        if (letter == 'U') rc = item_add(b, 6, "", 0);
        if (letter == '<') rc = item_add(b, 1, "", 0); /* out of order */
        rc = rc ? rc : item_end(b, at);
    }
    ck_assert_int_eq(rc, RSP_OK);
}

static int arranged(const char *letters)
{
    struct rsp_roles *r;
    uint8_t sig[64];
    struct buf b;
    int rc;
    buf_init(&b, &env);
    ck_assert_int_eq(buf_add(&b, ROLES_MAGIC, 8), RSP_OK);
    for (; *letters; letters++) put(&b, *letters);
    identity_sign(root, b.p, b.n, sig);
    ck_assert_int_eq(buf_add(&b, sig, 64), RSP_OK);
    rc = parse(b.p, b.n, &r);
    rsp_roles_free(r);
    buf_free(&b);
    return rc;
}

START_TEST(accepted)
{
    static const char *const good[] = {"LNTRS",  "LNRS",   "LMPTRSH", "LMPTRSHll", "LNTRSHo", "LNTRSHlloa", "LNTRSaa",
                                       "LNTRSy", "LNTRS3", "LNTRSU",  "LNTRSA",    "LNTRSI",  "LNTRSHI"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(arranged(good[i]) == RSP_OK, "%s: %s", good[i], error.message);
    ck_assert_int_eq(arranged("LNTRH"), RSP_OK); /* root need not stand there, but has no less than all */
}
END_TEST

START_TEST(badly_made)
{
    static const char *const wrong[] = {
        "",       "L",      "LNTR",   "NTRS",   "LTRS",    "LNTS",   "xNTRS",   "L0TRS",   "L4TRS",   "LNPTRS",
        "LMTRS",  "LMpTRS", "LNtRS",  "LNuRS",  "LNTrS",   "LLNTRS", "LNNTRS",  "LMPPTRS", "LNTTRS",  "LNTRRS",
        "NLTRS",  "LNRTS",  "LNTSR",  "LNTRlS", "LNTRSol", "LNTRSk", "LNTRSq",  "LNTRSe",  "LNTRSoo", "LNTRSc",
        "LNaTRS", "LNTRSh", "LNTRS.", "LNTRSf", "LNTRSF",  "LNTRSg", "LNTRSG",  "LNTRSn",  "LNTRSm",  "LNTRSw",
        "LNTRSs", "LNTRSz", "LNTRS2", "LNTRSC", "LNTRS<",  "LNTRSS", "LNTRSHH", "LNTRSAI", "LNTRSHA",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(arranged(wrong[i]) == RSP_EINTEGRITY, "%s: accepted", wrong[i]);
        ck_assert_str_eq(error.subject, "roles/1");
        ck_assert_str_ne(error.message, "");
    }
    ck_assert_int_eq(arranged("LNTRSc"), RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(strstr(error.message, "critical item 9"));
}
END_TEST

/* The known record as a draft, of the caller's own memory. */
struct draft {
    struct rsp_roles r;
    struct rsp_member m[3];
    uint8_t sources[1][16], sealed[RSP_SEALED_BYTES], lost[2][32];
    struct rsp_left_head left[1];
};
static void make_draft(struct draft *d)
{
    struct rsp_roles *r;
    memset(d, 0, sizeof *d);
    ck_assert_int_eq(parse(bytes, bytes_n, &r), RSP_OK);
    d->r.n = 1;
    d->r.time_ms = r->time_ms;
    memcpy(d->lost, r->lost, sizeof d->lost);
    d->left[0] = r->left[0];
    d->m[0] = r->members[0];
    d->m[1] = r->members[1];
    memcpy(d->sealed, d->m[1].sealed, sizeof d->sealed);
    memcpy(d->sources, source, 16);
    d->m[1].sources = d->sources;
    d->m[1].sealed = d->sealed;
    d->r.members = d->m;
    d->r.members_n = 2;
    d->r.left = d->left;
    d->r.left_n = 1;
    d->r.lost = d->lost;
    d->r.lost_n = 2;
    memset(d->r.previous, 0xdd, 32); /* not written: it is the first */
    rsp_roles_free(r);
}
static int sign(const struct draft *d, const struct rsp_identity *by)
{
    struct rsp_roles *r;
    int rc;
    memset(&error, 0, sizeof error);
    rc = rsp_roles_sign(&env, &d->r, by, &r);
    ck_assert_int_eq(error.code, rc);
    ck_assert(!rc == !!r);
    rsp_roles_free(r);
    return rc;
}

START_TEST(signing)
{
    struct draft d;
    struct rsp_roles *r, *next;
    make_draft(&d);
    ck_assert_int_eq(rsp_roles_sign(&env, &d.r, root, &r), RSP_OK);
    ck_assert_uint_eq(r->bytes_n, bytes_n);
    ck_assert_mem_eq(r->bytes, bytes, bytes_n); /* Ed25519 is deterministic */
    r->n = 2;
    memcpy(r->previous, r->hash, 32);
    r->members_n = 1; /* a parsed record serves as the next one's draft */
    ck_assert_int_eq(rsp_roles_sign(&env, r, root, &next), RSP_OK);
    r->members_n = 2;
    ck_assert_uint_eq(next->n, 2);
    ck_assert_uint_eq(next->members_n, 1);
    ck_assert_mem_eq(next->previous, r->hash, 32);
    ck_assert_mem_ne(next->hash, r->hash, 32);
    rsp_roles_free(next);
    rsp_roles_free(r);
}
END_TEST

START_TEST(signing_refused)
{
    struct draft d;
    make_draft(&d);
    d.r.lineage[3] = 1;
    ck_assert_int_eq(sign(&d, root), RSP_ERIGHT);
    make_draft(&d);
    rsp_lineage_of(&root->public, d.r.lineage);
    ck_assert_int_eq(sign(&d, root), RSP_OK);
    ck_assert_int_eq(sign(&d, host), RSP_ERIGHT);
    make_draft(&d);
    memcpy(d.r.root, root->public.sign, 32);
    ck_assert_int_eq(sign(&d, host), RSP_ERIGHT);
    make_draft(&d);
    ck_assert_int_eq(sign(&d, host), RSP_EINVAL); /* the seed would be no root */
    d.r.n = 0;
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    make_draft(&d);
    d.r.members_n = 0;
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    d.r.members_n = 1025;
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    make_draft(&d);
    d.r.members++; /* root is not there */
    d.r.members_n = 1;
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "root is not among"));
    make_draft(&d);
    d.m[0].flags = 30;
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    make_draft(&d);
    d.m[1].sources_n = 0; /* not a way to every source */
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    make_draft(&d);
    d.m[1].sealed_n = 72;
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    make_draft(&d);
    memset(d.m[1].name, 'x', sizeof d.m[1].name);
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    make_draft(&d);
    memcpy(d.m[1].name, "seed", 5);
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    make_draft(&d);
    d.m[2] = d.m[1];
    d.m[2].name[0] = 0;
    d.r.members_n = 3;
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL);
    d.m[2].key.sign[0] ^= 1;
    ck_assert_int_eq(sign(&d, root), RSP_EINVAL); /* the X25519 key */
    d.m[2].key.box[0] ^= 1;
    ck_assert_int_eq(sign(&d, root), RSP_OK);
    make_draft(&d);
    d.r.lost = calloc(131073, 32);
    ck_assert_ptr_nonnull(d.r.lost);
    d.r.lost_n = 131073; /* 4 MiB and more */
    ck_assert_int_eq(sign(&d, root), RSP_ELIMIT);
    free(d.r.lost);
}
END_TEST

START_TEST(many_members)
{
    struct rsp_roles draft, *r = NULL;
    struct rsp_member *m = calloc(1025, sizeof *m);
    ck_assert_ptr_nonnull(m);
    memset(&draft, 0, sizeof draft);
    for (uint32_t i = 0; i < 1025; i++) {
        store_le32(m[i].key.sign, i + 1);
        store_le32(m[i].key.box, i + 1);
        m[i].flags = RSP_ROLE_READ;
    }
    m[7].key = root->public;
    m[7].flags = 31;
    draft.n = 1;
    draft.members = m;
    draft.members_n = 1024;
    ck_assert_int_eq(rsp_roles_sign(&env, &draft, root, &r), RSP_OK);
    ck_assert_uint_eq(r->members_n, 1024);
    rsp_roles_free(r);
    draft.members_n = 1025;
    ck_assert_int_eq(rsp_roles_sign(&env, &draft, root, &r), RSP_EINVAL);
    free(m);
}
END_TEST

static int ask(void *opaque, const char *subject, char *out, size_t cap, size_t *n)
{
    ck_assert_str_eq(subject, "host");
    *n = strlen(opaque);
    ck_assert_uint_le(*n, cap);
    memcpy(out, opaque, *n);
    return RSP_OK;
}

START_TEST(passphrase_reader)
{
    char good[] = "correct horse", wrong[] = "horse", empty[] = "";
    struct rsp_identity *got;
    struct draft d;
    make_draft(&d);
    ck_assert_int_eq(rsp_member_open(&env, d.m, ask, good, &got), RSP_EKEY); /* none there */
    /* The known record holds the seed's secret, under the real Argon2id, as if it were the host's. */
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(rsp_member_open(&env, d.m + 1, ask, good, &got), RSP_EINTEGRITY);
    ck_assert_ptr_null(got);
    fake_argon = 1;
    ck_assert_int_eq(rsp_identity_seal(host, (struct rsp_span){(uint8_t *)good, strlen(good)}, d.sealed), RSP_OK);
    ck_assert_int_eq(rsp_member_open(&env, d.m + 1, ask, good, &got), RSP_OK);
    ck_assert_mem_eq(&got->public, &host->public, 64);
    ck_assert_str_eq(rsp_identity_name(got), "host");
    rsp_identity_free(got);
    ck_assert_int_eq(rsp_member_open(&env, d.m + 1, ask, wrong, &got), RSP_EKEY);
    ck_assert_int_eq(rsp_member_open(&env, d.m + 1, ask, empty, &got), RSP_EKEY);
    ck_assert_int_eq(rsp_member_open(&env, d.m + 1, NULL, NULL, &got), RSP_EKEY);
    argon_calls = 0;
    store_le32(d.sealed + 5, 4u << 20); /* 4 GiB: asked of nobody, allocated nowhere */
    ck_assert_int_eq(rsp_member_open(&env, d.m + 1, ask, good, &got), RSP_ELIMIT);
    store_le32(d.sealed + 5, 1024);
    ck_assert_int_eq(rsp_member_open(&env, d.m + 1, ask, good, &got), RSP_ELIMIT);
    ck_assert_int_eq(argon_calls, 0);
}
END_TEST

START_TEST(no_memory)
{
    struct draft d;
    struct rsp_roles *r;
    int rc = RSP_ENOMEM;
    long nth;
    make_draft(&d);
    for (nth = 0; rc; nth++) {
        fail_nth = nth;
        rc = rsp_roles_sign(&env, &d.r, root, &r);
        ck_assert(!rc || rc == RSP_ENOMEM);
        ck_assert(!rc == !!r);
    }
    rsp_roles_free(r);
    ck_assert_int_gt(nth, 8);
    fail_nth = -1;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roles");
    TCase *tc = tcase_create("roles");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(tc, begin, end);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, known);
    tcase_add_test(tc, rights);
    tcase_add_test(tc, every_bit_and_length);
    tcase_add_test(tc, signed_nonsense);
    tcase_add_test(tc, accepted);
    tcase_add_test(tc, badly_made);
    tcase_add_test(tc, signing);
    tcase_add_test(tc, signing_refused);
    tcase_add_test(tc, many_members);
    tcase_add_test(tc, passphrase_reader);
    tcase_add_test(tc, no_memory);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
