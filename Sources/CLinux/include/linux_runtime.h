// Threads, waiting and timers. Functions that can fail return a negative errno.
#ifndef CLINUX_RUNTIME_H
#define CLINUX_RUNTIME_H
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

// Names the calling thread; the kernel keeps 15 bytes.
int clinux_thread_name(const char *name);
// Waits for the end of a thread for at most that long: 0, or a negative errno (-ETIMEDOUT).
int clinux_join(pthread_t thread, int64_t milliseconds);
// epoll_pwait2: waits for at most `nanoseconds`, forever when negative; the number of events.
int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);

// Arms a timerfd for an instant in nanoseconds; UINT64_MAX disarms it.
static inline int clinux_timer_set(int fd, uint64_t at) {
    struct itimerspec when = {{0, 0}, {0, 0}};
    if (at != UINT64_MAX) {
        // All zero would disarm: an instant that is past fires at once all the same.
        when.it_value.tv_sec = (time_t)(at / 1000000000u);
        when.it_value.tv_nsec = at == 0 ? 1 : (long)(at % 1000000000u);
    }
    return timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL);
}
#endif
