/* What this is: an upload in parts, several of them under way at once.
 * Rests on: s3_upload_impl.h.
 * Does not: hold more than parallel + 1 parts in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/s3_upload_impl.h"

#define PIECE ((size_t)64 << 10) /* copied and hashed at once */

static struct s3_store *store_of(const struct s3_upload *u)
{
    return (struct s3_store *)u->u.store;
}

/* ---- the identifier ---- */

struct reading {
    const char *wanted;
    char *out;
    size_t size;
};

static int end(void *opaque, int depth, const char *name, const char *text)
{
    struct reading *r = opaque;
    if (depth == 2 && !strcmp(name, r->wanted) && strlen(text) < r->size) snprintf(r->out, r->size, "%s", text);
    return RSP_OK;
}

static int create(struct s3_upload *u)
{
    struct s3_store *s = store_of(u);
    struct s3_request q = {.method = "POST", .what = "begin an upload", .name = u->name, .has_body = 1, .p = ""};
    char id[S3_ID] = "", until[32], where[WHERE_BYTES];
    struct reading reading = {"UploadId", id, sizeof id};
    const struct xml_walk walk = {NULL, end, &reading};
    struct http_reply r;
    int rc;
    store_where(&s->s, u->name, where);
    s3_param(&q, "uploads", "");
    s3_lock_fields(s, &q, until);
    q.md5 = 0;
    http_reply_init(&r, &s->s.env);
    rc = s3_exchange(s, &s->s.env, &q, &r);
    if (!rc) rc = xml_parse(&s->s.env, where, s3_document(&r), &walk);
    http_reply_free(&r);
    if (!rc && !*id) rc = fail(&s->s.env, RSP_EFORMAT, where, "begin an upload: the store's answer names no upload");
    if (rc) return rc;
    u->id = mem_strdup(&s->s.env, id);
    return u->id ? RSP_OK : RSP_ENOMEM;
}

/* ---- one part, in a thread ---- */

static int send_part(const struct rsp_env *env, struct s3_job *job, struct s3_part *part)
{
    struct s3_upload *u = job->u;
    struct s3_store *s = store_of(u);
    struct s3_request q = {.method = "PUT",
                           .what = "put a part",
                           .name = u->name,
                           .p = job->p,
                           .n = job->n,
                           .has_body = 1,
                           .md5 = s->lock_mode != RSP_LOCK_NONE,
                           .hash = *job->hash ? job->hash : NULL,
                           .stop = &u->hurry};
    char number[16], where[WHERE_BYTES];
    const char *etag;
    struct http_reply r;
    int rc;
    store_where(&s->s, u->name, where);
    snprintf(number, sizeof number, "%u", job->number);
    s3_param(&q, "partNumber", number);
    s3_param(&q, "uploadId", u->id);
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, &q, &r);
    etag = rc ? NULL : http_field(&r, "etag");
    if (!etag) etag = "";
    if (!rc && (!*etag || strlen(etag) >= S3_ETAG || strpbrk(etag, "<>&")))
        rc = fail(env, RSP_EFORMAT, where, "put a part: the store's answer has no ETag");
    if (!rc) snprintf(part->etag, sizeof part->etag, "%s", etag);
    http_reply_free(&r);
    return rc;
}

