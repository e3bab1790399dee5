/* USB cameras without hardware: an LD_PRELOAD library that stands where libc's system calls do.
 *
 * V4L2_FAKE_DEV names a folder that is /dev to whoever is started with it, as far as /dev/video*, /dev/v4l and a
 * listing of /dev go. A file there with the sticky bit is a camera; its lines say what it can do (see
 * tests/support/v4l2_device.py). Removing the file unplugs the camera. What a process does to it is told, a line
 * each, in FOLDER/.state/NAME.log; the values of its controls are 32-bit numbers in FOLDER/.state/NAME.controls.
 *
 * Behaves as uvcvideo and videobuf2 do: sizes and rates snap to what there is, one open file streams at a time
 * (EBUSY), a frame that finds no queued buffer is lost, and everything fails with ENODEV once it is unplugged.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 1024
#define MAX_FORMATS 8
#define MAX_SIZES 16
#define MAX_RATES 8
#define MAX_CONTROLS 32
#define MAX_MENU 64
#define MAX_BUFFERS 64
#define NS 1000000000LL
#define CELL 16 /* the frame number's squares, as livecam_nvr/media/sources.py draws them */
#define BITS 24

typedef struct {
    unsigned type; /* V4L2_FRMSIZE_TYPE_* */
    unsigned min_w, max_w, step_w, min_h, max_h, step_h;
    int rates; /* 0: the driver does not tell */
    struct v4l2_fract period[MAX_RATES];
} size_desc;

typedef struct {
    unsigned fourcc, flags;
    char frames[512]; /* where a compressed format's frames come from */
    int sizes;
    size_desc size[MAX_SIZES];
} format_desc;

typedef struct {
    struct v4l2_query_ext_ctrl query;
} control_desc;

typedef struct {
    unsigned id, value;
    char name[32];
} menu_desc;

typedef struct {
    int fd, flags;
    char log[600], values[600];
    char card[32], driver[16], bus[32];
    unsigned caps;
    int formats, controls, menus, fails;
    format_desc format[MAX_FORMATS];
    control_desc control[MAX_CONTROLS];
    menu_desc menu[MAX_MENU];
    struct {
        char what[16];
        int error;
    } fail[4];

    pthread_mutex_t lock;
    int chosen;
    struct v4l2_pix_format pix;
    struct v4l2_fract period;
    struct v4l2_fract really; /* the pace that it keeps, whatever it promised: cameras slow down in the dark */

    int buffers, streaming;
    void *memory[MAX_BUFFERS];
    int queued[MAX_BUFFERS], queued_n; /* oldest first */
    struct {
        int index;
        int64_t number, at_ns;
    } done[MAX_BUFFERS];
    int done_n;
    int64_t began_ns, next, lost;

    const unsigned char *file; /* length (32 bits), bytes, length, bytes, ... */
    size_t file_size;
    int file_frames;
    size_t *file_at;
} camera;

static camera *cameras[MAX_FD];
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name)                                   \
    static __typeof__(&name) real;                   \
    if (!real)                                       \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static const char *folder(void)
{
    static const char *found;
    if (!found)
        found = getenv("V4L2_FAKE_DEV");
    return found;
}

/* The path in the folder for a path of a camera below /dev; any other path as it is. */
static const char *placed(const char *path, char *room, size_t size)
{
    const char *dev = folder();
    if (!dev || !path || strncmp(path, "/dev/v", 6))
        return path;
    if (strncmp(path, "/dev/video", 10) && strcmp(path, "/dev/v4l") && strncmp(path, "/dev/v4l/", 9))
        return path;
    snprintf(room, size, "%s%s", dev, path + 4);
    return room;
}

