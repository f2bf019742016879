/* What this is: the rows of one dump, and of the dumps that are one dataset together.
 * Rests on: rows.h.
 * Does not: make a row. */
#include "job/rows.h"

static int read_dump(struct rows_maker *x, const struct rsp_env *env, struct rsp_source *source,
                     const struct rsp_compare_side *side, unsigned threads, volatile const int *cancel)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, rows_maker_work, rows_maker_join, rows_maker_drop};
    struct rsp_rdb_run_options o = {.size = sizeof o, .threads = threads, .cancel = cancel};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    int rc = rows_maker_next(x);
    o.filter = side ? side->filter : NULL;
    if (!rc) rc = rsp_rdb_run(env, source, &o, &ops, x, &result);
    if (!rc && result.feed.crc_state == RSP_RDB_CRC_WRONG)
        rc = fail(env, RSP_ECHECKSUM, NULL, "the dump's checksum is wrong");
    return rc;
}

int rows_of(const struct rsp_env *env, struct rsp_source *source, const struct rsp_compare_side *side, unsigned threads,
            const char *tmpdir, volatile const int *cancel, size_t run_rows, struct rsp_rows **ret)
{
    struct rows_maker *x;
    struct rsp_env full;
    int rc;
    *ret = NULL;
    env_init(&full, env);
    rc = rows_maker_new(&full, side, threads, tmpdir, run_rows, 0, &x);
    if (rc || !x) return rc;
    rc = read_dump(x, &full, source, side, threads, cancel);
    if (!rc) rc = rows_maker_end(x, &full, ret);
    rows_maker_free(x);
    return rc;
}

int rsp_rows_of(const struct rsp_env *env, struct rsp_source *source, const struct rsp_compare_side *side,
                unsigned threads, const char *tmpdir, volatile const int *cancel, struct rsp_rows **ret)
{
    return rows_of(env, source, side, threads, tmpdir, cancel, ROWS_RUN, ret);
}

int rsp_rows_of_all(const struct rsp_env *env, int (*open)(void *ctx, size_t i, struct rsp_source **source), void *ctx,
                    size_t n, const struct rsp_compare_side *side, unsigned threads, const char *tmpdir,
                    volatile const int *cancel, struct rsp_rows **ret)
{
    struct rows_maker *x;
    struct rsp_env full;
    int rc;
    *ret = NULL;
    env_init(&full, env);
    rc = rows_maker_new(&full, side, threads, tmpdir, ROWS_RUN, 0, &x);
    if (rc || !x) return rc;
    for (size_t i = 0; i < n && !rc; i++) {
        struct rsp_source *source = NULL;
        rc = open(ctx, i, &source);
        if (!rc) rc = read_dump(x, &full, source, side, threads, cancel);
        rsp_source_free(source);
    }
    if (!rc) rc = rows_maker_end(x, &full, ret);
    rows_maker_free(x);
    return rc;
}
