/* What this is: the values that count, and where each comes from.
 * Rests on: check_config.h, config.h.
 * Does not: touch the repository. */
#include "backupd/check_config.h"

#include <string.h>

#include "backupd/config.h"
#include "cli/connection.h"
#include "cli/exit.h"

static const char *from_text(const struct context *c, const struct opt *opt, char name[ENV_NAME_MAX])
{
    const struct opt_value *v = &c->o->value[opt->id];
    switch (v->from) {
    case OPT_FROM_ARGV: return "option";
    case OPT_FROM_ENV: return options_env(c->o->program, opt, name);
    case OPT_FROM_CONFIG: return v->where;
    case OPT_FROM_DEFAULT: return "default";
    default: return "";
    }
}

static void put(struct json *j, const char *key, const char *value, const char *from)
{
    if (!j) {
        printf("%-20s = %-30s  # %s\n", key, value, from);
        return;
    }
    json_object(j, NULL);
    json_text(j, "key", key);
    json_text(j, "value", value);
    json_text(j, "from", from);
    json_close(j, '}');
}

/* room: for a URI, which is shown without its password. */
static const char *shown(const struct opt *opt, const struct opt_value *v, const char *text, char room[PATH_ROOM])
{
    if ((opt->id == O_URI || opt->id == O_REPO_PROXY) && text) {
        connection_hide(text, room, PATH_ROOM);
        return room;
    }
    return opt->kind == OPT_FLAG ? (v->number ? "yes" : "no") : text;
}

int check_print_config(struct context *c)
{
    struct json j = {0}, *out = c->o->value[O_JSON].count ? &j : NULL;
    const char *url;
    char name[ENV_NAME_MAX], dir[PATH_ROOM], room[PATH_ROOM];
    int code;
    url = config_url(c->o, c->o->value[O_REPO].text, &c->repo_name, &code);
    if (code) return code;
    if (out) {
        json_init(out, stdout, 1);
        json_object(out, NULL);
        json_array(out, "values");
    }
    put(out, "config", config_path(c->o) ? config_path(c->o) : "-",
        c->o->value[O_CONFIG].from == OPT_FROM_ARGV  ? "option"
        : c->o->value[O_CONFIG].from == OPT_FROM_ENV ? "RESPITE_CONFIG"
                                                     : "default");
    if (url && c->repo_name) put(out, "url", url, config_where(c->o, SECTION_REPO, c->repo_name, "url"));
    if (!c->o->value[O_STATE].text && context_state_dir(c, dir) < 0) put(out, "state", dir, "default");
    for (const struct opt *opt = c->o->program->opts; opt->name; opt++) {
        const struct opt_value *v = &c->o->value[opt->id];
        if (!(opt->verbs & V_CHECK) || !(opt->sections || opt->id == O_PASSPHRASE_FD) || v->from == OPT_FROM_NONE)
            continue;
        for (size_t i = 0; i < (v->n ? v->n : 1); i++)
            put(out, opt->name, shown(opt, v, v->n ? v->list[i] : v->text, room), from_text(c, opt, name));
    }
    if (out) {
        json_close(out, ']');
        json_close(out, '}');
    }
    return EXIT_OK;
}
