/* Stands between a process and libc: writes down, or breaks, what is done to files in one folder.
 *
 * Loaded with LD_PRELOAD. SHIM_ROOT names the folder (absolute, resolved). With SHIM_LOG set, every
 * change of a file or name below it is appended there, in the order in which the kernel had it; so
 * are marks, which a process makes with access("mark:TEXT"). With shim_arm(kind, nth, times) the
 * nth call of a kind, and the times - 1 calls after it, fail as a disk would let them.
 *
 * A record is: op (1 byte), length of path, length of second path (2 bytes each), offset (8 bytes),
 * length of data (4 bytes), all little-endian, then path, second path and data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 4096
enum { WRITE, SYNC, OPEN, TRUNCATE, KINDS };
enum { NO_SPACE, IO_ERROR, SHORT, INTERRUPTED };

static pthread_mutex_t guard = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char root[1024];
static size_t root_length;
static int log_fd = -1;
static char *names[FDS];
static long counts[KINDS];
static int armed_kind = -1, armed_how;
static long armed_nth, armed_times;


__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("SHIM_ROOT"), *log = getenv("SHIM_LOG");
    if (!folder) return;
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    if (log)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The path below the root, "." for the root itself, NULL for anything else. */
static const char *below(const char *path) {
    if (!root_length || !path || strncmp(path, root, root_length)) return NULL;
    if (path[root_length] == 0) return ".";
    return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static const char *name_of(int fd) { return fd >= 0 && fd < FDS ? names[fd] : NULL; }

static void put(char op, const char *path, const char *second, uint64_t offset, const void *data, uint32_t length) {
    if (log_fd < 0) return;
    uint16_t first_length = (uint16_t)strlen(path), second_length = (uint16_t)(second ? strlen(second) : 0);
    unsigned char head[17];
    head[0] = (unsigned char)op;
    memcpy(head + 1, &first_length, 2);
    memcpy(head + 3, &second_length, 2);
    memcpy(head + 5, &offset, 8);
    memcpy(head + 13, &length, 4);
    struct iovec parts[4] = {{head, 17}, {(void *)path, first_length}, {(void *)(second ? second : ""), second_length}, {(void *)data, length}};
    if (syscall(SYS_writev, log_fd, parts, 4) < 0) abort();
}

void shim_arm(int kind, int how, long nth, long times) {
    pthread_mutex_lock(&guard);
    armed_kind = kind, armed_how = how, armed_nth = nth, armed_times = times;
    memset(counts, 0, sizeof counts);
    pthread_mutex_unlock(&guard);
}

long shim_count(int kind) { return counts[kind]; }

/* Where the next folder is; files that are open already stay watched. */
void shim_root(const char *folder) {
    pthread_mutex_lock(&guard);
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    pthread_mutex_unlock(&guard);
}

/* Whether this call fails, with errno set; 2 for a write that is only short. */
static int fails(int kind) {
    long number = ++counts[kind];
    if (kind != armed_kind || number < armed_nth || number >= armed_nth + armed_times) return 0;
    if (armed_how == SHORT) return 2;
    errno = armed_how == NO_SPACE ? ENOSPC : armed_how == INTERRUPTED ? EINTR : EIO;
    return 1;
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&guard);
    const char *name = folder == AT_FDCWD || path[0] == '/' ? below(path) : NULL;
    int fd = -1, is_new = 0;
    if (name && (flags & (O_WRONLY | O_RDWR | O_CREAT)) && fails(OPEN)) goto done;
    is_new = name && (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= 0 && fd < FDS) {
        free(names[fd]);
        names[fd] = name ? strdup(name) : NULL;
        if (is_new) put('C', name, NULL, 0, NULL, 0);
        else if (name && (flags & O_TRUNC)) put('T', name, NULL, 0, NULL, 0);
    }
done:;
    int kept = errno;
    pthread_mutex_unlock(&guard);
    errno = kept;
    return fd;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = (mode_t)va_arg(rest, int); va_end(rest); }
int open(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return opened(folder, path, flags | O_LARGEFILE, mode); }

int close(int fd) {
    pthread_mutex_lock(&guard);
    if (fd >= 0 && fd < FDS && names[fd]) { free(names[fd]); names[fd] = NULL; }
    int result = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&guard);
    return result;
}

static ssize_t written(int fd, const void *data, size_t length, off64_t offset, int at_offset) {
    pthread_mutex_lock(&guard);
    const char *name = name_of(fd);
    ssize_t result = -1;
    int failing = name ? fails(WRITE) : 0;
    if (failing == 1) goto done;
    if (failing == 2) length = length > 1 ? length / 2 : length;
    if (!at_offset && name) {
        offset = (off64_t)syscall(SYS_lseek, fd, 0, (fcntl(fd, F_GETFL) & O_APPEND) ? SEEK_END : SEEK_CUR);
    }
    result = at_offset ? syscall(SYS_pwrite64, fd, data, length, offset) : syscall(SYS_write, fd, data, length);
    if (name && result > 0) put('W', name, NULL, (uint64_t)offset, data, (uint32_t)result);
done:;
    int kept = errno;
    pthread_mutex_unlock(&guard);
    errno = kept;
    return result;
}

ssize_t write(int fd, const void *data, size_t length) { return written(fd, data, length, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return written(fd, data, length, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { return written(fd, data, length, offset, 1); }

static int synced(int fd, long number) {
    pthread_mutex_lock(&guard);
    const char *name = name_of(fd);
    int result = -1;
    if (!(name && fails(SYNC))) {
        result = (int)syscall(number, fd);
        if (name && result == 0) put('S', name, NULL, 0, NULL, 0);
    }
    int kept = errno;
    pthread_mutex_unlock(&guard);
    errno = kept;
    return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int cut_short(int fd, off64_t length) {
    pthread_mutex_lock(&guard);
    const char *name = name_of(fd);
    int result = -1;
    if (!(name && fails(TRUNCATE))) {
        result = (int)syscall(SYS_ftruncate, fd, length);
        if (name && result == 0) put('T', name, NULL, (uint64_t)length, NULL, 0);
    }
    int kept = errno;
    pthread_mutex_unlock(&guard);
    errno = kept;
    return result;
}

int ftruncate(int fd, off_t length) { return cut_short(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut_short(fd, length); }

static int named(char op, int result, const char *first, const char *second) {
    const char *from = below(first), *to = second ? below(second) : NULL;
    if (result == 0 && from) put(op, from, to, 0, NULL, 0);
    return result;
}

int unlink(const char *path) {
    pthread_mutex_lock(&guard);
    int result = named('U', (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0), path, NULL);
    pthread_mutex_unlock(&guard);
    return result;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&guard);
    int result = named('R', (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), from, to);
    pthread_mutex_unlock(&guard);
    return result;
}

int link(const char *from, const char *to) {
    pthread_mutex_lock(&guard);
    int result = named('L', (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0), from, to);
    pthread_mutex_unlock(&guard);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    pthread_mutex_lock(&guard);
    int result = named('D', (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode), path, NULL);
    pthread_mutex_unlock(&guard);
    return result;
}

int access(const char *path, int mode) {
    if (!strncmp(path, "mark:", 5)) {
        pthread_mutex_lock(&guard);
        put('M', path + 5, NULL, 0, NULL, 0);
        pthread_mutex_unlock(&guard);
        errno = ENOENT;
        return -1;
    }
    return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}
