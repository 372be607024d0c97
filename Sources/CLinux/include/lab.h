#ifndef CLINUX_LAB_H
#define CLINUX_LAB_H
// The system calls of the link emulator that Swift does not import (GNU extensions, variadic ioctls, vfork).
// Each returns what the call returns, or the negative errno.
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

// Moves the calling thread into a new network namespace.
int lab_unshare_network(void);
// Moves the calling thread into the network namespace behind `fd`.
int lab_enter_network(int fd);
// Opens a TAP device `name` in the calling thread's network namespace: non-blocking, frames without any header.
int lab_tap_open(const char *name);
// Gives a TAP device its carrier, or takes it away.
int lab_tap_carrier(int fd, int on);
// Sets the nice level of the calling thread.
int lab_thread_nice(int level);
// Has the calling thread run as soon as it wants to, before all usual threads (SCHED_FIFO). It must sleep often.
int lab_thread_realtime(void);
// Names the calling thread.
int lab_thread_name(const char *name);
// Stops one thread of another process, and has it go on (ptrace(2)), both from the same thread.
int lab_stop_thread(pid_t thread);
int lab_resume_thread(pid_t thread);
// Takes note of the end of a stopped thread, without which its process does not end: 1, or 0 while it is there.
int lab_reap_thread(pid_t thread);

// Starts `path` in the network namespace `network` (or in the caller's when negative) with these three descriptors as
// stdin, stdout and stderr, all others closed. It is killed when the calling THREAD ends: call from one that stays.
pid_t lab_spawn(int network, const char *path, char *const argv[], char *const envp[], int input, int output,
                int errors, int own_group);
// A descriptor that turns readable when `pid` ends.
int lab_pidfd_open(pid_t pid);
// An anonymous file in memory.
int lab_memfd(const char *name);
// epoll_pwait2: waits for at most `nanoseconds`; forever when negative.
int lab_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);
// A descriptor that turns readable, and stays so, when 8 bytes that are not zero are written to it.
int lab_eventfd(void);
// Blocks SIGINT and SIGTERM in the calling thread and those it starts, and returns a descriptor that reads them.
int lab_signal_open(void);
#endif
