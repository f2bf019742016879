/* What this is: store_put URL NAME FILE PARALLEL: a file's bytes put into a store by its driver, as backupd would, and prints
 *   the seconds from the first byte to the end of the commit, and of all with opening.
 * Rests on: respite/sys/store.h; the RESPITE_TEST_STORE_* of tests/fixture/yard_store.c for whoever asks.
 * Does not: repeat or judge. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <respite/sys/store.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int send(struct rsp_store *store, const char *name, int from)
{
    static unsigned char block[128 << 10];
    struct rsp_upload *upload = NULL;
    ssize_t n = 0;
    int rc = rsp_store_begin(store, name, &upload);
    while (!rc && (n = read(from, block, sizeof block)) > 0) rc = rsp_upload_write(upload, block, (size_t)n);
    if (!rc && n < 0) rc = RSP_EIO;
    if (!rc) rc = rsp_upload_commit(upload);
    rsp_upload_free(upload);
    return rc;
}

int main(int argc, char **argv)
{
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct rsp_store_remote remote = {.size = sizeof remote,
                                      .access_key = getenv("RESPITE_TEST_STORE_ACCESS"),
                                      .secret_key = getenv("RESPITE_TEST_STORE_SECRET"),
                                      .user = getenv("RESPITE_TEST_STORE_USER"),
                                      .password = getenv("RESPITE_TEST_STORE_PASSWORD"),
                                      .cacert = getenv("RESPITE_TEST_STORE_CACERT"),
                                      .ssh_key = getenv("RESPITE_TEST_STORE_SSH_KEY"),
                                      .known_hosts = getenv("RESPITE_TEST_STORE_KNOWN_HOSTS"),
                                      .tmpdir = getenv("TMPDIR")};
    struct rsp_store_options options = {.size = sizeof options, .create = 1, .remote = &remote};
    struct rsp_store *store = NULL;
    double began = now(), opened;
    int from, rc;
    if (argc != 5) {
        fputs("usage: store_put URL NAME FILE PARALLEL\n", stderr);
        return 2;
    }
    remote.parallel = (unsigned)strtoul(argv[4], NULL, 10);
    from = open(argv[3], O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        perror(argv[3]);
        return 2;
    }
    rc = rsp_store_open(&env, argv[1], &options, &store);
    opened = now();
    if (!rc) rc = send(store, argv[2], from);
    if (rc) fprintf(stderr, "%s: %s: %s\n", argv[1], rsp_status_name(rc), words.message);
    else printf("%.3f %.3f\n", now() - opened, now() - began);
    rsp_store_free(store);
    close(from);
    return rc != 0;
}
