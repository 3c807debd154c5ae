// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_PLAIN_CLIENT_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_PLAIN_CLIENT_HPP

// A blocking HTTP client, so that the fake is not tested with what it is there to test.

#include <boost/json/value.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace sparkhost::test::k8s {

struct PlainAnswer {
    int status{0};  ///< 0: the connection broke
    std::string content_type{};
    std::string retry_after{};
    std::string body{};
    boost::json::value json() const;
};

class PlainClient {
public:
    explicit PlainClient(std::uint16_t port, std::string token = {});
    ~PlainClient();

    PlainAnswer get(const std::string& target) { return send("GET", target, {}); }
    PlainAnswer post(const std::string& target, const std::string& body) {
        return send("POST", target, body);
    }
    PlainAnswer remove(const std::string& target, const std::string& body = {}) {
        return send("DELETE", target, body);
    }
    PlainAnswer send(const std::string& method, const std::string& target, const std::string& body,
                     const std::string& content_type = "application/json");

    /// Begins an answer that does not end; nothing else may be sent any more.
    int open_stream(const std::string& target);
    /// The next line without its end; empty: the stream is over.
    std::string read_line();

    std::string accept{"application/json"};

private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
    std::uint16_t port_;
    std::string token_;
};

}  // namespace sparkhost::test::k8s

#endif
