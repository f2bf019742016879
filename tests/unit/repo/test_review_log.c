/* What this is: tests of the record log against files with stolen names, invented numbers, twins, and honest races.
 * Rests on: libcheck, yard.h. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <string.h>

#include "fixture/judge.h"
#include "repo/log_impl.h"
#include "seal/identity.h"
#include "seal/items.h"

static struct yard y;

static void setup(void)
{
    yard_open(&y);
}
static void teardown(void)
{
    yard_close(&y);
}

static void chain(size_t count, uint8_t hashes[][32])
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    for (size_t i = 0; i < count; i++) memcpy(hashes[i], yard_commit(&y, log)->hash, 32);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

static size_t living(const struct rsp_log *log)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++) n += (size_t)rsp_record_living(log->records[i]);
    return n;
}

/* ---- names that claim a record's hash ---- */

/* The record's own bytes, or others, under other names that hold its hash. */
static void misname(const struct rsp_record *r, uint64_t seq, const uint8_t source[16], const char *bytes, char *path)
{
    struct rsp_record other = *r;
    other.seq = seq;
    memcpy(other.source, source, 16);
    name_record(other.name, seq, r->time_ms, r->kind, r->hash);
    name_record_path(path, &other);
    if (bytes) tree_write(&y, path, bytes, strlen(bytes));
    else tree_write(&y, path, r->bytes, r->bytes_n);
}

