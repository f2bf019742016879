/* What this is: tests of identities: derivation, text forms, recovery sheets, passphrases, files.
 * Rests on: libcheck; expected values made by other implementations. LDFLAGS: -Wl,--wrap=crypto_pwhash
 * Does not: spend half a second on a passphrase more than it must. */
#include "keys_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "fake_argon.h"
#include "seal/identity.h"
#include "seal/identity_text.h"

#define PUB \
    "rsp-pub-zofr5fyvk5xqbnjiundotfrwchbkvfzesraxxvors3ery5tfpsulxxybdea6g7xqc3xmi6zvpnhnf5cevbpxl3mnalxpvewd77vaaockoo6bs"
#define PUB2 \
    "rsp-pub-phhpenntsho5zhyw5urtbz2t7cumrkmi77rqlvb6tysajtpmd7igcdqjoya5ti2dxahlt7s2yes2d5l3nyqqn2iuwwnvwjq4pj452xx6ojtuk"
#define SEC "rsp-secret-aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp4wl2rma"
#define SEALED                                                                                                         \
    "rsp-sealed-aebaaaaaaaaacagizhfmxtgnz3h5buos2pknlvwxuxpf3xurcybajqxcy6swpl56cplatzs2e2szwvfm6dycirv4vhku2w6agwrsh" \
    "44pzszwrqwvrw2hpsuxltba"
#define SHEET "1: AAAQ EAYE AUDA PSJG\n2: BAEQ UCYM BUHA 6X37\n3: CAIR EEYU CULB PHG6\n4: DAMR UGY4 DUPB 75YM\n"

static struct rsp_identity *id;
static uint8_t secret[32];
static const char *passphrase = "correct horse";
static int asked;

static int ask(void *opaque, const char *subject, char *out, size_t cap, size_t *n)
{
    (void)opaque;
    asked++;
    ck_assert_ptr_nonnull(subject);
    *n = strlen(passphrase);
    ck_assert_uint_le(*n, cap);
    memcpy(out, passphrase, *n);
    return RSP_OK;
}
static int ask_in_vain(void *opaque, const char *subject, char *out, size_t cap, size_t *n)
{
    (void)subject, (void)out;
    *n = cap + (opaque != NULL);
    return opaque ? RSP_OK : RSP_EKEY;
}

static void begin(void)
{
    setup();
    ramp(secret, 32, 0);
    ck_assert_int_eq(identity_from_secret(&env, secret, "seed", &id), RSP_OK);
}
static void end(void)
{
    rsp_identity_free(id);
    teardown();
}

/* Parses n bytes from a block of just that size. */
static int parse_n(const char *text, size_t n, struct rsp_identity **ret)
{
    uint8_t *exact = malloc(n ? n : 1);
    int rc;
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, text, n);
    memset(&error, 0, sizeof error);
    rc = rsp_identity_parse(&env, (struct rsp_span){exact, n}, "the text", ask, NULL, ret);
    ck_assert_int_eq(error.code, rc);
    ck_assert(!rc == !!*ret);
    free(exact);
    return rc;
}
static int is_good(const char *text)
{
    struct rsp_identity *got;
    int rc = parse_n(text, strlen(text), &got);
    if (rc) return 0;
    ck_assert_mem_eq(got->s->secret, secret, 32);
    rsp_identity_free(got);
    return 1;
}
/* Refused with RSP_EFORMAT and these words, and nothing of what was read is in them. */
static void refused(const char *text, const char *words)
{
    struct rsp_identity *got;
    int rc = parse_n(text, strlen(text), &got);
    ck_assert_msg(rc == RSP_EFORMAT, "status %d for \"%s\"", rc, text);
    ck_assert_msg(strstr(error.message, words) != NULL, "\"%s\" without \"%s\"", error.message, words);
    ck_assert_str_eq(error.subject, "the text");
    ck_assert_ptr_null(strstr(error.message, "aaaq"));
    ck_assert_ptr_null(strstr(error.message, "AAAQ"));
}

