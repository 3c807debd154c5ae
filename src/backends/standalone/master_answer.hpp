// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_MASTER_ANSWER_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_MASTER_ANSWER_HPP

// What a master says: its REST submission server, and its web page's /json. Pure.

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::standalone {

/// Spark's DriverState; `missing`: the master does not know it.
enum class DriverState { submitted, running, finished, killed, failed, error, unclear, missing };

bool is_over(DriverState state);

/// A driver as a master has it.
struct DriverSight {
    DriverState state{DriverState::missing};
    std::string worker{};   ///< id of its worker
    std::string message{};  ///< what went wrong, in the master's words
    bool operator==(const DriverSight&) const = default;
};

struct SubmissionAnswer {
    enum class Verdict {
        done,
        refused,     ///< it cannot be; `words` say why
        unknown_id,  ///< the master knows no such driver
        not_alive,   ///< this master is not the one to ask
        not_now      ///< whether it was done is not known
    };
    Verdict verdict{Verdict::not_now};
    std::string words{};
    std::string driver{};   ///< of a create
    DriverSight sight{};    ///< of a status
    std::string version{};  ///< Spark's
};

/// `status`: of HTTP.
SubmissionAnswer read_submission_answer(int status, std::string_view body);

/// What /json shows.
struct ClusterView {
    bool alive{false};
    std::string status{};                          ///< ALIVE, STANDBY, RECOVERING …
    std::map<std::string, DriverSight> drivers{};  ///< by id
    std::map<std::string, std::string> workers{};  ///< their web pages, by id; of live workers
    int free_cores{0};                             ///< of the worker that has most
    int free_memory{0};                            ///< MiB, likewise
};

/// Nothing: this is no master's page.
std::optional<ClusterView> read_cluster_view(std::string_view body);

/// Whether this can be a driver's id. Guards what is made of it.
bool is_driver_id(std::string_view id);

}  // namespace sparkhost::detail::standalone

#endif
