/* What this is: fuzz target: the URL of a remote store, its canonical form taken apart again, and the dates of HTTP.
 * Rests on: fuzz.h, store/remote.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include "store/remote.h"

static void same(const char *a, const char *b)
{
    MUST(!a == !b && (!a || !strcmp(a, b)));
}

static void again(const struct rsp_env *env, const struct remote_url *u)
{
    struct remote_url v;
    struct buf one, two;
    buf_init(&one, env);
    buf_init(&two, env);
    MUST(!remote_url_text(u, &one) && !buf_byte(&one, 0));
    if (one.n <= 4096) { /* encoded it may be longer than one is read */
        MUST(!remote_url_parse(env, (const char *)one.p, &v));
        same(u->scheme, v.scheme);
        same(u->user, v.user);
        same(u->host, v.host);
        same(u->path, v.path);
        MUST(u->params_n == v.params_n);
        for (size_t i = 0; i < u->params_n; i++) {
            same(u->params[i].name, v.params[i].name);
            same(u->params[i].value, v.params[i].value);
            same(remote_url_param(u, v.params[i].name), v.params[i].value);
        }
        MUST(!remote_url_text(&v, &two) && !buf_byte(&two, 0));
        same((const char *)one.p, (const char *)two.p);
        remote_url_free(&v);
    }
    buf_free(&one);
    buf_free(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error = {0};
    struct rsp_env given = {.size = sizeof given, .error = &error}, env;
    struct remote_url u;
    int64_t ms = 0;
    char *text = malloc(n + 1);
    if (!text) return 0;
    env_init(&env, &given);
    if (n) memcpy(text, data, n);
    text[n] = 0;
    if (!remote_url_parse(&env, text, &u)) {
        MUST(*u.host && u.port <= 65535 && !(u.user && strchr(u.user, ':')));
        MUST(!*u.path || (u.path[0] == '/' && u.path[strlen(u.path) - 1] != '/'));
        MUST(!strstr(u.path, "//") && !strstr(u.path, "/../") && !strstr(u.path, "/./"));
        again(&env, &u);
        remote_url_free(&u);
    } else {
        MUST(error.code == RSP_EINVAL);
        MUST(!strchr(error.subject, '@') && !strchr(error.subject, '?'));
    }
    if (!http_date_parse(text, &ms)) MUST(ms >= -62135596800000 && ms <= 253402300800999);
    free(text);
    return 0;
}
