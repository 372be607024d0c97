#include "CToml.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tomlplusplus.h"

struct ctoml_document {
    toml::table root;  // owns every key and string that the values point to
    std::vector<ctoml_value> values;
    std::string error;
    uint32_t line = 0, column = 0;
    bool failed = false;

    void add(const toml::node &node, const toml::key *key, int64_t parent) {
        ctoml_value value{};
        value.parent = parent;
        value.line = node.source().begin.line;
        if (key) {
            value.key = key->str().data();
            value.key_length = key->str().size();
            if (value.line == 0) value.line = key->source().begin.line;
        }
        switch (node.type()) {
        case toml::node_type::table: value.kind = CTOML_TABLE; break;
        case toml::node_type::array: value.kind = CTOML_ARRAY; break;
        case toml::node_type::string: {
            const std::string &text = node.as_string()->get();
            value.kind = CTOML_STRING;
            value.string = text.data();
            value.string_length = text.size();
            break;
        }
        case toml::node_type::integer:
            value.kind = CTOML_INTEGER;
            value.integer = node.as_integer()->get();
            break;
        case toml::node_type::boolean:
            value.kind = CTOML_BOOLEAN;
            value.integer = node.as_boolean()->get();
            break;
        case toml::node_type::floating_point:
            value.kind = CTOML_FLOAT;
            value.floating = node.as_floating_point()->get();
            break;
        default: value.kind = CTOML_DATE; break;
        }
        const int64_t index = static_cast<int64_t>(values.size());
        values.push_back(value);
        if (const toml::table *table = node.as_table()) addTable(*table, index);
        if (const toml::array *array = node.as_array()) {
            for (const toml::node &item : *array) add(item, nullptr, index);
        }
    }

    // toml++ keeps tables sorted by key; errors should name the first line that has one.
    void addTable(const toml::table &table, int64_t parent) {
        std::vector<std::pair<const toml::key *, const toml::node *>> items;
        for (auto it = table.cbegin(); it != table.cend(); ++it) items.emplace_back(&it->first, &it->second);
        std::sort(items.begin(), items.end(), [](const auto &a, const auto &b) {
            return a.first->source().begin < b.first->source().begin;
        });
        for (const auto &item : items) add(*item.second, item.first, parent);
    }
};

namespace {

bool stumbles(std::string_view text) {
    try {
        (void)toml::parse(text);
    } catch (const toml::parse_error &) {
    } catch (const Misstep &) {
        return true;
    }
    return false;
}

// A misstep has no position: it is in the last line of the shortest beginning that has it.
uint32_t lineOfMisstep(std::string_view text) {
    std::vector<size_t> ends;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\n') ends.push_back(i + 1);
    }
    const auto first = std::partition_point(
        ends.begin(), ends.end(), [&](size_t end) { return !stumbles(text.substr(0, end)); });
    return static_cast<uint32_t>(first - ends.begin()) + 1;
}

void parse(std::string_view text, ctoml_document &document) {
    try {
        document.root = toml::parse(text);
        document.addTable(document.root, -1);
    } catch (const toml::parse_error &error) {
        document.failed = true;
        document.error = std::string(error.description());
        document.line = error.source().begin.line;
        document.column = error.source().begin.column;
    } catch (const Misstep &) {
        document.failed = true;
        document.error = "a key or the name of a table is expected";
        document.line = lineOfMisstep(text);
        document.column = 1;
    }
}

}  // namespace

extern "C" struct ctoml_document *ctoml_parse(const char *text, size_t length) {
    ctoml_document *document = nullptr;
    try {
        document = new ctoml_document;
        parse(std::string_view(text, length), *document);
        return document;
    } catch (...) {
        delete document;
        return nullptr;
    }
}

extern "C" void ctoml_free(struct ctoml_document *document) { delete document; }

extern "C" const char *ctoml_error(const struct ctoml_document *document, uint32_t *line, uint32_t *column) {
    if (!document->failed) return nullptr;
    *line = document->line;
    *column = document->column;
    return document->error.c_str();
}

extern "C" size_t ctoml_count(const struct ctoml_document *document) { return document->values.size(); }

extern "C" struct ctoml_value ctoml_value_at(const struct ctoml_document *document, size_t index) {
    return document->values[index];
}
