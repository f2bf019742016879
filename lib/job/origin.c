/* What this is: what a live server says of itself, put beside what its dump says.
 * Rests on: origin.h.
 * Does not: judge it. */
#include "job/origin.h"

#include <string.h>

struct rsp_span origin_text(const char *text)
{
    struct rsp_span s = {(const uint8_t *)text, text ? strlen(text) : 0};
    return s;
}

void origin_init(struct origin *self, const struct rsp_backup_origin *given)
{
    memset(self, 0, sizeof *self);
    if (!given) return;
    self->given = 1;
    memcpy(&self->o, given, given->size && given->size < sizeof self->o ? given->size : sizeof self->o);
}

static void set(struct rsp_span *to, const char *text)
{
    if (text && *text) *to = origin_text(text);
}

void origin_fill(struct origin *self, const char *damage, struct rsp_manifest *m)
{
    size_t n = 0;
    if (*damage) self->losses[n++] = origin_text(damage);
    if (self->o.loss && *self->o.loss) self->losses[n++] = origin_text(self->o.loss);
    if (self->differ && *self->differ) self->losses[n++] = origin_text(self->differ);
    if (self->astray && *self->astray) self->losses[n++] = origin_text(self->astray);
    m->losses = self->losses;
    m->losses_n = n;
    if (!self->given) return;
    set(&m->server_kind, self->o.kind);
    set(&m->server_version, self->o.version);
    set(&m->server_run_id, self->o.run_id);
    m->captured = self->o.captured;
    m->captured_n = self->o.captured ? self->o.captured_n : 0;
}

void origin_stream(const struct origin *self, struct rsp_stream_info *info)
{
    set(&info->replid, self->o.replid);
    set(&info->role, self->o.role);
    info->offset = self->o.offset;
    info->has_offset = self->o.has_offset;
}
