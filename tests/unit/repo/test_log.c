/* What this is: tests of the record log: parents and forks, what is dropped, forged, damaged, given up, taken back.
 * Rests on: libcheck, yard.h. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repo/log_impl.h"
#include "fixture/yard.h"

static struct yard y;

static void setup(void)
{
    yard_open(&y);
}
static void teardown(void)
{
    yard_close(&y);
}

/* count commits in a chain; hashes of all of them */
static void chain(size_t count, uint8_t hashes[][32])
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    for (size_t i = 0; i < count; i++) memcpy(hashes[i], yard_commit(&y, log)->hash, 32);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

static void drop(const uint8_t hash[32])
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    const struct rsp_record *r = rsp_log_by_hash(log, hash);
    char path[512];
    ck_assert_ptr_nonnull(r);
    yard_record_path(&y, r, path);
    ck_assert_int_eq(unlink(path), 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

/* Signed by id over these parents, whatever the rules say; published as it is. */
static void plant(const struct rsp_identity *id, int kind, uint64_t seq, const struct rsp_record *parent,
                  const uint8_t roles[32], const uint8_t repository[16], uint8_t hash[32])
{
    struct rsp_env env;
    struct rsp_record *r;
    char path[NAME_MAX_BYTES];
    struct rsp_parent p;
    env_init(&env, &y.env);
    r = record_new(&env);
    ck_assert_ptr_nonnull(r);
    r->kind = (uint8_t)kind;
    memcpy(r->source, y.source, 16);
    r->seq = seq;
    r->time_ms = (uint64_t)y.now_ms;
    memcpy(r->roles, roles, 32);
    r->snapshot[0] = 0xee;
    r->epoch[0] = 0xee;
    r->manifest.kind = 2;
    r->manifest.epoch[0] = 0xee;
    if (parent) {
        p.seq = parent->seq;
        memcpy(p.hash, parent->hash, 32);
        r->parents = mem_alloc(&env, sizeof p);
        memcpy(r->parents, &p, sizeof p);
        r->parents_n = 1;
    }
    if (kind != RSP_REC_COMMIT) {
        r->hashes = mem_alloc(&env, 32);
        memset(r->hashes, 7, 32);
        if (parent) memcpy(r->hashes[0], parent->hash, 32);
        r->hashes_n = 1;
        r->detail = 1;
    }
    ck_assert_int_eq(record_encode(&env, r, repository, id, NULL, 0), RSP_OK);
    name_record_path(path, r);
    ck_assert_int_eq(rsp_store_put(y.store, path, r->bytes, r->bytes_n), RSP_OK);
    if (hash) memcpy(hash, r->hash, 32);
    record_free(&env, r);
}

static size_t count_state(const struct rsp_log *log, uint32_t state)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++) n += (log->records[i]->state & state) != 0;
    return n;
}

static size_t living(const struct rsp_log *log)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++) n += (size_t)rsp_record_living(log->records[i]);
    return n;
}

