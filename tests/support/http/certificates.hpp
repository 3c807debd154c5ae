// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_HTTP_CERTIFICATES_HPP
#define SPARKHOST_TESTS_SUPPORT_HTTP_CERTIFICATES_HPP

#include <chrono>
#include <string>
#include <vector>

namespace sparkhost::test {

struct CertificateRequest {
    std::string common_name{"server"};
    std::vector<std::string> names{};  ///< "IP:127.0.0.1", "DNS:localhost"
    std::chrono::hours begins{-1};     ///< from now
    std::chrono::hours ends{24};
};

/// PEM.
struct CertifiedKey {
    std::string certificate{};
    std::string key{};
};

/// An authority of the test's own.
class TestAuthority {
public:
    explicit TestAuthority(const std::string& name);
    const std::string& certificate() const { return own_.certificate; }
    CertifiedKey issue(const CertificateRequest& request) const;

private:
    CertifiedKey own_{};
};

}  // namespace sparkhost::test

#endif
