/* What this is: one SFTP exchange: a range read, bytes written, a look, a folder's lines, commands.
 * Rests on: client.h, base/buf.h.
 * Does not: try again; know what a repository is.
 *
 * What libcurl 7.88 with libssh2 1.10 does, on which this and the driver above rest:
 * - A file is opened to be written at an offset only for appending, and a server (OpenSSH) may then put all bytes at
 *   the end, whatever their offset says. So sftp_put is given the file's length as offset, and nothing else.
 * - What a server says when it closes a file is not seen: who needs to be sure looks at the length.
 * - "rename" is the protocol's own, which does not replace a file that is there. There is no fsync.
 * - Lines of a folder have times to the minute, in the server's zone: sftp_look tells them to the second.
 * - A user's key or a server's of type RSA is of no use: libssh2 1.10 signs by SHA-1 only, which servers refuse. */
#ifndef NET_SFTP_H
#define NET_SFTP_H

#include "base/buf.h"
#include "net/client.h"

struct sftp_server;

/* Who asks, and whom we mean. NULL: none. Only what is given is tried. */
struct sftp_login {
    const char *host; /* an IPv6 address without brackets */
    uint32_t port;    /* 0: 22 */
    const char *user;
    const char *key, *key_passphrase; /* a file: Ed25519 or ECDSA */
    int agent;                        /* that of SSH_AUTH_SOCK: libssh2 asks the environment for it */
    const char *password;
    const char *known_hosts; /* a file as OpenSSH has it; no key of this host in it: RSP_EAUTH */
    const char *pin;         /* "SHA256:..." as ssh-keygen -l prints it. One of these two must be there */
};
/* RSP_EINVAL with words: no user, nothing to log in with, no host key. Speaks to nobody. The client outlives the
 * server. */
int sftp_server_new(const struct rsp_env *env, struct net_client *client, const struct sftp_login *login,
                    struct sftp_server **ret);
void sftp_server_free(struct sftp_server *s); /* secrets are wiped; NULL does nothing */

/* From several threads at once, each with its env. Paths are absolute, of bytes that are no control characters;
 * subject is that of the words. RSP_ENOTFOUND, RSP_EDENIED, RSP_EAUTH, RSP_ENOSPACE, RSP_ENET, RSP_ETIMEOUT;
 * env->error->retryable is set where another try may succeed. */
struct sftp_call {
    struct sftp_server *server;
    const struct rsp_env *env;
    const char *path, *subject;
};

struct sftp_facts {
    uint64_t bytes;
    int64_t mtime; /* seconds since the epoch */
};
/* Of a file; also of a folder, on most servers. */
int sftp_look(const struct sftp_call *c, struct sftp_facts *facts);
/* 1: a folder, with its time; 0: something else, or nothing there. */
int sftp_is_folder(const struct sftp_call *c, int64_t *mtime);
/* The folder that a path without a leading slash is taken from; c->path is not looked at. */
int sftp_home(const struct sftp_call *c, struct buf *home);
/* Bytes [offset, offset + n) into p, n > 0. *got of them came, also when it is a fault: the next try may go on behind
 * them. RSP_ETRUNCATED, not retryable: the file ends before. */
int sftp_read(const struct sftp_call *c, uint64_t offset, void *p, size_t n, size_t *got);
/* The whole file, appended to out, which is empty again when it fails. RSP_ELIMIT: it has more than max bytes. */
int sftp_fetch(const struct sftp_call *c, size_t max, struct buf *out);
/* Appends one line for each entry, "." and ".." among them: see sftp_line. */
int sftp_list(const struct sftp_call *c, struct buf *lines);
/* Free bytes where path lies: RSP_EUNSUPPORTED when the server does not tell. */
int sftp_space(const struct sftp_call *c, uint64_t *bytes);

/* Commands, which the server carries out one after the other until one fails. */
struct sftp_commands {
    struct buf text; /* each with a zero behind it */
};
void sftp_commands_init(struct sftp_commands *l, const struct rsp_env *env);
void sftp_commands_free(struct sftp_commands *l);
/* verb: "mkdir", "rmdir", "rm", or "rename" with a second path (else NULL). may_fail: what becomes of it is not looked
 * at. */
int sftp_command(struct sftp_commands *l, int may_fail, const char *verb, const char *path, const char *to);
/* A command that was refused: RSP_ENOTFOUND, RSP_EDENIED, or RSP_EIO: "failure" is all that most servers say. */
int sftp_run(const struct sftp_call *c, const struct sftp_commands *l);
/* Appends p[0, n) to the file, which has offset bytes; with offset 0 it is made, or emptied. before and after:
 * commands, or NULL; those after are only given when all bytes were taken. *after_failed 1: they were not carried out
 * to the end, but the bytes were taken. */
int sftp_put(const struct sftp_call *c, uint64_t offset, const void *p, size_t n, const struct sftp_commands *before,
             const struct sftp_commands *after, int *after_failed);

/* ---- lines of a folder (sftp_line.c) ---- */

enum sftp_kind { SFTP_FILE, SFTP_FOLDER, SFTP_OTHER };
/* The entry whose line stands in [p, p + n), without its newline: "-rw-r--r--    1 user     group        1234 Nov 20
 * 14:54 name". *name is what stands behind the last blank: of a name that has blanks itself, its end. 0, or -1: such a
 * line is not understood. */
int sftp_line(const uint8_t *p, size_t n, enum sftp_kind *kind, struct rsp_span *name);
/* "SHA256:" and 43 characters of base64 (out: 51 bytes) of a host key. */
#define SFTP_PRINT_BYTES 51
void sftp_print(const uint8_t *key, size_t n, char out[SFTP_PRINT_BYTES]);
/* 1: pin has the form of a print, with or without "SHA256:", with or without '=' at its end, and is this one. -1: not
 * the form. */
int sftp_pin_is(const char *pin, const char print[SFTP_PRINT_BYTES]);

#endif
