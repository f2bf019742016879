/* What this is: a program that publishes a file in the right way, and in wrong ones, to prove the power-cut harness on.
 * Rests on: POSIX; power_mark of shim.so when it is there.
 * Does not: use the library.
 *
 * publish WAY ROOT: ROOT/folder/file with 5000 bytes 'x'; by a way that begins with "over-", in exchange for the one that
 * is there, which is kept in ROOT/folder/aside, and with mode 640, owned by nobody when root does it. Leaves the
 * word "published" when it has returned. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *way;

static int is(const char *word)
{
    return !strcmp(way, word);
}

static void need(int ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "publish: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void fill(int fd)
{
    static char block[1000];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 5; i++) need(write(fd, block, sizeof block) == (ssize_t)sizeof block, "write");
    if (!is("no-file-fsync")) need(fsync(fd) == 0, "fsync");
}

static void own(int fd)
{
    need(fchown(fd, geteuid() ? (uid_t)-1 : 65534, (gid_t)-1) == 0, "owner");
    need(fchmod(fd, 0640) == 0, "mode");
}

static void over(int dir)
{
    int fd, aside;
    need(mkdirat(dir, "aside", 0700) == 0, "mkdir");
    need(is("over-no-parent-fsync") || fsync(dir) == 0, "fsync of the folder");
    aside = openat(dir, "aside", O_RDONLY | O_DIRECTORY);
    need(aside >= 0, "aside");
    fd = openat(aside, "file", O_WRONLY | O_CREAT | O_EXCL, 0600);
    need(fd >= 0, "file");
    if (!is("over-late-owner")) own(fd);
    fill(fd);
    if (is("over-late-owner")) own(fd);
    need(fsync(aside) == 0, "fsync of aside");
    need(renameat2(aside, "file", dir, "file", RENAME_EXCHANGE) == 0, "exchange");
    if (is("over-new-first")) need(fsync(dir) == 0, "fsync of the folder");
    need(fsync(aside) == 0, "fsync of aside");
}

int main(int argc, char **argv)
{
    void (*mark)(const char *);
    char path[64];
    int root, dir, fd;
    if (argc != 3) return 2;
    way = argv[1];
    root = open(argv[2], O_RDONLY | O_DIRECTORY);
    need(root >= 0, argv[2]);
    need(mkdirat(root, "folder", 0700) == 0 || errno == EEXIST, "mkdir");
    if (!is("no-parent-fsync")) need(fsync(root) == 0, "fsync of the root");
    dir = openat(root, "folder", O_RDONLY | O_DIRECTORY);
    need(dir >= 0, "folder");
    if (!strncmp(way, "over-", 5)) {
        over(dir);
    } else if (is("in-place")) {
        fd = openat(dir, "file", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        need(fd >= 0, "file");
        fill(fd);
    } else if (is("unnamed")) {
        fd = openat(dir, ".", O_WRONLY | O_TMPFILE, 0600);
        need(fd >= 0, "file");
        fill(fd);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        need(linkat(AT_FDCWD, path, dir, "file", AT_SYMLINK_FOLLOW) == 0, "link");
    } else {
        fd = openat(dir, ".part", O_WRONLY | O_CREAT | O_EXCL, 0600);
        need(fd >= 0, "file");
        fill(fd);
        if (is("no-replace")) need(renameat2(dir, ".part", dir, "file", RENAME_NOREPLACE) == 0, "rename");
        else need(renameat(dir, ".part", dir, "file") == 0, "rename");
    }
    if (!is("no-folder-fsync") && !is("over-no-fsync")) need(fsync(dir) == 0, "fsync of the folder");
    *(void **)&mark = dlsym(RTLD_DEFAULT, "power_mark");
    if (mark) mark("published");
    return 0;
}
