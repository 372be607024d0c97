// The door to OpenSSL's libcrypto: AEAD ciphers with a key of 32 bytes, a nonce of 12 and a tag of 16, and no more of it.
#ifndef CCRYPTO_H
#define CCRYPTO_H
#include <stdint.h>

// A cipher as libcrypto implements it on this CPU, by OpenSSL's name for it; NULL where it has none. Looking it up takes
// locks and a search, so do it once a process; it is never freed.
struct evp_cipher_st *ccrypto_cipher(const char *name);

// A cipher with its key expanded. It remembers the packet under way: never for two threads at once. NULL without memory.
struct evp_cipher_ctx_st *ccrypto_context(struct evp_cipher_st *cipher, const uint8_t *key);

// Overwrites the expanded key.
void ccrypto_free(struct evp_cipher_ctx_st *context);

// Seals length bytes of in to out and writes the tag behind them. out is in, or does not overlap it. Returns 1, or 0 when
// libcrypto has failed, and then what is in out must not be sent.
int ccrypto_seal(
    struct evp_cipher_ctx_st *context, uint8_t *out, const uint8_t *in, int length, const uint8_t *additional,
    int additional_length, const uint8_t *nonce);

// Opens length bytes of in, behind which the tag lies, to out. out is in, or does not overlap it. Returns 1, or 0 when
// the tag is wrong, and then out has zeros.
int ccrypto_open(
    struct evp_cipher_ctx_st *context, uint8_t *out, const uint8_t *in, int length, const uint8_t *additional,
    int additional_length, const uint8_t *nonce);
#endif