START_TEST(derivation)
{
    struct rsp_public key;
    uint8_t lineage[16], source[16], m[32], sig[64];
    rsp_identity_public(id, &key);
    same_hex(id->s->sign_seed, 32, "87f0cb5df13bf513e632453095d351b01b0b58e8abe46164197f27fcf33a9932");
    same_hex(id->s->box, 32, "f95cde80c9659e283760c5a21691b1dc0947c6213f0f1bff8a7d82cdcf32594a");
    same_hex(key.sign, 32, "cb8b1e9715576f00b528a346e9963611c2aa972494417bd5d196c91c76657ca8");
    same_hex(key.box, 32, "bbdf011901e37ef016eec47b357b4ed2f444a85f75ed8d02eefa92c3ffea0038");
    rsp_lineage_of(&key, lineage);
    same_hex(lineage, 16, "d538878308398328a34f2ccb8e62334d");
    rsp_source_id(lineage, "web", source);
    same_hex(source, 16, "75d82388e542c1827a88d569981f1713");
    identity_sign(id, "respite", 7, sig);
    ck_assert(sign_check(key.sign, "respite", 7, sig));
    ck_assert_str_eq(rsp_identity_name(id), "seed");
    ck_assert_ptr_null(rsp_identity_root(id));
    ck_assert(!identity_unbox(id, m, secret, 0));
    ck_assert(!identity_unbox(id, m, secret, 47));
}
END_TEST

START_TEST(fresh)
{
    struct rsp_identity *made = NULL;
    char name[65];
    memset(name, 'x', 64);
    name[64] = 0;
    ck_assert_int_eq(rsp_identity_new(&env, NULL, &made), RSP_OK);
    ck_assert_mem_eq(made->s->secret, secret, 32); /* the counter of the test's random source */
    ck_assert_mem_eq(&made->public, &id->public, 64);
    ck_assert_str_eq(rsp_identity_name(made), "");
    rsp_identity_free(made);
    ck_assert_int_eq(rsp_identity_new(&env, name, &made), RSP_EINVAL);
    ck_assert_int_eq(rsp_identity_new(&env, " a", &made), RSP_EINVAL);
    ck_assert_int_eq(rsp_identity_new(&env, "a\n", &made), RSP_EINVAL);
    ck_assert_int_eq(rsp_identity_new(&env, "a\xc3\xa4", &made), RSP_EINVAL);
    name[63] = 0;
    ck_assert_int_eq(rsp_identity_new(&env, name, &made), RSP_OK);
    ck_assert_str_eq(rsp_identity_name(made), name);
    rsp_identity_free(made);
    memset(&error, 0, sizeof error);
    env.random = no_random;
    ck_assert_int_eq(rsp_identity_new(&env, NULL, &made), RSP_EIO);
    ck_assert_ptr_null(made);
    rsp_identity_free(NULL);
}
END_TEST

START_TEST(public_text)
{
    struct rsp_public key, other;
    char text[RSP_PUBLIC_TEXT], upper[RSP_PUBLIC_TEXT + 8];
    rsp_public_text(&id->public, text);
    ck_assert_str_eq(text, PUB);
    ck_assert_int_eq(rsp_public_parse(&env, " \t" PUB "\r\n", &key), RSP_OK);
    ck_assert_mem_eq(&key, &id->public, 64);
    for (size_t i = 0; i <= strlen(PUB); i++) upper[i] = (char)(PUB[i] >= 'a' && PUB[i] <= 'z' ? PUB[i] - 32 : PUB[i]);
    ck_assert_int_eq(rsp_public_parse(&env, upper, &key), RSP_OK);
    ck_assert_mem_eq(&key, &id->public, 64);
    for (size_t i = 0; i < strlen(PUB); i++) {
        static const char others[] = "a7q2_ \t=";
        for (size_t k = 0; k < sizeof others; k++) { /* the terminator too: cut there */
            memcpy(text, PUB, sizeof PUB);
            if (text[i] == others[k]) continue;
            text[i] = others[k];
            ck_assert_int_eq(rsp_public_parse(&env, text, &other), RSP_EFORMAT);
        }
    }
    ck_assert_int_eq(rsp_public_parse(&env, PUB "a", &other), RSP_EFORMAT);
    ck_assert_int_eq(rsp_public_parse(&env, "", &other), RSP_EFORMAT);
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(rsp_public_parse(&env, SEC, &other), RSP_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "secret"));
    ck_assert_ptr_null(strstr(error.message, "aaaq"));
}
END_TEST

