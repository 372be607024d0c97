#define _GNU_SOURCE
#include "CLab.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

int lab_tap_open(const char *name) {
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int lab_tap_carrier(int fd, int on) { return result(ioctl(fd, TUNSETCARRIER, &on)); }
int lab_thread_nice(int level) { return result(setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), level)); }
int lab_thread_realtime(void) {
    struct sched_param parameters = {.sched_priority = 1};
    return result(sched_setscheduler(0, SCHED_FIFO, &parameters));
}

pid_t lab_spawn(int network, const char *path, char *const argv[], char *const envp[], int input, int output,
                int errors, int own_group) {
    sigset_t all, before, none;
    sigfillset(&all);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    volatile int failure = 0; // vfork shares memory: the child leaves its errno here
    pid_t parent = getpid();
    pid_t pid = vfork();
    if (pid == 0) {
        if (own_group) setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        if ((network >= 0 && setns(network, CLONE_NEWNET) < 0) || dup2(input, 0) < 0 || dup2(output, 1) < 0 ||
            dup2(errors, 2) < 0) {
            failure = errno;
            _exit(127);
        }
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        signal(SIGPIPE, SIG_DFL); // an ignored signal would stay ignored in the child
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(path, argv, envp);
        failure = errno;
        _exit(127);
    }
    int error = pid < 0 ? errno : failure;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) return pid;
    if (pid > 0) waitpid(pid, NULL, 0);
    return -error;
}

int lab_pidfd_open(pid_t pid) { return result((int)syscall(SYS_pidfd_open, pid, 0)); }
int lab_memfd(const char *name) { return result(memfd_create(name, MFD_CLOEXEC)); }

int lab_stop_thread(pid_t thread) {
    int state;
    if (ptrace(PTRACE_SEIZE, thread, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, thread, 0, 0) < 0) return -errno;
    return waitpid(thread, &state, __WALL) == thread ? 0 : -errno;
}

int lab_resume_thread(pid_t thread) { return ptrace(PTRACE_DETACH, thread, 0, 0) < 0 ? -errno : 0; }

int lab_reap_thread(pid_t thread) {
    int state;
    pid_t reaped = waitpid(thread, &state, __WALL | WNOHANG);
    if (reaped < 0) return errno == ECHILD ? 1 : -errno;
    return reaped == thread && (WIFEXITED(state) || WIFSIGNALED(state));
}
