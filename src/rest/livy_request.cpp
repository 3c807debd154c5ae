// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_request.hpp"

#include "rest/json_tree.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sparkhost::detail::rest {

namespace create_batch {

Error mismatch(const std::string& path, std::string_view expected, const JsonNode& found,
               std::string_view advice = {}) {
    std::string text = "Cannot read field \"" + path + "\": expected " + std::string(expected) +
                       ", found " + describe(found);
    text += advice.empty() ? "." : "; " + std::string(advice) + ".";
    return Error(Errc::invalid_argument, std::move(text), path);
}

Result<void> read(const JsonNode& node, const std::string& path, std::string& to) {
    if (!node.is_scalar() || node.kind == JsonNode::Kind::null) {
        return mismatch(path, "a string", node);
    }
    to = node.text;
    return ok();
}

Result<void> read(const JsonNode& node, const std::string& path, std::optional<int>& to) {
    int value = 0;
    const auto* end = node.text.data() + node.text.size();
    const auto [stop, failure] = std::from_chars(node.text.data(), end, value);
    const bool whole = failure == std::errc() && stop == end;
    if (node.kind == JsonNode::Kind::string) {
        return mismatch(path, "an integer", node, whole ? "write the number without quotes" : "");
    }
    if (node.kind != JsonNode::Kind::integer) {
        return mismatch(path, "an integer", node);
    }
    if (!whole) {
        return mismatch(path, "an integer of 32 bits", node);
    }
    to = value;
    return ok();
}

Result<void> read(const JsonNode& node, const std::string& path, std::vector<std::string>& to) {
    if (node.kind != JsonNode::Kind::array) {
        return mismatch(path, "an array of strings", node);
    }
    to.clear();
    to.reserve(node.children.size());
    for (const JsonNode& child : node.children) {
        const std::string place = path + "[" + std::to_string(to.size()) + "]";
        if (auto done = read(child, place, to.emplace_back()); !done) {
            return done;
        }
    }
    return ok();
}

Result<void> read(const JsonNode& node, const std::string& path,
                  std::map<std::string, std::string>& to) {
    if (node.kind != JsonNode::Kind::object) {
        return mismatch(path, "an object of strings", node);
    }
    to.clear();
    for (const JsonNode& child : node.children) {
        if (auto done = read(child, path + "." + child.key, to[child.key]); !done) {
            return done;
        }
    }
    return ok();
}

template <auto Member>
Result<void> read_member(const JsonNode& node, BatchSpec& spec) {
    return read(node, node.key, spec.*Member);
}

struct Field {
    std::string_view name;
    Result<void> (*read)(const JsonNode& node, BatchSpec& spec);
};

constexpr std::array fields{
    Field{"file", &read_member<&BatchSpec::file>},
    Field{"proxyUser", &read_member<&BatchSpec::proxy_user>},
    Field{"args", &read_member<&BatchSpec::args>},
    Field{"className", &read_member<&BatchSpec::class_name>},
    Field{"jars", &read_member<&BatchSpec::jars>},
    Field{"pyFiles", &read_member<&BatchSpec::py_files>},
    Field{"files", &read_member<&BatchSpec::files>},
    Field{"driverMemory", &read_member<&BatchSpec::driver_memory>},
    Field{"driverCores", &read_member<&BatchSpec::driver_cores>},
    Field{"executorMemory", &read_member<&BatchSpec::executor_memory>},
    Field{"executorCores", &read_member<&BatchSpec::executor_cores>},
    Field{"numExecutors", &read_member<&BatchSpec::num_executors>},
    Field{"archives", &read_member<&BatchSpec::archives>},
    Field{"queue", &read_member<&BatchSpec::queue>},
    Field{"name", &read_member<&BatchSpec::name>},
    Field{"conf", &read_member<&BatchSpec::conf>},
};

/// In Jackson's words: clients look for them.
Error unknown_field(const std::string& name) {
    constexpr std::string_view type = "org.apache.livy.server.batch.CreateBatchRequest";
    std::string text = "Unrecognized field \"" + name + "\" (class " + std::string(type) +
                       "), not marked as ignorable (" + std::to_string(fields.size()) +
                       " known properties: ";
    for (const Field& field : fields) {
        text += (&field == fields.data() ? "\"" : ", \"") + std::string(field.name) + "\"";
    }
    text += "]) (through reference chain: " + std::string(type) + "[\"" + name + "\"])";
    return Error(Errc::invalid_argument, std::move(text), name);
}

}  // namespace create_batch

Result<CreateBatch> read_create_batch(std::string_view body) {
    auto parsed = parse_json(body);
    if (!parsed) {
        return parsed.error();
    }
    if (parsed->kind != JsonNode::Kind::object) {
        return Error(Errc::invalid_argument,
                     "The request body must be a JSON object, found " + describe(*parsed) + ".");
    }
    CreateBatch create;
    for (const JsonNode& child : parsed->children) {
        const auto field =
            std::ranges::find(create_batch::fields, child.key, &create_batch::Field::name);
        if (field == create_batch::fields.end()) {
            return create_batch::unknown_field(child.key);
        }
        if (child.kind == JsonNode::Kind::null) {
            continue;
        }
        if (auto done = field->read(child, create.spec); !done) {
            return done.error();
        }
        if (child.key == "name") {
            create.has_empty_name = create.spec.name.empty();
        }
    }
    return create;
}

}  // namespace sparkhost::detail::rest