static camera *of(int fd)
{
    return fd >= 0 && fd < MAX_FD ? cameras[fd] : NULL;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static int real_open(const char *path, int flags)
{
    REAL(open);
    return real(path, flags | O_CLOEXEC, 0600);
}

static int real_close(int fd)
{
    REAL(close);
    return real(fd);
}

static void tell(camera *c, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    int fd = real_open(c->log, O_WRONLY | O_APPEND | O_CREAT);
    if (fd >= 0) {
        if (write(fd, line, length) != length)
            abort();
        real_close(fd);
    }
}

static int unplugged(camera *c)
{
    struct stat s;
    REAL(fstat);
    return real(c->fd, &s) || s.st_nlink == 0;
}

/* ---- the description ---- */

static void read_rates(size_desc *size, char *text)
{
    while (*text && size->rates < MAX_RATES) {
        struct v4l2_fract *period = &size->period[size->rates];
        int used = 0;
        if (sscanf(text, " %u/%u%n", &period->numerator, &period->denominator, &used) != 2)
            break;
        size->rates++;
        text += used;
    }
}

static void read_size(camera *c, char *text, unsigned type)
{
    format_desc *format = &c->format[c->formats - 1];
    size_desc *size = &format->size[format->sizes++];
    int used = 0;
    size->type = type;
    if (type == V4L2_FRMSIZE_TYPE_DISCRETE) {
        sscanf(text, "%u %u%n", &size->min_w, &size->min_h, &used);
        size->max_w = size->min_w;
        size->max_h = size->min_h;
        size->step_w = size->step_h = 1;
    } else {
        sscanf(text, "%u %u %u %u %u %u%n", &size->min_w, &size->max_w, &size->step_w, &size->min_h,
               &size->max_h, &size->step_h, &used);
    }
    read_rates(size, text + used);
}

static void read_control(camera *c, char *text)
{
    struct v4l2_query_ext_ctrl *q = &c->control[c->controls++].query;
    unsigned id, type, flags;
    long long low, high, step, initial;
    int used = 0;
    sscanf(text, "%x %u %lld %lld %lld %lld %x %n", &id, &type, &low, &high, &step, &initial, &flags, &used);
    q->id = id;
    q->type = type;
    q->minimum = low;
    q->maximum = high;
    q->step = step;
    q->default_value = initial;
    q->flags = flags;
    q->elem_size = 4;
    q->elems = 1;
    snprintf(q->name, sizeof q->name, "%s", text + used);
}

static void read_line(camera *c, char *key, char *rest)
{
    if (!strcmp(key, "card"))
        snprintf(c->card, sizeof c->card, "%s", rest);
    else if (!strcmp(key, "driver"))
        snprintf(c->driver, sizeof c->driver, "%s", rest);
    else if (!strcmp(key, "bus"))
        snprintf(c->bus, sizeof c->bus, "%s", rest);
    else if (!strcmp(key, "caps"))
        c->caps = strtoul(rest, NULL, 16);
    else if (!strcmp(key, "format")) {
        format_desc *format = &c->format[c->formats++];
        char fourcc[5] = "";
        sscanf(rest, "%4c %x %511s", fourcc, &format->flags, format->frames);
        format->fourcc = v4l2_fourcc(fourcc[0], fourcc[1], fourcc[2], fourcc[3]);
    } else if (!strcmp(key, "really"))
        sscanf(rest, "%u/%u", &c->really.numerator, &c->really.denominator);
    else if (!strcmp(key, "size"))
        read_size(c, rest, V4L2_FRMSIZE_TYPE_DISCRETE);
    else if (!strcmp(key, "stepwise"))
        read_size(c, rest, V4L2_FRMSIZE_TYPE_STEPWISE);
    else if (!strcmp(key, "control"))
        read_control(c, rest);
    else if (!strcmp(key, "menu")) {
        menu_desc *menu = &c->menu[c->menus++];
        int used = 0;
        sscanf(rest, "%x %u %n", &menu->id, &menu->value, &used);
        snprintf(menu->name, sizeof menu->name, "%s", rest + used);
    } else if (!strcmp(key, "fail")) {
        sscanf(rest, "%15s %d", c->fail[c->fails].what, &c->fail[c->fails].error);
        c->fails++;
    } else
        abort();
}

static int read_description(camera *c)
{
    static char text[16384];
    ssize_t length = pread(c->fd, text, sizeof text - 1, 0);
    if (length < 0)
        return -1;
    text[length] = 0;
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *space = strchr(line, ' ');
        if (!space)
            abort();
        *space = 0;
        read_line(c, line, space + 1);
    }
    return 0;
}

static int must_fail(camera *c, const char *what)
{
    for (int i = 0; i < c->fails; i++)
        if (!strcmp(c->fail[i].what, what))
            return c->fail[i].error;
    return 0;
}

/* ---- open and close ---- */