START_TEST(a_stolen_name_harms_no_record)
{
    uint8_t h[3][32], other[16] = {1};
    char path[4][NAME_MAX_BYTES];
    struct rsp_record *found = NULL;
    chain(3, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    const struct rsp_record *middle = rsp_log_by_hash(log, h[1]);
    misname(middle, 1, y.source, NULL, path[0]);
    misname(middle, 9, y.source, "garbage", path[1]);
    misname(middle, 2, other, NULL, path[2]);
    misname(rsp_log_by_hash(log, h[2]), 1, other, "garbage", path[3]);
    yard_name(log, RSP_REC_PIN, middle);
    rsp_log_free(log);
    for (size_t rows = 0; rows < 2; rows++) {
        struct rsp_log_options o = {.size = sizeof o, .rows = rows};
        ck_assert_int_eq(rsp_log_load(repo, &o, &log), RSP_OK);
        ck_assert_uint_eq(living(log), 3);
        ck_assert_msg(!log->faults, "%s", yard_trouble(log, "record")->text);
        ck_assert_ptr_nonnull(yard_trouble(log, "foreign")); /* named all the same */
        ck_assert(rsp_log_by_hash(log, h[1])->state & RSP_RECORD_PINNED);
        ck_assert(rsp_log_by_hash(log, h[1])->state & RSP_RECORD_LOADED);
        rsp_log_free(log);
    }
    log = yard_log(repo);
    for (size_t i = 0; i < 4; i++) { /* giving it up must not give the snapshot up */
        rsp_error_clear(&y.error);
        ck_assert_int_eq(rsp_acknowledge(log, path[i], 0), RSP_EDENIED);
    }
    yard_commit(&y, log);
    ck_assert_int_eq(rsp_log_find(log, "latest", NULL, &found), RSP_OK);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_uint_eq(living(log), 4);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* The record itself went, and only the stolen name is left: it is told, its children stand, it can be given up. */
START_TEST(a_renamed_record_is_told_and_its_children_stand)
{
    uint8_t h[3][32];
    char path[NAME_MAX_BYTES], own[NAME_MAX_BYTES];
    chain(3, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    const struct rsp_record *middle = rsp_log_by_hash(log, h[1]);
    misname(middle, 7, y.source, NULL, path);
    name_record_path(own, middle);
    tree_remove(&y, own);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    ck_assert_uint_eq(living(log), 2);
    ck_assert_ptr_nonnull(strstr(yard_trouble(log, "record")->name, path));
    ck_assert_int_eq(rsp_acknowledge(log, path, 0), RSP_OK);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_uint_eq(living(log), 2);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* ---- invented numbers ---- */

static void invent(uint64_t seq, const uint8_t parent[32], const struct rsp_identity *id, uint8_t hash[32])
{
    struct rsp_record fake;
    memset(&fake, 0, sizeof fake);
    fake.seq = seq - 1;
    memcpy(fake.hash, parent, 32);
    struct yard_plan plan = {.signer = id, .kind = RSP_REC_COMMIT, .parent = &fake};
    yard_plant(&y, &plan, hash);
}

static void backups_go_on(struct rsp_repo *repo, uint64_t below)
{
    struct rsp_log *log = yard_log(repo);
    uint8_t mine[2][32];
    for (size_t i = 0; i < 2; i++) {
        const struct rsp_record *r = yard_commit(&y, log);
        ck_assert_uint_lt(r->seq, below);
        memcpy(mine[i], r->hash, 32);
    }
    rsp_log_free(log);
    log = yard_log(repo);
    for (size_t i = 0; i < 2; i++) ck_assert(rsp_record_living(rsp_log_by_hash(log, mine[i])));
    rsp_log_free(log);
}

START_TEST(an_invented_number_stops_nobody)
{
    static const uint64_t seqs[] = {9999999999u, 9999999998u, 9999000000u, 5000000001u, 5000000000u};
    uint8_t h[2][32], thief[5][32], nobody[32];
    char hex[65];
    chain(2, h);
    for (size_t i = 0; i < 5; i++) {
        memset(nobody, (int)i + 1, sizeof nobody);
        invent(seqs[i], nobody, y.host, thief[i]);
    }
    struct rsp_repo *repo = yard_host(&y);
    backups_go_on(repo, 5000000010u);
    for (size_t i = 0; i < 4; i++) { /* the way out */
        struct rsp_log *log = yard_log(repo);
        ck_assert_int_gt(log->faults, 0);
        ck_assert(!rsp_record_living(rsp_log_by_hash(log, thief[i])));
        hex_text(hex, thief[i], 32);
        ck_assert_int_eq(rsp_acknowledge(log, hex, 0), RSP_OK);
        rsp_log_free(log);
    }
    struct rsp_log *log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1); /* the parent of the last, which might have been */
    hex_text(hex, nobody, 32);
    ck_assert_int_eq(rsp_acknowledge(log, hex, 0), RSP_OK);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    rsp_log_free(log);
    backups_go_on(repo, 5000000020u);
    rsp_repo_free(repo);
}
END_TEST

/* Nor one whose parent is a forgery of his own, nor one that a stolen keeper explains. */
START_TEST(an_explained_number_stops_nobody)
{
    uint8_t h[2][32], forged[32], nobody[32] = {9}, thief[32];
    struct rsp_record fake, named;
    struct rsp_identity *stranger = NULL;
    chain(2, h);
    ck_assert_int_eq(rsp_identity_new(&y.env, "stranger", &stranger), RSP_OK);
    invent(9999999998u, nobody, stranger, forged);
    invent(9999999999u, forged, y.host, thief);
    struct rsp_repo *repo = yard_host(&y);
    backups_go_on(repo, 100);
    memset(&fake, 0, sizeof fake);
    memset(&named, 0, sizeof named);
    memset(nobody, 0xaa, 32);
    memcpy(named.hash, nobody, 32);
    struct yard_plan plan = {.signer = y.keeper, .kind = RSP_REC_ABSENT, .about = &named};
    yard_plant(&y, &plan, NULL);
    plan.kind = RSP_REC_LOST;
    yard_plant(&y, &plan, NULL);
    invent(9999999999u, nobody, y.host, thief);
    backups_go_on(repo, 100);
    rsp_repo_free(repo);
    rsp_identity_free(stranger);
}
END_TEST

/* A stolen keeper can go as far as he likes: what nobody can follow is not joined. */
START_TEST(a_head_at_the_end_is_not_joined)
{
    uint8_t h[2][32], nobody[32] = {9}, thief[32];
    struct rsp_env env;
    struct rsp_record *gone;
    char path[NAME_MAX_BYTES];
    chain(2, h);
    struct rsp_repo *repo = yard_host(&y);
    env_init(&env, &y.env);
    gone = record_new(&env);
    gone->kind = RSP_REC_GONE;
    gone->seq = 1;
    gone->time_ms = (uint64_t)y.now_ms;
    memcpy(gone->source, y.source, 16);
    memcpy(gone->roles, rsp_repo_roles(repo)->hash, 32);
    gone->hashes = mem_alloc(&env, 32);
    gone->links = mem_alloc(&env, 64);
    gone->hashes_n = gone->links_n = 1;
    memcpy(gone->hashes[0], nobody, 32);
    memset(gone->links[0], 3, 64);
    memcpy(gone->links[0], nobody, 32);
    ck_assert_int_eq(record_encode(&env, gone, y.id, y.keeper, NULL, 0), RSP_OK);
    name_record_path(path, gone);
    ck_assert_int_eq(rsp_store_put(y.store, path, gone->bytes, gone->bytes_n), RSP_OK);
    record_free(&env, gone);
    invent(9999999999u, nobody, y.host, thief);
    struct rsp_log *log = yard_log(repo);
    ck_assert(rsp_record_living(rsp_log_by_hash(log, thief)));
    rsp_log_free(log);
    backups_go_on(repo, 100);
    rsp_repo_free(repo);
}
END_TEST

/* More heads than a record has parents, all above the honest one. */
START_TEST(many_planted_heads_stop_nobody)
{
    uint8_t h[2][32], nobody[32] = {0}, planted[32];
    chain(2, h);
    for (unsigned i = 0; i < 40; i++) {
        nobody[0] = (uint8_t)i;
        invent(1000 + i, nobody, y.reader, planted); /* not even a writer: refused */
        invent(1000 + i, nobody, y.host, planted);
    }
    struct rsp_repo *repo = yard_host(&y);
    backups_go_on(repo, 2000);
    backups_go_on(repo, 2000);
    rsp_repo_free(repo);
}
END_TEST

/* ---- roles ---- */

static void next_roles(struct rsp_repo *repo, uint8_t lost[1][32])
{
    struct rsp_roles draft = *rsp_repo_roles(repo);
    draft.lost = lost;
    draft.lost_n = lost ? 1 : 0;
    draft.left_n = 0;
    ck_assert_msg(rsp_repo_set_roles(repo, &draft, y.root) == RSP_OK, "%s", y.error.message);
}

/* Roles 2 are lost and root gives them up in 3; what was signed under 3 stands when 4 comes. */
START_TEST(roles_given_up_break_no_children)
{
    uint8_t h[1][32], lost[1][32];
    char name[NAME_MAX_BYTES];
    struct rsp_log *log = NULL;
    struct rsp_repo *repo = NULL;
    chain(1, h);
    ck_assert_int_eq(yard_repo(&y, 0, &y.host, 1, &repo), RSP_OK);
    next_roles(repo, NULL);
    memcpy(lost[0], rsp_repo_roles(repo)->hash, 32);
    name_roles(name, 2, lost[0]);
    log = yard_log(repo);
    yard_commit(&y, log); /* names roles 2 */
    rsp_log_free(log);
    next_roles(repo, lost);
    tree_remove(&y, name);
    rsp_repo_free(repo);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(yard_repo(&y, 0, &y.host, 1, &repo), RSP_OK);
        log = yard_log(repo);
        ck_assert_msg(!log->faults, "%s: %s", log->troubles[0].name, log->troubles[0].text);
        yard_commit(&y, log);
        rsp_log_free(log);
        if (i == 0) next_roles(repo, NULL);
        rsp_repo_free(repo);
    }
    ck_assert_int_eq(yard_repo(&y, 0, &y.host, 1, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_msg(!log->faults, "%s: %s", log->troubles[0].name, log->troubles[0].text);
    ck_assert_uint_eq(living(log), 4);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* A backup under way while root adds somebody and another host already writes under the new roles. */
START_TEST(roles_that_come_meanwhile_are_no_fault)
{
    struct rsp_identity *late = NULL;
    struct rsp_repo *early = yard_host(&y), *repo;
    struct rsp_log *log;
    ck_assert_int_eq(rsp_identity_new(&y.env, "late", &late), RSP_OK);
    yard_admit(&y, late, "late", RSP_ROLE_READ, NULL);
    repo = yard_host(&y);
    log = yard_log(repo);
    yard_commit(&y, log);
    rsp_log_free(log);
    log = yard_log(early);
    ck_assert_msg(!log->faults, "%s: %s", log->troubles[0].name, log->troubles[0].text);
    const struct rsp_record *r = yard_commit(&y, log);
    ck_assert_uint_eq(r->seq, 2);
    ck_assert_uint_eq(r->roles_n, 2);
    rsp_log_free(log);
    rsp_repo_free(early);
    rsp_repo_free(repo);
    rsp_identity_free(late);
}
END_TEST

/* The key that could write, and the key of somebody who may only annotate, do not make a writer together. */
START_TEST(a_note_vouches_for_no_removed_writer)
{
    uint8_t h[2][32], old_roles[32], thief[32], note[32];
    chain(2, h);
    struct rsp_repo *repo = yard_host(&y);
    memcpy(old_roles, rsp_repo_roles(repo)->hash, 32);
    rsp_repo_free(repo);
    yard_dismiss(&y, y.host);
    struct yard_plan plan = {.signer = y.host, .kind = RSP_REC_COMMIT, .roles = old_roles};
    yard_plant(&y, &plan, thief);
    struct rsp_record parent;
    memset(&parent, 0, sizeof parent);
    parent.seq = 1;
    memcpy(parent.hash, thief, 32);
    struct yard_plan second = {.signer = y.reader, .kind = RSP_REC_NOTE, .parent = &parent, .about = &parent};
    yard_plant(&y, &second, note);
    repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    ck_assert(!rsp_record_living(rsp_log_by_hash(log, thief)));
    ck_assert_uint_eq(living(log), 2);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* ---- ids ---- */

START_TEST(an_id_claimed_twice_is_not_guessed)
{
    uint8_t h[2][32];
    char hex[65];
    struct rsp_record *found = NULL, twin;
    chain(2, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    const struct rsp_record *first = rsp_log_by_hash(log, h[0]), *head = rsp_log_by_hash(log, h[1]);
    struct yard_plan plan = {.signer = y.host, .kind = RSP_REC_COMMIT, .parent = head, .about = first};
    yard_plant(&y, &plan, NULL);
    twin = *first;
    memcpy(twin.snapshot, head->hash, 16);
    plan.about = &twin;
    yard_plant(&y, &plan, NULL);
    hex_text(hex, first->snapshot, 16);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(rsp_log_find(log, hex, NULL, &found), RSP_EINVAL);
    hex_text(hex, h[1], 16); /* the beginning of a hash, and somebody's id */
    ck_assert_int_eq(rsp_log_find(log, hex, NULL, &found), RSP_EINVAL);
    for (size_t i = 0; i < 2; i++) {
        rsp_error_clear(&y.error);
        hex_text(hex, h[i], 32);
        ck_assert_int_eq(rsp_log_find(log, hex, NULL, &found), RSP_OK);
        ck_assert_mem_eq(found->hash, h[i], 32);
    }
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* The date of a signer does not make his snapshot the latest of all sources. */
START_TEST(a_planted_date_is_not_the_latest)
{
    struct rsp_record *found = NULL;
    uint8_t other[16], thief[32], h[1][32];
    rsp_source_id(y.lineage, "another", other);
    struct yard_plan plan = {.signer = y.host, .kind = RSP_REC_COMMIT, .source = other, .time_ms = 253402300799000};
    yard_plant(&y, &plan, thief);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    int64_t arrived = rsp_log_by_hash(log, thief)->stored_ms;
    rsp_log_free(log);
    y.now_ms = arrived + YARD_DAY;
    chain(1, h);
    log = yard_log(repo);
    rsp_log_by_hash(log, h[0])->effective_ms = arrived + 1000; /* as of a store whose clock goes on */
    ck_assert_int_eq(rsp_log_find(log, "latest", NULL, &found), RSP_OK);
    ck_assert_mem_eq(found->hash, h[0], 32);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* ---- what claims to be newer ---- */

START_TEST(a_forgery_of_the_future_is_a_forgery)
{
    static const char tail[] = "from a release to come";
    struct rsp_identity *stranger = NULL;
    struct rsp_env env;
    struct rsp_log *log;
    uint8_t hash[2][32];
    env_init(&env, &y.env);
    ck_assert_int_eq(rsp_identity_new(&y.env, "stranger", &stranger), RSP_OK);
    struct rsp_repo *repo = yard_host(&y);
    for (int i = 0; i < 2; i++) {
        const struct rsp_identity *id = i ? y.host : stranger;
        struct yard_plan plan = {.signer = id, .kind = RSP_REC_COMMIT, .seq = 1};
        uint8_t plain[32];
        char path[NAME_MAX_BYTES];
        struct buf b;
        yard_plant(&y, &plan, plain);
        log = yard_log(repo);
        struct rsp_record r = *rsp_log_by_hash(log, plain);
        name_record_path(path, &r);
        tree_remove(&y, path);
        buf_init(&b, &env);
        ck_assert_int_eq(buf_add(&b, r.bytes, r.bytes_n - 64), RSP_OK);
        ck_assert_int_eq(item_add(&b, ITEM_CRITICAL | 99, tail, sizeof tail), RSP_OK);
        ck_assert_int_eq(buf_reserve(&b, 64), RSP_OK);
        identity_sign(id, b.p, b.n, b.p + b.n);
        b.n += 64;
        hash256(r.hash, b.p, b.n);
        memcpy(hash[i], r.hash, 32);
        name_record(r.name, r.seq, r.time_ms, r.kind, r.hash);
        name_record_path(path, &r);
        tree_write(&y, path, b.p, b.n);
        buf_free(&b);
        rsp_log_free(log);
    }
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 2);
    for (size_t i = 0; i < log->troubles_n; i++) {
        char hex[65];
        const struct rsp_trouble *t = &log->troubles[i];
        hex_text(hex, hash[0], 32);
        int forged = strstr(t->name, hex) != NULL;
        ck_assert_int_eq(t->status, forged ? RSP_EINTEGRITY : RSP_EVERSION);
        ck_assert_ptr_nonnull(strstr(t->way_out, "--acknowledge"));
    }
    rsp_log_free(log);
    rsp_repo_free(repo);
    rsp_identity_free(stranger);
}
END_TEST

/* What anybody who may annotate can sign is held in memory by all: it is small. */
START_TEST(a_note_is_small)
{
    uint8_t h[1][32];
    static char text[300000];
    chain(1, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record draft;
    memset(text, 'x', sizeof text - 1);
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_NOTE;
    memcpy(draft.source, y.source, 16);
    draft.hashes = h;
    draft.hashes_n = 1;
    draft.text = text;
    ck_assert_int_eq(rsp_record_publish(log, &draft, NULL, 0, NULL), RSP_EINVAL);
    text[200000] = 0;
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_record_publish(log, &draft, NULL, 0, NULL), RSP_OK);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* ---- memory ---- */

/* Garbage in the log must not keep a host from remembering what it wrote. */
START_TEST(own_records_are_remembered_among_faults)
{
    uint8_t h[2][32], mine[32];
    char path[NAME_MAX_BYTES], own[NAME_MAX_BYTES], hex[65];
    chain(2, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record garbage = *rsp_log_by_hash(log, h[1]);
    memset(garbage.hash, 0x77, 32);
    name_record(garbage.name, 2, garbage.time_ms, RSP_REC_COMMIT, garbage.hash);
    name_record_path(path, &garbage);
    tree_write(&y, path, "garbage", 7);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    const struct rsp_record *r = yard_commit(&y, log);
    memcpy(mine, r->hash, 32);
    name_record_path(own, r);
    rsp_log_free(log);
    tree_remove(&y, path); /* he takes his garbage away, and our record with it */
    tree_remove(&y, own);
    log = yard_log(repo);
    hex_text(hex, mine, 32);
    ck_assert_int_eq(log->faults, 1);
    ck_assert_str_eq(yard_trouble(log, "rollback")->name, hex);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* Two processes of one host: the slower one does not make it forget what the other has seen. */
START_TEST(a_slow_process_forgets_nothing)
{
    uint8_t h[1][32], mine[32];
    char own[NAME_MAX_BYTES];
    chain(1, h);
    struct rsp_repo *slow = yard_host(&y), *repo = yard_host(&y);
    struct rsp_log *old = yard_log(slow), *log = yard_log(repo);
    const struct rsp_record *r = yard_commit(&y, log);
    memcpy(mine, r->hash, 32);
    name_record_path(own, r);
    yard_name(old, RSP_REC_NOTE, rsp_log_by_hash(old, h[0]));
    rsp_log_free(old);
    rsp_log_free(log);
    tree_remove(&y, own);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    ck_assert_ptr_nonnull(yard_trouble(log, "rollback"));
    rsp_log_free(log);
    rsp_repo_free(repo);
    rsp_repo_free(slow);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("review_log");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_stolen_name_harms_no_record);
    tcase_add_test(tc, a_renamed_record_is_told_and_its_children_stand);
    tcase_add_test(tc, an_invented_number_stops_nobody);
    tcase_add_test(tc, an_explained_number_stops_nobody);
    tcase_add_test(tc, a_head_at_the_end_is_not_joined);
    tcase_add_test(tc, many_planted_heads_stop_nobody);
    tcase_add_test(tc, roles_given_up_break_no_children);
    tcase_add_test(tc, roles_that_come_meanwhile_are_no_fault);
    tcase_add_test(tc, a_note_vouches_for_no_removed_writer);
    tcase_add_test(tc, an_id_claimed_twice_is_not_guessed);
    tcase_add_test(tc, a_planted_date_is_not_the_latest);
    tcase_add_test(tc, a_forgery_of_the_future_is_a_forgery);
    tcase_add_test(tc, a_note_is_small);
    tcase_add_test(tc, own_records_are_remembered_among_faults);
    tcase_add_test(tc, a_slow_process_forgets_nothing);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failures = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failures != 0;
}
