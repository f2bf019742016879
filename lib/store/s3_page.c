/* What this is: one page of a listing: of objects, versions, or uploads under way.
 * Rests on: s3_impl.h.
 * Does not: ask for it. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "store/s3_impl.h"

struct reading {
    struct s3_page *page;
    const char *root, *entry;
    int good; /* the root is what it should be */
};

static int begin(void *opaque, int depth, const char *name)
{
    struct reading *r = opaque;
    struct s3_page *p = r->page;
    if (depth == 1) r->good = !strcmp(name, r->root);
    if (depth == 1 && !r->good) return RSP_EFORMAT;
    if (depth != 2) return RSP_OK;
    p->entry = !strcmp(name, r->entry) ? 1 : !strcmp(name, "DeleteMarker") ? 2 : 0;
    p->key[0] = p->id[0] = 0;
    p->bytes = 0;
    p->ms = 0;
    p->bad = 0;
    return RSP_OK;
}

static void copy(char *out, const char *text)
{
    snprintf(out, XML_TEXT_MAX + 1, "%s", text);
}

static void of_entry(struct s3_page *p, const char *name, const char *text)
{
    int64_t bytes;
    if (!strcmp(name, "Key")) {
        copy(p->key, text);
    } else if (!strcmp(name, "VersionId") || !strcmp(name, "UploadId")) {
        copy(p->id, text);
    } else if (!strcmp(name, "Size")) {
        if (!i64_parse((const uint8_t *)text, strlen(text), &bytes) || bytes < 0) p->bad = 1;
        else p->bytes = (uint64_t)bytes;
    } else if (!strcmp(name, "LastModified") || !strcmp(name, "Initiated")) {
        if (http_date_parse(text, &p->ms)) p->bad = 1;
    }
}

static int of_page(struct s3_page *p, const char *name, const char *text)
{
    if (!strcmp(name, "IsTruncated")) p->more = !strcmp(text, "true");
    else if (!strcmp(name, "EncodingType")) p->encoded = !strcmp(text, "url");
    else if (!strcmp(name, "NextContinuationToken") || !strcmp(name, "NextKeyMarker")) copy(p->next, text);
    else if (!strcmp(name, "NextVersionIdMarker") || !strcmp(name, "NextUploadIdMarker")) copy(p->next_id, text);
    return RSP_OK;
}

static int end(void *opaque, int depth, const char *name, const char *text)
{
    struct reading *r = opaque;
    struct s3_page *p = r->page;
    if (depth == 3 && p->entry) of_entry(p, name, text);
    if (depth != 2) return RSP_OK;
    if (!p->entry) return of_page(p, name, text);
    if (p->bad) return RSP_EFORMAT;
    return p->each(p);
}

/* EncodingType may stand behind the entries: it is looked for beforehand. */
static int is_encoded(struct rsp_span d)
{
    static const char word[] = "<EncodingType>url</EncodingType>";
    return memmem(d.p, d.n, word, sizeof word - 1) != NULL;
}

int s3_page_read(const struct rsp_env *env, const char *root, const char *entry, struct rsp_span document,
                 struct s3_page *p)
{
    struct reading r = {p, root, entry, 0};
    const struct xml_walk walk = {begin, end, &r};
    int rc;
    p->next[0] = p->next_id[0] = 0;
    p->more = 0;
    p->encoded = document.n && is_encoded(document);
    rc = xml_parse(env, p->subject, document, &walk);
    if (rc == RSP_EFORMAT)
        return fail(env, rc, p->subject, "list: the store's answer is no listing that could be understood");
    if (rc) return rc;
    if (!r.good) return fail(env, RSP_EFORMAT, p->subject, "list: the store's answer is no listing");
    if (p->more && !*p->next)
        return fail(env, RSP_EFORMAT, p->subject, "list: the store says that there is more, and not where");
    return RSP_OK;
}
