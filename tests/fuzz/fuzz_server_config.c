/* What this is: the fuzz target of a server's configuration file.
 * Rests on: fuzz.h, job/config_read.h.
 * Does not: open what is included. */
#include "fuzz.h"

#include "job/config_read.h"

static void ends(const char *text, size_t room)
{
    MUST(memchr(text, 0, room));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error = {0};
    struct rsp_env env = {.size = sizeof env, .error = &error};
    struct config_reader r;
    int rc;
    config_reader_init(&r, &env);
    r.no_include = 1;
    rc = config_read_text(&r, "redis.conf", data, n);
    MUST(!rc || (rc == RSP_EINVAL && error.code == rc));
    ends(r.c.dir, sizeof r.c.dir), ends(r.c.dbfilename, sizeof r.c.dbfilename);
    ends(r.c.appenddirname, sizeof r.c.appenddirname), ends(r.c.appendfilename, sizeof r.c.appendfilename);
    ends(r.c.unixsocket, sizeof r.c.unixsocket), ends(r.c.bind, sizeof r.c.bind), ends(r.c.preload, sizeof r.c.preload);
    MUST(!strchr(r.c.dbfilename, '/') && r.c.dbfilename[0] && !strchr(r.c.appenddirname, '/'));
    MUST(r.c.port <= 65535 && r.c.tls_port <= 65535 && (r.c.appendonly == 0 || r.c.appendonly == 1));
    config_reader_free(&r);
    return 0;
}
