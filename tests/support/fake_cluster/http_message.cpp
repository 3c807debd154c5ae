// SPDX-License-Identifier: Apache-2.0
#include "support/fake_cluster/http_message.hpp"

namespace sparkhost::test {

std::string percent_decoded(const std::string& text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            decoded += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

std::string HttpRequest::parameter(const std::string& name) const {
    auto begin = target.find('?');
    while (begin != std::string::npos) {
        const auto end = target.find('&', begin + 1);
        const auto pair = target.substr(begin + 1, end - begin - 1);
        if (pair.starts_with(name + "=")) {
            return percent_decoded(pair.substr(name.size() + 1));
        }
        begin = end;
    }
    return {};
}

}  // namespace sparkhost::test