START_TEST(base32)
{
    static const char *texts[] = {"", "my", "mzxq", "mzxw6", "mzxw6yq", "mzxw6ytb", "mzxw6ytboi"}; /* RFC 4648, 10 */
    for (size_t n = 0; n <= 6; n++) {
        char out[16] = {0};
        uint8_t back[8];
        base32_text(out, (const uint8_t *)"foobar", n);
        ck_assert_str_eq(out, texts[n]);
        ck_assert(base32_parse(out, strlen(out), back, n));
        ck_assert_mem_eq(back, "foobar", n);
        ck_assert(!base32_parse(out, strlen(out), back, n + 1));
    }
    ck_assert(!base32_parse("mz", 2, secret, 1)); /* a bit beside the byte */
    ck_assert(!base32_parse("m1", 2, secret, 1));
    ck_assert(!base32_parse("m=", 2, secret, 1));
}
END_TEST

START_TEST(secret_text)
{
    static const char sealed[] = SEALED;
    char text[sizeof sealed];
    ck_assert(is_good(SEC));
    ck_assert(is_good("\r\n# a note\r\n\t" SEC " \r\n"));
    ck_assert(is_good("RSP-SECRET-AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYP4WL2RMA"));
    for (size_t i = 0; i < strlen(SEC); i++) {
        struct rsp_identity *got;
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(text, SEC, sizeof SEC);
            text[i] = (char)(text[i] ^ 1 << bit);
            /* the other case of a letter is the same letter */
            if (bit == 5 && ((text[i] | 32) >= 'a') && ((text[i] | 32) <= 'z')) ck_assert(is_good(text));
            else ck_assert_int_eq(parse_n(text, strlen(SEC), &got), RSP_EFORMAT);
        }
        ck_assert_int_eq(parse_n(SEC, i, &got), RSP_EFORMAT);
    }
    for (size_t i = 0; i < strlen(sealed); i++) { /* each refused by the check, before any work */
        struct rsp_identity *got;
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(text, sealed, sizeof sealed);
            text[i] = (char)(text[i] ^ 1 << bit);
            if (bit == 5 && ((text[i] | 32) >= 'a') && ((text[i] | 32) <= 'z')) continue;
            ck_assert_int_eq(parse_n(text, strlen(sealed), &got), RSP_EFORMAT);
        }
        ck_assert_int_eq(parse_n(sealed, i, &got), RSP_EFORMAT);
    }
    ck_assert_int_eq(asked, 0);
    ck_assert_int_eq(argon_calls, 0);
}
END_TEST

START_TEST(files)
{
    struct rsp_identity *got;
    const char *text = "# mine\r\nname: web host 3\r\nroot: " PUB2 "\r\npublic:" PUB "\r\n\r\nsecret :  " SEC;
    ck_assert_int_eq(parse_n(text, strlen(text), &got), RSP_OK);
    ck_assert_str_eq(rsp_identity_name(got), "web host 3");
    ck_assert_ptr_nonnull(rsp_identity_root(got));
    same_hex(rsp_identity_root(got)->sign, 32, "79cef235b391dddc9f16ed2330e753f8a8c8a988ffe305d43e9e2404cdec1fd0");
    ck_assert_int_eq(rsp_identity_set_root(got, &id->public), RSP_OK);
    ck_assert_mem_eq(rsp_identity_root(got), &id->public, 64);
    ck_assert_int_eq(rsp_identity_set_root(got, NULL), RSP_OK);
    ck_assert_ptr_null(rsp_identity_root(got));
    rsp_identity_free(got);

    refused("", "no identity");
    refused("# nothing\n\n", "no identity");
    refused("public: " PUB, "only the public identity");
    refused(PUB, "line 1: a public identity");
    refused("\n\npublic: " PUB2 "\nsecret: " SEC, "line 3: this public identity does not belong");
    refused("secret: " SEC "\nsecret: " SEC, "line 2: a second secret");
    refused(SEC "\n" SEALED, "line 2: a second secret");
    refused(SEC "\n" SHEET, "line 2: a second secret");
    refused(SHEET "secret: " SEC, "line 5: a second secret");
    refused("public: " PUB "\npublic: " PUB "\n" SEC, "line 2");
    refused("root: " PUB "\nroot: " PUB "\n" SEC, "line 2");
    refused("root: " SEC "\n" SEC, "line 1");
    refused("name: a\nname: b\n" SEC, "line 2");
    refused("name:\n" SEC, "line 1");
    refused("name: a\tb\n" SEC, "line 1");
    refused("name: 0123456789012345678901234567890123456789012345678901234567890123\n" SEC, "line 1");
    refused("secret: " SEALED, "line 1");
    refused("sealed: " SEC, "line 1");
    refused("secret:\n", "line 1");
    refused("sekret: " SEC, "line 1");
    refused("hello\n", "line 1");
    refused(": " SEC, "line 1");
    refused("5: AAAQ EAYE AUDA PSJG", "line 1");
}
END_TEST

