/* What this is: SFTP from inside: a server and an exchange with it, shared by sftp.c and sftp_calls.c.
 * Rests on: sftp.h, client_impl.h, libcurl.
 * Does not: leave lib/net. */
#ifndef NET_SFTP_IMPL_H
#define NET_SFTP_IMPL_H

#include "net/client_impl.h"
#include "net/sftp.h"

enum { SFTP_HOST, SFTP_USER, SFTP_KEY, SFTP_PASSPHRASE, SFTP_PASSWORD, SFTP_HOSTS, SFTP_PIN, SFTP_TEXTS };

struct sftp_server {
    struct rsp_env env; /* without a record */
    struct net_client *client;
    uint32_t port;
    int agent;
    char *text[SFTP_TEXTS];
};

struct sftp_exchange {
    const struct sftp_call *c;
    struct net_handle *h;
    struct buf url;
    int code; /* libcurl's */
    int stalled;
    /* what libcurl counted last, and how often it has not changed since */
    curl_off_t up, down;
    unsigned same;
    /* the host key, when it was shown: verdict 0 ours, 1 another than ours, 2 none known, -1 not shown */
    int verdict;
    char kind[32], print[SFTP_PRINT_BYTES];
    char refusal[128]; /* what became of our key: libcurl only tells it aside */
    int socket;        /* -1: none was opened */
    int broke;         /* it was at its end when no way to log in was left */
};

/* Takes a handle and sets all but what is to be done. folder: path with a slash behind it. sftp_end also when it
 * fails. */
int sftp_begin(struct sftp_exchange *x, const struct sftp_call *c, const char *path, int folder);
/* Drives it: RSP_OK, or a fault with words. */
int sftp_drive(struct sftp_exchange *x);
void sftp_end(struct sftp_exchange *x);

/* Of a private key file's text: whether it is an RSA one, and whether a passphrase locks it. */
void sftp_key_look(const uint8_t *text, size_t n, int *rsa, int *locked);

#endif
