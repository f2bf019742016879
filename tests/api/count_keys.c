/* What this is: the smallest useful embedder: counts the keys of each type in an RDB file.
 * Rests on: respite/rdb.h and -lrespite, as installed (make distcheck builds it with pkg-config).
 * Does not: use anything that is not public. Without an argument it reads a file of its own. */
#include <respite/rdb.h>
#include <respite/source.h>
#include <stdio.h>

static const char own[] = "REDIS0009\xfe\x00\x00\x01k\x01v\x00\x01n\xc0\x07\x01\x01l\x02\x01x\x01y\xff\0\0\0\0\0\0\0";

int main(int argc, char **argv)
{
    struct rsp_error error = {0};
    struct rsp_env env = {.size = sizeof env, .error = &error};
    struct rsp_source *source = NULL;
    struct rsp_rdb_reader *reader = NULL;
    struct rsp_rdb_event event = {.size = sizeof event};
    unsigned long keys[8] = {0};
    int rc = argc > 1 ? rsp_source_file(&env, argv[1], &source) : rsp_source_memory(&env, own, sizeof own, &source);

    if (!rc) rc = rsp_rdb_reader_new(&env, source, RSP_RDB_RAW, &reader);
    while (!rc && !(rc = rsp_rdb_next(reader, &event)))
        if (event.kind == RSP_RDB_KEY && event.value_type < 8) keys[event.value_type]++;
    rsp_rdb_reader_free(reader);
    rsp_source_free(source);
    if (rc < 0) {
        char words[512];
        rsp_error_format(&error, words, sizeof words);
        fprintf(stderr, "%s: %s\n", rsp_status_name(rc), words);
        return 1;
    }
    for (int t = 0; t < 8; t++)
        if (keys[t]) printf("%s %lu\n", rsp_rdb_value_type_name(t), keys[t]);
    return argc > 1 || (keys[RSP_RDB_STRING] == 2 && keys[RSP_RDB_LIST] == 1) ? 0 : 1;
}
