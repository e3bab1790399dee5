/* A disk that fails on command: preloaded into a process, for files below one folder.
 *
 * LIVECAM_FAULTS_FOLDER names the folder, LIVECAM_FAULTS_ORDER a file with one line: an error's name (EIO, ENOSPC,
 * EROFS) or STALL, then the groups of calls that it is for (write, sync, open, stat). An empty file means a good disk.
 * The order is read at each call, so it can be changed while the process runs; a call that stalls goes on when the
 * order no longer says so.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name, ...) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

static int is_below(const char *path) {
    const char *folder = getenv("LIVECAM_FAULTS_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    return length && !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static int order(const char *group) {
    char line[128] = "";
    const char *path = getenv("LIVECAM_FAULTS_ORDER");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t size = syscall(SYS_read, fd, line, sizeof line - 1);
    syscall(SYS_close, fd);
    if (size <= 0 || !strstr(line, group)) return 0;
    if (!strncmp(line, "STALL", 5)) return -1;
    if (!strncmp(line, "ENOSPC", 6)) return ENOSPC;
    if (!strncmp(line, "EROFS", 5)) return EROFS;
    return EIO;
}

/* 0 if the call may go on; else errno is set. */
static int fails(const char *group) {
    int found;
    while ((found = order(group)) < 0) {
        struct timespec pause = {0, 20000000};
        nanosleep(&pause, NULL);
    }
    if (found) errno = found;
    return found;
}

static int fd_fails(int fd, const char *group) {
    char link[64], path[PATH_MAX];
    if (fd <= 2) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return is_below(path) && fails(group);
}

ssize_t write(int fd, const void *data, size_t size) {
    return fd_fails(fd, "write") ? -1 : NEXT(write, fd, data, size);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    return fd_fails(fd, "write") ? -1 : NEXT(writev, fd, pieces, count);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return fd_fails(fd, "write") ? -1 : NEXT(pwrite, fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return fd_fails(fd, "write") ? -1 : NEXT(pwrite64, fd, data, size, at);
}

int ftruncate64(int fd, off64_t size) {
    return fd_fails(fd, "write") ? -1 : NEXT(ftruncate64, fd, size);
}

int fsync(int fd) {
    return fd_fails(fd, "sync") ? -1 : NEXT(fsync, fd);
}

int fdatasync(int fd) {
    return fd_fails(fd, "sync") ? -1 : NEXT(fdatasync, fd);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return (flags & O_CREAT) && is_below(path) && fails("open") ? -1 : NEXT(open64, path, flags, mode);
}

int statvfs64(const char *path, struct statvfs64 *found) {
    return is_below(path) && fails("stat") ? -1 : NEXT(statvfs64, path, found);
}
