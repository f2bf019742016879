/* What this is: what an embedder relies on: his allocator takes everything and gets everything back, a fault has words
 *   and an offset, a dead handle says so, an older env is not read beyond its size.
 * Rests on: the shared object and stable headers only.
 * Does not: test formats. */
#include <respite/rdb.h>
#include <respite/sink.h>
#include <respite/source.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char file[] = "REDIS0009\xfe\x00\x04\x01h\x01\x01"
                           "f\x05value\xff\0\0\0\0\0\0\0";
static size_t held, taken;
static int failures;

#define EXPECT(what) expect((what), #what, __LINE__)
static void expect(int holds, const char *what, int line)
{
    if (holds) return;
    fprintf(stderr, "test_embed.c:%d: %s\n", line, what);
    failures++;
}

static void *counted(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    void *p;
    (void)opaque;
    if (new_size == 0) {
        free(ptr);
        held -= old_size;
        return NULL;
    }
    p = realloc(ptr, new_size);
    if (!p) return NULL;
    held += new_size - old_size;
    taken++;
    return p;
}

/* Reads all events; the last status, and how many fields of hashes were seen. */
static int read_all(const struct rsp_env *env, const char *bytes, size_t n, int *fields)
{
    struct rsp_source *source = NULL;
    struct rsp_rdb_reader *reader = NULL;
    struct rsp_rdb_event event = {.size = sizeof event};
    int rc = rsp_source_memory(env, bytes, n, &source);
    *fields = 0;
    if (!rc) rc = rsp_rdb_reader_new(env, source, RSP_RDB_LOGICAL, &reader);
    while (!rc && !(rc = rsp_rdb_next(reader, &event))) {
        const struct rsp_rdb_element *e = event.element;
        if (event.kind != RSP_RDB_ELEMENT || e->kind != RSP_ELEM_FIELD) continue;
        if (e->a.n == 1 && e->b.n == 5 && memcmp(e->b.p, "value", 5) == 0) ++*fields;
    }
    if (rc < 0) EXPECT(rsp_rdb_next(reader, &event) == RSP_ESTATE);
    rsp_rdb_reader_free(reader);
    rsp_source_free(source);
    return rc;
}

int main(void)
{
    struct rsp_error error = {0};
    struct rsp_env env = {.size = sizeof env, .resize = counted, .error = &error};
    struct rsp_env old = {.size = offsetof(struct rsp_env, error), .resize = counted, .error = &error};
    struct rsp_source *source = NULL;
    char words[128], tiny[4];
    int fields;

    EXPECT(strcmp(rsp_version(), RSP_VERSION_STRING) == 0);
    EXPECT(read_all(&env, file, sizeof file, &fields) == RSP_END && fields == 1);
    EXPECT(taken > 0 && held == 0 && error.code == 0);

    EXPECT(read_all(&env, file, 17, &fields) == RSP_ETRUNCATED);
    EXPECT(error.code == RSP_ETRUNCATED && error.has_offset && held == 0);
    EXPECT(rsp_error_format(&error, words, sizeof words) == strlen(words) && strstr(words, "offset"));
    EXPECT(rsp_error_format(&error, tiny, sizeof tiny) == 3 && strlen(tiny) == 3);
    rsp_error_clear(&error);

    EXPECT(rsp_source_file(&env, "/nonexistent/file", &source) == RSP_ENOTFOUND && !source);
    EXPECT(error.code == RSP_ENOTFOUND && error.sys_errno && strcmp(error.subject, "/nonexistent/file") == 0);
    rsp_error_clear(&error);

    EXPECT(read_all(&old, file, 17, &fields) == RSP_ETRUNCATED && error.code == 0);
    EXPECT(read_all(NULL, file, sizeof file, &fields) == RSP_END && held == 0);

    rsp_rdb_reader_free(NULL);
    rsp_source_free(NULL);
    rsp_sink_free(NULL);
    EXPECT(strcmp(rsp_status_name(RSP_EFORMAT), "RSP_EFORMAT") == 0 &&
           strcmp(rsp_status_name(12345), "RSP_UNKNOWN") == 0);
    return failures ? 1 : 0;
}
