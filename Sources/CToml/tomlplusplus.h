// toml++ 3.3 (Debian 12) made fit for text that nobody checked: found by fuzzing, it leaves assertions to hold and
// code to be unreachable that malformed text reaches.
#ifndef CTOML_TOMLPLUSPLUS_H
#define CTOML_TOMLPLUSPLUS_H

// Where toml++ trips over its own assertion, such as on a table header that begins with '#'. Thrown in every build:
// without NDEBUG an assertion is a check, with it it would be undefined behaviour.
struct Misstep {};
inline void misstep() { throw Misstep{}; }
#undef NDEBUG
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : misstep())

#define TOML_EXCEPTIONS 1
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0

// The tests of a character's kind take those they have no case for to be impossible; they are of no kind.
#include <toml++/impl/forward_declarations.h>
#pragma push_macro("TOML_UNREACHABLE")
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#pragma pop_macro("TOML_UNREACHABLE")

#include <toml++/toml.h>
#endif
