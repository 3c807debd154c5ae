// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_RESOURCE_MANAGER_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_RESOURCE_MANAGER_HPP

// What the REST service of a ResourceManager of Hadoop 3.3 answers, also while it starts and when
// it is not the one that is active.

#include "support/fake_cluster/http_message.hpp"
#include "support/fake_yarn/application.hpp"
#include "support/fake_yarn/application_masters.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

/// What an administrator has set, for all ResourceManagers.
struct Settings {
    std::set<std::string> queues{"default"};
    int max_memory_mib{8192};
    int max_cores{4};
    std::size_t max_completed{1000};
    std::string node_address{};      ///< "127.0.0.1:8042"
    bool holds_saving{false};        ///< what was submitted is not stored yet
    bool holds_launches{false};      ///< applications wait for room
    bool holds_kills{false};         ///< what is being killed runs on
    bool holds_recovery{false};      ///< ResourceManagers that start stay INITIALIZING
    bool empty_list_is_null{false};  ///< as in older versions
    /// Of an application that waits for room.
    std::string waiting_words{
        "[Sun Nov 22 06:30:00 +0000 2026] Application is added to the scheduler and is not yet "
        "activated. Queue's AM resource limit exceeded. "};
};

class ResourceManager {
public:
    ResourceManager(boost::asio::io_context& io, Settings& settings, StateStore& store,
                    ApplicationMasters& masters)
        : io_(io), settings_(settings), store_(store), masters_(masters) {}

    HttpAnswer handle(const HttpRequest& request);

    /// As a process that starts.
    void start();
    /// As by SIGKILL.
    void die();
    bool is_up() const { return is_up_; }
    bool is_active() const { return is_up_ && ha_state_ == "ACTIVE"; }
    /// Becomes the active one, with what is in the store.
    void take_over();
    void stand_by();
    /// Goes on with all that was held.
    void let_go();

    /// Dies as soon as it has answered a submission: nothing of that is stored.
    bool dies_after_submission{false};
    /// Dies as soon as it has stored a submission.
    bool dies_after_saving{false};
    bool is_one_of_two{false};  ///< starts as STANDBY

    std::map<std::string, ApplicationPtr> applications{};  ///< that it knows
    std::int64_t started_on() const { return started_on_; }

    // for the cluster

    /// Something has happened to an ApplicationMaster, or it registers with a new active
    /// ResourceManager.
    void hear(const AmPtr& am);
    std::string url{};
    std::function<std::string()> active_url{};  ///< empty: there is none
    std::function<void()> close_sockets{};
    std::function<void()> open_sockets{};
    std::function<void()> after_each{};

private:
    HttpAnswer info() const;
    HttpAnswer redirect(const HttpRequest& request) const;
    HttpAnswer new_application();
    HttpAnswer submit(const HttpRequest& request);
    HttpAnswer list(const HttpRequest& request) const;
    HttpAnswer show(const std::string& id) const;
    HttpAnswer state_of(const std::string& id) const;
    HttpAnswer kill(const std::string& id, const HttpRequest& request);

    std::string fault_of(const boost::json::object& context) const;
    void later(std::function<void()> what);
    void save(const ApplicationPtr& application);
    void admit(const ApplicationPtr& application);
    void launch(const ApplicationPtr& application);
    void attempt_ended(const ApplicationPtr& application, const Am& am);
    void finish(const ApplicationPtr& application, const std::string& state,
                const std::string& final_status, const std::string& diagnostics);
    void finish_kill(const ApplicationPtr& application, const std::string& user);
    void note() {
        if (after_each) {
            after_each();
        }
    }

    boost::asio::io_context& io_;
    Settings& settings_;
    StateStore& store_;
    ApplicationMasters& masters_;
    std::string ha_state_{"STANDBY"};
    bool is_up_{false};
    std::int64_t started_on_{0};
    std::size_t issued_{0};
    std::size_t life_{0};  ///< what an earlier life wanted to do is not done
    std::deque<std::string> completed_{};
};

}  // namespace sparkhost::test::yarn

#endif
