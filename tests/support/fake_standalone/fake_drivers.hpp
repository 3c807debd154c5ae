// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_DRIVERS_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_DRIVERS_HPP

// The worker: drivers with a guard each, by script.

#include "support/fake_cluster/claim_desk.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::test::alone {

struct Driver {
    std::string id{};
    std::string state{"SUBMITTED"};
    std::string message{};  ///< of its status
    boost::json::object body{};
    std::vector<std::string> args{};  ///< without the guard's and SparkSubmit's own
    std::map<std::string, std::string> environment{};
    std::string nonce{};
    bool granted{false};
    std::vector<ClaimAnswer::File> files{};  ///< that it was granted
    std::string out{};                       ///< its stdout
    std::string error{};                     ///< its stderr
    std::shared_ptr<boost::asio::steady_timer> timer{};

    bool is_over() const { return state != "SUBMITTED" && state != "RUNNING"; }
};
using DriverPtr = std::shared_ptr<Driver>;

/// For the cluster's thread.
class Drivers {
public:
    Drivers(boost::asio::io_context& io, std::shared_ptr<ClaimDesk> desk)
        : io_(io), desk_(std::move(desk)) {}

    DriverPtr create(boost::json::object body);
    /// False: there is none that runs.
    bool kill(const std::string& id);
    DriverPtr find(const std::string& id) const;
    const std::vector<DriverPtr>& all() const { return drivers_; }
    std::size_t starts(const std::string& mark) const {
        const auto found = starts_.find(mark);
        return found == starts_.end() ? 0 : found->second;
    }
    /// The master has forgotten all of them; they run on.
    void forget() { known_.clear(); }
    bool knows(const std::string& id) const { return known_.contains(id); }
    /// Those that are over are no longer in the list.
    void hide_completed() { hides_completed = true; }

    bool holds_launches{false};  ///< new drivers wait for room
    bool holds_claims{false};    ///< launched ones do not ask yet
    bool holds_ends{false};      ///< programs do not come to their end
    bool has_contexts{true};     ///< programs make a SparkContext
    bool reports{true};          ///< guards report
    bool hides_completed{false};
    void let_go();
    void end(const DriverPtr& driver, std::string state, std::string message = {});

    std::function<void()> after_each{};

private:
    void launch(const DriverPtr& driver);
    void claim(const DriverPtr& driver);
    void claim_later(const DriverPtr& driver, std::chrono::milliseconds pause);
    void answered(const DriverPtr& driver, ClaimAnswer answer);
    void run(const DriverPtr& driver);
    void run_to_the_end(const DriverPtr& driver);
    void note() {
        if (after_each) {
            after_each();
        }
    }

    boost::asio::io_context& io_;
    std::shared_ptr<ClaimDesk> desk_;
    std::vector<DriverPtr> drivers_{};
    std::map<std::string, DriverPtr> known_{};
    std::map<std::string, std::size_t> starts_{};
};

/// "program=endless" → "endless".
std::string argument(const Driver& driver, const std::string& name);

}  // namespace sparkhost::test::alone

#endif
