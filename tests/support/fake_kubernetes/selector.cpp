// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/selector.hpp"

#include "support/fake_kubernetes/status.hpp"

#include <algorithm>
#include <array>

namespace sparkhost::test::k8s {

namespace selector_detail {

std::string trim(const std::string& text) {
    const auto begin = text.find_first_not_of(' ');
    const auto end = text.find_last_not_of(' ');
    return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

std::string field_of(const Object& object, const std::string& path) {
    if (path == "metadata.name") {
        return object.name;
    }
    if (path == "metadata.namespace") {
        return object.ns;
    }
    const auto dot = path.find('.');
    const auto rest = path.substr(dot + 1);
    return text_at(object.data, {std::string_view(path).substr(0, dot), rest});
}

bool is_field(const std::string& path) {
    static const std::array<std::string_view, 9> known{
        "metadata.name",       "metadata.namespace",       "status.phase",
        "spec.nodeName",       "involvedObject.uid",       "involvedObject.name",
        "involvedObject.kind", "involvedObject.namespace", "reason"};
    return std::find(known.begin(), known.end(), path) != known.end();
}

}  // namespace selector_detail

std::vector<std::string> Selector::split(const std::string& text) {
    std::vector<std::string> parts;
    std::string part;
    int depth = 0;
    for (const char c : text) {
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (c == ',' && depth == 0) {
            parts.push_back(part);
            part.clear();
        } else {
            part += c;
        }
    }
    if (!selector_detail::trim(part).empty()) {
        parts.push_back(part);
    }
    return parts;
}

Selector::Term Selector::parse(const std::string& text) {
    using Kind = Term::Kind;
    const auto whole = selector_detail::trim(text);
    for (const auto& [sign, kind] :
         {std::pair{"!=", Kind::not_in}, std::pair{"==", Kind::in}, std::pair{"=", Kind::in}}) {
        const auto at = whole.find(sign);
        if (at != std::string::npos && whole.find('(') == std::string::npos) {
            return {kind,
                    selector_detail::trim(whole.substr(0, at)),
                    {selector_detail::trim(whole.substr(at + std::string(sign).size()))}};
        }
    }
    const auto open = whole.find('(');
    if (open != std::string::npos && whole.ends_with(')')) {
        const auto space = whole.find(' ');
        const auto word = selector_detail::trim(whole.substr(space + 1, open - space - 1));
        if (word != "in" && word != "notin") {
            throw bad_request("unable to parse requirement: found '" + word +
                              "', expected: in, notin");
        }
        Term term{word == "in" ? Kind::in : Kind::not_in, whole.substr(0, space), {}};
        for (const auto& value : split(whole.substr(open + 1, whole.size() - open - 2))) {
            term.values.push_back(selector_detail::trim(value));
        }
        return term;
    }
    if (whole.starts_with('!')) {
        return {Kind::missing, whole.substr(1), {}};
    }
    if (whole.empty() || whole.find(' ') != std::string::npos) {
        throw bad_request("unable to parse requirement: '" + whole + "'");
    }
    return {Kind::exists, whole, {}};
}

bool Selector::Term::holds(bool there, const std::string& value) const {
    const bool found = there && std::find(values.begin(), values.end(), value) != values.end();
    switch (kind) {
        case Kind::in:
            return found;
        case Kind::not_in:
            return !found;
        case Kind::exists:
            return there;
        case Kind::missing:
            return !there;
    }
    return false;
}

Selector::Selector(const std::string& labels, const std::string& fields) {
    for (const auto& part : split(labels)) {
        labels_.push_back(parse(part));
    }
    for (const auto& part : split(fields)) {
        fields_.push_back(parse(part));
        if (!selector_detail::is_field(fields_.back().key)) {
            throw bad_request("field label not supported: " + fields_.back().key);
        }
    }
}

bool Selector::matches(const Object& object) const {
    const auto* labels = object_at(object.data, {"metadata", "labels"});
    for (const auto& term : labels_) {
        const auto* value = labels ? labels->if_contains(term.key) : nullptr;
        const auto* text = value ? value->if_string() : nullptr;
        if (!term.holds(text != nullptr, text ? std::string(*text) : std::string())) {
            return false;
        }
    }
    for (const auto& term : fields_) {
        if (!term.holds(true, selector_detail::field_of(object, term.key))) {
            return false;
        }
    }
    return true;
}

}  // namespace sparkhost::test::k8s
