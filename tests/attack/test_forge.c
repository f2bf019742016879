/* What this is: what an operator of the storage can make others believe. Each test is named in respite-security(7). LDFLAGS: -Wl,--wrap=crypto_pwhash
 * Rests on: libcheck, sham.h. */
#include <check.h>
#undef fail
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "seal/envelope.h"
#include "seal/identity_text.h"
#include "seal/items.h"
#include "seal/object.h"
#include "seal/roles.h"
#include "sham.h"

static int argon_calls;
int __real_crypto_pwhash(unsigned char *out, unsigned long long n, const char *pass, unsigned long long pass_n,
                         const unsigned char *salt, unsigned long long ops, size_t mem, int alg);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long n, const char *pass, unsigned long long pass_n,
                         const unsigned char *salt, unsigned long long ops, size_t mem, int alg);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long n, const char *pass, unsigned long long pass_n,
                         const unsigned char *salt, unsigned long long ops, size_t mem, int alg)
{
    argon_calls++;
    return __real_crypto_pwhash(out, n, pass, pass_n, salt, ops, mem, alg);
}

/* ---- an operator of the storage ---- */

/* Says that the host signed it, and is signed by the thief. */
static void masked_commit(uint8_t hash[32])
{
    struct yard_plan plan = {.signer = thief, .kind = RSP_REC_COMMIT, .parent = second, .about = second};
    struct rsp_public was, is;
    struct rsp_repo *repo;
    char name[NAME_MAX_BYTES];
    yard_plant(&y, &plan, hash);
    struct rsp_log *log = honest_log(&repo);
    struct rsp_record r = *rsp_log_by_hash(log, hash);
    uint8_t *bytes, *at;
    size_t n;
    name_record_path(name, &r);
    bytes = yard_read(&y, name, &n);
    ck_assert_uint_eq(n, r.stored_bytes);
    tree_remove(&y, name);
    rsp_identity_public(thief, &was);
    rsp_identity_public(y.host, &is);
    at = memmem(bytes, n, was.sign, 32);
    ck_assert_ptr_nonnull(at);
    memcpy(at, is.sign, 32);
    identity_sign(thief, bytes, n - 64, bytes + n - 64);
    hash256(hash, bytes, n);
    memcpy(r.hash, hash, 32);
    name_record(r.name, r.seq, r.time_ms, r.kind, hash);
    name_record_path(name, &r);
    tree_write(&y, name, bytes, n);
    free(bytes);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

START_TEST(forged_commit)
{
    struct yard_plan plan = {.signer = thief, .kind = RSP_REC_COMMIT, .parent = second, .about = first};
    uint8_t hash[32];
    sound(2);
    yard_plant(&y, &plan, hash); /* a stranger, over a snapshot that is there and would open */
    record_refused(hash, "no right");
    plan.signer = y.reader; /* a member that may only read */
    yard_plant(&y, &plan, hash);
    record_refused(hash, "no right");
    plan.signer = y.keeper;
    yard_plant(&y, &plan, hash);
    record_refused(hash, "no right");
    masked_commit(hash);
    record_refused(hash, "signature");
    plan.signer = thief; /* the first of a log of its own */
    plan.parent = NULL;
    yard_plant(&y, &plan, hash);
    record_refused(hash, "no right");
    refused("forged commits", NULL, 2);
}
END_TEST

static const char *folder_of(const char *name, char out[32])
{
    snprintf(out, 32, "%.*s", (int)strcspn(name, "/"), name);
    return out;
}

START_TEST(foreign_object)
{
    struct yard z;
    struct tree ours, theirs;
    struct rsp_log *log = NULL;
    yard_open_seeded(&z, 4711);
    ck_assert_mem_ne(z.lineage, y.lineage, 16);
    yard_snapshot(&z, &log, evil, sizeof one, 4096); /* of our sizes */
    rsp_log_free(log);
    yard_snapshot(&z, &log, evil, sizeof two, 0);
    rsp_log_free(log);
    tree_read(&y, &ours);
    tree_read(&z, &theirs);
    for (size_t i = 0; i < ours.n; i++) {
        char a[32], b[32];
        for (size_t k = 0; k < theirs.n; k++) {
            struct verdict v;
            if (strcmp(folder_of(ours.name[i], a), folder_of(theirs.name[k], b))) continue;
            tree_write(&y, ours.name[i], theirs.bytes[k], theirs.size[k]); /* under a name that fits */
            judge(&y, y.reader, 0, known, 2, &v);
            ck_assert_msg(!v.lied, "%s instead of %s: other data", theirs.name[k], ours.name[i]);
            ck_assert_msg(v.status == RSP_EINTEGRITY || (v.status == RSP_EKEY && !strcmp(a, "keys")),
                          "%s instead of %s: %s\n%.1500s", theirs.name[k], ours.name[i], rsp_status_name(v.status),
                          v.words);
            ck_assert_msg(names_it(v.words, ours.name[i]), "%s is not named in\n%.1500s", ours.name[i], v.words);
        }
        tree_write(&y, ours.name[i], ours.bytes[i], ours.size[i]);
    }
    sound(2);
    for (size_t k = 0; k < theirs.n; k++)
        tree_write(&y, theirs.name[k], theirs.bytes[k], theirs.size[k]); /* beside ours */
    refused("a whole foreign repository beside ours", NULL, 2);
    tree_free(&ours);
    tree_free(&theirs);
    yard_close(&z);
}
END_TEST

START_TEST(own_key_object)
{
    uint8_t key[32];
    char name[NAME_MAX_BYTES], manifest[NAME_MAX_BYTES], envelope[NAME_MAX_BYTES], folder[64];
    struct tree t;
    struct verdict v;
    memset(key, 0x5a, sizeof key);
    tree_read(&y, &t);
    name_object(name, REF_DATA, first->refs[0].epoch, first->refs[0].object);
    name_object(manifest, REF_MANIFEST, first->manifest.epoch, first->manifest.object);
    sham_envelope(first->epoch, key, envelope);
    sound(2); /* an envelope that does not match the commitment is passed over */
    sham_over(&first->refs[0], OBJECT_DATA, key, evil, sizeof one, 4096);
    ck_assert_uint_eq(stored_size(name), first->refs[0].stored); /* LIST shows nothing */
    refused("data under the attacker's key", name, 1);
    stored_refused(name);
    sham_over(&first->manifest, OBJECT_MANIFEST, key, evil, 300, 4096);
    refused("a manifest under the attacker's key", manifest, 1);
    stored_refused(manifest);
    snprintf(folder, sizeof folder, "keys/");
    hex_text(folder + 5, first->epoch, 16);
    for (size_t i = 0; i < t.n; i++)
        if (!strncmp(t.name[i], folder, strlen(folder))) tree_remove(&y, t.name[i]);
    judge(&y, y.reader, 0, known, 2, &v); /* his is the only envelope: it opens to a key that nobody signed */
    ck_assert_int_eq(v.lied, 0);
    ck_assert_uint_eq(v.read, 1);
    ck_assert_msg(v.status == RSP_EKEY || v.status == RSP_EINTEGRITY, "%s", rsp_status_name(v.status));
    ck_assert(names_it(v.words, folder));
    tree_free(&t);
}
END_TEST

START_TEST(copied_from_another_repository)
{
    struct yard z; /* of the same root and host: only the store and the id are others */
    struct rsp_repo *ours = NULL;
    struct rsp_log *log = NULL;
    struct tree t;
    uint8_t hash[32];
    yard_beside(&y, &z);
    ck_assert_int_eq(yard_repo(&y, 1, &y.host, 1, &ours), RSP_OK);
    ck_assert_int_eq(rsp_repo_init(&y.env, z.store, y.state, NULL, NULL, 0, ours, z.id), RSP_OK);
    ck_assert_mem_ne(z.id, y.id, 16);
    memcpy(hash, yard_snapshot(&z, &log, evil, sizeof one, 4096)->hash, 32);
    rsp_log_free(log);
    tree_read(&z, &t);
    for (size_t i = 0; i < t.n; i++)
        if (strncmp(t.name[i], "repository/", 11)) tree_write(&y, t.name[i], t.bytes[i], t.size[i]);
    record_refused(hash, "another repository");
    refused("a record of another repository", NULL, 2);
    for (size_t i = 0; i < t.n; i++) tree_write(&y, t.name[i], t.bytes[i], t.size[i]); /* its repository object too */
    record_refused(hash, "another repository");
    refused("a record and the object of another repository", NULL, 2);
    tree_free(&t);
    rsp_repo_free(ours);
    while (z.spares) rsp_repo_free(z.spare[--z.spares]);
    yard_store_close(&z);
}
END_TEST

/* The items of the newest roles record with the next number and a member more, signed by whom it may be. */
static void sham_roles(const struct rsp_roles *from, const struct rsp_identity *signer, char name[NAME_MAX_BYTES])
{
    struct items list;
    struct item item;
    struct rsp_public key;
    struct buf b;
    size_t at;
    uint8_t keys[64], signature[64], hash[32];
    rsp_identity_public(thief, &key);
    memcpy(keys, &key, 64);
    buf_init(&b, &env);
    ck_assert_int_eq(buf_add(&b, from->bytes, 8), RSP_OK);
    items_begin(&list, from->bytes + 8, from->bytes_n - 8 - 64);
    while (!items_next(&list, &item)) {
        if (item.tag == ROLES_N) {
            ck_assert_int_eq(item_u64(&b, ROLES_N, from->n + 1), RSP_OK);
            ck_assert_int_eq(item_add(&b, ROLES_PREVIOUS, from->hash, 32), RSP_OK);
        } else if (item.tag != ROLES_PREVIOUS) {
            ck_assert_int_eq(item_add(&b, item.tag, item.v.p, item.v.n), RSP_OK);
        }
    }
    ck_assert_int_eq(item_begin(&b, ROLES_MEMBER, &at), RSP_OK);
    ck_assert_int_eq(item_add(&b, MEMBER_KEY, keys, 64), RSP_OK);
    ck_assert_int_eq(item_u32(&b, MEMBER_FLAGS, RSP_ROLE_READ), RSP_OK);
    ck_assert_int_eq(item_end(&b, at), RSP_OK);
    identity_sign(signer, b.p, b.n, signature);
    ck_assert_int_eq(buf_add(&b, signature, 64), RSP_OK);
    hash256(hash, b.p, b.n);
    name_roles(name, from->n + 1, hash);
    tree_write(&y, name, b.p, b.n);
    buf_free(&b);
}

static void changed_roles(const struct rsp_roles *from, char name[NAME_MAX_BYTES])
{
    struct rsp_public was, is;
    uint8_t *bytes = malloc(from->bytes_n), *at, hash[32];
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, from->bytes, from->bytes_n);
    rsp_identity_public(y.reader, &was);
    rsp_identity_public(thief, &is);
    at = memmem(bytes, from->bytes_n, &was, 64);
    ck_assert_ptr_nonnull(at);
    memcpy(at, &is, 64);
    hash256(hash, bytes, from->bytes_n);
    name_roles(name, from->n, hash);
    tree_write(&y, name, bytes, from->bytes_n);
    free(bytes);
}

