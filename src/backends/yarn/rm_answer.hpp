// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_RM_ANSWER_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_RM_ANSWER_HPP

// What ResourceManagers say. Pure.

#include <sparkhost/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::yarn {

/// GET /ws/v1/cluster/info.
struct ManagerInfo {
    bool active{false};          ///< state STARTED and haState ACTIVE
    std::int64_t started_on{0};  ///< changes with each start
    std::string ha_state{};      ///< ACTIVE, STANDBY, INITIALIZING …
    std::string version{};
};
Result<ManagerInfo> read_info(std::string_view body);

/// Of GET new-application: the id. Errors: backend_failed – it is something else.
Result<std::string> read_new_application(std::string_view body);

enum class AppState { new_, new_saving, submitted, accepted, running, finished, failed, killed };
enum class FinalStatus { undefined, succeeded, failed, killed };

/// One application, as GET apps/{id} and lists have it.
struct AppSight {
    std::string id{};
    AppState state{AppState::new_};
    FinalStatus final_status{FinalStatus::undefined};
    std::string tracking_url{};
    std::string diagnostics{};
    std::string am_host{};       ///< "host:8042" of the AM's NodeManager; empty before it has one
    std::string am_container{};  ///< container_[eNN_]TS_APP_ATTEMPT_CONTAINER; empty likewise
    std::string user{};
    std::vector<std::string> tags{};
    std::int64_t started_ms{0};  ///< 0: not yet
    std::int64_t launched_ms{0};
    std::int64_t finished_ms{0};
};
Result<AppSight> read_application(std::string_view body);
/// {"apps":null}, {"apps":{}} and {"apps":{"app":[…]}}.
Result<std::vector<AppSight>> read_applications(std::string_view body);

/// A ResourceManager says so: not a gateway before it, whose 404 is about something else.
bool is_not_found(int status, std::string_view body);

/// The message of {"RemoteException":…}, else the beginning of the text; for people.
std::string failure_of(int status, std::string_view body);

bool is_application_id(std::string_view text);

}  // namespace sparkhost::detail::yarn

#endif
