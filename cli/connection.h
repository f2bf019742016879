/* What this is: the options that say where a server is and who asks, as redis-cli has them: rows for an option table, and
 *   the place that the values make: a server, the master that Sentinel names, a cluster.
 * Rests on: options.h, respite/sys/topology.h.
 * Does not: connect; take a password from an argument. */
#ifndef CLI_CONNECTION_H
#define CLI_CONNECTION_H

#include <respite/sys/topology.h>

#include "cli/options.h"

/* Each program numbers its own options: CONNECTION_IDS is the way from these to those. */
enum connection_id {
    N_URI,
    N_HOST,
    N_PORT,
    N_SOCKET,
    N_USER,
    N_PASS,
    N_ASKPASS,
    N_PASS_FILE,
    N_DB,
    N_TLS,
    N_SNI,
    N_CACERT,
    N_CACERTDIR,
    N_CERT,
    N_TLS_KEY,
    N_CIPHERS,
    N_CIPHERSUITES,
    N_INSECURE,
    N_IPV4,
    N_IPV6,
    N_CONNECT_TIMEOUT,
    N_IDLE_TIMEOUT,
    N_CLUSTER,
    N_SENTINEL_USER,
    N_SENTINEL_PASS,
    N_SENTINEL_PASS_FILE,
    CONNECTION_COUNT
};
// clang-format off
#define CONNECTION_IDS \
    {[N_URI] = O_URI, [N_HOST] = O_HOST, [N_PORT] = O_PORT, [N_SOCKET] = O_SOCKET, [N_USER] = O_USER, \
     [N_PASS] = O_PASS, [N_ASKPASS] = O_ASKPASS, [N_PASS_FILE] = O_PASS_FILE, [N_DB] = O_CONNECT_DB, \
     [N_TLS] = O_TLS, [N_SNI] = O_SNI, [N_CACERT] = O_CACERT, [N_CACERTDIR] = O_CACERTDIR, [N_CERT] = O_CERT, \
     [N_TLS_KEY] = O_TLS_KEY, [N_CIPHERS] = O_TLS_CIPHERS, [N_CIPHERSUITES] = O_TLS_CIPHERSUITES, \
     [N_INSECURE] = O_INSECURE, [N_IPV4] = O_IPV4, [N_IPV6] = O_IPV6, [N_CONNECT_TIMEOUT] = O_CONNECT_TIMEOUT, \
     [N_IDLE_TIMEOUT] = O_IDLE_TIMEOUT, [N_CLUSTER] = O_CLUSTER, [N_SENTINEL_USER] = O_SENTINEL_USER, \
     [N_SENTINEL_PASS] = O_SENTINEL_PASS, [N_SENTINEL_PASS_FILE] = O_SENTINEL_PASS_FILE}

/* Rows of an option table. mask: of the verbs that connect; parts: of a configuration file. -a and --pass are taken so
 * that they can be refused in words; the same value is what REDISCLI_AUTH holds. */
