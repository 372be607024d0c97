#define _GNU_SOURCE
#include "linux_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int clinux_pipe(int ends[2]) { return pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0 ? -errno : 0; }

int clinux_pipe_size(int fd, int size) {
    int held = fcntl(fd, F_SETPIPE_SZ, size);
    return held < 0 ? -errno : held;
}

ssize_t clinux_splice(int from, int to, size_t count) {
    ssize_t n;
    do {
        n = splice(from, NULL, to, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t clinux_peek(int fd, void *bytes, size_t count) {
    ssize_t n;
    do {
        n = recv(fd, bytes, count, MSG_PEEK | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t clinux_discard(int fd, size_t count) {
    ssize_t n;
    do {
        // tcp(7): with MSG_TRUNC the bytes are dropped.
        n = recv(fd, NULL, count, MSG_TRUNC | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

void clinux_reset(int fd) {
    struct linger abort = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    close(fd);
}

int clinux_socket(int family, int is_tcp) {
    int kind = (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(family == 4 ? AF_INET : AF_INET6, kind, 0);
    return fd < 0 ? -errno : fd;
}

int clinux_set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

int clinux_socket_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

int64_t clinux_raise_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    }
    return (int64_t)limit.rlim_cur;
}
