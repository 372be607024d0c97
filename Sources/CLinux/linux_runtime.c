#define _GNU_SOURCE
#include "linux_runtime.h"

#include <errno.h>
#include <sys/prctl.h>

int clinux_thread_name(const char *name) { return prctl(PR_SET_NAME, name) < 0 ? -errno : 0; }

int clinux_join(pthread_t thread, int64_t milliseconds) {
    // Not pthread_clockjoin_np: the thread sanitizer does not know it, and would report a thread that nobody joined.
    const struct timespec pause = {0, 2000000};
    for (int64_t waited = 0;; waited += 2) {
        int code = pthread_tryjoin_np(thread, NULL);
        if (code != EBUSY) return -code;
        if (waited >= milliseconds) return -ETIMEDOUT;
        nanosleep(&pause, NULL);
    }
}

int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    struct timespec bound = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    int count = epoll_pwait2(epoll, events, capacity, nanoseconds < 0 ? NULL : &bound, NULL);
    return count < 0 ? -errno : count;
}
