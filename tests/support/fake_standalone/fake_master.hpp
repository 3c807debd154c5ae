// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_MASTER_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_MASTER_HPP

// What a master's REST submission server, its web page and a worker's web page answer, as those of
// Spark 3.5.9 and 4.3.0 do.

#include "support/fake_cluster/http_message.hpp"
#include "support/fake_standalone/fake_drivers.hpp"

#include <string>

namespace sparkhost::test::alone {

class Master {
public:
    explicit Master(Drivers& drivers) : drivers_(drivers) {}

    HttpAnswer handle(const HttpRequest& request);

    std::string status{"ALIVE"};
    std::string token{};     ///< what the filter asks for; empty: there is none
    std::string url{};       ///< of all three
    bool has_workers{true};  ///< that are alive
    std::string refusal{};   ///< each create is answered 400 with it

private:
    HttpAnswer create(const std::string& body);
    HttpAnswer status_of(const std::string& id) const;
    HttpAnswer kill(const std::string& id);
    HttpAnswer page() const;
    HttpAnswer log(const HttpRequest& request) const;

    Drivers& drivers_;
};

}  // namespace sparkhost::test::alone

#endif