#define CONNECTION_ROWS(mask, parts) \
    {O_URI, "uri", 'u', OPT_STRING, .arg = "URI", .verbs = (mask), .sections = (parts), \
     .help = "the server: redis://host:port, rediss://... (TLS), unix:///path; sentinel://host:port,.../NAME: the " \
             "master of that name; cluster://host:port,...: all shards; a password in it only by configuration or " \
             "environment"}, \
    {O_HOST, "host", 'h', OPT_STRING, .arg = "HOST", .verbs = (mask), .sections = (parts), \
     .help = "the server's host (default: 127.0.0.1)"}, \
    {O_PORT, "port", 'p', OPT_INT, .arg = "PORT", .min = 1, .max = 65535, .verbs = (mask), .sections = (parts), \
     .help = "the server's port (default: 6379)"}, \
    {O_SOCKET, "socket", 's', OPT_PATH, .arg = "PATH", .verbs = (mask), .sections = (parts), \
     .help = "the server's unix socket, instead of host and port"}, \
    {O_USER, "user", 0, OPT_STRING, .arg = "NAME", .verbs = (mask), .sections = (parts), \
     .help = "the user of an access control list"}, \
    {O_PASS, "pass", 'a', OPT_STRING, .verbs = (mask), .env = "REDISCLI_AUTH"}, \
    {O_ASKPASS, "askpass", 0, OPT_FLAG, .verbs = (mask), \
     .help = "ask for the password at the terminal; REDISCLI_AUTH is ignored"}, \
    {O_PASS_FILE, "pass-file", 0, OPT_PATH, .verbs = (mask), .sections = (parts), \
     .help = "the server's password is what this file holds (or the variable REDISCLI_AUTH)"}, \
    {O_TLS, "tls", 0, OPT_FLAG, .verbs = (mask), .sections = (parts), .help = "TLS"}, \
    {O_SNI, "sni", 0, OPT_STRING, .arg = "HOST", .verbs = (mask), .sections = (parts), \
     .help = "the name that is asked for and verified, instead of the host"}, \
    {O_CACERT, "cacert", 0, OPT_PATH, .verbs = (mask), .sections = (parts), \
     .help = "certificates to verify the server's by (default: the system's)"}, \
    {O_CACERTDIR, "cacertdir", 0, OPT_PATH, .arg = "DIR", .verbs = (mask), .sections = (parts), \
     .help = "a directory of such"}, \
    {O_CERT, "cert", 0, OPT_PATH, .verbs = (mask), .sections = (parts), .help = "the client's certificate"}, \
    {O_TLS_KEY, "tls-key", 0, OPT_PATH, .verbs = (mask), .sections = (parts), .help = "and its private key"}, \
    {O_TLS_CIPHERS, "tls-ciphers", 0, OPT_STRING, .arg = "LIST", .verbs = (mask), .sections = (parts), \
     .help = "up to TLS 1.2, with colons between them"}, \
    {O_TLS_CIPHERSUITES, "tls-ciphersuites", 0, OPT_STRING, .arg = "LIST", .verbs = (mask), .sections = (parts), \
     .help = "of TLS 1.3"}, \
    {O_INSECURE, "insecure", 0, OPT_FLAG, .verbs = (mask), .sections = (parts), \
     .help = "do not verify the server's certificate"}, \
    {O_IPV4, "ipv4", '4', OPT_FLAG, .verbs = (mask), .sections = (parts), .help = "IPv4 only"}, \
    {O_IPV6, "ipv6", '6', OPT_FLAG, .verbs = (mask), .sections = (parts), .help = "IPv6 only"}, \
    {O_CONNECT_TIMEOUT, "connect-timeout", 't', OPT_DURATION, .min = 1, .max = 86400000, .verbs = (mask), \
     .sections = (parts), .help = "how long connecting may take (default: 10s)"}, \
    {O_IDLE_TIMEOUT, "idle-timeout", 0, OPT_DURATION, .min = 1, .max = 86400000, .verbs = (mask), \
     .sections = (parts), .help = "how long the server may be silent while something is awaited (default: 60s)"}, \
    {O_CLUSTER, "cluster", 'c', OPT_FLAG, .verbs = (mask), .sections = (parts), \
     .help = "the server is a node of a cluster: all of its shards are meant"}, \
    {O_SENTINEL_USER, "sentinel-user", 0, OPT_STRING, .arg = "NAME", .verbs = (mask), .sections = (parts), \
     .help = "the user that sentinels know us by"}, \
    {O_SENTINEL_PASS, "sentinel-pass", 0, OPT_STRING, .verbs = (mask), .env = "RESPITE_SENTINEL_AUTH"}, \
    {O_SENTINEL_PASS_FILE, "sentinel-pass-file", 0, OPT_PATH, .verbs = (mask), .sections = (parts), \
     .help = "their password is what this file holds (or the variable RESPITE_SENTINEL_AUTH)"}
/* As redis-cli calls them, of verbs where no filter has these names. */
#define CONNECTION_OWN_ROWS(mask) \
    {O_TLS_KEY, "key", 0, OPT_PATH, .verbs = (mask), .env = "RESPITE_TLS_KEY"}, \
    {O_CONNECT_DB, "db", 'n', OPT_INT, .arg = "N", .max = INT32_MAX, .verbs = (mask), \
     .help = "the database that is selected; it does not restrict what is read"}
// clang-format on

/* May be moved; closed by connection_close, which wipes what it holds. Zeroed: closed. */
struct connection {
    struct rsp_place place;
    char *room; /* locked: the parts of the URI, the passwords */
};

/* What may never be said so: -a, --pass, --sentinel-pass, a URI with a password as argument. To be asked before anything
 * else. uri: that of an operand or of another option, or NULL. -1, or EXIT_USAGE after words. */
int connection_refuse(const struct options *o, const int *ids, const struct opt_value *uri);
/* How near the server was named by these options (uri as above); OPT_FROM_NONE: not at all. */
enum opt_from connection_named(const struct options *o, const int *ids, const struct opt_value *uri);
/* The place; env has an error record. What is named nearer stands before what is named farther: host, port and socket
 * before a URI and the other way round, both at once are refused. Reads the password, asks for it. -1, or the exit
 * status after words; connection_close is due either way. o must outlive it. */
int connection_open(struct connection *n, const struct rsp_env *env, const struct options *o, const int *ids,
                    const struct opt_value *uri);
void connection_close(struct connection *n);

/* A URI for texts that are shown: three stars stand for user and password. Always terminated. */
void connection_hide(const char *uri, char *out, size_t size);
int connection_has_password(const char *uri);
/* A name for backups of the server that is named: "10.0.0.2-6379", "_run_redis.sock"; "mymaster", as Sentinel calls
 * it; "cluster-10.0.0.1-7000": what is neither a letter nor a digit nor one of ".-_" becomes "_". */
#define CONNECTION_NAME 201
void connection_name(const struct options *o, const int *ids, const struct opt_value *uri, char out[CONNECTION_NAME]);

/* The exit status of a server's fault: io for all that keeps us from talking to it, or ends the talk. */
int connection_exit(int status, int io);

#endif
