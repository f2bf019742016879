/* What this is: a Redis or Valkey server as a client sees it: where it is, a connection, commands and replies, what it
 *   says about itself, and its dataset as a source of RDB bytes (capture).
 * Rests on: env.h, source.h, sys/repo.h (pairs).
 * Does not: write into the server; know repositories. No stable promise (sys). */
#ifndef RESPITE_SYS_SERVER_H
#define RESPITE_SYS_SERVER_H

#include <respite/source.h>
#include <respite/sys/repo.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- where ---- */

/* Texts are borrowed: they must live as long as whatever was opened with them. A member left 0 means what stands
 * beside it. */
struct rsp_endpoint {
    size_t size;
    const char *host;     /* 127.0.0.1 */
    const char *socket;   /* path of a unix socket: then host and port are not used */
    const char *user;     /* AUTH with the password alone */
    const char *password; /* no AUTH. A secret: it never appears in words, logs or texts */
    uint32_t port;        /* 6379 */
    uint32_t db;
    int tls;                        /* 0: none */
    const char *sni;                /* the name asked for and verified instead of host */
    const char *cacert, *cacertdir; /* the system's */
    const char *cert, *key;         /* no client certificate */
    const char *ciphers, *ciphersuites;
    int insecure;       /* 1: the certificate is not verified */
    int family;         /* 4, 6; 0: either */
    int64_t connect_ms; /* 10 s: resolving, connecting and the TLS handshake together */
    int64_t idle_ms;    /* 60 s: the longest silence while something is awaited */
};
/* redis://, rediss:// (TLS) and valkey://, valkeys://: [[user]:password@]host[:port][/db], an IPv6 host in brackets;
 * unix://[[user]:password@]/path[?db=N]. %XX is undone in user, password and path. Sets the members that the URI names
 * and leaves the others. The parts are stored in room, which must be as long as the URI and a terminator (it holds
 * the password: wipe it). RSP_EINVAL with words that do not repeat the URI's secret. */
RSP_API RSP_NODISCARD int rsp_endpoint_parse(const struct rsp_env *env, const char *uri, char *room, size_t room_n,
                                             struct rsp_endpoint *endpoint);
/* 1 when text begins as such a URI does. */
RSP_API int rsp_endpoint_is_uri(const char *text);
/* "redis://host:6379", "rediss://[::1]:6380", "unix:///path": never user or password. Always terminated. */
RSP_API void rsp_endpoint_text(const struct rsp_endpoint *endpoint, char *out, size_t size);

/* ---- what a server says about itself ---- */

enum rsp_server_role { RSP_SERVER_MASTER = 1, RSP_SERVER_REPLICA = 2, RSP_SERVER_SENTINEL = 3 };

struct rsp_server_facts {
    size_t size;
    char kind[16];        /* "redis", "valkey" */
    char version[32];     /* "7.0.15"; of Valkey its own, not the one it shows for compatibility */
    uint32_t version_n;   /* major * 10000 + minor * 100 + patch */
    uint8_t dialect;      /* enum rsp_rdb_dialect of what it writes */
    uint16_t rdb_version; /* the newest it loads, by version; of a newer server than this table knows: that of the
                             newest in it. rdb.md 3, 20 */
    char mode[16];        /* "standalone", "cluster", "sentinel" */
    char run_id[41], replid[41];
    uint32_t process_id, port;
    int role; /* enum rsp_server_role */
    char master_host[256];
    uint32_t master_port;
    int master_link_up;
    int64_t master_silence_s; /* since the master was last heard; -1: not known */
    uint64_t offset;          /* master_repl_offset, of a replica slave_repl_offset */
    int loading, save_running, rewrite_running, aof_enabled;
    int64_t load_eta_s;                                                        /* -1: not loading, or not told */
    uint64_t used_memory, used_memory_rss, system_memory, maxmemory, cow_last; /* bytes; 0: not told */
    uint64_t keys, expires;
    uint64_t changes;  /* rdb_changes_since_last_save */
    uint64_t commands; /* total_commands_processed */
    char os[64], config_file[512];
    int can_info; /* 0: INFO is not allowed: nothing but role and version can be relied on */
};
/* One of a master's replicas. */
struct rsp_server_replica {
    char host[256];
    uint32_t port;
    int online;
    uint64_t offset;
    int64_t lag_s;
};

/* ---- a connection ---- */