/* No envelope in the store has a wrap for the thief, and he opens nothing. */
static void sealed_to_no_thief(void)
{
    struct rsp_public key, reader;
    struct tree t;
    struct verdict v;
    size_t envelopes = 0;
    rsp_identity_public(thief, &key);
    rsp_identity_public(y.reader, &reader);
    tree_read(&y, &t);
    for (size_t i = 0; i < t.n; i++) {
        struct rsp_span bytes = {t.bytes[i], t.size[i]};
        if (strncmp(t.name[i], "keys/", 5)) continue;
        envelopes++;
        ck_assert_msg(!envelope_names(bytes, &key, NULL), "%s is sealed to the thief", t.name[i]);
        ck_assert(envelope_names(bytes, &reader, NULL));
    }
    ck_assert_uint_ge(envelopes, 2);
    tree_free(&t);
    judge(&y, thief, 0, known, 2, &v);
    ck_assert_uint_eq(v.read, 0);
}

START_TEST(reader_added_without_root)
{
    const struct rsp_identity *signer[] = {thief, y.host, y.keeper};
    char name[4][NAME_MAX_BYTES];
    struct rsp_repo *repo = yard_host(&y);
    struct verdict v;
    for (size_t i = 0; i < 3; i++) sham_roles(rsp_repo_roles(repo), signer[i], name[i]);
    changed_roles(rsp_repo_roles(repo), name[3]);
    rsp_repo_free(repo);
    for (size_t i = 0; i < 4; i++) refused("roles that root did not sign", name[i], 2);
    for (int with_state = 0; with_state < 2; with_state++) {
        struct yard_dump d = {.source = "web", .p = two, .n = sizeof two};
        struct rsp_log *log = NULL;
        struct rsp_record *r = NULL;
        ck_assert_int_eq(yard_repo(&y, with_state, &y.host, 1, &repo), RSP_OK);
        ck_assert_uint_eq(rsp_repo_roles(repo)->n, 1);
        ck_assert_int_eq(yard_store_dump(&y, repo, &d, &log, &r), RSP_OK); /* backups go on, and are not his */
        ck_assert_int_gt(log->faults, 0);
        rsp_log_free(log);
        rsp_repo_free(repo);
    }
    sealed_to_no_thief();
    for (size_t i = 0; i < 4; i++) tree_remove(&y, name[i]);
    judge(&y, y.reader, 0, known, 2, &v);
    ck_assert_int_eq(v.status, RSP_OK);
    ck_assert_uint_eq(v.read, 4);
}
END_TEST

