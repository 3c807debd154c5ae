// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/yaml_json.hpp"

#include "backends/common/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::size_t max_yaml_text = 4u << 20;
constexpr std::size_t max_yaml_nodes = 200'000;
constexpr int max_yaml_depth = 64;

struct YamlTooLarge {
    const char* what;
};

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
    Number value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = code == std::errc{} && end == text.data() + text.size();
    return whole ? std::optional<Number>(value) : std::nullopt;
}

/// The core schema's plain scalars. YAML 1.1's yes, no, on and off stay words, as Kubernetes' own
/// tools would have people quote them in any case.
boost::json::value plain_scalar(const std::string& text) {
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
        return nullptr;
    }
    if (text == "true" || text == "True" || text == "TRUE") {
        return true;
    }
    if (text == "false" || text == "False" || text == "FALSE") {
        return false;
    }
    const std::string_view digits =
        text.front() == '+' ? std::string_view(text).substr(1) : std::string_view(text);
    if (auto number = whole_number<std::int64_t>(digits)) {
        return *number;
    }
    const bool may_be_decimal = digits.find_first_not_of("0123456789.eE+-") == std::string::npos &&
                                digits.find_first_of("0123456789") != std::string::npos;
    if (may_be_decimal) {
        if (auto number = whole_number<double>(digits); number && std::isfinite(*number)) {
            return *number;
        }
    }
    return boost::json::string(valid_utf8(text));
}

class YamlReader {
public:
    boost::json::value read(const YAML::Node& node, int depth) {
        if (++nodes_ > max_yaml_nodes) {
            throw YamlTooLarge{"it has too many values (aliases count each time)"};
        }
        if (depth > max_yaml_depth) {
            throw YamlTooLarge{"it is nested too deeply"};
        }
        switch (node.Type()) {
            case YAML::NodeType::Scalar:
                return node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str"
                           ? boost::json::value(boost::json::string(valid_utf8(node.Scalar())))
                           : plain_scalar(node.Scalar());
            case YAML::NodeType::Sequence:
                return read_sequence(node, depth);
            case YAML::NodeType::Map:
                return read_map(node, depth);
            default:
                return nullptr;
        }
    }

private:
    boost::json::value read_sequence(const YAML::Node& node, int depth) {
        boost::json::array array;
        for (const auto& each : node) {
            array.push_back(read(each, depth + 1));
        }
        return array;
    }

    boost::json::value read_map(const YAML::Node& node, int depth) {
        boost::json::object object;
        for (const auto& member : node) {
            if (!member.first.IsScalar()) {
                throw YamlTooLarge{"a key is no plain text"};
            }
            object[valid_utf8(member.first.Scalar())] = read(member.second, depth + 1);
        }
        return object;
    }

    std::size_t nodes_{0};
};

Error yaml_error(const std::string& what) {
    return Error(Errc::invalid_argument, "it is no valid YAML: " + what);
}

}  // namespace

Result<boost::json::value> parse_yaml(std::string_view text) {
    if (text.size() > max_yaml_text) {
        return yaml_error("it is larger than 4 MiB");
    }
    try {
        const YAML::Node root = YAML::Load(std::string(text));
        return YamlReader().read(root, 0);
    } catch (const std::exception& thrown) {
        return yaml_error(thrown.what());
    } catch (const YamlTooLarge& thrown) {
        return yaml_error(thrown.what);
    }
}

}  // namespace sparkhost::detail::kubernetes
