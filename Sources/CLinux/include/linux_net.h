// Event descriptors, the TUN device and batches of datagrams. Every function returns a negative errno when it fails.
#ifndef CLINUX_NET_H
#define CLINUX_NET_H
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

// Laid out as struct mmsghdr, which glibc only shows to GNU sources.
struct clinux_message {
    struct msghdr header;
    unsigned int length;
};

// Room for one message's control data: packet information of either family, a UDP segment size, a traffic class and a
// time stamp.
#define CLINUX_CONTROL_SIZE 192

// recvmmsg and sendmmsg without waiting; the number of messages, 0 when there is nothing to receive.
int clinux_receive(int fd, struct clinux_message *messages, unsigned int count);
int clinux_send(int fd, struct clinux_message *messages, unsigned int count);

// The local address that a received message was sent to, in network order; its length of 4 or 16, or 0 for none.
int clinux_local_address(const struct msghdr *message, uint8_t address[16]);
// Makes a message leave from an address of 4 or 16 bytes; scope is a link-local address's interface or 0.
void clinux_set_source(struct msghdr *message, const uint8_t *address, int length, unsigned int scope);

// Has a message cut into datagrams of `size` bytes (UDP_SEGMENT); appended to what clinux_set_source left.
void clinux_set_segment_size(struct msghdr *message, uint16_t size);
// Has a message leave with these ECN bits in its IP header of family 4 or 6, DSCP 0; appended to what is there.
void clinux_set_ecn(struct msghdr *message, uint8_t ecn, int family);
// The ECN bits of the IP header that a received message had.
int clinux_ecn(const struct msghdr *message);
// Lets the kernel stamp received datagrams with the time of their arrival (SO_TIMESTAMPNS).
int clinux_stamp_on_receipt(int fd);
// When a received message arrived, by CLOCK_REALTIME in nanoseconds, or 0 if the kernel did not stamp it.
uint64_t clinux_receive_time(const struct msghdr *message);
// Whether the kernel knows UDP_SEGMENT: 0, or a negative errno.
int clinux_segment_support(int fd);
// The size of the datagrams that the kernel joined into a received message (UDP_GRO), or 0 for a single one.
int clinux_segment_size(const struct msghdr *message);
// Lets the kernel join datagrams of one sender on receipt.
int clinux_join_on_receipt(int fd);

// Lets several sockets bind one address (SO_REUSEPORT). The kernel gives a datagram to one of them, which is their
// `clinux_steer`'s choice.
int clinux_share_port(int fd);
// Has the kernel choose among the sockets that share the bound socket's address, numbered in the order in which they were
// bound: a byte of the datagram, masked, that is one of two kinds sends it to the socket whose number lies in a
// big-endian word of it; all others go to the first.
struct clinux_steering {
    unsigned int kind_at, kind_mask, kinds[2], word_at, word_shift, word_mask;
};
int clinux_steer(int fd, struct clinux_steering steering);

// Opens /dev/net/tun (not blocking, closed on exec) and attaches it to a new interface; name is what it got.
// With `headers`, each packet has a virtio network header of 10 bytes in front; with `queues` the interface may have
// more than one.
int clinux_tun_open(const char *wanted, char name[16], int headers, int queues);
// Opens another queue of such an interface.
int clinux_tun_open_queue(const char *name, int headers);
// Sets a TUN device's offloads (TUN_F_...) or its carrier.
int clinux_tun_set_offload(int fd, unsigned int flags);
int clinux_tun_set_carrier(int fd, int carrier);

// Bytes of a page of memory.
size_t clinux_page_size(void);
// Gives whole pages back to the kernel, which hands out zeroed ones when they are next touched.
int clinux_give_back(void *pages, size_t size);
// Gives the kernel back the free pages of the heap. Locked memory is unlocked for the moment that takes.
void clinux_trim_heap(void);
// Keeps all of the process's memory out of swap, page by page as it is first used: 0, or a negative errno. -EPERM where the
// limit on locked memory (RLIMIT_MEMLOCK) binds and can't be lifted.
int clinux_lock_memory(void);
// Keeps the process's memory out of core dumps and from other processes of its user, which may not trace it either.
int clinux_forbid_dumps(void);

// Whether something keeps the system's clock in step with the world's (adjtimex(2)).
int clinux_clock_is_synchronised(void);

// accept4 of a descriptor that does not block and is closed on exec.
int clinux_accept(int fd);
// Moves the calling thread into a network namespace of its own, with nothing but an lo that is down.
int clinux_new_network_namespace(void);
// Moves the calling thread into the network namespace that fd, of a /proc/.../ns/net, is open on.
int clinux_enter_network_namespace(int fd);

#endif