static void *work(void *arg)
{
    struct s3_job *job = arg;
    struct s3_upload *u = job->u;
    struct rsp_env env = u->u.store->env;
    pthread_mutex_lock(&u->lock);
    for (;;) {
        struct rsp_error words = {0};
        struct s3_part part = {0};
        int rc;
        while (!job->busy && !u->stop) pthread_cond_wait(&u->change, &u->lock);
        if (!job->busy || u->hurry) break;
        pthread_mutex_unlock(&u->lock);
        env.error = &words;
        rc = send_part(&env, job, &part);
        pthread_mutex_lock(&u->lock);
        if (!rc) memcpy(u->parts.p + (job->number - 1) * sizeof part, &part, sizeof part);
        if (rc && !u->fault) {
            u->fault = rc;
            u->words = words;
            u->hurry = 1; /* the others need not try for long */
        }
        job->busy = 0;
        pthread_cond_broadcast(&u->change);
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

/* ---- filling ---- */

int s3_parts_room(struct s3_upload *u)
{
    struct s3_store *s = store_of(u);
    u->parallel = s->s.parallel ? s->s.parallel : 1;
    u->jobs_n = (size_t)u->parallel + 1;
    u->jobs = mem_zero(&s->s.env, u->jobs_n * sizeof *u->jobs);
    if (!u->jobs) return RSP_ENOMEM;
    for (size_t i = 0; i < u->jobs_n; i++) u->jobs[i].u = u;
    return RSP_OK;
}

/* Waits until fewer than `most` parts are under way; the first fault ends it. *free_at: a buffer that is not in use. */
static int wait_for(struct s3_upload *u, unsigned most, size_t *free_at)
{
    int rc;
    pthread_mutex_lock(&u->lock);
    for (;;) {
        unsigned busy = 0;
        *free_at = u->jobs_n;
        for (size_t i = 0; i < u->jobs_n; i++) {
            if (u->jobs[i].busy) busy++;
            else if (i != u->filling && (*free_at == u->jobs_n || !u->jobs[*free_at].p)) *free_at = i;
        }
        if (u->fault || busy < most) break;
        pthread_cond_wait(&u->change, &u->lock);
    }
    rc = u->fault;
    pthread_mutex_unlock(&u->lock);
    return rc ? s3_tell(&u->u.store->env, &u->words, rc) : RSP_OK;
}

/* The buffer that is being filled goes out; another is to be filled. */
static int hand_on(struct s3_upload *u)
{
    struct s3_store *s = store_of(u);
    struct s3_job *job = &u->jobs[u->filling];
    static const struct s3_part none;
    size_t next;
    int rc = u->id ? RSP_OK : create(u);
    if (rc) return rc;
    if (u->parts_n == S3_PARTS_MOST)
        return fail(&s->s.env, RSP_ELIMIT, u->name, "put: more than %d parts: take larger ones", S3_PARTS_MOST);
    if (u->parallel == 1) rc = s3_sum_end(&s->s.env, &job->sum, job->hash);
    if (!rc) rc = wait_for(u, u->parallel, &next);
    if (rc) return rc;
    pthread_mutex_lock(&u->lock);
    rc = buf_add(&u->parts, &none, sizeof none);
    if (!rc) job->number = ++u->parts_n;
    if (!rc && !job->running) {
        job->running = !pthread_create(&job->thread, NULL, work, job);
        if (!job->running) rc = fail(&s->s.env, RSP_ENOMEM, NULL, "cannot start a thread");
    }
    if (!rc) job->busy = 1;
    pthread_cond_broadcast(&u->change);
    pthread_mutex_unlock(&u->lock);
    u->filling = next;
    u->jobs[next].n = 0;
    return rc;
}

/* With one part under way at a time the next one's hash is made while it is filled, so that the thread that sends never
 * waits for it: in small pieces, which are still in the cache. With several each thread makes that of its own part. */
static int take(struct s3_upload *u, struct s3_job *job, const uint8_t *p, size_t n)
{
    const struct rsp_env *env = &u->u.store->env;
    uint8_t *to = job->p + job->n;
    int rc = RSP_OK;
    if (u->parallel > 1) {
        memcpy(to, p, n);
        return RSP_OK;
    }
    if (!job->n) rc = s3_sum_begin(env, &job->sum);
    while (n && !rc) {
        size_t k = n < PIECE ? n : PIECE;
        memcpy(to, p, k);
        rc = s3_sum_add(env, &job->sum, to, k);
        to += k;
        p += k;
        n -= k;
    }
    return rc;
}

int s3_parts_add(struct s3_upload *u, const uint8_t *p, size_t n)
{
    struct s3_store *s = store_of(u);
    int rc = RSP_OK;
    while (n && !rc) {
        struct s3_job *job = &u->jobs[u->filling];
        size_t k = s->part_bytes - job->n;
        if (!k) { /* full, and there is more: so that no last part is empty */
            rc = hand_on(u);
            continue;
        }
        if (!job->p) {
            job->p = mem_alloc(&s->s.env, s->part_bytes);
            if (!job->p) return RSP_ENOMEM;
        }
        if (k > n) k = n;
        rc = take(u, job, p, k);
        job->n += k;
        p += k;
        n -= k;
    }
    return rc;
}

int s3_parts_finish(struct s3_upload *u)
{
    size_t any;
    int rc = hand_on(u);
    return rc ? rc : wait_for(u, 1, &any);
}

/* Threads end, what they send is let go of. */
static void join_all(struct s3_upload *u)
{
    pthread_mutex_lock(&u->lock);
    u->stop = 1;
    pthread_cond_broadcast(&u->change);
    pthread_mutex_unlock(&u->lock);
    for (size_t i = 0; i < u->jobs_n; i++) {
        if (u->jobs[i].running) pthread_join(u->jobs[i].thread, NULL);
        u->jobs[i].running = 0;
    }
}

void s3_parts_close(struct s3_upload *u)
{
    struct s3_store *s = store_of(u);
    struct rsp_env quiet = s->s.env;
    quiet.error = NULL;
    u->hurry = 1;
    if (u->jobs) {
        join_all(u);
        for (size_t i = 0; i < u->jobs_n; i++) {
            mem_free(&s->s.env, u->jobs[i].p, s->part_bytes);
            s3_sum_free(&u->jobs[i].sum);
        }
        mem_free(&s->s.env, u->jobs, u->jobs_n * sizeof *u->jobs);
        u->jobs = NULL;
    }
    if (!u->id) return;
    if (u->u.state != 1) {
        struct s3_request q = {.method = "DELETE", .what = "abort an upload", .name = u->name, .last = 1};
        struct http_reply r;
        s3_param(&q, "uploadId", u->id);
        http_reply_init(&r, &quiet);
        (void)s3_exchange(s, &quiet, &q, &r);
        http_reply_free(&r);
    }
    mem_free(&s->s.env, u->id, strlen(u->id) + 1);
    u->id = NULL;
}

/* ---- making an object of them ---- */

static int document(struct s3_upload *u, struct buf *b)
{
    static const char head[] = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    static const char tail[] = "</CompleteMultipartUpload>";
    const struct s3_part *parts = (const struct s3_part *)(const void *)u->parts.p;
    int rc = buf_add(b, head, sizeof head - 1);
    for (unsigned i = 0; i < u->parts_n && !rc; i++) {
        char text[S3_ETAG + 96];
        int n = snprintf(text, sizeof text, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", i + 1,
                         parts[i].etag);
        rc = buf_add(b, text, (size_t)n);
    }
    return rc ? rc : buf_add(b, tail, sizeof tail - 1);
}

/* The MD5 that an ETag is. 0, or -1: it is of another making. */
static int etag_md5(const char *etag, uint8_t out[16])
{
    if (*etag == '"') etag++;
    if (strspn(etag, "0123456789abcdef") != 32 || (etag[32] && strcmp(etag + 32, "\""))) return -1;
    for (size_t i = 0; i < 16; i++) {
        char digits[3] = {etag[2 * i], etag[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return 0;
}

/* The ETag of an object of parts: the MD5 of their MD5s, and how many they are. */
static int whole_etag(struct s3_upload *u, char out[64])
{
    const struct s3_part *parts = (const struct s3_part *)(const void *)u->parts.p;
    struct rsp_env quiet = u->u.store->env;
    uint8_t md5[16];
    char digits[33];
    struct buf b;
    int rc = RSP_OK;
    quiet.error = NULL;
    buf_init(&b, &quiet);
    for (unsigned i = 0; i < u->parts_n && !rc; i++) {
        rc = etag_md5(parts[i].etag, md5);
        if (!rc) rc = buf_add(&b, md5, 16);
    }
    if (!rc) rc = s3_md5(b.p, b.n, md5);
    buf_free(&b);
    if (rc) return rc;
    s3_hex(md5, 16, digits);
    snprintf(out, 64, "%s-%u", digits, u->parts_n);
    return RSP_OK;
}

/* 1: the object that is there is ours, as far as a look can tell. What is to be replaced is as large as what replaces it:
 * there the size alone tells nothing. */
static int is_ours(struct s3_upload *u, const struct s3_seen *seen)
{
    char etag[S3_ETAG], mine[64];
    size_t n;
    if (seen->item.bytes != u->bytes) return 0;
    if (seen->sse || whole_etag(u, mine)) return !u->replace;
    snprintf(etag, sizeof etag, "%s", seen->etag[0] == '"' ? seen->etag + 1 : seen->etag);
    n = strlen(etag);
    if (n && etag[n - 1] == '"') etag[--n] = 0;
    if (strspn(etag, "0123456789abcdef") != 32) return !u->replace; /* of another making: it tells nothing */
    if (!etag[32]) return 0;                                        /* of one part */
    return etag[32] != '-' ? !u->replace : !strcmp(etag, mine);
}

/* What is there now: RSP_OK (*seen), RSP_ENOTFOUND, or a fault. The words are let go of. */
static int look_quietly(struct s3_upload *u, int last, struct s3_seen *seen)
{
    struct rsp_env quiet = u->u.store->env;
    quiet.error = NULL;
    return s3_head(store_of(u), &quiet, u->name, NULL, last, seen);
}

static int taken(struct s3_upload *u)
{
    char where[WHERE_BYTES];
    store_where(u->u.store, u->name, where);
    return fail(&u->u.store->env, RSP_EEXIST, where, "put: it exists already");
}

static int complete(struct s3_upload *u, const struct rsp_env *env, struct rsp_span body, int condition,
                    struct s3_request *q)
{
    struct s3_store *s = store_of(u);
    struct http_reply r;
    const char *id;
    int rc;
    *q = (struct s3_request){.method = "POST",
                             .what = "end an upload",
                             .name = u->name,
                             .p = body.p,
                             .n = body.n,
                             .has_body = 1,
                             .inside = 1};
    s3_param(q, "uploadId", u->id);
    s3_field(q, "content-type", "application/xml");
    if (condition) s3_field(q, "if-none-match", "*");
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, q, &r);
    id = rc ? NULL : http_field(&r, "x-amz-version-id");
    snprintf(u->version, sizeof u->version, "%s", id && strlen(id) < S3_ID ? id : "");
    http_reply_free(&r);
    return rc;
}

/* The condition is not honoured everywhere: so we look before. Where an answer was lost, what is there decides. */
int s3_parts_end(struct s3_upload *u)
{
    struct s3_store *s = store_of(u);
    struct rsp_error words = {0};
    struct rsp_env apart = s->s.env;
    struct s3_request q;
    struct s3_seen seen;
    struct buf b;
    int rc, condition = !u->replace && !s->no_condition_end, lost = 0;
    apart.error = &words;
    buf_init(&b, &s->s.env);
    rc = document(u, &b);
    if (!rc && !u->replace) {
        rc = s3_head(s, &apart, u->name, NULL, 0, &seen);
        if (!rc) rc = taken(u);
        else if (rc == RSP_ENOTFOUND) rc = RSP_OK;
        else rc = s3_tell(&s->s.env, &words, rc);
        rsp_error_clear(&words);
    }
    while (!rc) {
        rc = complete(u, &apart, (struct rsp_span){b.p, b.n}, condition, &q);
        lost += q.unknown;
        if (!rc || rc == RSP_ECANCELED) break;
        if (!look_quietly(u, !q.http, &seen)) { /* there is something */
            if (lost && is_ours(u, &seen)) rc = RSP_OK;
            else if (!u->replace) rc = RSP_EEXIST;
            break;
        }
        if (!condition || (q.http != 412 && q.http != 501 && q.http != 400)) break;
        condition = 0; /* nothing is there, and yet it is refused: it knows no condition here */
        s->no_condition_end = 1;
        rsp_error_clear(&words);
        rc = RSP_OK;
    }
    buf_free(&b);
    if (rc == RSP_EEXIST) return s->s.env.error && s->s.env.error->code ? rc : taken(u);
    return s3_tell(&s->s.env, &words, rc);
}
