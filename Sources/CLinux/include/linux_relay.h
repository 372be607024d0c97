// Passing bytes from socket to socket without reading them. Every function returns a negative errno when it fails.
#ifndef CLINUX_RELAY_H
#define CLINUX_RELAY_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A pipe that does not block and is closed on exec: what is read from and what is written to.
int clinux_pipe(int ends[2]);
// Has a pipe hold up to `size` bytes; what it holds now.
int clinux_pipe_size(int fd, int size);
// Moves up to `count` bytes between a pipe and a socket, without waiting; 0 at the end.
ssize_t clinux_splice(int from, int to, size_t count);
// Looks at what a socket has received, without waiting and without taking it; 0 at the end.
ssize_t clinux_peek(int fd, void *bytes, size_t count);
// Takes what was peeked at, for nothing.
ssize_t clinux_discard(int fd, size_t count);
// Closes a TCP socket with a reset.
void clinux_reset(int fd);
// A TCP or UDP socket of family 4 or 6 that does not block and is closed on exec.
int clinux_socket(int family, int is_tcp);
// Sets an option that is an int.
int clinux_set_option(int fd, int level, int option, int value);
// The error that a socket has to report, as a negative errno, or 0.
int clinux_socket_error(int fd);
// Lets this process have as many descriptors as it may; how many that is.
int64_t clinux_raise_descriptors(void);
#endif
