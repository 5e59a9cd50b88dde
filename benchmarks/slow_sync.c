/* Makes each sync of a file take as long as on a memory card: TAPTILL_SYNC_MS milliseconds more.
   Preloaded by benchmarks/queues.py, so that every SQLite in the process meets the same disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_as_a_card(void) {
    const char *text = getenv("TAPTILL_SYNC_MS");
    long ms = text ? atol(text) : 0;
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_as_a_card();
    return real(file);
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_as_a_card();
    return real(file);
}
