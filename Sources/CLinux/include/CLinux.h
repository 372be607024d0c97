// The door to Linux: what Swift's Glibc module leaves out, and what only C can spell (variadic calls, cmsg macros).
#ifndef CLINUX_H
#define CLINUX_H
#include "linux_net.h"
#include "linux_runtime.h"
#include "linux_users.h"
#include "linux_relay.h"
#endif