START_TEST(limits)
{
    struct rsp_identity *got;
    char *text = malloc((64u << 10) + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, '\n', (64u << 10) + 1);
    memcpy(text, SEC, strlen(SEC));
    ck_assert_int_eq(parse_n(text, (64u << 10) + 1, &got), RSP_ELIMIT);
    ck_assert_int_eq(parse_n(text, 64u << 10, &got), RSP_OK);
    rsp_identity_free(got);
    memset(text, '#', 64u << 10);
    ck_assert_int_eq(parse_n(text, 64u << 10, &got), RSP_EFORMAT);
    text[0] = 0;
    ck_assert_int_eq(parse_n(text, 20, &got), RSP_EFORMAT);
    free(text);
}
END_TEST

START_TEST(sheets)
{
    ck_assert(is_good(SHEET));
    ck_assert(
        is_good("4: DAMR UGY4 DUPB 75YM\n3: CAIR EEYU CULB PHG6\n2: BAEQ UCYM BUHA 6X37\n1: AAAQ EAYE AUDA PSJG"));
    ck_assert(is_good(
        " 1 :aaaq-eaye-auda-psjg\r\n\n2:8AEQUCYM8UHA6X37\n3:  ca1r  eeyu\tculb phg6\n4: damr ugy4 dupb 75ym\r\n"));
    refused("1: AAAQ EAYE AUDA PSJG\n2: BAEQ UCYM BUHA 6X37\n4: DAMR UGY4 DUPB 75YM",
            "line 3 of the recovery sheet is");
    refused(SHEET "2: BAEQ UCYM BUHA 6X37\n", "line 5: line 2 of the recovery sheet stands there twice");
    refused("\n1: AAAQ EAYE AUDA PSJ\n", "line 2: line 1 of the recovery sheet has 15 letters, not 16");
    refused("1: AAAQ EAYE AUDA PSJGG\n", "has 17 letters, not 16");
    refused("1:\n", "has 0 letters");
    refused("1: AAAQ EAYE AUDA PSJ9\n", "line 1: line 1 of the recovery sheet has a sign");
    refused("1: AAAQ EAYE AUDA PSJH\n", "line 1: line 1 of the recovery sheet is mistyped");
    refused("2: AAAQ EAYE AUDA PSJG\n", "line 1: line 2 of the recovery sheet is mistyped");
    refused("1: BAEQ UCYM BUHA 6X37\n", "mistyped");
}
END_TEST

/* Every sign of a sheet, every bit: refused, or it is read as the same letter. */
START_TEST(sheet_bits)
{
    char text[sizeof SHEET];
    unsigned same = 0;
    for (size_t i = 0; i < strlen(SHEET); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct rsp_identity *got;
            memcpy(text, SHEET, sizeof SHEET);
            text[i] = (char)(text[i] ^ 1 << bit);
            if (parse_n(text, strlen(SHEET), &got) == RSP_OK) {
                ck_assert_mem_eq(got->s->secret, secret, 32);
                rsp_identity_free(got);
                same++;
            } else {
                ck_assert_int_eq(error.code, RSP_EFORMAT);
                ck_assert_ptr_nonnull(strstr(error.message, "line "));
            }
        }
    }
    ck_assert_uint_lt(same, 80);
    for (size_t n = 0; n + 1 < strlen(SHEET); n++) {
        struct rsp_identity *got;
        ck_assert_int_eq(parse_n(SHEET, n, &got), RSP_EFORMAT);
    }
}
END_TEST

