/* A wall clock that a test controls: an LD_PRELOAD library over libc's clock calls.
 *
 * TIME_SHIM names a file of two 64-bit numbers, mapped by everybody who is started with it: nanoseconds that the
 * wall clock is ahead of the real one, and whether a time server has synchronised it (see tests/support/clock_shim.py).
 * Only the wall clock is bent; monotonic clocks and sleeping are the kernel's own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL

struct control {
    int64_t ahead_ns;
    int64_t synchronised;
};

static const volatile struct control *control(void)
{
    static const volatile struct control *mapped;
    static int tried;
    if (!tried) {
        const char *path = getenv("TIME_SHIM");
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0) {
            void *at = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, fd, 0);
            close(fd);
            if (at != MAP_FAILED)
                mapped = at;
        }
        tried = 1;
    }
    return mapped;
}

static int64_t wall_ns(void)
{
    struct timespec now;
    const volatile struct control *shim = control();
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return now.tv_sec * NS + now.tv_nsec + (shim ? shim->ahead_ns : 0);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) {
        static int (*real)(clockid_t, struct timespec *);
        if (!real)
            real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        return real(clock, now);
    }
    int64_t wall = wall_ns();
    now->tv_sec = wall / NS;
    now->tv_nsec = wall % NS;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    int64_t wall = wall_ns();
    now->tv_sec = wall / NS;
    now->tv_usec = wall % NS / 1000;
    return 0;
}

time_t time(time_t *now)
{
    time_t wall = wall_ns() / NS;
    if (now)
        *now = wall;
    return wall;
}

int adjtimex(struct timex *about)
{
    const volatile struct control *shim = control();
    int synchronised = shim ? shim->synchronised != 0 : 0;
    about->status = synchronised ? STA_PLL : STA_UNSYNC;
    return synchronised ? TIME_OK : TIME_ERROR;
}