enum rsp_reply_type {
    RSP_REPLY_STATUS = '+',
    RSP_REPLY_ERROR = '-',
    RSP_REPLY_INTEGER = ':',
    RSP_REPLY_BULK = '$',
    RSP_REPLY_ARRAY = '*',
    RSP_REPLY_NULL = '_'
};
struct rsp_reply {
    int type;
    int64_t integer;
    struct rsp_span text;          /* STATUS, ERROR, BULK */
    const struct rsp_reply *child; /* ARRAY: n of them, one behind the other by next */
    size_t n;
    const struct rsp_reply *next; /* NULL: the last */
};

struct rsp_server;
/* Connects, authenticates, selects the database, reads INFO, and HELLO and ROLE where INFO is not allowed or does not
 * tell. A server that is loading its data or busy is asked again, with pauses and a line in the
 * log, for as long as patience_ms allows; with patience_ms 0 one that is loading is opened, and facts say so.
 * RSP_ENET, RSP_ETIMEOUT, RSP_EDENIED (with what to do: the missing password, the ACL rule), RSP_EBUSY, RSP_EAUTH (TLS:
 * a certificate), RSP_ECANCELED. */
struct rsp_server_options {
    size_t size;
    volatile const int *cancel;
    int64_t patience_ms; /* 0: do not wait */
};
RSP_API RSP_NODISCARD int rsp_server_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                                          const struct rsp_server_options *options, struct rsp_server **ret);
RSP_API const struct rsp_server_facts *rsp_server_facts(const struct rsp_server *server);
RSP_API const struct rsp_endpoint *rsp_server_endpoint(const struct rsp_server *server);
/* The text of its endpoint: the subject of error records. */
RSP_API const char *rsp_server_name(const struct rsp_server *server);
/* A master's replicas as of the last INFO; NULL past the last one. */
RSP_API const struct rsp_server_replica *rsp_server_replica(const struct rsp_server *server, size_t i);
RSP_API RSP_NODISCARD int rsp_server_refresh(struct rsp_server *server); /* INFO (HELLO, ROLE) again */

/* One command and its reply, which lives until the next call. An error reply is RSP_OK with type ERROR. */
RSP_API RSP_NODISCARD int rsp_server_ask(struct rsp_server *server, size_t argc, const struct rsp_span *argv,
                                         const struct rsp_reply **reply);
/* The same of words with single blanks between them; an error reply is a fault: RSP_EDENIED (NOPERM, NOAUTH, with the
 * rule that is missing), RSP_EBUSY (LOADING, BUSY, TRYAGAIN...), else RSP_EDENIED with the server's words. */
RSP_API RSP_NODISCARD int rsp_server_do(struct rsp_server *server, const char *words, const struct rsp_reply **reply);
/* The text of "name:value" in INFO's reply as of the last refresh; n 0: not there. */
RSP_API struct rsp_span rsp_server_info(const struct rsp_server *server, const char *name);
RSP_API void rsp_server_free(struct rsp_server *server);

/* ---- what stands beside the data ---- */

/* INFO, MODULE LIST, the functions' sources, CONFIG GET * without secrets, with_acl ACL LIST: as pairs "info", "modules",
 * "functions", "config", "acl" (texts; lists as lines). What is not allowed or not there is left out and named in a pair
 * "left-out". Of the env's allocator. */
struct rsp_server_settings {
    size_t size;
    struct rsp_pair *pairs;
    size_t pairs_n;
};
RSP_API RSP_NODISCARD int rsp_server_settings(struct rsp_server *server, int with_acl,
                                              struct rsp_server_settings *settings);
RSP_API void rsp_server_settings_free(struct rsp_server *server, struct rsp_server_settings *settings);

/* ---- how it sees us ---- */

/* One thing that a capture, a restore or a method needs, and whether it is there. Texts live as long as the server. */
struct rsp_server_right {
    const char
        *for_what; /* "capture", "bgsave", "scan", "settings", "restore"; "cluster", "sentinel": of such servers */
    const char *command; /* "psync" */
    int allowed;         /* 1, 0; -1: could not be found out */
    const char *rule;    /* "+psync": what ACL SETUSER is to be told */
};
/* *n of them. Asks ACL DRYRUN (7.0) or ACL GETUSER; what cannot be found out so is tried in a form that does nothing (a
 * key that is not there, an argument that is refused), if there is one: a denied trial stands in the server's ACL LOG.
 * Before 6.0 everything is allowed. */
