#ifndef CLAB_H
#define CLAB_H
// The system calls of the lab that Swift does not import (GNU extensions, variadic ioctls, vfork).
// Each returns what the call returns, or the negative errno.
#include <stdint.h>
#include <sys/types.h>

// Opens a TAP device `name` in the calling thread's network namespace: non-blocking, frames without any header.
int lab_tap_open(const char *name);
// Gives a TAP device its carrier, or takes it away.
int lab_tap_carrier(int fd, int on);
// Sets the nice level of the calling thread.
int lab_thread_nice(int level);
// Runs the calling thread before all usual ones (SCHED_FIFO), so it must sleep often.
int lab_thread_realtime(void);
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
#endif