static int is_camera(const char *path)
{
    struct stat s;
    REAL(stat);
    const char *dev = folder();
    if (!dev || !path || strncmp(path, dev, strlen(dev)))
        return 0;
    char *whole = realpath(path, NULL);
    int inside = whole && !strncmp(whole, dev, strlen(dev)) && !real(whole, &s) && S_ISREG(s.st_mode) &&
                 (s.st_mode & S_ISVTX);
    free(whole);
    return inside;
}

static void default_format(camera *c)
{
    if (!c->formats)
        return;
    size_desc *size = &c->format[0].size[0];
    c->pix.width = size->max_w;
    c->pix.height = size->max_h;
    c->pix.pixelformat = c->format[0].fourcc;
    c->pix.field = V4L2_FIELD_NONE;
    if (size->rates)
        c->period = size->period[0];
}

static int open_camera(const char *path, int flags)
{
    int mode = flags & O_ACCMODE;
    int fd = real_open(path, mode); /* read and write permission are the file's own */
    if (fd < 0)
        return -1;
    if (fd >= MAX_FD) {
        real_close(fd);
        return fail(EMFILE);
    }
    camera *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->flags = flags;
    pthread_mutex_init(&c->lock, NULL);
    char *whole = realpath(path, NULL);
    const char *name = strrchr(whole, '/') + 1;
    snprintf(c->log, sizeof c->log, "%s/.state/%s.log", folder(), name);
    snprintf(c->values, sizeof c->values, "%s/.state/%s.controls", folder(), name);
    free(whole);
    pthread_mutex_lock(&table_lock);
    int bad = read_description(c);
    cameras[fd] = bad ? NULL : c;
    pthread_mutex_unlock(&table_lock);
    default_format(c);
    int error = bad ? EIO : must_fail(c, "OPEN");
    if (error) {
        cameras[fd] = NULL;
        free(c);
        real_close(fd);
        return fail(error);
    }
    return fd;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    char room[600];
    REAL(open);
    path = placed(path, room, sizeof room);
    return is_camera(path) ? open_camera(path, flags) : real(path, flags, mode);
}

#define OPEN(name)                                             \
    int name(const char *path, int flags, ...)                 \
    {                                                          \
        va_list arguments;                                     \
        va_start(arguments, flags);                            \
        mode_t mode = va_arg(arguments, mode_t);               \
        va_end(arguments);                                     \
        return open_any(path, flags, mode);                    \
    }
