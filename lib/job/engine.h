/* What this is: a private server: which binary, its child process, its directory, the data that it is given to load.
 * Rests on: respite/sys/live.h.
 * Does not: compare (drill.c). */
#ifndef JOB_ENGINE_H
#define JOB_ENGINE_H

#include <sys/types.h>

#include <respite/sys/live.h>

#define ENGINE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define ENGINE_DBS_MOST 65536u /* databases of a private server */
#define ENGINE_ENDED 100       /* the server's process ended: not a fault of ours */

/* ---- child processes ---- */

/* In a session of its own; killed when the thread that started it ends, however that comes. */
struct child {
    pid_t pid;  /* 0: none; negative: it has ended, and was waited for */
    int status; /* as waitpid says it; -1: not known */
};
struct child_start {
    const char *path, *const *argv; /* path: absolute; argv[0]: as it is called in error records */
    const char *search;             /* its PATH */
    int dir;                        /* descriptor of its working directory; -1: as here */
    int out;                        /* its stdout and stderr */
    int keep;                       /* another descriptor that it keeps; -1: none */
};
int child_start(const struct rsp_env *env, struct child *c, const struct child_start *s);
/* 1: it has ended (or was never started). Does not wait. */
int child_ended(struct child *c);
/* With everything in its session's process group; waits. */
void child_kill(struct child *c);
/* "exit status 1", "signal 9". */
void child_text(const struct child *c, char *out, size_t size);
/* Sleeps: RSP_OK or RSP_ECANCELED. ms is at most 200. */
int child_pause(const struct rsp_env *env, volatile const int *cancel, int ms);

/* ---- binaries ---- */

int engine_ask(const struct rsp_env *env, const char *path, const char *search, volatile const int *cancel,
               struct rsp_engine *engine);
/* "Redis server v=7.0.15 sha=..." into kind, version and what it loads. RSP_EFORMAT, RSP_EVERSION. */
int engine_parse(const struct rsp_env *env, const char *path, const char *text, struct rsp_engine *engine);
/* 1 when it loads a file of that dialect and version. */
int engine_loads(const struct rsp_engine *engine, uint8_t dialect, uint16_t version);
/* The lowest of the binaries in o that loads it; of equals the one of kind (may be ""). None: *found 0, and why_not says
 * what there is. A binary that was named and cannot be asked is a fault. */
int engine_choose(const struct rsp_env *env, const struct rsp_drill_options *o, uint8_t dialect, uint16_t version,
                  const char *kind, struct rsp_engine *engine, int *found, char *why_not, size_t size);

/* ---- its directory ---- */

#define PRIVATE_PREFIX "respite-drill-"
#define PRIVATE_LOCK "lock"

/* 0700, with a lock file in it that is locked as long as this process or the server lives. */
struct private_dir {
    struct rsp_env env;
    int parent, fd, lock; /* -1: closed */
    char name[32];
    char path[4096];
};
/* Directories of this user that nobody holds any more are removed first. tmpdir NULL: /tmp. */
int private_dir_make(struct private_dir *d, const struct rsp_env *env, const char *tmpdir);
void private_dir_remove(struct private_dir *d); /* with what is in it */

/* ---- the server ---- */

struct engine_server {
    struct rsp_env env;
    const struct rsp_engine *engine; /* borrowed */
    struct private_dir dir;
    struct child child;
    int log;           /* descriptor; -1: none */
    char socket[4200]; /* for endpoints; lives as long as the server */
    volatile const int *cancel;
};
/* Starts it; it waits for its data. databases: at most ENGINE_DBS_MOST. engine_stop is due either way. */
int engine_start(struct engine_server *s, const struct rsp_env *env, const struct rsp_engine *engine,
                 const struct rsp_drill_options *o, uint32_t databases);
/* Its data, which it loads while it comes. ENGINE_ENDED: it did not want it. *began: it took some. */
int engine_feed(struct engine_server *s, struct rsp_source *source, int64_t idle_ms,
                void (*progress)(void *opaque, uint64_t bytes), void *opaque, int *began);
/* Waits until it has loaded everything and answers. ENGINE_ENDED; RSP_ETIMEOUT. */
int engine_ready(struct engine_server *s, int64_t ms, struct rsp_server **ret);
/* How it ended, and the last lines of its log. */
void engine_said(struct engine_server *s, char *out, size_t size);
/* 1: it ended for want of memory. */
int engine_starved(struct engine_server *s);
void engine_endpoint(const struct engine_server *s, struct rsp_endpoint *endpoint);
void engine_stop(struct engine_server *s);

#endif
