#include "CAllocations.h"

#include <stddef.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static __thread int counting;
static __thread uint64_t count;

void allocations_start(void) {
    count = 0;
    counting = 1;
}

uint64_t allocations_stop(void) {
    counting = 0;
    return count;
}

void *malloc(size_t size) {
    count += (uint64_t)counting;
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count += (uint64_t)counting;
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count += (uint64_t)counting;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count += (uint64_t)counting;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    count += (uint64_t)counting;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : 12;
}
