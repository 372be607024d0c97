// The door to libsodium.
#include <sodium.h>
