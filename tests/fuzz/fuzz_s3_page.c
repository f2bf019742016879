/* What this is: fuzz target: a page of an S3 listing, an error's document, keys as JSON: whatever a server may send.
 * Rests on: fuzz.h, store/s3_impl.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include "store/s3_impl.h"

static struct s3_store store;

/* Whatever a key is, the name that comes out of it is one of ours. */
static int each(struct s3_page *p)
{
    const char *name;
    MUST(p->entry == 1 || p->entry == 2);
    MUST(p->bytes <= INT64_MAX);
    name = s3_name_of(&store, p->key, p->encoded);
    if (name) MUST(store_name_ok(name));
    return RSP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char prefix[] = "a/";
    static struct s3_page page;
    struct rsp_error error = {0};
    struct rsp_env given = {.size = sizeof given, .error = &error}, env;
    const char *kind = n && data[0] & 1 ? "Version" : "Contents";
    const char *root = n && data[0] & 1 ? "ListVersionsResult" : "ListBucketResult";
    struct s3_keys keys;
    uint64_t from, to, total;
    char text[128];
    int rc;
    if (!n) return 0;
    env_init(&env, &given);
    store.place.prefix = prefix;
    memset(&page, 0, sizeof page);
    page.subject = "s3://bucket";
    page.each = each;
    rc = s3_page_read(&env, root, kind, (struct rsp_span){data + 1, n - 1}, &page);
    MUST(rc == RSP_OK || rc == RSP_EFORMAT || rc == RSP_ENOMEM);
    MUST(error.code == rc);
    if (!rc && page.more) MUST(*page.next);
    (void)s3_error_inside(&env, (struct rsp_span){data + 1, n - 1});
    memset(&error, 0, sizeof error);
    rc = s3_role_parse(&env, "", (const char *)data + 1, n - 1, &keys);
    MUST(rc == RSP_OK || rc == RSP_EFORMAT || rc == RSP_EAUTH);
    if (!rc) MUST(*keys.access && *keys.secret && *keys.token);
    if (n > sizeof text) return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = 0;
    if (!s3_content_range(text, &from, &to, &total)) MUST(from <= to && to < total);
    return 0;
}
