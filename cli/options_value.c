/* What this is: reading one value by an option's kind and range.
 * Rests on: cli/options.h, respite/sys/filter.h (sizes and durations).
 * Does not: keep it. */
#include <stdlib.h>
#include <string.h>

#include <respite/sys/filter.h>

#include "cli/exit.h"
#include "cli/options.h"
#include "cli/options_table.h"
#include "cli/print.h"

/* Strict decimal: no blanks, no '+'. */
static int parse_int(const char *text, int64_t *v)
{
    int negative = text[0] == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, sum = 0;
    const char *p = text + negative;
    if (!*p) return 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (sum > (limit - digit) / 10) return 0;
        sum = sum * 10 + digit;
    }
    if (*p) return 0;
    if (!negative) *v = (int64_t)sum;
    else *v = sum ? -(int64_t)(sum - 1) - 1 : 0;
    return 1;
}

/* 1 to 100, with or without the sign. */
static int parse_percent(const char *text, int64_t *v)
{
    char digits[8];
    size_t n = strlen(text);
    if (n && text[n - 1] == '%') n--;
    if (!n || n >= sizeof digits) return 0;
    memcpy(digits, text, n);
    digits[n] = 0;
    return parse_int(digits, v) && *v >= 1 && *v <= 100;
}

static int parse_flag_text(const char *text, int64_t *v)
{
    static const char *const words[] = {"0", "1", "no", "yes", "false", "true", "off", "on"};
    for (int i = 0; i < 8; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *v = i & 1;
        return 1;
    }
    return 0;
}

/* The numbers of a range as the user would write them. */
static int out_of_range(const struct options *o, const struct opt *opt, const char *shown, const char *text)
{
    char low[TEXT_MAX], high[TEXT_MAX];
    if (opt->kind == OPT_SIZE) {
        text_size(low, (uint64_t)opt->min), text_size(high, (uint64_t)opt->max);
    } else if (opt->kind == OPT_DURATION) {
        text_duration(low, opt->min), text_duration(high, opt->max);
    } else {
        snprintf(low, sizeof low, "%lld", (long long)opt->min);
        snprintf(high, sizeof high, "%lld", (long long)opt->max);
    }
    if (opt->max == INT64_MAX) return options_usage(o, "%s: '%s' is less than %s", shown, text, low);
    return options_usage(o, "%s: '%s' is not within %s and %s", shown, text, low, high);
}

static int read_enum(const struct options *o, const struct opt *opt, const char *shown, const char *text, int64_t *v)
{
    char words[ARG_WORD_MAX];
    struct opt bare = {.kind = OPT_ENUM, .words = opt->words};
    for (int i = 0; opt->words[i]; i++) {
        if (strcmp(opt->words[i], text) != 0) continue;
        *v = i;
        return EXIT_OK;
    }
    return options_usage(o, "%s: '%s' is none of %s", shown, text, options_arg(&bare, words));
}

int options_value_read(const struct options *o, const struct opt *opt, const char *shown, const char *text, int64_t *v)
{
    uint64_t bytes;
    switch (opt->kind) {
    case OPT_FLAG:
        if (!parse_flag_text(text, v)) return options_usage(o, "%s: '%s' is neither yes nor no", shown, text);
        return EXIT_OK;
    case OPT_INT:
        if (!parse_int(text, v)) return options_usage(o, "%s: '%s' is not a number", shown, text);
        if (!opt->min && !opt->max && *v < 0) return options_usage(o, "%s: '%s' is less than 0", shown, text);
        break;
    case OPT_SIZE:
        if (rsp_parse_size(text, &bytes) || bytes > INT64_MAX)
            return options_usage(o, "%s: '%s' is not a size such as 64M or 1GiB", shown, text);
        *v = (int64_t)bytes;
        break;
    case OPT_DURATION:
        if (rsp_parse_duration(text, v))
            return options_usage(o, "%s: '%s' is not a duration such as 250ms, 30s or 2h", shown, text);
        break;
    case OPT_PERCENT:
        if (!parse_percent(text, v)) return options_usage(o, "%s: '%s' is not within 1%% and 100%%", shown, text);
        return EXIT_OK;
    case OPT_ENUM: return read_enum(o, opt, shown, text, v);
    default: return EXIT_OK;
    }
    if ((opt->min || opt->max) && (*v < opt->min || *v > opt->max)) return out_of_range(o, opt, shown, text);
    return EXIT_OK;
}