static int never_asked(void *opaque, const char *subject, char *out, size_t cap, size_t *n)
{
    (void)opaque, (void)subject, (void)cap;
    memcpy(out, "passphrase", 10);
    *n = 10;
    return RSP_OK;
}

/* Each is refused before anything is computed: in the roles record, signed by root itself, and in an identity file. */
START_TEST(argon2_bounds)
{
    static const struct {
        uint32_t ops, kib;
    } params[] = {{0, 262144},
                  {1, 262144},
                  {17, 262144},
                  {0xffffffff, 262144},
                  {3, 0},
                  {3, 8},
                  {3, 65535},
                  {3, 1048577},
                  {3, 0xffffffff},
                  {0xffffffff, 0xffffffff},
                  {1u << 31, 1u << 31}};
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        uint8_t sealed[RSP_SEALED_BYTES] = {1};
        char line[400] = "name: weak\nsealed: ";
        struct rsp_identity *id = NULL;
        struct rsp_roles *roles = NULL;
        struct rsp_member m[2];
        struct rsp_roles draft;
        memset(m, 0, sizeof m);
        memset(&draft, 0, sizeof draft);
        store_le32(sealed + 1, params[i].ops);
        store_le32(sealed + 5, params[i].kib);
        argon_calls = 0;
        rsp_identity_public(y.root, &m[0].key);
        m[0].flags = 31;
        rsp_identity_public(thief, &m[1].key);
        m[1].flags = RSP_ROLE_READ;
        m[1].sealed = sealed;
        m[1].sealed_n = sizeof sealed;
        draft.n = 1;
        draft.members = m;
        draft.members_n = 2;
        ck_assert_int_eq(rsp_roles_sign(&y.env, &draft, y.root, &roles), RSP_OK);
        rsp_error_clear(&y.error);
        ck_assert_int_eq(rsp_member_open(&y.env, &roles->members[1], never_asked, NULL, &id), RSP_ELIMIT);
        ck_assert_ptr_null(id);
        rsp_roles_free(roles);
        checked_text(line + strlen(line), SEALED_PREFIX, sealed, sizeof sealed);
        rsp_error_clear(&y.error);
        ck_assert_int_eq(rsp_identity_parse(&y.env, (struct rsp_span){(const uint8_t *)line, strlen(line)}, "the file",
                                            never_asked, NULL, &id),
                         RSP_ELIMIT);
        ck_assert_ptr_null(id);
        ck_assert_int_eq(argon_calls, 0);
    }
}
END_TEST