START_TEST(a_chain_is_sound)
{
    uint8_t h[4][32];
    chain(4, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_uint_eq(log->troubles_n, 0);
    ck_assert_uint_eq(living(log), 4);
    ck_assert_uint_eq(count_state(log, RSP_RECORD_HEAD), 1);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(log->records[i]->seq, i + 1);
        ck_assert_uint_eq(log->records[i]->parents_n, i > 0);
        for (size_t k = 0; k < 4; k++)
            ck_assert_int_eq(rsp_log_descends(log, log->records[i], log->records[k]), k <= i);
    }
    struct rsp_record *found = NULL;
    ck_assert_int_eq(rsp_log_find(log, "latest", NULL, &found), RSP_OK);
    ck_assert_mem_eq(found->hash, h[3], 32);
    char hex[65];
    hex_text(hex, found->snapshot, 16);
    hex[10] = 0;
    ck_assert_int_eq(rsp_log_find(log, hex, y.source, &found), RSP_OK);
    ck_assert_mem_eq(found->hash, h[3], 32);
    hex_text(hex, h[1], 32);
    ck_assert_int_eq(rsp_log_find(log, hex, NULL, &found), RSP_OK);
    ck_assert_mem_eq(found->hash, h[1], 32);
    ck_assert_int_eq(rsp_log_find(log, "abc", NULL, &found), RSP_EINVAL);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_log_find(log, "0123456789abcdef0123456789abcdef", NULL, &found), RSP_ENOTFOUND);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(a_fork_is_a_note_and_joined_by_the_next)
{
    uint8_t h[2][32];
    chain(2, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *a = yard_log(repo), *b = yard_log(repo);
    yard_commit(&y, a);
    yard_commit(&y, b);
    rsp_log_free(a);
    rsp_log_free(b);
    a = yard_log(repo);
    ck_assert_int_eq(a->faults, 0);
    ck_assert_ptr_nonnull(yard_trouble(a, "fork"));
    ck_assert_uint_eq(count_state(a, RSP_RECORD_HEAD), 2);
    const struct rsp_record *join = yard_commit(&y, a);
    ck_assert_uint_eq(join->parents_n, 2);
    ck_assert_uint_eq(join->seq, 4);
    ck_assert_uint_eq(count_state(a, RSP_RECORD_HEAD), 1);
    rsp_log_free(a);
    a = yard_log(repo);
    ck_assert_uint_eq(a->troubles_n, 0);
    ck_assert_uint_eq(living(a), 5);
    rsp_log_free(a);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(a_dropped_middle_record_is_missed_and_can_be_given_up)
{
    uint8_t h[4][32];
    char hex[65];
    chain(4, h);
    drop(h[1]);
    struct rsp_repo *repo = NULL;
    ck_assert_int_eq(yard_repo(&y, 0, &y.keeper, 1, &repo), RSP_OK); /* without memory */
    struct rsp_log *log = yard_log(repo);
    hex_text(hex, h[1], 32);
    ck_assert_int_eq(log->faults, 1);
    ck_assert_ptr_nonnull(yard_trouble(log, "missing"));
    ck_assert_str_eq(yard_trouble(log, "missing")->name, hex);
    ck_assert_ptr_nonnull(yard_trouble(log, "missing")->way_out);
    struct rsp_record gone;
    memset(&gone, 0, sizeof gone);
    memcpy(gone.hash, h[1], 32);
    memcpy(gone.source, y.source, 16);
    yard_name(log, RSP_REC_LOST, &gone);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_uint_eq(living(log), 3);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(the_newest_dropped_is_missed_by_who_knew_it)
{
    uint8_t h[3][32];
    char hex[65];
    struct rsp_repo *repo = NULL;
    chain(3, h);
    hex_text(hex, h[2], 32);
    drop(h[2]);
    repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    ck_assert_str_eq(yard_trouble(log, "rollback")->name, hex);
    rsp_log_free(log);
    struct rsp_log_options names = {.size = sizeof names, .rows = 5};
    ck_assert_int_eq(rsp_log_load(repo, &names, &log), RSP_OK);
    ck_assert_int_eq(log->faults, 1);
    rsp_log_free(log);
    rsp_repo_free(repo);

    struct rsp_repo_options o = {.size = sizeof o, .store = y.store, .state = y.state, .accept_rollback = 1};
    ck_assert_int_eq(rsp_repo_open(&y.env, &o, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_ptr_nonnull(yard_trouble(log, "rollback"));
    rsp_log_free(log);
    rsp_repo_free(repo);
    repo = yard_host(&y); /* it has been taken note of */
    log = yard_log(repo);
    ck_assert_uint_eq(log->troubles_n, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);

    struct rsp_repo_options e = {.size = sizeof e, .store = y.store, .root = &y.root_public, .expect_head = hex};
    ck_assert_int_eq(rsp_repo_open(&y.env, &e, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    rsp_log_free(log);
    rsp_repo_free(repo);
    hex_text(hex, h[1], 32);
    hex[12] = 0;
    ck_assert_int_eq(rsp_repo_open(&y.env, &e, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(a_damaged_record_is_named_and_can_be_given_up)
{
    uint8_t h[3][32];
    char path[512];
    struct stat st;
    chain(3, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    yard_record_path(&y, rsp_log_by_hash(log, h[1]), path);
    rsp_log_free(log);
    ck_assert_int_eq(stat(path, &st), 0);
    for (long at = 0; at < st.st_size; at += 7) {
        yard_flip(path, at);
        log = yard_log(repo);
        ck_assert_int_eq(log->faults, 1);
        ck_assert_ptr_nonnull(strstr(path, yard_trouble(log, "record")->name));
        ck_assert_uint_eq(living(log), 2);
        rsp_log_free(log);
        yard_flip(path, at);
    }
    ck_assert_int_eq(truncate(path, 0), 0);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    yard_name(log, RSP_REC_LOST, rsp_log_by_hash(log, h[1]));
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_uint_eq(count_state(log, RSP_RECORD_LOST), 1);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(forged_records_are_refused)
{
    uint8_t h[2][32], roles[32], other[32] = {9};
    chain(2, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record *head = rsp_log_by_hash(log, h[1]);
    struct rsp_identity *stranger = NULL;
    memcpy(roles, rsp_repo_roles(repo)->hash, 32);
    ck_assert_int_eq(rsp_identity_new(&y.env, "stranger", &stranger), RSP_OK);
    plant(stranger, RSP_REC_COMMIT, 3, head, roles, y.id, NULL); /* no member */
    plant(y.keeper, RSP_REC_COMMIT, 3, head, roles, y.id, NULL); /* may not commit */
    plant(y.reader, RSP_REC_RETIRE, 3, head, roles, y.id, NULL); /* may not retire */
    plant(y.host, RSP_REC_COMMIT, 3, head, roles, other, NULL);  /* another repository */
    plant(y.host, RSP_REC_COMMIT, 9, head, roles, y.id, NULL);   /* wrong number */
    plant(y.host, RSP_REC_COMMIT, 3, head, other, y.id, NULL);   /* roles nobody knows */
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 6);
    ck_assert_uint_eq(living(log), 2);
    ck_assert_ptr_nonnull(yard_trouble(log, "roles"));
    rsp_log_free(log);
    rsp_identity_free(stranger);
    rsp_repo_free(repo);
}
END_TEST

static void remove_member(struct rsp_repo *repo, const struct rsp_identity *id, const uint8_t left[32])
{
    struct rsp_roles draft = *rsp_repo_roles(repo);
    struct rsp_member members[8];
    struct rsp_left_head head;
    struct rsp_public key;
    size_t n = 0;
    rsp_identity_public(id, &key);
    for (size_t i = 0; i < draft.members_n; i++)
        if (memcmp(draft.members[i].key.sign, key.sign, 32)) members[n++] = draft.members[i];
    draft.members = members;
    draft.members_n = n;
    memcpy(head.signer, key.sign, 32);
    memcpy(head.source, y.source, 16);
    if (left) memcpy(head.hash, left, 32);
    draft.left = left ? &head : NULL;
    draft.left_n = left != NULL;
    ck_assert_int_eq(rsp_repo_set_roles(repo, &draft, y.root), RSP_OK);
}

START_TEST(a_removed_writer_keeps_its_past_and_has_no_future)
{
    uint8_t h[3][32], old_roles[32], thief[32];
    chain(3, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    memcpy(old_roles, rsp_repo_roles(repo)->hash, 32);
    remove_member(repo, y.host, h[2]);
    plant(y.host, RSP_REC_COMMIT, 2, rsp_log_by_hash(log, h[0]), old_roles, y.id, thief);
    rsp_log_free(log);
    rsp_repo_free(repo);
    repo = yard_host(&y);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    ck_assert_uint_eq(living(log), 3);
    ck_assert_uint_ne(rsp_log_by_hash(log, thief)->state & RSP_RECORD_BROKEN, 0);
    ck_assert_ptr_nonnull(strstr(yard_trouble(log, "record")->text, "removed"));
    rsp_log_free(log);
    struct rsp_log_options names = {.size = sizeof names, .rows = 20};
    ck_assert_int_eq(rsp_log_load(repo, &names, &log), RSP_OK); /* list must not show it either */
    ck_assert_uint_eq(living(log), 3);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(roles_never_go_back)
{
    uint8_t h[1][32], old_roles[32];
    chain(1, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    memcpy(old_roles, rsp_repo_roles(repo)->hash, 32);
    remove_member(repo, y.reader, NULL);
    const struct rsp_record *second = yard_commit(&y, log);
    ck_assert_uint_eq(second->roles_n, 2);
    plant(y.host, RSP_REC_COMMIT, 3, second, old_roles, y.id, NULL);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    ck_assert_ptr_nonnull(strstr(yard_trouble(log, "record")->text, "roles"));
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(states_follow_the_records)
{
    uint8_t h[3][32];
    chain(3, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record *first = rsp_log_by_hash(log, h[0]);
    yard_name(log, RSP_REC_RETIRE, first);
    ck_assert_uint_ne(first->state & RSP_RECORD_RETIRED, 0);
    ck_assert_int_eq(rsp_record_living(first), 0);
    struct rsp_record *pin = yard_name(log, RSP_REC_PIN, first);
    ck_assert_int_eq(rsp_record_living(first), 1); /* brought back in time */
    yard_name(log, RSP_REC_UNPIN, pin);
    ck_assert_int_eq(rsp_record_living(first), 0);
    yard_name(log, RSP_REC_ACCEPT, rsp_log_by_hash(log, h[1]));
    ck_assert_uint_ne(rsp_log_by_hash(log, h[1])->state & RSP_RECORD_ACCEPTED, 0);
    yard_name(log, RSP_REC_NOTE, rsp_log_by_hash(log, h[1]));
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_uint_eq(living(log), 2);
    ck_assert_uint_eq(log->records_n, 8);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(ancestry_outlives_what_is_gone)
{
    uint8_t h[4][32];
    uint8_t links[2][64], hashes[2][32];
    chain(4, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record draft;
    char path[512];
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_GONE;
    memcpy(draft.source, y.source, 16);
    for (size_t i = 0; i < 2; i++) {
        memcpy(hashes[i], h[i + 1], 32);
        memcpy(links[i], h[i + 1], 32);
        memcpy(links[i] + 32, h[i], 32);
    }
    draft.hashes = hashes;
    draft.links = links;
    draft.hashes_n = draft.links_n = 2;
    ck_assert_int_eq(rsp_record_publish(log, &draft, NULL, 0, NULL), RSP_OK);
    for (size_t i = 1; i < 3; i++) {
        yard_record_path(&y, rsp_log_by_hash(log, h[i]), path);
        ck_assert_int_eq(unlink(path), 0);
    }
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_uint_eq(living(log), 2);
    ck_assert_int_eq(rsp_log_descends(log, rsp_log_by_hash(log, h[3]), rsp_log_by_hash(log, h[0])), 1);
    ck_assert_int_eq(rsp_log_descends(log, rsp_log_by_hash(log, h[0]), rsp_log_by_hash(log, h[3])), 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(list_reads_little)
{
    uint8_t h[40][32];
    struct rsp_store_counts before, after;
    struct rsp_log_options names = {.size = sizeof names, .rows = 5};
    struct rsp_log *log = NULL;
    chain(40, h);
    struct rsp_repo *repo = yard_host(&y);
    rsp_store_count(y.store, &before);
    ck_assert_int_eq(rsp_log_load(repo, &names, &log), RSP_OK);
    rsp_store_count(y.store, &after);
    ck_assert_uint_eq(after.lists - before.lists, 1);
    ck_assert_uint_le(after.gets - before.gets, 5);
    ck_assert_uint_eq(log->records_n, 40);
    ck_assert_uint_eq(living(log), 5);
    struct rsp_record *found = NULL;
    ck_assert_int_eq(rsp_log_find(log, "latest", NULL, &found), RSP_OK);
    ck_assert_mem_eq(found->hash, h[39], 32);
    ck_assert_int_eq(rsp_record_publish(log, found, NULL, 0, NULL), RSP_ESTATE);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(times_are_nobodys_alone)
{
    uint8_t h[2][32], roles[32], hash[32];
    y.now_ms = 1700000000000; /* the store's clock is the real one, and later */
    chain(2, h);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    memcpy(roles, rsp_repo_roles(repo)->hash, 32);
    struct rsp_record *head = rsp_log_by_hash(log, h[1]);
    y.now_ms -= 300 * YARD_DAY; /* a date before its parent's */
    plant(y.host, RSP_REC_COMMIT, 3, head, roles, y.id, hash);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(rsp_log_by_hash(log, hash)->effective_ms, rsp_log_by_hash(log, h[1])->effective_ms);
    y.now_ms = 4000000000000; /* a date in the future */
    plant(y.host, RSP_REC_COMMIT, 4, rsp_log_by_hash(log, hash), roles, y.id, hash);
    rsp_log_free(log);
    log = yard_log(repo);
    ck_assert_int_eq(rsp_log_by_hash(log, hash)->effective_ms, rsp_log_by_hash(log, hash)->stored_ms);
    ck_assert_int_eq(log->faults, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* ---- every allocation fails in turn ---- */

static long countdown;

static void *failing(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque, (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    if (countdown > 0 && !--countdown) return NULL;
    return realloc(p, new_n);
}

START_TEST(every_allocation_fails_in_turn)
{
    uint8_t h[3][32];
    chain(3, h);
    struct rsp_env env = y.env;
    env.resize = failing;
    for (long n = 1;; n++) {
        struct rsp_repo_options o = {.size = sizeof o, .store = y.store, .root = &y.root_public};
        struct rsp_repo *repo = NULL;
        struct rsp_log *log = NULL;
        rsp_error_clear(&y.error);
        countdown = n;
        int rc = rsp_repo_open(&env, &o, &repo);
        if (!rc) rc = rsp_log_load(repo, NULL, &log);
        int done = countdown > 0;
        countdown = 0;
        if (done) {
            ck_assert_int_eq(rc, RSP_OK);
            ck_assert_uint_eq(living(log), 3);
        } else {
            ck_assert_msg(rc == RSP_ENOMEM, "allocation %ld: %s", n, rsp_status_name(rc));
        }
        rsp_log_free(log);
        rsp_repo_free(repo);
        if (done) break;
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("log");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_chain_is_sound);
    tcase_add_test(t, a_fork_is_a_note_and_joined_by_the_next);
    tcase_add_test(t, a_dropped_middle_record_is_missed_and_can_be_given_up);
    tcase_add_test(t, the_newest_dropped_is_missed_by_who_knew_it);
    tcase_add_test(t, a_damaged_record_is_named_and_can_be_given_up);
    tcase_add_test(t, forged_records_are_refused);
    tcase_add_test(t, a_removed_writer_keeps_its_past_and_has_no_future);
    tcase_add_test(t, roles_never_go_back);
    tcase_add_test(t, states_follow_the_records);
    tcase_add_test(t, ancestry_outlives_what_is_gone);
    tcase_add_test(t, list_reads_little);
    tcase_add_test(t, times_are_nobodys_alone);
    tcase_add_test(t, every_allocation_fails_in_turn);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
