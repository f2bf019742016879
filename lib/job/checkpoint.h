/* What this is: how far a restore into a live server has come, in a file that is replaced as a whole.
 * Rests on: base/mem.h, respite/sink.h.
 * Does not: decide what a run that goes on does with it.
 *
 * Text, one fact a line, the last line a CRC64 of those before it:
 *   respite load checkpoint 1
 *   snapshot ID          what is restored ("-": not told)
 *   options HASH         how
 *   selection HASH       which records those options chose, in order
 *   now HEX              the time that the first run judged expiries by, in ms
 *   shift HEX            what it added to them
 *   target RUN_ID PLACE  the server, as long as it is not started again; a line for each primary of a cluster
 *   acknowledged N       the first N records are there: the server said so
 *   bound M              records from N up to M may have been sent
 *   skipped N            keys that were there already and were left alone
 *   open DB KEY          in hexadecimal: a value of several commands, begun by us and not ended
 *   crc HEX */
#ifndef JOB_CHECKPOINT_H
#define JOB_CHECKPOINT_H

#include <respite/env.h>

struct checkpoint_open {
    struct checkpoint_open *next;
    uint32_t db;
    uint64_t until; /* acknowledged so far: it is whole. Not in the file */
    size_t n;
    uint8_t key[];
};
struct checkpoint_node { /* a further server that was written to */
    struct checkpoint_node *next;
    char run_id[48], place[336];
};
struct checkpoint {
    struct rsp_env env;
    char snapshot[40], run_id[48], place[336];
    struct checkpoint_node *more;
    size_t more_n;
    uint64_t options, selection;
    int64_t now_ms, shift_ms;
    uint64_t acknowledged, bound, skipped;
    struct checkpoint_open *open;
    /* Those that are whole: a server that takes over from the one that has them may have got only half. Not in the file. */
    struct checkpoint_open *whole;
    int keep_whole; /* else they are forgotten */
};

void checkpoint_init(struct checkpoint *c, const struct rsp_env *env);
/* *there 0: no such file. RSP_EFORMAT: it is none, or damaged. */
int checkpoint_read(struct checkpoint *c, const char *path, int *there);
/* Durable when it returns. */
int checkpoint_write(struct checkpoint *c, const char *path);
int checkpoint_node_add(struct checkpoint *c, const char *run_id, const char *place);
int checkpoint_add(struct checkpoint *c, uint32_t db, struct rsp_span key, uint64_t until);
/* That many records are there: what was open up to there is no more. */
void checkpoint_reached(struct checkpoint *c, uint64_t acknowledged);
void checkpoint_close_all(struct checkpoint *c);
/* Takes that one, which follows *at, out of its list. */
void checkpoint_take(struct checkpoint *c, struct checkpoint_open **at);
/* Takes the file away, for good when it returns; one that is not there is fine. */
int checkpoint_remove(const struct rsp_env *env, const char *path);
void checkpoint_free(struct checkpoint *c);

#endif
