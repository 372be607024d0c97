// The door to toml++: a text in, a flat list of its values out. No C++ type and no exception gets through it.
#ifndef CTOML_H
#define CTOML_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum ctoml_kind {
    CTOML_TABLE,
    CTOML_ARRAY,
    CTOML_STRING,
    CTOML_INTEGER,
    CTOML_BOOLEAN,
    CTOML_FLOAT,
    CTOML_DATE
};

// One value. Parents come before their children, children in the order of their lines.
struct ctoml_value {
    int64_t parent;       // the index of the table or array it is in; -1: the text's own table
    int32_t kind;         // enum ctoml_kind
    uint32_t line;        // where it begins, from 1
    const char *key;      // its name in a table, UTF-8, not zero-terminated; NULL in an array
    size_t key_length;
    const char *string;   // CTOML_STRING: UTF-8, not zero-terminated
    size_t string_length;
    int64_t integer;      // CTOML_INTEGER; CTOML_BOOLEAN: 0 or 1
    double floating;      // CTOML_FLOAT
};

struct ctoml_document;

// Parses UTF-8 text; NULL only when there is no memory. Give it back with ctoml_free.
struct ctoml_document *ctoml_parse(const char *text, size_t length);
void ctoml_free(struct ctoml_document *document);

// What is wrong with the text, zero-terminated, and where; NULL when nothing is.
const char *ctoml_error(const struct ctoml_document *document, uint32_t *line, uint32_t *column);
size_t ctoml_count(const struct ctoml_document *document);
struct ctoml_value ctoml_value_at(const struct ctoml_document *document, size_t index);

#ifdef __cplusplus
}
#endif
#endif