OPEN(open)
OPEN(open64)
int __open_2(const char *path, int flags) { return open_any(path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_any(path, flags, 0); }

static int openat_any(int at, const char *path, int flags, mode_t mode)
{
    REAL(openat);
    return path && path[0] == '/' ? open_any(path, flags, mode) : real(at, path, flags, mode);
}

#define OPENAT(name)                                           \
    int name(int at, const char *path, int flags, ...)         \
    {                                                          \
        va_list arguments;                                     \
        va_start(arguments, flags);                            \
        mode_t mode = va_arg(arguments, mode_t);               \
        va_end(arguments);                                     \
        return openat_any(at, path, flags, mode);              \
    }
OPENAT(openat)
OPENAT(openat64)

static void stop_stream(camera *c)
{
    if (c->streaming)
        tell(c, "STREAMOFF after %lld frames, %lld lost", (long long)c->next, (long long)c->lost);
    c->streaming = c->queued_n = c->done_n = 0;
}

int close(int fd)
{
    camera *c = of(fd);
    if (c) {
        cameras[fd] = NULL;
        stop_stream(c);
        if (c->file)
            munmap((void *)c->file, c->file_size);
        free(c->file_at);
        free(c);
    }
    return real_close(fd);
}

/* ---- looking at /dev ---- */

static void shown(struct stat *s)
{
    struct stat dev;
    REAL(stat);
    if (!folder() || !S_ISREG(s->st_mode) || !(s->st_mode & S_ISVTX) || real(folder(), &dev))
        return;
    if (dev.st_dev != s->st_dev)
        return;
    s->st_mode = S_IFCHR | (s->st_mode & 0777);
    s->st_rdev = makedev(81, s->st_ino);
}

#define STAT(name, type)                                            \
    int name(const char *path, struct type *s)                      \
    {                                                               \
        char room[600];                                             \
        REAL(name);                                                 \
        int result = real(placed(path, room, sizeof room), s);      \
        if (!result)                                                \
            shown((struct stat *)s);                                \
        return result;                                              \
    }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

#define FSTATAT(name, type)                                              \
    int name(int at, const char *path, struct type *s, int flags)        \
    {                                                                    \
        char room[600];                                                  \
        REAL(name);                                                      \
        int result = real(at, placed(path, room, sizeof room), s, flags); \
        if (!result)                                                     \
            shown((struct stat *)s);                                     \
        return result;                                                   \
    }
FSTATAT(fstatat, stat)
FSTATAT(fstatat64, stat64)

#define FSTAT(name, type)                 \
    int name(int fd, struct type *s)      \
    {                                     \
        REAL(name);                       \
        int result = real(fd, s);         \
        if (!result)                      \
            shown((struct stat *)s);      \
        return result;                    \
    }
FSTAT(fstat, stat)
FSTAT(fstat64, stat64)

int access(const char *path, int mode)
{
    char room[600];
    REAL(access);
    return real(placed(path, room, sizeof room), mode);
}

ssize_t readlink(const char *path, char *into, size_t size)
{
    char room[600];
    REAL(readlink);
    return real(placed(path, room, sizeof room), into, size);
}

DIR *opendir(const char *path)
{
    char room[600];
    REAL(opendir);
    if (folder() && (!strcmp(path, "/dev") || !strcmp(path, "/dev/")))
        path = folder();
    return real(placed(path, room, sizeof room));
}

/* ---- memory ---- */

static void *map_any(void *start, size_t length, int prot, int flags, int fd, off_t offset)
{
    REAL(mmap);
    camera *c = of(fd);
    if (!c)
        return real(start, length, prot, flags, fd, offset);
    size_t index = offset / c->pix.sizeimage;
    if (offset % c->pix.sizeimage || index >= (size_t)c->buffers) {
        errno = EINVAL;
        return MAP_FAILED;
    }
    void *memory = real(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    c->memory[index] = memory;
    return memory;
}

void *mmap(void *start, size_t length, int prot, int flags, int fd, off_t offset)
{
    return map_any(start, length, prot, flags, fd, offset);
}

void *mmap64(void *start, size_t length, int prot, int flags, int fd, off64_t offset)
{
    return map_any(start, length, prot, flags, fd, offset);
}

int munmap(void *start, size_t length)
{
    REAL(munmap);
    for (int fd = 0; fd < MAX_FD; fd++)
        for (int i = 0; cameras[fd] && i < cameras[fd]->buffers; i++)
            if (cameras[fd]->memory[i] == start)
                cameras[fd]->memory[i] = NULL;
    return real(start, length);
}

/* ---- pictures ---- */

static int load_frames(camera *c)
{
    struct stat s;
    int fd = real_open(c->format[c->chosen].frames, O_RDONLY);
    if (fd < 0 || fstat(fd, &s))
        abort();
    c->file = mmap(NULL, s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    c->file_size = s.st_size;
    real_close(fd);
    c->file_frames = 0;
    for (int round = 0; round < 2; round++) {
        int n = 0;
        for (size_t at = 0; at < c->file_size; n++) {
            uint32_t length;
            memcpy(&length, c->file + at, 4);
            if (c->file_at)
                c->file_at[n] = at;
            at += 4 + length;
        }
        c->file_frames = n;
        if (!c->file_at)
            c->file_at = calloc(n, sizeof *c->file_at);
    }
    return 0;
}

/* YUYV: a grey ramp that moves, and the frame's number at the bottom left, lowest bit first. */
static void draw(camera *c, unsigned char *to, int64_t number)
{
    unsigned stride = c->pix.width * 2;
    for (unsigned x = 0; x < stride; x += 2) {
        to[x] = 16 + (x / 2 + number * 4) % 200;
        to[x + 1] = 128;
    }
    for (unsigned y = 1; y < c->pix.height; y++)
        memcpy(to + y * stride, to, stride);
    unsigned cell = CELL * BITS > c->pix.width ? c->pix.width / BITS : CELL;
    for (unsigned y = c->pix.height - cell; y < c->pix.height; y++)
        for (int bit = 0; bit < BITS; bit++)
            for (unsigned x = bit * cell; x < (bit + 1) * cell; x++)
                to[y * stride + x * 2] = (number >> bit) & 1 ? 235 : 16;
}

static unsigned fill(camera *c, int index, int64_t number)
{
    unsigned char *to = c->memory[index];
    if (c->pix.pixelformat == V4L2_PIX_FMT_YUYV) {
        if (to)
            draw(c, to, number);
        return c->pix.width * c->pix.height * 2;
    }
    size_t at = c->file_at[number % c->file_frames];
    uint32_t length;
    memcpy(&length, c->file + at, 4);
    if (length > c->pix.sizeimage)
        abort();
    if (to)
        memcpy(to, c->file + at + 4, length);
    return length;
}

static int64_t due_ns(camera *c)
{
    struct v4l2_fract *pace = c->really.numerator ? &c->really : &c->period;
    return c->began_ns + (c->next + 1) * NS * pace->numerator / pace->denominator;
}

/* What the camera did until now: each frame went into the oldest queued buffer, or was lost. */
static void advance(camera *c)
{
    int64_t now = now_ns();
    for (; c->streaming && due_ns(c) <= now; c->next++) {
        if (!c->queued_n) {
            c->lost++;
            continue;
        }
        c->done[c->done_n].index = c->queued[0];
        c->done[c->done_n].number = c->next;
        c->done[c->done_n++].at_ns = due_ns(c);
        memmove(c->queued, c->queued + 1, --c->queued_n * sizeof c->queued[0]);
    }
}

static int dequeue(camera *c, struct v4l2_buffer *buffer)
{
    for (;;) {
        if (unplugged(c))
            return fail(ENODEV);
        pthread_mutex_lock(&c->lock);
        if (!c->streaming) {
            pthread_mutex_unlock(&c->lock);
            return fail(EINVAL);
        }
        advance(c);
        if (c->done_n) {
            int index = c->done[0].index;
            int64_t number = c->done[0].number, at = c->done[0].at_ns;
            memmove(c->done, c->done + 1, --c->done_n * sizeof c->done[0]);
            memset(buffer, 0, sizeof *buffer);
            buffer->index = index;
            buffer->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
            buffer->memory = V4L2_MEMORY_MMAP;
            buffer->bytesused = fill(c, index, number);
            buffer->length = c->pix.sizeimage;
            buffer->m.offset = index * c->pix.sizeimage;
            buffer->sequence = number;
            buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
            buffer->timestamp.tv_sec = at / NS;
            buffer->timestamp.tv_usec = at % NS / 1000;
            pthread_mutex_unlock(&c->lock);
            return 0;
        }
        int64_t wait = due_ns(c) - now_ns();
        pthread_mutex_unlock(&c->lock);
        if (c->flags & O_NONBLOCK)
            return fail(EAGAIN);
        if (wait > 10000000)
            wait = 10000000; /* to notice that it was unplugged */
        struct timespec t = {0, wait > 0 ? wait : 0};
        nanosleep(&t, NULL);
    }
}

/* ---- ioctls ---- */

static size_desc *nearest_size(format_desc *format, unsigned *width, unsigned *height)
{
    size_desc *best = NULL;
    long least = 0;
    for (int i = 0; i < format->sizes; i++) {
        size_desc *size = &format->size[i];
        unsigned w = *width < size->min_w ? size->min_w : *width > size->max_w ? size->max_w : *width;
        unsigned h = *height < size->min_h ? size->min_h : *height > size->max_h ? size->max_h : *height;
        long off = labs((long)w - *width) + labs((long)h - *height);
        if (!best || off < least) {
            best = size;
            least = off;
        }
    }
    unsigned w = *width < best->min_w ? best->min_w : *width > best->max_w ? best->max_w : *width;
    unsigned h = *height < best->min_h ? best->min_h : *height > best->max_h ? best->max_h : *height;
    *width = w - (w - best->min_w) % best->step_w;
    *height = h - (h - best->min_h) % best->step_h;
    return best;
}

static size_desc *size_now(camera *c)
{
    unsigned w = c->pix.width, h = c->pix.height;
    return nearest_size(&c->format[c->chosen], &w, &h);
}

/* Whether another open file streams: a lock of the open file says so, which ends with it, however it ends. */
static int others_stream(camera *c)
{
    if (c->buffers)
        return 0;
    if (flock(c->fd, LOCK_EX | LOCK_NB))
        return 1;
    flock(c->fd, LOCK_UN);
    return 0;
}

static int set_format(camera *c, struct v4l2_format *f, int try)
{
    if (f->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || !c->formats)
        return fail(EINVAL);
    if (!try && (c->buffers || others_stream(c)))
        return fail(EBUSY);
    int chosen = 0;
    for (int i = 0; i < c->formats; i++)
        if (c->format[i].fourcc == f->fmt.pix.pixelformat)
            chosen = i;
    unsigned width = f->fmt.pix.width, height = f->fmt.pix.height;
    size_desc *size = nearest_size(&c->format[chosen], &width, &height);
    memset(&f->fmt.pix, 0, sizeof f->fmt.pix);
    f->fmt.pix.width = width;
    f->fmt.pix.height = height;
    f->fmt.pix.pixelformat = c->format[chosen].fourcc;
    f->fmt.pix.field = V4L2_FIELD_NONE;
    f->fmt.pix.bytesperline = f->fmt.pix.pixelformat == V4L2_PIX_FMT_YUYV ? width * 2 : 0;
    f->fmt.pix.sizeimage = (width * height * 2 + 4095) / 4096 * 4096;
    f->fmt.pix.colorspace = V4L2_COLORSPACE_SRGB;
    if (!try) {
        c->chosen = chosen;
        c->pix = f->fmt.pix;
        if (size->rates)
            c->period = size->period[0];
        tell(c, "S_FMT %.4s %ux%u", (char *)&c->pix.pixelformat, width, height);
    }
    return 0;
}

static int parameters(camera *c, struct v4l2_streamparm *p, int set)
{
    if (p->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
        return fail(EINVAL);
    size_desc *size = size_now(c);
    struct v4l2_fract wanted = p->parm.capture.timeperframe;
    if (set) {
        if (others_stream(c) || c->streaming)
            return fail(EBUSY);
        double least = 1e9;
        for (int i = 0; wanted.numerator && i < size->rates; i++) {
            struct v4l2_fract *have = &size->period[i];
            double off = (double)have->numerator / have->denominator - (double)wanted.numerator / wanted.denominator;
            if (off < 0)
                off = -off;
            if (off < least) {
                least = off;
                c->period = *have;
            }
        }
        tell(c, "S_PARM %u/%u", c->period.numerator, c->period.denominator);
    }
    memset(&p->parm, 0, sizeof p->parm);
    p->parm.capture.capability = size->rates ? V4L2_CAP_TIMEPERFRAME : 0;
    p->parm.capture.timeperframe = c->period;
    return 0;
}

static int request(camera *c, struct v4l2_requestbuffers *r)
{
    if (r->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || r->memory != V4L2_MEMORY_MMAP)
        return fail(EINVAL);
    if (!r->count) {
        stop_stream(c);
        c->buffers = 0;
        flock(c->fd, LOCK_UN);
        return 0;
    }
    if (flock(c->fd, LOCK_EX | LOCK_NB))
        return fail(EBUSY);
    if (!c->pix.sizeimage) {
        struct v4l2_format f = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .fmt.pix = c->pix};
        set_format(c, &f, 0);
    }
    if (r->count > MAX_BUFFERS)
        r->count = MAX_BUFFERS;
    c->buffers = r->count;
    return 0;
}

static int query_buffer(camera *c, struct v4l2_buffer *b)
{
    if (b->index >= (unsigned)c->buffers)
        return fail(EINVAL);
    b->length = c->pix.sizeimage;
    b->m.offset = b->index * c->pix.sizeimage;
    b->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    return 0;
}

static int queue(camera *c, struct v4l2_buffer *b)
{
    if (b->index >= (unsigned)c->buffers)
        return fail(EINVAL);
    pthread_mutex_lock(&c->lock);
    advance(c);
    c->queued[c->queued_n++] = b->index;
    pthread_mutex_unlock(&c->lock);
    return 0;
}

static int stream_on(camera *c)
{
    if (!c->buffers)
        return fail(EINVAL);
    if (!c->file && c->format[c->chosen].frames[0] == '/')
        load_frames(c);
    c->next = c->lost = 0;
    c->began_ns = now_ns();
    c->streaming = 1;
    tell(c, "STREAMON %.4s %ux%u at %u/%u", (char *)&c->pix.pixelformat, c->pix.width, c->pix.height,
         c->period.numerator, c->period.denominator);
    return 0;
}

static int enumerate_rates(camera *c, struct v4l2_frmivalenum *e)
{
    for (int f = 0; f < c->formats; f++) {
        if (c->format[f].fourcc != e->pixel_format)
            continue;
        for (int i = 0; i < c->format[f].sizes; i++) {
            size_desc *s = &c->format[f].size[i];
            if (e->width < s->min_w || e->width > s->max_w || e->height < s->min_h || e->height > s->max_h)
                continue;
            if (!s->rates)
                return fail(ENOTTY);
            if (s->type == V4L2_FRMSIZE_TYPE_STEPWISE) { /* two rates: from one to the other */
                if (e->index)
                    return fail(EINVAL);
                e->type = V4L2_FRMIVAL_TYPE_CONTINUOUS;
                e->stepwise.min = s->period[0];
                e->stepwise.max = s->period[1];
                e->stepwise.step.numerator = e->stepwise.step.denominator = 1;
                return 0;
            }
            if (e->index >= (unsigned)s->rates)
                return fail(EINVAL);
            e->type = V4L2_FRMIVAL_TYPE_DISCRETE;
            e->discrete = s->period[e->index];
            return 0;
        }
    }
    return fail(EINVAL);
}

static int enumerate_sizes(camera *c, struct v4l2_frmsizeenum *e)
{
    for (int f = 0; f < c->formats; f++) {
        if (c->format[f].fourcc != e->pixel_format || e->index >= (unsigned)c->format[f].sizes)
            continue;
        size_desc *s = &c->format[f].size[e->index];
        e->type = s->type;
        if (s->type == V4L2_FRMSIZE_TYPE_DISCRETE) {
            e->discrete.width = s->min_w;
            e->discrete.height = s->min_h;
        } else {
            struct v4l2_frmsize_stepwise range = {s->min_w, s->max_w, s->step_w, s->min_h, s->max_h, s->step_h};
            e->stepwise = range;
        }
        return 0;
    }
    return fail(EINVAL);
}

static int enumerate_formats(camera *c, struct v4l2_fmtdesc *d)
{
    if (d->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || d->index >= (unsigned)c->formats)
        return fail(EINVAL);
    d->flags = c->format[d->index].flags;
    d->pixelformat = c->format[d->index].fourcc;
    snprintf((char *)d->description, sizeof d->description, "%.4s", (char *)&d->pixelformat);
    return 0;
}

static int find_control(camera *c, unsigned id)
{
    for (int i = 0; i < c->controls; i++)
        if (c->control[i].query.id == id)
            return i;
    return -1;
}

static int query_control(camera *c, struct v4l2_query_ext_ctrl *q)
{
    unsigned next = q->id & (V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CTRL_FLAG_NEXT_COMPOUND);
    unsigned id = q->id & ~next;
    int found = next ? -1 : find_control(c, id);
    for (int i = 0; next && i < c->controls; i++)
        if (c->control[i].query.id > id &&
            (found < 0 || c->control[i].query.id < c->control[found].query.id))
            found = i;
    if (found < 0)
        return fail(EINVAL);
    *q = c->control[found].query;
    return 0;
}

static int query_menu(camera *c, struct v4l2_querymenu *q)
{
    for (int i = 0; i < c->menus; i++)
        if (c->menu[i].id == q->id && c->menu[i].value == q->index) {
            snprintf((char *)q->name, sizeof q->name, "%s", c->menu[i].name);
            return 0;
        }
    return fail(EINVAL);
}

static int control_value(camera *c, struct v4l2_control *v, int set)
{
    int i = find_control(c, v->id);
    if (i < 0)
        return fail(EINVAL);
    struct v4l2_query_ext_ctrl *q = &c->control[i].query;
    if (set && (q->flags & (V4L2_CTRL_FLAG_READ_ONLY | V4L2_CTRL_FLAG_INACTIVE)))
        return fail(EACCES);
    if (!set && (q->flags & V4L2_CTRL_FLAG_WRITE_ONLY))
        return fail(EACCES);
    int fd = real_open(c->values, O_RDWR | O_CREAT);
    if (set) {
        if (v->value < q->minimum)
            v->value = q->minimum;
        if (v->value > q->maximum)
            v->value = q->maximum;
        int32_t stored[2] = {1, v->value};
        if (pwrite(fd, stored, sizeof stored, i * sizeof stored) < 0)
            abort();
        tell(c, "S_CTRL %s = %d", q->name, v->value);
    } else {
        int32_t stored[2] = {0, 0};
        if (pread(fd, stored, sizeof stored, i * sizeof stored) < 0)
            abort();
        v->value = stored[0] ? stored[1] : q->default_value;
    }
    real_close(fd);
    return 0;
}

static int camera_ioctl(camera *c, unsigned request_code, void *p)
{
    static const struct {
        unsigned code;
        const char *name;
    } names[] = {{VIDIOC_QUERYCAP, "QUERYCAP"}, {VIDIOC_S_FMT, "S_FMT"},       {VIDIOC_S_PARM, "S_PARM"},
                 {VIDIOC_REQBUFS, "REQBUFS"},   {VIDIOC_STREAMON, "STREAMON"}, {VIDIOC_S_CTRL, "S_CTRL"},
                 {VIDIOC_ENUM_FMT, "ENUM_FMT"}};
    if (unplugged(c))
        return fail(ENODEV);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == request_code && must_fail(c, names[i].name))
            return fail(must_fail(c, names[i].name));
    switch (request_code) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *cap = p;
        memset(cap, 0, sizeof *cap);
        memcpy(cap->driver, c->driver, sizeof c->driver);
        memcpy(cap->card, c->card, sizeof c->card);
        memcpy(cap->bus_info, c->bus, sizeof c->bus);
        cap->device_caps = c->caps;
        /* Of the whole camera, of which this node is a part. */
        cap->capabilities = c->caps | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_META_CAPTURE | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    case VIDIOC_G_INPUT:
        *(int *)p = 0;
        return 0;
    case VIDIOC_S_INPUT:
        return *(int *)p ? fail(EINVAL) : 0;
    case VIDIOC_ENUMINPUT: {
        struct v4l2_input *input = p;
        if (input->index)
            return fail(EINVAL);
        snprintf((char *)input->name, sizeof input->name, "Camera 1");
        input->type = V4L2_INPUT_TYPE_CAMERA;
        return 0;
    }
    case VIDIOC_ENUM_FMT:
        return enumerate_formats(c, p);
    case VIDIOC_ENUM_FRAMESIZES:
        return enumerate_sizes(c, p);
    case VIDIOC_ENUM_FRAMEINTERVALS:
        return enumerate_rates(c, p);
    case VIDIOC_G_FMT:
        if (((struct v4l2_format *)p)->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || !c->formats)
            return fail(EINVAL);
        ((struct v4l2_format *)p)->fmt.pix = c->pix;
        return 0;
    case VIDIOC_TRY_FMT:
        return set_format(c, p, 1);
    case VIDIOC_S_FMT:
        return set_format(c, p, 0);
    case VIDIOC_G_PARM:
        return parameters(c, p, 0);
    case VIDIOC_S_PARM:
        return parameters(c, p, 1);
    case VIDIOC_REQBUFS:
        return request(c, p);
    case VIDIOC_QUERYBUF:
        return query_buffer(c, p);
    case VIDIOC_QBUF:
        return queue(c, p);
    case VIDIOC_DQBUF:
        return dequeue(c, p);
    case VIDIOC_STREAMON:
        return stream_on(c);
    case VIDIOC_STREAMOFF:
        pthread_mutex_lock(&c->lock);
        stop_stream(c);
        pthread_mutex_unlock(&c->lock);
        return 0;
    case VIDIOC_QUERY_EXT_CTRL:
        return query_control(c, p);
    case VIDIOC_QUERYMENU:
        return query_menu(c, p);
    case VIDIOC_G_CTRL:
        return control_value(c, p, 0);
    case VIDIOC_S_CTRL:
        return control_value(c, p, 1);
    default:
        return fail(ENOTTY);
    }
}

int ioctl(int fd, unsigned long request_code, ...)
{
    REAL(ioctl);
    va_list arguments;
    va_start(arguments, request_code);
    void *p = va_arg(arguments, void *);
    va_end(arguments);
    camera *c = of(fd);
    return c ? camera_ioctl(c, (unsigned)request_code, p) : real(fd, request_code, p);
}