/* Whatever is put into a folder of envelopes, the one that opens is still found: a store where one can only add must not
 * become one that cannot be restored from. */
START_TEST(envelopes_added_shut_nothing)
{
    uint8_t real[32] = {0}, hash[32], junk[24] = "RSPENV1\n";
    char folder[64] = "keys/", name[NAME_MAX_BYTES];
    struct tree t;
    hex_text(folder + 5, first->epoch, 16);
    tree_read(&y, &t);
    for (size_t i = 0; i < t.n; i++)
        if (!strncmp(t.name[i], folder, strlen(folder)))
            ck_assert(hex_parse(strrchr(t.name[i], '/') + 1, 64, real, 32));
    tree_free(&t);
    for (uint32_t made = 0, i = 0; made < 80; i++) { /* names that a listing shows before it */
        store_le32(junk + 8, i);
        hash256(hash, junk, sizeof junk);
        if (memcmp(hash, real, 32) >= 0) continue;
        name_envelope(name, first->epoch, hash);
        tree_write(&y, name, junk, sizeof junk);
        made++;
    }
    struct verdict v;
    judge(&y, y.reader, 0, known, 2, &v);
    ck_assert_msg(v.read == 2, "%zu of 2 snapshots are read\n%.200s", v.read, v.words);
    ck_assert_int_eq(v.lied, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("forge");
    TCase *c = tcase_create("forge");
    TCase *sample = tcase_create("sample"); /* make check runs it on every store */
    tcase_set_timeout(c, 300);
    tcase_set_timeout(sample, 300);
    tcase_add_checked_fixture(c, sham_setup, sham_teardown);
    tcase_add_checked_fixture(sample, sham_setup, sham_teardown);
    tcase_add_test(sample, forged_commit);
    tcase_add_test(c, foreign_object);
    tcase_add_test(sample, own_key_object);
    tcase_add_test(sample, copied_from_another_repository);
    tcase_add_test(sample, reader_added_without_root);
    tcase_add_test(c, argon2_bounds);
    tcase_add_test(c, envelopes_added_shut_nothing);
    suite_add_tcase(s, sample);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
