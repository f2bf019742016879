/* What this is: what PROPFIND tells: multistatus documents and the names in them.
 * Rests on: dav_impl.h.
 * Does not: believe a server: names that are not below what was asked for are passed over. */
#include <string.h>

#include "base/mem.h"
#include "store/dav_impl.h"

#define BLANKS " \t\r\n"                 /* around a name they are the document's */
#define ANSWER_BYTES ((size_t)128 << 20) /* of one collection: some 250000 objects */

/* Values climb as their elements close: a property's into its prop, that into its propstat when its status is 200. */
struct multistatus {
    const struct rsp_env *env;
    const char *subject;
    int (*each)(void *, const struct dav_answer *);
    void *opaque;
    struct buf href;
    struct dav_answer prop, propstat, response;
    int collection, good, gone; /* good: the propstat's status is 200; gone: the response's is not 2xx */
};

static int begin_element(void *opaque, int depth, const char *name)
{
    struct multistatus *m = opaque;
    if (depth == 1 && strcmp(name, "multistatus"))
        return fail(m->env, RSP_EFORMAT, m->subject, "PROPFIND: the answer is not a multistatus document");
    return RSP_OK;
}

/* "HTTP/1.1 200 OK": the hundreds' digit and the rest, or 0. */
static int status_of(const char *text)
{
    const char *at = strstr(text, "HTTP/");
    at = at ? strchr(at, ' ') : NULL;
    while (at && *at == ' ') at++;
    for (int i = 0; i < 3; i++)
        if (!at || at[i] < '0' || at[i] > '9') return 0;
    return (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
}

static void merge(struct dav_answer *into, const struct dav_answer *from)
{
    if (from->has & DAV_LENGTH) into->bytes = from->bytes;
    if (from->has & DAV_MODIFIED) into->mtime_ms = from->mtime_ms;
    if (from->has & DAV_QUOTA) into->quota = from->quota;
    into->has |= from->has;
}

/* What cannot be understood was not told. */
static void property(struct multistatus *m, const char *name, const char *text)
{
    struct dav_answer *p = &m->prop;
    if (!strcmp(name, "getcontentlength")) {
        if (!dav_number(text, &p->bytes)) p->has |= DAV_LENGTH;
    } else if (!strcmp(name, "getlastmodified")) {
        if (!http_date_parse(text, &p->mtime_ms)) p->has |= DAV_MODIFIED;
    } else if (!strcmp(name, "quota-available-bytes")) {
        if (!dav_number(text, &p->quota)) p->has |= DAV_QUOTA;
    } else if (!strcmp(name, "resourcetype") && m->collection) {
        p->has |= DAV_COLLECTION;
    }
}

static int end_response(struct multistatus *m)
{
    int rc = RSP_OK;
    if (m->href.n > 1 && !m->gone) {
        m->response.href = (const char *)m->href.p;
        rc = m->each(m->opaque, &m->response);
    }
    memset(&m->response, 0, sizeof m->response);
    m->href.n = 0;
    m->gone = 0;
    return rc;
}

static void end_prop(struct multistatus *m, const char *name, const char *text)
{
    if (!strcmp(name, "prop")) merge(&m->propstat, &m->prop);
    else if (!strcmp(name, "status")) m->good = status_of(text) == 200;
    memset(&m->prop, 0, sizeof m->prop);
}

static int end_part(struct multistatus *m, const char *name, const char *text)
{
    int rc = RSP_OK;
    if (!strcmp(name, "propstat")) {
        if (m->good) merge(&m->response, &m->propstat);
    } else if (!strcmp(name, "href") && !m->href.n) {
        rc = buf_add(&m->href, text, strlen(text) + 1);
    } else if (!strcmp(name, "status")) {
        m->gone = status_of(text) / 100 != 2;
    }
    memset(&m->propstat, 0, sizeof m->propstat);
    m->good = 0;
    return rc;
}

static int end_element(void *opaque, int depth, const char *name, const char *text)
{
    struct multistatus *m = opaque;
    if (depth == 6 && !strcmp(name, "collection")) m->collection = 1;
    if (depth == 5) {
        property(m, name, text ? text : "");
        m->collection = 0;
    }
    if (depth == 4) end_prop(m, name, text ? text : "");
    if (depth == 3) return end_part(m, name, text ? text : "");
    if (depth == 2) return end_response(m);
    return RSP_OK;
}

int dav_multistatus(const struct rsp_env *env, const char *subject, struct rsp_span document,
                    int (*each)(void *opaque, const struct dav_answer *a), void *opaque)
{
    struct multistatus m = {.env = env, .subject = subject, .each = each, .opaque = opaque};
    struct xml_walk walk = {begin_element, end_element, &m};
    int rc;
    buf_init(&m.href, env);
    rc = xml_parse(env, subject, document, &walk);
    buf_free(&m.href);
    return rc;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The next byte, decoded; 0 at the end; -1 where it is malformed. *coded: it stood there as %XX. */
static int next_byte(const char **at, int *coded)
{
    const char *p = *at;
    int high, low;
    *coded = *p == '%';
    if (!p[strspn(p, BLANKS)]) return 0;
    if (*p != '%') {
        *at = p + 1;
        return strchr(BLANKS "?#", *p) ? -1 : (uint8_t)*p;
    }
    high = hex(p[1]);
    low = high < 0 ? -1 : hex(p[2]);
    if (low < 0 || !(high * 16 + low)) return -1;
    *at = p + 3;
    return high * 16 + low;
}

/* Behind "scheme://host:port": whose host it is, a proxy may have changed. */
static const char *path_of(const char *href)
{
    const char *colon;
    href += strspn(href, BLANKS);
    colon = strstr(href, "://");
    if (!colon || memchr(href, '/', (size_t)(colon - href))) return href;
    return colon + 3 + strcspn(colon + 3, "/");
}

int dav_href(const char *href, const char *path, char *out, size_t size)
{
    const char *at = path_of(href);
    size_t n = 0;
    int c, coded;
    out[0] = 0;
    for (; *path; path++) {
        c = next_byte(&at, &coded);
        if (!c && path[0] == '/' && !path[1]) return 1; /* without the slash at its end */
        if (c != (uint8_t)*path) return 0;
    }
    while ((c = next_byte(&at, &coded)) > 0) {
        if (c == '/' && n && !coded && !at[strspn(at, BLANKS)]) c = 0;
        if (!c || c == '/' || n + 1 >= size) break;
        out[n++] = (char)c;
    }
    out[c ? 0 : n] = 0;
    if (c) return 0;
    return n ? 2 : 1;
}

int dav_propfind(struct dav_store *d, const struct rsp_env *env, const char *url, int depth, struct http_reply *r)
{
    static const char body[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                               "<propfind xmlns=\"DAV:\"><prop><getcontentlength/><getlastmodified/><resourcetype/>"
                               "</prop></propfind>\n";
    static const char more[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                               "<propfind xmlns=\"DAV:\"><prop><getcontentlength/><getlastmodified/><resourcetype/>"
                               "<quota-available-bytes/></prop></propfind>\n";
    struct http_field fields[] = {{"Depth", depth ? "1" : "0"}, {"Content-Type", "application/xml; charset=utf-8"}};
    struct http_request q = {.method = "PROPFIND", .url = url, .fields = fields, .fields_n = 2, .has_body = 1};
    int rc;
    q.p = depth ? body : more;
    q.n = depth ? sizeof body - 1 : sizeof more - 1;
    q.body_max = depth ? ANSWER_BYTES : 0;
    rc = dav_exchange(d, env, &q, r, NULL);
    if (rc || r->status == 207 || r->status == 404) return rc;
    if (dav_is_folder(&q, r)) return RSP_OK;
    return dav_fault(d, env, &q, r);
}

static int take_first(void *opaque, const struct dav_answer *a)
{
    struct dav_answer *first = opaque;
    if (!first->href) *first = *a;
    first->href = ""; /* the text does not live on */
    return RSP_OK;
}

int dav_props(struct dav_store *d, const struct rsp_env *env, const char *url, struct dav_answer *a)
{
    struct http_reply r;
    int rc;
    memset(a, 0, sizeof *a);
    http_reply_init(&r, env);
    rc = dav_propfind(d, env, url, 0, &r);
    if (!rc && r.status != 207) rc = RSP_ENOTFOUND;
    else if (!rc) rc = dav_multistatus(env, url, (struct rsp_span){r.body.p, r.body.n}, take_first, a);
    if (!rc && !a->href) rc = RSP_ENOTFOUND; /* or what is there has a status of its own */
    http_reply_free(&r);
    return rc;
}