RSP_API RSP_NODISCARD int rsp_server_rights(struct rsp_server *server, const struct rsp_server_right **rights,
                                            size_t *n);
/* "bk": as AUTH was told, or as ACL WHOAMI says it (asked by rsp_server_rights, and where a client certificate may have
 * named the user); else "default". */
RSP_API const char *rsp_server_user(const struct rsp_server *server);

/* ---- capture: the dataset as a source ---- */

enum rsp_capture_method {
    RSP_CAPTURE_PSYNC = 0,  /* as a replica */
    RSP_CAPTURE_BGSAVE = 1, /* BGSAVE, then the file, which must be on this host */
    RSP_CAPTURE_SCAN = 2    /* SCAN and DUMP, an RDB of our own writing: no point in time */
};
enum rsp_capture_role {
    RSP_CAPTURE_ANY = 0,     /* a healthy replica when the master names one that answers, else the server itself */
    RSP_CAPTURE_REPLICA = 1, /* a replica, or nothing */
    RSP_CAPTURE_AT_MASTER = 2
};
struct rsp_capture_options {
    size_t size;
    int method, role;
    int stream;          /* 1: the replication stream is handed over behind the snapshot (PSYNC only) */
    size_t ring_bytes;   /* between socket and reader; 0: 16 MiB */
    const char *spool;   /* directory: what does not fit into the ring goes to a nameless file there, sealed under a
                            key that nobody keeps; NULL: the server waits */
    int64_t patience_ms; /* how long a server that is loading, busy, or without its master is asked again; 0: 60 s */
    int64_t announce_ms; /* how long a server may save before it sends; 0: 1 h */
    int exact;           /* 1: this very server, whatever its role */
    int no_settings;     /* 1: nothing beside the data */
    int with_acl;        /* beside the data */
    volatile const int *cancel;
    int shard; /* 1: the caller knows that this is one shard of a cluster; 0: a node of one is RSP_EUNSUPPORTED */
};
struct rsp_capture_facts {
    size_t size;
    const struct rsp_server_facts *server;
    const char *place;  /* endpoint's text of the server that was taken */
    const char *why;    /* "a replica of redis://a:6379, lag 0 s", "the server itself: no healthy replica" */
    const char *method; /* "psync, rdb-only", "psync", "sync", "bgsave", "scan" */
    const struct rsp_server_settings *settings;
    char replid[41]; /* "": none */
    uint64_t offset; /* the snapshot holds everything up to here */
    int has_offset;
    int point_in_time;  /* 0: scan */
    uint64_t announced; /* bytes, of "$<length>"; 0: not told */
    int64_t taken_ms;   /* by our clock, when the server said that it takes its snapshot; scan: when it began */
};
struct rsp_capture;
/* Connects, chooses, asks for settings and for the dataset; returns when the dataset is announced. Faults as of
 * rsp_server_open. endpoint's texts must outlive the capture. */
RSP_API RSP_NODISCARD int rsp_capture_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                                           const struct rsp_capture_options *options, struct rsp_capture **ret);
RSP_API const struct rsp_capture_facts *rsp_capture_facts(const struct rsp_capture *capture);
/* The RDB's bytes. RSP_END only when the announced length, or the announced mark, came: RSP_ETRUNCATED when the server
 * closed before, RSP_ETIMEOUT when it fell silent, RSP_ENET, RSP_EFORMAT. Borrowed; one reader. */
RSP_API struct rsp_source *rsp_capture_source(struct rsp_capture *capture);
/* Bytes received so far, and bytes that went through the spool. From any thread. */
RSP_API void rsp_capture_progress(const struct rsp_capture *capture, uint64_t *received, uint64_t *spooled);
/* With stream: the replication stream from facts->offset + 1 on, without a gap; once the RDB's source has ended. No
 * database is selected where it begins: the server sends SELECT. It ends (RSP_END) when the server closes. Borrowed. */
RSP_API RSP_NODISCARD int rsp_capture_stream(struct rsp_capture *capture, struct rsp_source **ret);
/* What the caller has made durable: told to the server once a second; before the first call it is told facts->offset. */
RSP_API void rsp_capture_ack(struct rsp_capture *capture, uint64_t offset);
RSP_API void rsp_capture_free(struct rsp_capture *capture);

#ifdef __cplusplus
}
#endif
#endif
