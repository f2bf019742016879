/* What this is: what a thief of the storage, who has no key, can read. Each test is named in respite-security(7).
 * Rests on: libcheck, sham.h. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "seal/envelope.h"
#include "seal/items.h"
#include "seal/roles.h"
#include "sham.h"

#define MARK "kangaroo-"
static struct rsp_span text(const char *s)
{
    return (struct rsp_span){(const uint8_t *)s, strlen(s)};
}

static void marked_facts(struct rsp_manifest *m)
{
    static struct rsp_pair aux, captured, tag;
    static struct rsp_span loss;
    memset(m, 0, sizeof *m);
    aux = (struct rsp_pair){text(MARK "aux-name"), text(MARK "aux-value")};
    captured = (struct rsp_pair){text(MARK "config"), text("requirepass " MARK "password")};
    tag = (struct rsp_pair){text(MARK "tag"), text(MARK "tag-value")};
    loss = text(MARK "loss");
    m->tool = text(MARK "tool");
    m->server_kind = text(MARK "server");
    m->server_version = text(MARK "version");
    m->server_run_id = text(MARK "run-id");
    m->server_place = text("/var/lib/" MARK "place");
    m->aux = &aux, m->aux_n = 1;
    m->captured = &captured, m->captured_n = 1;
    m->tags = &tag, m->tags_n = 1;
    m->losses = &loss, m->losses_n = 1;
}

/* A snapshot whose every fact is marked; 40 bytes and more of what could be read are in its stream. */
static void marked_snapshot(const char *data, size_t n)
{
    struct rsp_manifest m;
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    struct yard_dump d = {.source = MARK "source", .p = data, .n = n, .facts = &m, .with_dd1 = 1};
    marked_facts(&m);
    ck_assert_msg(yard_store_dump(&y, repo, &d, &log, &r) == RSP_OK, "%s", y.error.message);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

static size_t holds(const uint8_t *p, size_t n, const void *what, size_t what_n)
{
    return memmem(p, n, what, what_n) != NULL;
}

START_TEST(nothing_stored_is_readable)
{
    char data[4000];
    struct tree t;
    struct rsp_repo *repo;
    struct rsp_snapshot *s = NULL;
    struct rsp_record *latest = NULL;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (MARK "key name and its value; ")[i % 34];
    marked_snapshot(data, sizeof data);
    tree_read(&y, &t);
    ck_assert_uint_ge(t.n, 14);
    for (size_t i = 0; i < t.n; i++) {
        ck_assert_msg(!holds(t.bytes[i], t.size[i], MARK, strlen(MARK)), "%s holds a mark", t.name[i]);
        ck_assert_ptr_null(strstr(t.name[i], MARK));
        ck_assert(!holds(t.bytes[i], t.size[i], "dump.rdb", 8));
        for (size_t at = 0; at + 24 <= sizeof one; at += 24)
            ck_assert_msg(!holds(t.bytes[i], t.size[i], one + at, 24), "%s holds a part of the data", t.name[i]);
    }
    tree_free(&t);
    struct rsp_log *log = honest_log(&repo); /* and whoever may read finds every one of the marks */
    ck_assert_int_eq(rsp_log_find(log, "latest", NULL, &latest), RSP_OK);
    for (size_t i = 0; i < log->records_n; i++)
        if (memcmp(log->records[i]->source, y.source, 16)) latest = log->records[i];
    ck_assert_int_eq(rsp_snapshot_open(repo, latest, &s), RSP_OK);
    const struct rsp_manifest *m = rsp_snapshot_manifest(s);
    ck_assert(holds(m->source.p, m->source.n, MARK, strlen(MARK)));
    ck_assert(holds(m->captured[0].value.p, m->captured[0].value.n, MARK, strlen(MARK)));
    ck_assert_uint_eq(m->streams[0].plain, sizeof data);
    rsp_snapshot_free(s);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* No 32 bytes that lie in the store are the key of an epoch. */
START_TEST(no_stored_bytes_are_a_key)
{
    struct tree t;
    const struct rsp_record *commits[] = {first, second};
    uint8_t made[32];
    size_t tried = 0;
    tree_read(&y, &t);
    for (size_t i = 0; i < t.n; i++)
        for (size_t at = 0; at + 32 <= t.size[i]; at++)
            for (size_t k = 0; k < 2; k++, tried++) {
                epoch_commitment(t.bytes[i] + at, y.lineage, commits[k]->epoch, made);
                ck_assert_msg(memcmp(made, commits[k]->commitment, 32) != 0, "a key lies in %s at %zu", t.name[i], at);
            }
    ck_assert_uint_gt(tried, 20000);
    tree_free(&t);
    uint8_t *key = NULL; /* the true one would have been found so */
    struct rsp_repo *repo;
    struct rsp_log *log = honest_log(&repo);
    ck_assert_int_eq(epoch_open(repo, first->epoch, first->commitment, 0, &key), RSP_OK);
    epoch_commitment(key, y.lineage, first->epoch, made);
    ck_assert_mem_eq(made, first->commitment, 32);
    secret_free(key);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* Every item of the list is one of the allowed numbers; inside: of one that holds items itself. */
static void only_items(const char *name, struct rsp_span v, const char *allowed)
{
    struct items list;
    struct item item;
    int rc;
    items_begin(&list, v.p, v.n);
    while (!(rc = items_next(&list, &item))) {
        char number[16];
        snprintf(number, sizeof number, " %u ", (unsigned)ITEM_NUMBER(item.tag));
        ck_assert_msg(strstr(allowed, number) != NULL, "%s has an item%s, which the page does not tell", name, number);
        if (item.tag == ROLES_MEMBER && !strncmp(name, "roles/", 6)) only_items("a member", item.v, " 1 2 3 4 5 ");
    }
    ck_assert_int_eq(rc, RSP_END);
}

static const char *clear_items(const char *name)
{
    if (!strncmp(name, "repository/", 11)) return " 1 2 3 4 ";
    if (!strncmp(name, "roles/", 6)) return " 1 2 3 4 5 6 7 8 ";
    if (!strncmp(name, "keys/", 5)) return " 1 2 ";
    if (strstr(name, "-commit-")) return " 1 2 3 4 5 6 7 8 16 17 18 19 20 21 22 23 24 25 ";
    if (strstr(name, "-note-") || strstr(name, "-pin-")) return " 1 2 3 4 5 6 7 8 32 34 37 ";
    return "";
}

START_TEST(what_is_clear_is_only_what_the_page_says)
{
    struct tree t;
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    const char *data = "the same bytes twice, the same bytes twice, the same bytes twice";
    uint8_t lineage[16], source[16], *sealed[2] = {NULL};
    size_t sealed_n = 0, told = 0;
    char folder[64];
    yard_name(log, RSP_REC_NOTE, second);
    yard_name(log, RSP_REC_PIN, second);
    rsp_log_free(log);
    rsp_repo_free(repo);
    marked_snapshot(data, strlen(data));
    marked_snapshot(data, strlen(data));
    tree_read(&y, &t);
    for (size_t i = 0; i < t.n; i++) {
        const char *name = t.name[i];
        int sign = !strncmp(name, "log/", 4) || !strncmp(name, "roles/", 6);
        ck_assert_uint_gt(t.size[i], 8 + (size_t)sign * 64);
        if (!strncmp(name, "data/", 5) || !strncmp(name, "manifests/", 10)) {
            ck_assert_mem_eq(t.bytes[i] + 16, y.lineage, 16);
            ck_assert_uint_eq(load_le16(t.bytes[i] + 34), 104); /* a header without items: nothing else is clear */
            if (name[0] == 'd' && t.size[i] < 600 && sealed_n < 2) sealed[sealed_n++] = t.bytes[i];
            continue;
        }
        told += strstr(name, "-note-") || strstr(name, "-pin-") ? holds(t.bytes[i], t.size[i], "a note", 6) : 0;
        only_items(name, (struct rsp_span){t.bytes[i] + 8, t.size[i] - 8 - (sign ? 64 : 0)}, clear_items(name));
        if (!strncmp(name, "roles/", 6)) {
            struct rsp_public key;
            rsp_identity_public(y.reader, &key);
            ck_assert(holds(t.bytes[i], t.size[i], "reader", 6));
            ck_assert(holds(t.bytes[i], t.size[i], key.box, 32));
        }
    }
    ck_assert_uint_eq(told, 2);
    ck_assert_uint_eq(sealed_n, 2); /* the same bytes stored twice look like any others */
    size_t same = 0;
    uint8_t dd1[16];
    memset(dd1, 0xd1, sizeof dd1);
    for (size_t k = 104; k < 104 + 80; k++) same += sealed[0][k] == sealed[1][k];
    ck_assert_uint_lt(same, 8);
    /* a digest of the data would let guesses be tested: it is nowhere */
    for (size_t i = 0; i < t.n; i++) ck_assert(!holds(t.bytes[i], t.size[i], dd1, sizeof dd1));
    /* and a source's name can be guessed: its folder is a hash of the lineage, which is clear, and the name */
    memcpy(lineage, y.lineage, 16);
    rsp_source_id(lineage, MARK "source", source);
    snprintf(folder, sizeof folder, "log/");
    hex_text(folder + 4, source, 16);
    told = 0;
    for (size_t i = 0; i < t.n; i++) told += !strncmp(t.name[i], folder, strlen(folder));
    ck_assert_uint_eq(told, 2);
    tree_free(&t);
}
END_TEST
int main(void)
{
    Suite *s = suite_create("clear");
    TCase *c = tcase_create("clear");
    TCase *sample = tcase_create("sample"); /* make check runs it on every store */
    tcase_set_timeout(c, 300);
    tcase_set_timeout(sample, 300);
    tcase_add_checked_fixture(c, sham_setup, sham_teardown);
    tcase_add_checked_fixture(sample, sham_setup, sham_teardown);
    tcase_add_test(sample, nothing_stored_is_readable);
    tcase_add_test(c, no_stored_bytes_are_a_key);
    tcase_add_test(c, what_is_clear_is_only_what_the_page_says);
    suite_add_tcase(s, sample);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
