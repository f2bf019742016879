/* What this is: losses as lines on stderr and as a file of JSON Lines.
 * Rests on: losses.h, cli/exit.h.
 * Does not: replace a file that nobody said may be replaced. */
#include "cli/losses.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit.h"

/* ---- the file ---- */

int losses_open(struct losses_file *f, const char *path, int replace, const struct rsp_loss_policy *policy)
{
    int fd;
    memset(f, 0, sizeof *f);
    f->policy = *policy;
    f->path = path;
    if (!path) return EXIT_OK;
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? O_TRUNC : O_EXCL), 0600);
    if (fd >= 0) f->file = fdopen(fd, "w");
    if (f->file) return EXIT_OK;
    if (errno == EEXIST) print_err("%s: is there already; --force replaces it", path);
    else print_err("%s: cannot be made: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return EXIT_TARGET;
}

static int is_key(int loss)
{
    return loss != RSP_LOSS_FUNCTION && loss != RSP_LOSS_AUX;
}

int losses_line(void *opaque, int loss, uint32_t db, struct rsp_span name)
{
    static const char *const actions[] = {"fail", "drop", "convert"};
    struct losses_file *f = opaque;
    struct json j;
    if (!f->file) return RSP_OK;
    json_init(&j, f->file, 0);
    json_object(&j, NULL);
    if (is_key(loss)) json_u64(&j, "db", db);
    json_bytes(&j, is_key(loss) ? "key" : "name", name);
    json_text(&j, "kind", rsp_loss_name(loss));
    json_text(&j, "action", actions[f->policy.action[loss] % 3]);
    json_close(&j, '}');
    return ferror(f->file) ? RSP_EIO : RSP_OK;
}

int losses_close(struct losses_file *f)
{
    int bad;
    if (!f->file) return EXIT_OK;
    bad = ferror(f->file);
    if (fclose(f->file)) bad = 1;
    f->file = NULL;
    if (!bad) return EXIT_OK;
    print_err("%s: cannot be written: %s", f->path, strerror(errno));
    return EXIT_TARGET;
}

/* ---- words ---- */

static size_t show(char *out, size_t size, const struct rsp_loss_key *k)
{
    size_t n = k->n < sizeof k->p ? k->n : sizeof k->p, at = 0;
    for (size_t i = 0; i < n && at + 8 < size; i++) {
        if (k->p[i] >= 0x20 && k->p[i] < 0x7f && k->p[i] != '\\') out[at++] = (char)k->p[i];
        else at += (size_t)snprintf(out + at, size - at, k->p[i] == '\\' ? "\\\\" : "\\x%02x", k->p[i]);
    }
    if (k->n > n) at += (size_t)snprintf(out + at, size - at, "...");
    out[at] = 0;
    return at;
}

void losses_names(const struct rsp_losses *losses, int loss, char *out, size_t size)
{
    uint64_t n = losses->n[loss], shown = 0;
    size_t at = 0;
    out[0] = 0;
    for (; shown < n && shown < RSP_LOSS_NAMES && at + 350 < size; shown++) {
        const struct rsp_loss_key *k = &losses->names[loss][shown];
        if (shown) at += (size_t)snprintf(out + at, size - at, ", ");
        at += show(out + at, 290, k);
        if (is_key(loss) && k->db) at += (size_t)snprintf(out + at, size - at, " (db %" PRIu32 ")", k->db);
    }
    if (n > shown) snprintf(out + at, size - at, " and %" PRIu64 " more", n - shown);
}

int losses_tell(const char *name, const struct rsp_losses *losses, const struct rsp_loss_policy *policy)
{
    int data = 0;
    for (int k = 0; k < RSP_LOSSES; k++) {
        int drop = policy->action[k] != RSP_LOSS_CONVERT || !rsp_loss_convertible(k);
        char names[1024], newer[64] = "";
        if (!losses->n[k]) continue;
        losses_names(losses, k, names, sizeof names);
        if (k == RSP_LOSS_MODULE && losses->module_from)
            snprintf(newer, sizeof newer, "; redis %u.%u, newer than the target, wrote them",
                     (unsigned)(losses->module_from / 10000), (unsigned)(losses->module_from / 100 % 100));
        print_warn("%s: %s %s (%s, %" PRIu64 "): %s%s", name, drop ? "left out:" : "kept, but without",
                   rsp_loss_text(k), rsp_loss_name(k), losses->n[k], names, newer);
        if (drop || !rsp_loss_is_usage(k)) data = 1;
    }
    return data;
}
