// Counts what the calling thread allocates, by standing in front of the C library's allocator.
#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H
#include <stdint.h>

// Starts counting on this thread, from 0.
void allocations_start(void);
// Stops counting; how many allocations there were.
uint64_t allocations_stop(void);
#endif
