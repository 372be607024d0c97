// The door to c-ares: looking up names without waiting.
#include <ares.h>
