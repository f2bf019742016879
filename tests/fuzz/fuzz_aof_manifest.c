/* What this is: the fuzz target of AOF manifests: what is taken says the same when it is written and read again.
 * Rests on: fuzz.h, aof/manifest.h.
 * Does not: open files. */
#include "fuzz.h"

#include "aof/manifest.h"

static void files(const struct aof_manifest *m)
{
    uint64_t last = 0;
    unsigned bases = 0;
    MUST(aof_manifest_count(m));
    for (size_t i = 0; i < aof_manifest_count(m); i++) {
        const struct aof_file *f = aof_manifest_at(m, i);
        MUST(f->name[0] && memchr(f->name, 0, sizeof f->name) && !strchr(f->name, '/') && strcmp(f->name, ".."));
        MUST(f->seq && (f->type == AOF_BASE || f->type == AOF_INCR || f->type == AOF_HISTORY));
        bases += f->type == AOF_BASE;
        if (f->type != AOF_INCR) continue;
        MUST(f->seq > last);
        last = f->seq;
    }
    MUST(bases <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error = {0};
    struct rsp_env given = {.size = sizeof given, .error = &error}, env;
    struct aof_manifest m, again;
    struct buf text;
    int rc;
    env_init(&env, &given);
    aof_manifest_init(&m, &env);
    aof_manifest_init(&again, &env);
    buf_init(&text, &env);
    rc = aof_manifest_parse(&m, "manifest", data, n);
    if (rc) {
        MUST(rc == RSP_EFORMAT && error.code == rc && !aof_manifest_count(&m));
    } else {
        files(&m);
        rc = aof_manifest_write(&m, &text);
        MUST(!rc || rc == RSP_EINVAL); /* a name whose escapes are too long for a line */
        if (!rc) {
            MUST(!aof_manifest_parse(&again, "again", text.p, text.n));
            MUST(aof_manifest_count(&again) == aof_manifest_count(&m));
        }
    }
    buf_free(&text);
    aof_manifest_free(&again);
    aof_manifest_free(&m);
    return 0;
}
