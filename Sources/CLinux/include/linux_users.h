// Who a process is, and who is at the other end of a Unix socket. Every function returns a negative errno when it fails.
#ifndef CLINUX_USERS_H
#define CLINUX_USERS_H
#include <stddef.h>
#include <sys/types.h>

// The user and the process at the other end of a connected Unix socket (SO_PEERCRED): of a client as of its connect, of a
// server as of its listen.
int clinux_peer(int fd, uid_t *user, pid_t *process);

// Makes the calling process, which must have one thread, another user's for good: that user, that group and no other, no
// capability but CAP_NET_BIND_SERVICE, and no way to new privileges.
int clinux_become(uid_t user, gid_t group);

// An extended attribute (xattr(7)) of a file that is open, which may be an O_PATH descriptor: its length, or bytes of it.
ssize_t clinux_get_attribute(int fd, const char *name, void *value, size_t size);
int clinux_set_attribute(int fd, const char *name, const void *value, size_t size);
#endif
