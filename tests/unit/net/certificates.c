/* What this is: a certificate authority for the time of a test.
 * Rests on: peer.h, OpenSSL, libcheck.
 * Does not: keep anything but the files that it is told to write. */
#include "peer.h"

#include <check.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

struct pair {
    X509 *cert;
    EVP_PKEY *key;
};

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ck_assert_ptr_nonnull(e);
    ck_assert_int_eq(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

static struct pair make(const char *name, long serial, const struct pair *issuer, const char *names)
{
    struct pair p = {X509_new(), EVP_EC_gen("P-256")};
    X509_NAME *subject = X509_get_subject_name(p.cert);
    ck_assert(p.cert && p.key);
    X509_set_version(p.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(p.cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(p.cert), 24 * 3600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_pubkey(p.cert, p.key);
    if (!issuer) issuer = &p;
    X509_set_issuer_name(p.cert, X509_get_subject_name(issuer->cert));
    extend(p.cert, issuer->cert, NID_basic_constraints, issuer == &p ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (names) extend(p.cert, issuer->cert, NID_subject_alt_name, names);
    ck_assert_int_gt(X509_sign(p.cert, issuer->key, EVP_sha256()), 0);
    return p;
}

static void write_key(const char *folder, const char *name, EVP_PKEY *key, const char *phrase)
{
    char path[256];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s.key", folder, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(PEM_write_PrivateKey(f, key, phrase ? EVP_aes_128_cbc() : NULL, (const unsigned char *)phrase,
                                          phrase ? (int)strlen(phrase) : 0, NULL, NULL),
                     1);
    ck_assert_int_eq(fclose(f), 0);
}

static void write_pair(const char *folder, const char *name, const struct pair *p)
{
    char path[256];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s.pem", folder, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(PEM_write_X509(f, p->cert), 1);
    ck_assert_int_eq(fclose(f), 0);
    write_key(folder, name, p->key, NULL);
}

void certificates_make(const char *folder)
{
    struct pair ca = make("Test CA", 1, NULL, NULL), other = make("Other CA", 2, NULL, NULL);
    struct pair server = make("redis.test", 3, &ca, "DNS:redis.test,IP:127.0.0.1"), client = make("bk", 4, &ca, NULL);
    struct pair *all[] = {&ca, &other, &server, &client};
    static const char *const names[] = {"ca", "other-ca", "server", "client"};
    for (int i = 0; i < 4; i++) write_pair(folder, names[i], all[i]);
    write_key(folder, "locked", client.key, "secret");
    for (int i = 0; i < 4; i++) {
        X509_free(all[i]->cert);
        EVP_PKEY_free(all[i]->key);
    }
}