static char written[4096];
static const char *write_text(const struct rsp_identity *from, struct rsp_span pass, int sheet)
{
    struct rsp_sink *sink;
    struct rsp_span view;
    ck_assert_int_eq(rsp_sink_memory(&env, &sink), RSP_OK);
    ck_assert_int_eq(sheet ? rsp_identity_sheet(from, sink) : rsp_identity_write(from, pass, sink), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(sink, &view), RSP_OK);
    ck_assert_uint_lt(view.n, sizeof written);
    memcpy(written, view.p, view.n);
    written[view.n] = 0;
    rsp_sink_free(sink);
    return written;
}

START_TEST(writing)
{
    struct rsp_span none = {NULL, 0};
    struct rsp_identity *got;
    const char *text = write_text(id, none, 0);
    ck_assert_ptr_nonnull(strstr(text, "\nname: seed\npublic: " PUB "\nsecret: " SEC "\n"));
    ck_assert_ptr_null(strstr(text, "root:"));
    ck_assert(is_good(text));
    ck_assert_int_eq(rsp_identity_set_root(id, &id->public), RSP_OK);
    text = write_text(id, none, 0);
    ck_assert_ptr_nonnull(strstr(text, "\nroot: " PUB "\npublic: "));
    ck_assert_int_eq(parse_n(text, strlen(text), &got), RSP_OK);
    ck_assert_mem_eq(rsp_identity_root(got), &id->public, 64);
    rsp_identity_free(got);
}
END_TEST

START_TEST(writing_a_sheet)
{
    struct rsp_span none = {NULL, 0};
    struct rsp_public root;
    const char *text = write_text(id, none, 1);
    ck_assert_ptr_nonnull(strstr(text, "\n\n" SHEET));
    ck_assert_ptr_nonnull(strstr(text, "d538878308398328a34f2ccb8e62334d"));
    ck_assert_ptr_nonnull(strstr(text, "backupd restore --identity FILE"));
    ck_assert_ptr_nonnull(strstr(text, "can read every backup"));
    ck_assert_ptr_nonnull(strstr(text, PUB));
    ck_assert_ptr_null(strstr(text, SEC));
    ck_assert(is_good(text));
    ck_assert_int_eq(rsp_public_parse(&env, PUB2, &root), RSP_OK);
    ck_assert_int_eq(rsp_identity_set_root(id, &root), RSP_OK);
    text = write_text(id, none, 1); /* no root: its key says nothing of a lineage */
    ck_assert_ptr_null(strstr(text, "d538878308398328a34f2ccb8e62334d"));
    ck_assert(is_good(text));
}
END_TEST

/* With the real Argon2id, at the lowest cost that is accepted. */
START_TEST(sealed_by_another)
{
    struct rsp_identity *got;
    uint8_t sealed[RSP_SEALED_BYTES], out[32];
    ck_assert(is_good("sealed: " SEALED "\npublic: " PUB));
    ck_assert_int_eq(asked, 1);
    ck_assert_int_eq(argon_calls, 1);
    passphrase = "correct hors";
    ck_assert_int_eq(parse_n(SEALED, strlen(SEALED), &got), RSP_EKEY);
    ck_assert_int_eq(asked, 2);
    ck_assert(checked_parse(SEALED, strlen(SEALED), SEALED_PREFIX, sealed, sizeof sealed));
    same_hex(
        sealed, sizeof sealed,
        "010200000000000100c8c9cacbcccdcecfd0d1d2d3d4d5d6d7a5de5dde91160204c2e2c7a567afbe13d609e65a26a59b54acf0f024"
        "46bca9d54d5bc035a323f38fccb368c2d58db477");
    ck_assert_int_eq(passphrase_open(&env, "it", sealed, (struct rsp_span){(const uint8_t *)"correct horse", 13}, out),
                     RSP_OK);
    ck_assert_mem_eq(out, secret, 32);
}
END_TEST

