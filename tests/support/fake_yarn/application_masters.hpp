// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_APPLICATION_MASTERS_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_APPLICATION_MASTERS_HPP

// The node: ApplicationMasters with a guard each, by script.

#include "support/fake_cluster/claim_desk.hpp"
#include "support/fake_yarn/application.hpp"
#include "support/fake_yarn/fake_hdfs.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

/// One attempt of an application: the container of its driver.
struct Am {
    std::string application{};
    std::string container{};
    std::string user{};
    std::map<std::string, std::string> environment{};
    std::map<std::string, std::string> localized{};  ///< its folder: bytes by link
    std::string nonce{};
    bool granted{false};
    std::vector<ClaimAnswer::File> files{};  ///< that it was granted
    std::string main_class{};                ///< the user's, of arguments.json
    std::vector<std::string> args{};         ///< the user's
    std::string out{};                       ///< its stdout
    std::string error{};                     ///< its stderr
    bool registered{false};                  ///< its SparkContext is up
    std::string final_status{};              ///< that it has unregistered with
    std::string last_words{};                ///< the diagnostics it has unregistered with
    std::optional<int> exit_code{};          ///< of its container
    std::string exit_words{};                ///< why it could not be started
    bool aggregated{false};                  ///< the node has handed over its files
    std::shared_ptr<boost::asio::steady_timer> timer{};

    bool is_over() const { return exit_code.has_value(); }
};
using AmPtr = std::shared_ptr<Am>;

/// For the cluster's thread.
class ApplicationMasters {
public:
    ApplicationMasters(boost::asio::io_context& io, std::shared_ptr<ClaimDesk> desk, Hdfs& hdfs,
                       StateStore& store)
        : io_(io), desk_(std::move(desk)), hdfs_(hdfs), store_(store) {}

    void launch(const Application& application);
    void kill(const std::string& container);
    AmPtr find(const std::string& container) const;
    const std::vector<AmPtr>& all() const { return all_; }
    /// The last one of this application; null: there is none.
    AmPtr last_of(const std::string& application) const;
    std::size_t starts(const std::string& mark) const {
        const auto found = starts_.find(mark);
        return found == starts_.end() ? 0 : found->second;
    }

    bool holds_claims{false};          ///< launched ones do not ask yet
    bool holds_ends{false};            ///< programs do not come to their end
    bool has_contexts{true};           ///< programs make a SparkContext
    bool reports{true};                ///< guards report
    bool aggregates_logs{false};       ///< the node has the files no longer than they grow
    bool unregisters_failures{false};  ///< they are FINISHED then, and FAILED as to their status
    void let_go();
    /// The program ends. With another exit code than 0 it has failed, and says `error`.
    void end(const AmPtr& am, int exit_code, const std::string& error = {});
    /// What its guard's host says.
    void answered(const AmPtr& am, ClaimAnswer answer);

    /// Something has happened that a ResourceManager hears of.
    std::function<void(const AmPtr&)> tell{};

private:
    void claim(const AmPtr& am);
    void claim_later(const AmPtr& am, std::chrono::milliseconds pause);
    void run(const AmPtr& am);
    void run_to_the_end(const AmPtr& am);
    void report(const AmPtr& am, bool ended);
    void exit(const AmPtr& am, int exit_code);
    std::string what_it_lacks(const Application& application, const Am& am) const;

    boost::asio::io_context& io_;
    std::shared_ptr<ClaimDesk> desk_;
    Hdfs& hdfs_;
    StateStore& store_;
    std::vector<AmPtr> all_{};
    std::map<std::string, AmPtr> by_container_{};
    std::map<std::string, std::size_t> starts_{};
};

/// "program=endless" → "endless".
std::string argument(const Am& am, const std::string& name);

}  // namespace sparkhost::test::yarn

#endif
