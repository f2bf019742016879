/* What this is: the walk over a server's XML: bounded in depth and text, without entities of its own.
 * Rests on: remote.h, expat (which allocates for itself: its hooks have no room for an env).
 * Does not: know what a document means. */
#include "store/remote.h"

#include <expat.h>
#include <string.h>

#define PIECE (1 << 20) /* expat counts in int */

struct xml_run {
    const struct rsp_env *env;
    const char *subject;
    const struct xml_walk *walk;
    XML_Parser parser;
    int status, depth, leaf;
    size_t n;
    char text[XML_TEXT_MAX + 1];
};

static void stop(struct xml_run *x, int status)
{
    if (!status) return;
    x->status = status;
    XML_StopParser(x->parser, XML_FALSE);
}

static int refuse(struct xml_run *x, const char *why)
{
    XML_Index at = XML_GetCurrentByteIndex(x->parser);
    return fail_at(x->env, RSP_EFORMAT, x->subject, at < 0 ? 0 : (uint64_t)at, "the server's XML is refused: %s", why);
}

static const char *bare(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

/* expat may call on after a stop: what is open is closed first. */
static void XMLCALL on_begin(void *opaque, const XML_Char *name, const XML_Char **attributes)
{
    struct xml_run *x = opaque;
    (void)attributes;
    if (x->status) return;
    x->leaf = 1;
    x->n = 0;
    if (++x->depth > XML_DEPTH_MAX) stop(x, refuse(x, "it is nested too deep"));
    else if (!*bare(name)) stop(x, refuse(x, "a name is nothing but a prefix"));
    else if (x->walk->begin) stop(x, x->walk->begin(x->walk->opaque, x->depth, bare(name)));
}

static void XMLCALL on_end(void *opaque, const XML_Char *name)
{
    struct xml_run *x = opaque;
    if (x->status) return;
    x->text[x->leaf ? x->n : 0] = 0;
    x->leaf = 0;
    stop(x, x->walk->end(x->walk->opaque, x->depth--, bare(name), x->text));
}

static void XMLCALL on_text(void *opaque, const XML_Char *p, int n)
{
    struct xml_run *x = opaque;
    if (x->status || !x->leaf) return;
    if ((size_t)n > XML_TEXT_MAX - x->n) {
        stop(x, refuse(x, "a text is too long"));
        return;
    }
    memcpy(x->text + x->n, p, (size_t)n);
    x->n += (size_t)n;
}

static void XMLCALL on_entity(void *opaque, const XML_Char *name, int parameter, const XML_Char *value, int value_n,
                              const XML_Char *base, const XML_Char *system, const XML_Char *public_id,
                              const XML_Char *notation)
{
    struct xml_run *x = opaque;
    (void)name, (void)parameter, (void)value, (void)value_n, (void)base, (void)system, (void)public_id, (void)notation;
    if (!x->status) stop(x, refuse(x, "it declares an entity"));
}

static int feed(struct xml_run *x, struct rsp_span document)
{
    size_t at = 0;
    do {
        size_t n = document.n - at < PIECE ? document.n - at : PIECE;
        int last = at + n == document.n;
        if (XML_Parse(x->parser, n ? (const char *)document.p + at : "", (int)n, last) != XML_STATUS_OK) {
            enum XML_Error code = XML_GetErrorCode(x->parser);
            if (x->status) return x->status;
            if (code == XML_ERROR_NO_MEMORY) return fail(x->env, RSP_ENOMEM, x->subject, "out of memory for XML");
            return refuse(x, XML_ErrorString(code));
        }
        at += n;
    } while (at < document.n);
    return RSP_OK;
}

int xml_parse(const struct rsp_env *env, const char *subject, struct rsp_span document, const struct xml_walk *walk)
{
    struct xml_run x = {.env = env, .subject = subject, .walk = walk};
    int rc;
    x.parser = XML_ParserCreate(NULL);
    if (!x.parser) return fail(env, RSP_ENOMEM, subject, "out of memory for XML");
    XML_SetUserData(x.parser, &x);
    XML_SetElementHandler(x.parser, on_begin, on_end);
    XML_SetCharacterDataHandler(x.parser, on_text);
    XML_SetEntityDeclHandler(x.parser, on_entity);
    rc = feed(&x, document);
    XML_ParserFree(x.parser);
    return rc;
}
