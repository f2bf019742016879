/* What this is: texts of SFTP servers and of ssh: a folder's lines, prints of host keys.
 * Rests on: sftp.h, libsodium.
 * Does not: speak to a server. */
#include <sodium.h>
#include <string.h>

#include "net/sftp_impl.h"

#define MODE_BYTES 10 /* the kind and nine letters of rights */

/* The rest of the line is not looked at: what stands between differs from server to server, and users' and groups'
 * names may hold blanks. Sizes and times are asked for. */
int sftp_line(const uint8_t *p, size_t n, enum sftp_kind *kind, struct rsp_span *name)
{
    size_t at = n;
    if (n < MODE_BYTES + 2 || memchr(p, 0, n)) return -1;
    for (size_t i = 1; i < MODE_BYTES; i++)
        if (!strchr("rwxsStT-", p[i])) return -1;
    if (p[MODE_BYTES] != ' ' && !strchr("+.@", p[MODE_BYTES])) return -1; /* lists of rights, labels */
    switch (p[0]) {
    case '-': *kind = SFTP_FILE; break;
    case 'd': *kind = SFTP_FOLDER; break;
    case 'l':
    case 'b':
    case 'c':
    case 'p':
    case 's':
    case 'D': *kind = SFTP_OTHER; break;
    default: return -1;
    }
    while (at > MODE_BYTES && p[at - 1] != ' ') at--;
    if (at <= MODE_BYTES) return -1;
    name->p = p + at;
    name->n = n - at;
    return 0;
}

void sftp_print(const uint8_t *key, size_t n, char out[SFTP_PRINT_BYTES])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, key, n);
    memcpy(out, "SHA256:", 7);
    sodium_bin2base64(out + 7, SFTP_PRINT_BYTES - 7, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

int sftp_pin_is(const char *pin, const char print[SFTP_PRINT_BYTES])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!strncmp(pin, "SHA256:", 7)) pin += 7;
    if (strspn(pin, letters) != 43 || strspn(pin + 43, "=") > 1 || pin[43 + strspn(pin + 43, "=")]) return -1;
    return !strncmp(pin, print + 7, 43);
}

static int has(const uint8_t *p, size_t n, const char *word)
{
    return memmem(p, n, word, strlen(word)) != NULL;
}

/* OpenSSH's own form says both in clear, in its first bytes: "openssh-key-v1", the cipher, ..., the public key. */
void sftp_key_look(const uint8_t *text, size_t n, int *rsa, int *locked)
{
    static const char head[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
    const uint8_t *body = memmem(text, n, head, sizeof head - 1);
    uint8_t raw[256];
    size_t raw_n = 0, left;
    *rsa = has(text, n, "BEGIN RSA PRIVATE KEY");
    *locked = has(text, n, "BEGIN ENCRYPTED PRIVATE KEY") || has(text, n, "Proc-Type: 4,ENCRYPTED");
    if (!body) return;
    body += sizeof head - 1;
    left = n - (size_t)(body - text);
    if (left > 400) left = 400;
    /* It stops at what is no base64 or does not fit: what came before is there. */
    (void)sodium_base642bin(raw, sizeof raw, (const char *)body, left, "\r\n", &raw_n, NULL,
                            sodium_base64_VARIANT_ORIGINAL);
    if (!raw_n) raw_n = sizeof raw; /* it did not fit, and is all there */
    *rsa = has(raw, raw_n, "ssh-rsa");
    *locked = !has(raw, raw_n < 40 ? raw_n : 40, "\4none");
    sodium_memzero(raw, sizeof raw);
}
