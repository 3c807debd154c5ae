// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_APPLICATION_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_APPLICATION_HPP

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

/// What a ResourceManager knows about an application.
struct Application {
    std::string id{};
    std::string user{};
    std::string name{"N/A"};
    std::string queue{"default"};
    std::string type{"YARN"};
    std::vector<std::string> tags{};  ///< in lower case
    boost::json::object context{};    ///< as it was submitted
    int max_attempts{2};

    std::string state{"NEW_SAVING"};
    std::string final_status{"UNDEFINED"};
    std::string diagnostics{};
    bool is_being_killed{false};
    int attempts{0};
    std::string container{};  ///< of the last attempt's ApplicationMaster
    std::int64_t started_ms{0};
    std::int64_t launched_ms{0};
    std::int64_t finished_ms{0};

    bool is_over() const { return state == "FINISHED" || state == "FAILED" || state == "KILLED"; }
};
using ApplicationPtr = std::shared_ptr<Application>;

/// What outlives ResourceManagers, and what nobody must have done.
struct StateStore {
    std::map<std::string, Application> applications{};
    std::set<std::string> issued{};  ///< ids that were given out, ever
    int epoch{-1};                   ///< counts the recoveries
    std::int64_t last_start{1795207665278};
    /// What no client may do, or the cluster would have been harmed.
    std::vector<std::string> sins{};
};

/// "application_1795207665278_0001" → "1795207665278_0001".
inline std::string numbers_of(const std::string& application_id) {
    return application_id.substr(application_id.find('_') + 1);
}

}  // namespace sparkhost::test::yarn

#endif
