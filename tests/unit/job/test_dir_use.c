/* What this is: tests of who is found to work in a directory.
 * Rests on: respite/sys/live.h, libcheck.
 * Does not: start servers: processes that look like them will do.
 * LDFLAGS: -Wl,--wrap=fstatat */
#include <check.h>
#undef fail
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <respite/sys/live.h>

static char dir[64], why[320];
static struct rsp_server_config c;
static pid_t child;
static int free_here; /* RSP_DIR_FREE; RSP_DIR_UNKNOWN where servers of other users run */
static int hidden;    /* the working directory of others cannot be seen */

int __real_fstatat(int fd, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags)
{
    if (hidden && !strcmp(path, "cwd")) {
        errno = EACCES;
        return -1;
    }
    return __real_fstatat(fd, path, st, flags);
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/respite-use-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    snprintf(c.dir, sizeof c.dir, "%s", dir);
    snprintf(c.appenddirname, sizeof c.appenddirname, "aof");
    snprintf(c.bind, sizeof c.bind, "127.0.0.1");
    child = 0;
    hidden = 0;
    free_here = rsp_dir_in_use(NULL, &c, NULL, 0);
    ck_assert(free_here == RSP_DIR_FREE || (free_here == RSP_DIR_UNKNOWN && geteuid()));
}

static void teardown(void)
{
    char command[128];
    if (child) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

static int use(void)
{
    snprintf(why, sizeof why, "stale");
    return rsp_dir_in_use(NULL, &c, why, sizeof why);
}

/* A process of that name, with that working directory, and with file open; it is there when this returns. */
static void process(const char *name, const char *cwd, const char *file)
{
    int ready[2];
    char b;
    ck_assert_int_eq(pipe(ready), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) {
        if (prctl(PR_SET_NAME, name) || chdir(cwd)) _exit(1);
        if (file && open(file, O_RDWR | O_CREAT, 0600) < 0) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    ck_assert_int_eq(read(ready[0], &b, 1), 1);
    close(ready[0]), close(ready[1]);
}

START_TEST(nobody)
{
    ck_assert_int_eq(use(), free_here);
    ck_assert_str_ne(why, "stale");
    snprintf(c.dir, sizeof c.dir, "%s/missing", dir);
    ck_assert_int_eq(use(), RSP_DIR_FREE);
}
END_TEST

START_TEST(by_working_directory)
{
    static const char *const names[] = {"redis-server", "valkey-server", "keydb-server", "redis-cli", "bash"};
    process(names[_i], dir, NULL);
    ck_assert_int_eq(use(), _i < 3 ? RSP_DIR_IN_USE : free_here);
    if (_i < 3) ck_assert_ptr_nonnull(strstr(why, names[_i]));
}
END_TEST

START_TEST(works_elsewhere)
{
    process("redis-server", "/tmp", NULL);
    ck_assert_int_eq(use(), free_here);
    snprintf(c.dir, sizeof c.dir, "/tmp/../tmp/.");
    ck_assert_int_eq(use(), RSP_DIR_IN_USE); /* however it is written */
}
END_TEST

START_TEST(by_open_files)
{
    static const char *const names[] = {"dump.rdb", "aof/a.aof", "other/file"};
    char path[128];
    snprintf(path, sizeof path, "%s/aof", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/other", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/%s", dir, names[_i]);
    process("anything", "/", path);
    ck_assert_int_eq(use(), _i < 2 ? RSP_DIR_IN_USE : free_here);
    if (_i < 2) ck_assert_ptr_nonnull(strstr(why, "anything"));
}
END_TEST

START_TEST(cannot_be_seen)
{
    process("redis-server", dir, NULL);
    hidden = 1;
    ck_assert_int_eq(use(), RSP_DIR_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(why, "redis-server"));
}
END_TEST

static int listener(uint32_t *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &n), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

START_TEST(by_port)
{
    uint32_t *port = _i ? &c.tls_port : &c.port;
    int fd = listener(port);
    if (_i) snprintf(c.bind, sizeof c.bind, "some.name");
    ck_assert_int_eq(use(), RSP_DIR_IN_USE);
    ck_assert_ptr_nonnull(strstr(why, "127.0.0.1"));
    close(fd);
    ck_assert_int_eq(use(), free_here);
}
END_TEST

START_TEST(by_socket)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(un.sun_path, sizeof un.sun_path, "%s/s.sock", dir);
    if (_i) snprintf(c.unixsocket, sizeof c.unixsocket, "s.sock"); /* counts from dir */
    else snprintf(c.unixsocket, sizeof c.unixsocket, "%s", un.sun_path);
    ck_assert_int_eq(use(), free_here);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(use(), RSP_DIR_IN_USE);
    close(fd);
    ck_assert_int_eq(use(), free_here); /* the name is there still, nobody behind it */
    memset(c.unixsocket, 'x', 200);
    ck_assert_int_eq(use(), free_here);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dir_use");
    TCase *t = tcase_create("dir_use");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nobody);
    tcase_add_loop_test(t, by_working_directory, 0, 5);
    tcase_add_test(t, works_elsewhere);
    tcase_add_loop_test(t, by_open_files, 0, 3);
    tcase_add_test(t, cannot_be_seen);
    tcase_add_loop_test(t, by_port, 0, 2);
    tcase_add_loop_test(t, by_socket, 0, 2);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
