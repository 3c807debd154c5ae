// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_SELECTOR_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_SELECTOR_HPP

// labelSelector and fieldSelector.

#include "support/fake_kubernetes/object.hpp"

#include <string>
#include <vector>

namespace sparkhost::test::k8s {

class Selector {
public:
    Selector() = default;
    /// Throws Refusal (400) for what cannot be read or is not supported.
    Selector(const std::string& labels, const std::string& fields);
    bool matches(const Object& object) const;

private:
    struct Term {
        enum class Kind { in, not_in, exists, missing } kind{Kind::in};
        std::string key{};
        std::vector<std::string> values{};
        bool holds(bool there, const std::string& value) const;
    };
    static Term parse(const std::string& text);
    static std::vector<std::string> split(const std::string& text);

    std::vector<Term> labels_{};
    std::vector<Term> fields_{};
};

}  // namespace sparkhost::test::k8s

#endif