START_TEST(passphrases)
{
    struct rsp_span pass = {(const uint8_t *)passphrase, strlen(passphrase)};
    struct rsp_identity *got;
    const char *text;
    fake_argon = 1;
    text = write_text(id, pass, 0);
    ck_assert_ptr_nonnull(strstr(text, "\nsealed: rsp-sealed-aebqaaaaaaaaiaa")); /* 3 operations, 262144 KiB */
    ck_assert_ptr_null(strstr(text, SEC));
    ck_assert(is_good(text));
    ck_assert_int_eq(asked, 1);
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(
        rsp_identity_parse(&env, (struct rsp_span){(const uint8_t *)text, strlen(text)}, "x", NULL, NULL, &got),
        RSP_EKEY);
    ck_assert_ptr_nonnull(strstr(error.message, "passphrase"));
    ck_assert_int_eq(
        rsp_identity_parse(&env, (struct rsp_span){(const uint8_t *)text, strlen(text)}, "x", ask_in_vain, NULL, &got),
        RSP_EKEY);
    ck_assert_int_eq(rsp_identity_parse(&env, (struct rsp_span){(const uint8_t *)text, strlen(text)}, "x", ask_in_vain,
                                        &error, &got),
                     RSP_EKEY); /* says that it wrote more than there is room for */
    passphrase = "";
    ck_assert_int_eq(parse_n(text, strlen(text), &got), RSP_EKEY);
    fake_argon = -1;
    passphrase = "correct horse";
    ck_assert_int_eq(parse_n(text, strlen(text), &got), RSP_ENOMEM);
}
END_TEST

START_TEST(passphrases_refused)
{
    static uint8_t longest[PASSPHRASE_MAX + 1];
    uint8_t out[RSP_SEALED_BYTES], back[32];
    struct rsp_sink *sink;
    fake_argon = 1;
    memset(longest, 'x', sizeof longest);
    ck_assert_int_eq(rsp_identity_seal(id, (struct rsp_span){longest, 0}, out), RSP_EINVAL);
    ck_assert_int_eq(rsp_identity_seal(id, (struct rsp_span){NULL, 0}, out), RSP_EINVAL);
    ck_assert_int_eq(rsp_identity_seal(id, (struct rsp_span){longest, sizeof longest}, out), RSP_EINVAL);
    ck_assert_int_eq(rsp_sink_memory(&env, &sink), RSP_OK);
    ck_assert_int_eq(rsp_identity_write(id, (struct rsp_span){longest, 0}, sink), RSP_EINVAL);
    ck_assert_uint_eq(rsp_sink_written(sink), 0);
    rsp_sink_free(sink);
    ck_assert_int_eq(rsp_identity_seal(id, (struct rsp_span){longest, PASSPHRASE_MAX}, out), RSP_OK);
    ck_assert_int_eq(passphrase_open(&env, "it", out, (struct rsp_span){longest, PASSPHRASE_MAX}, back), RSP_OK);
    ck_assert_mem_eq(back, secret, 32);
    id->env.random = no_random;
    ck_assert_int_eq(rsp_identity_seal(id, (struct rsp_span){longest, 3}, out), RSP_EIO);
    ck_assert_int_eq(passphrase_open(&env, "it", out, (struct rsp_span){longest, 0}, back), RSP_EKEY);
    ck_assert_int_eq(passphrase_open(&env, "it", out, (struct rsp_span){longest, sizeof longest}, back), RSP_EKEY);
}
END_TEST

