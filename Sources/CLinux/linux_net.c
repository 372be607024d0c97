#define _GNU_SOURCE
#include "linux_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <malloc.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

_Static_assert(sizeof(struct clinux_message) == sizeof(struct mmsghdr), "clinux_message is not mmsghdr");
_Static_assert(offsetof(struct clinux_message, length) == offsetof(struct mmsghdr, msg_len), "length is elsewhere");
_Static_assert(
    CLINUX_CONTROL_SIZE >= CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo)) +
                               CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec)),
    "the control room is too small");

int clinux_receive(int fd, struct clinux_message *messages, unsigned int count) {
    int n;
    do {
        n = recvmmsg(fd, (struct mmsghdr *)messages, count, MSG_DONTWAIT, NULL);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) return n;
    return errno == EAGAIN ? 0 : -errno;
}

int clinux_send(int fd, struct clinux_message *messages, unsigned int count) {
    int n;
    do {
        n = sendmmsg(fd, (struct mmsghdr *)messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? n : -errno;
}

int clinux_local_address(const struct msghdr *message, uint8_t address[16]) {
    struct msghdr *m = (struct msghdr *)message;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(address, &info.ipi_spec_dst, 4);
            return 4;
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(address, &info.ipi6_addr, 16);
            return 16;
        }
    }
    return 0;
}

void clinux_set_source(struct msghdr *message, const uint8_t *address, int length, unsigned int scope) {
    message->msg_controllen = CLINUX_CONTROL_SIZE;
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    if (length == 4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, address, 4);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        message->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, address, 16);
        info.ipi6_ifindex = scope;
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        message->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

void clinux_set_segment_size(struct msghdr *message, uint16_t size) {
    struct cmsghdr *c = (struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(c), &size, sizeof size);
    message->msg_controllen += CMSG_SPACE(sizeof size);
}

void clinux_set_ecn(struct msghdr *message, uint8_t ecn, int family) {
    struct cmsghdr *c = (struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);
    int value = ecn;
    c->cmsg_level = family == 4 ? IPPROTO_IP : IPPROTO_IPV6;
    c->cmsg_type = family == 4 ? IP_TOS : IPV6_TCLASS;
    c->cmsg_len = CMSG_LEN(sizeof value);
    memcpy(CMSG_DATA(c), &value, sizeof value);
    message->msg_controllen += CMSG_SPACE(sizeof value);
}

int clinux_ecn(const struct msghdr *message) {
    struct msghdr *m = (struct msghdr *)message;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        // The one is a byte, the other an int.
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) return *CMSG_DATA(c) & 3;
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
            int value;
            memcpy(&value, CMSG_DATA(c), sizeof value);
            return value & 3;
        }
    }
    return 0;
}

int clinux_segment_size(const struct msghdr *message) {
    struct msghdr *m = (struct msghdr *)message;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof size);
            return size;
        }
    }
    return 0;
}

int clinux_stamp_on_receipt(int fd) {
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ? -errno : 0;
}

uint64_t clinux_receive_time(const struct msghdr *message) {
    struct msghdr *m = (struct msghdr *)message;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(c), sizeof time);
            return time.tv_sec < 0 ? 0 : (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
        }
    }
    return 0;
}

int clinux_segment_support(int fd) {
    int size;
    socklen_t length = sizeof size;
    return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &length) < 0 ? -errno : 0;
}

int clinux_join_on_receipt(int fd) {
    int on = 1;
    return setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) < 0 ? -errno : 0;
}

int clinux_share_port(int fd) {
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ? -errno : 0;
}

int clinux_steer(int fd, struct clinux_steering s) {
    // Offset 0 is the first byte behind the UDP header; a load beyond the end returns 0.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, s.kind_at),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, s.kind_mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, s.kinds[0], 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, s.kinds[1], 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, s.word_at),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, s.word_shift),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, s.word_mask),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) < 0 ? -errno : 0;
}

static int tun_open(const char *wanted, char name[16], int flags) {
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct ifreq request = {0};
    request.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | flags);
    strncpy(request.ifr_name, wanted, IFNAMSIZ - 1);
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    memcpy(name, request.ifr_name, IFNAMSIZ);
    return fd;
}

int clinux_tun_open(const char *wanted, char name[16], int headers, int queues) {
    // Exclusive: an interface of this name that somebody else keeps is an error, never taken over.
    int flags = IFF_TUN_EXCL | (headers ? IFF_VNET_HDR : 0) | (queues ? IFF_MULTI_QUEUE : 0);
    return tun_open(wanted, name, flags);
}

int clinux_tun_open_queue(const char *name, int headers) {
    char given[16];
    return tun_open(name, given, IFF_MULTI_QUEUE | (headers ? IFF_VNET_HDR : 0));
}

int clinux_tun_set_offload(int fd, unsigned int flags) { return ioctl(fd, TUNSETOFFLOAD, flags) < 0 ? -errno : 0; }

int clinux_tun_set_carrier(int fd, int carrier) { return ioctl(fd, TUNSETCARRIER, &carrier) < 0 ? -errno : 0; }

size_t clinux_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

#ifndef MADV_DONTNEED_LOCKED // Linux 5.18
#define MADV_DONTNEED_LOCKED 24
#endif

int clinux_give_back(void *pages, size_t size) {
    if (madvise(pages, size, MADV_DONTNEED) == 0 || madvise(pages, size, MADV_DONTNEED_LOCKED) == 0) return 0;
    return -errno;
}

// Whether all memory of the process is locked.
static atomic_bool memory_is_locked;

static int lock_memory(void) { return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0 ? -errno : 0; }

void clinux_trim_heap(void) {
    // The library gives pages back with MADV_DONTNEED, which the kernel refuses for locked ones.
    bool is_locked = atomic_load(&memory_is_locked);
    if (is_locked) munlockall();
    malloc_trim(0);
    if (is_locked) lock_memory();
}

// Whether the limit on locked memory (RLIMIT_MEMLOCK) is none, can be lifted, or does not bind (CAP_IPC_LOCK).
static bool may_lock_any_amount(void) {
    struct rlimit limit, any = {RLIM_INFINITY, RLIM_INFINITY};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0) return false;
    if (limit.rlim_cur == RLIM_INFINITY || setrlimit(RLIMIT_MEMLOCK, &any) == 0) return true;
    // More than the limit, of which no page is ever used.
    size_t size = (size_t)limit.rlim_cur + clinux_page_size();
    void *pages = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return false;
    bool may = mlock2(pages, size, MLOCK_ONFAULT) == 0;
    munmap(pages, size);
    return may;
}

int clinux_lock_memory(void) {
    // With a limit that memory still to come may reach, locking it would make allocations fail.
    int code = may_lock_any_amount() ? lock_memory() : -EPERM;
    atomic_store(&memory_is_locked, code == 0);
    return code;
}

int clinux_forbid_dumps(void) {
    // Redundant next to the flag below, but inherited by what the process starts.
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

int clinux_clock_is_synchronised(void) {
    struct timex state = {0};
    return adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

int clinux_accept(int fd) {
    int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return client >= 0 ? client : -errno;
}

int clinux_new_network_namespace(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

int clinux_enter_network_namespace(int fd) { return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0; }
