/* What this is: a main for the fuzz targets where libFuzzer is not: replays the files named, and
 *   every file in the directories named.
 * Rests on: fuzz.h, POSIX.
 * Does not: descend into directories of directories, or mutate. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static unsigned long replayed;

static int replay(const char *path)
{
    struct stat st;
    uint8_t *p = NULL;
    FILE *f = fopen(path, "rb");
    int rc = -1;
    if (!f || fstat(fileno(f), &st)) goto out;
    p = malloc(st.st_size ? (size_t)st.st_size : 1); /* exact, so that a sanitizer sees overreads */
    if (!p || fread(p, 1, (size_t)st.st_size, f) != (size_t)st.st_size) goto out;
    LLVMFuzzerTestOneInput(p, (size_t)st.st_size);
    replayed++;
    rc = 0;
out:
    if (rc) fprintf(stderr, "%s: cannot be read: %s\n", path, strerror(errno));
    free(p);
    if (f) fclose(f);
    return rc;
}

static int replay_directory(const char *path)
{
    struct dirent *e;
    struct stat st;
    char name[4096];
    int rc = 0;
    DIR *d = opendir(path);
    if (!d) {
        fprintf(stderr, "%s: cannot be opened: %s\n", path, strerror(errno));
        return -1;
    }
    while ((e = readdir(d))) {
        int n = snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (n < 0 || (size_t)n >= sizeof name || stat(name, &st)) {
            rc = -1;
            continue;
        }
        if (S_ISREG(st.st_mode) && replay(name)) rc = -1;
    }
    closedir(d);
    return rc;
}

int main(int argc, char **argv)
{
    struct stat st;
    int rc = 0;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') continue; /* an option of libFuzzer */
        if (!stat(argv[i], &st) && S_ISDIR(st.st_mode)) rc |= replay_directory(argv[i]);
        else rc |= replay(argv[i]);
    }
    printf("%lu inputs replayed\n", replayed);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