/* Weak or huge parameters never reach Argon2id; everything else that was changed does not open. */
START_TEST(sealed_bits)
{
    static const struct {
        uint32_t ops, kib;
        int rc;
    } bounds[] = {
        {1, 65536, RSP_ELIMIT}, {0, 65536, RSP_ELIMIT},   {17, 65536, RSP_ELIMIT},     {2, 65535, RSP_ELIMIT},
        {2, 0, RSP_ELIMIT},     {2, 1048577, RSP_ELIMIT}, {2, UINT32_MAX, RSP_ELIMIT}, {UINT32_MAX, 65536, RSP_ELIMIT},
        {2, 65536, RSP_EKEY},   {16, 1048576, RSP_EKEY}};
    struct rsp_span pass = {(const uint8_t *)passphrase, strlen(passphrase)};
    uint8_t sealed[RSP_SEALED_BYTES], out[32], zero[32] = {0};
    fake_argon = 1;
    ck_assert_int_eq(rsp_identity_seal(id, pass, sealed), RSP_OK);
    for (size_t i = 0; i < sizeof sealed * 8; i++) {
        int rc, called = argon_calls;
        sealed[i / 8] ^= (uint8_t)(1 << i % 8);
        memset(out, 1, sizeof out);
        rc = passphrase_open(&env, "it", sealed, pass, out);
        ck_assert_msg(rc == (i < 8 ? RSP_EVERSION : RSP_EKEY) || (i >= 8 && i < 72 && rc == RSP_ELIMIT),
                      "bit %zu: status %d", i, rc);
        ck_assert_int_eq(argon_calls - called, rc == RSP_EKEY);
        if (rc == RSP_EKEY) ck_assert_mem_eq(out, zero, 32);
        sealed[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        int called = argon_calls;
        store_le32(sealed + 1, bounds[i].ops);
        store_le32(sealed + 5, bounds[i].kib);
        ck_assert_int_eq(passphrase_open(&env, "it", sealed, pass, out), bounds[i].rc);
        ck_assert_int_eq(argon_calls - called, bounds[i].rc == RSP_EKEY);
    }
}
END_TEST

static unsigned warnings;
static void on_log(void *opaque, int level, const char *line)
{
    (void)opaque;
    if (level == RSP_LOG_WARN && strstr(line, "chmod")) warnings++;
}

START_TEST(loading)
{
    char path[] = "/tmp/respite-identity-XXXXXX";
    struct rsp_identity *got;
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, SHEET, strlen(SHEET)), (int)strlen(SHEET));
    env.log = on_log;
    ck_assert_int_eq(rsp_identity_load(&env, path, NULL, NULL, &got), RSP_OK);
    ck_assert_mem_eq(got->s->secret, secret, 32);
    rsp_identity_free(got);
    ck_assert_uint_eq(warnings, 0);
    ck_assert_int_eq(fchmod(fd, 0640), 0);
    ck_assert_int_eq(rsp_identity_load(&env, path, NULL, NULL, &got), RSP_OK);
    rsp_identity_free(got);
    ck_assert_uint_eq(warnings, 1);
    ck_assert_int_eq(ftruncate(fd, 4), 0);
    ck_assert_int_eq(rsp_identity_load(&env, path, NULL, NULL, &got), RSP_EFORMAT);
    ck_assert_str_eq(error.subject, path);
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(ftruncate(fd, (64 << 10) + 1), 0);
    ck_assert_int_eq(rsp_identity_load(&env, path, NULL, NULL, &got), RSP_ELIMIT);
    close(fd);
    ck_assert_int_eq(unlink(path), 0);
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(rsp_identity_load(&env, path, NULL, NULL, &got), RSP_ENOTFOUND);
    ck_assert_int_eq(error.sys_errno, ENOENT);
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(rsp_identity_load(&env, "/tmp", NULL, NULL, &got), RSP_EIO);
    ck_assert_ptr_null(got);
}
END_TEST

START_TEST(no_memory)
{
    struct rsp_identity *got;
    struct rsp_sink *sink;
    int rc = RSP_ENOMEM;
    long nth;
    for (nth = 0; rc; nth++) {
        fail_nth = nth;
        rc = parse_n(SHEET, strlen(SHEET), &got);
        ck_assert(!rc || rc == RSP_ENOMEM);
    }
    rsp_identity_free(got);
    ck_assert_int_gt(nth, 1);
    rc = RSP_ENOMEM;
    for (nth = 0; rc; nth++) {
        fail_nth = nth;
        sink = NULL;
        rc = rsp_sink_memory(&env, &sink);
        if (!rc) rc = rsp_identity_sheet(id, sink);
        if (!rc) rc = rsp_identity_write(id, (struct rsp_span){NULL, 0}, sink);
        ck_assert(!rc || rc == RSP_ENOMEM);
        rsp_sink_free(sink);
    }
    ck_assert_int_gt(nth, 1);
    fail_nth = -1;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tc = tcase_create("identity");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(tc, begin, end);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, derivation);
    tcase_add_test(tc, fresh);
    tcase_add_test(tc, public_text);
    tcase_add_test(tc, base32);
    tcase_add_test(tc, secret_text);
    tcase_add_test(tc, files);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, sheets);
    tcase_add_test(tc, sheet_bits);
    tcase_add_test(tc, writing);
    tcase_add_test(tc, writing_a_sheet);
    tcase_add_test(tc, sealed_by_another);
    tcase_add_test(tc, passphrases);
    tcase_add_test(tc, passphrases_refused);
    tcase_add_test(tc, sealed_bits);
    tcase_add_test(tc, loading);
    tcase_add_test(tc, no_memory);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
