#define _GNU_SOURCE
#include "linux_users.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/xattr.h>
#include <unistd.h>

int clinux_peer(int fd, uid_t *user, pid_t *process) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
    *user = peer.uid;
    *process = peer.pid;
    return 0;
}

int clinux_become(uid_t user, gid_t group) {
    // Kept through setresuid, to be cut down to one afterwards.
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return -errno;
    if (setgroups(1, &group) < 0 || setresgid(group, group, group) < 0 || setresuid(user, user, user) < 0) return -errno;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    data[0].permitted = data[0].effective = 1u << CAP_NET_BIND_SERVICE;
    // A container may not have that one to give.
    if (syscall(SYS_capset, &header, data) < 0) {
        data[0].permitted = data[0].effective = 0;
        if (syscall(SYS_capset, &header, data) < 0) return -errno;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    return 0;
}

// The *xattr functions take no O_PATH descriptor; their path forms follow the link in /proc to the very file.
ssize_t clinux_get_attribute(int fd, const char *name, void *value, size_t size) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t count = getxattr(path, name, value, size);
    return count >= 0 ? count : -errno;
}

int clinux_set_attribute(int fd, const char *name, const void *value, size_t size) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return setxattr(path, name, value, size, 0) < 0 ? -errno : 0;
}
