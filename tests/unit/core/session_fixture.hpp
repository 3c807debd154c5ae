// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_CORE_SESSION_FIXTURE_HPP
#define SPARKHOST_TESTS_UNIT_CORE_SESSION_FIXTURE_HPP

#include "host_fixture.hpp"
#include "support/temp_dir.hpp"

#include <sparkhost/sessions.hpp>
#include <sparkhost/testing/fake_runtime.hpp>

#include <boost/asio/detached.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::host_test {

using testing::FakeAgents;

/// A host with sessions whose drivers are FakeAgents: they dial the host's real endpoint, and live
/// on when it is gone.
struct SessionFixture : HostFixture {
    test::TempDir dir;
    asio::io_context drivers{1};
    std::shared_ptr<FakeAgents> agents{std::make_shared<FakeAgents>(drivers.get_executor())};

    SessionFixture() {
        options.agent_folder = (dir / "sessions").string();
        add_plugins = [this](HostPlugins& plugins) {
            plugins.runtimes.push_back(testing::make_fake_runtime(agents));
        };
        move_others = [this] {
            drivers.restart();
            return drivers.poll() != 0;
        };
        asio::co_spawn(drivers, agents->run_on(cluster), asio::detached);
    }
    ~SessionFixture() {
        agents.reset();
        settle();
    }

    Sessions sessions() { return host().sessions(); }

    static SessionSpec session_spec(std::string name = {}) {
        SessionSpec made;
        made.kind = "pyspark";
        made.spec.name = std::move(name);
        return made;
    }
    SessionId open(SessionSpec wanted = session_spec()) {
        return ask(sessions().open(std::move(wanted))).value().id;
    }
    SessionRecord session(SessionId id) { return ask(sessions().find(id)).value(); }
    SessionState state(SessionId id) { return session(id).state(); }

    static StatementSpec code(std::string text, std::string kind = {}) {
        StatementSpec made;
        made.code = std::move(text);
        made.kind = std::move(kind);
        return made;
    }
    StatementId execute(SessionId id, std::string text) {
        return ask(sessions().execute(id, code(std::move(text)))).value().spec.id;
    }
    StatementRecord statement(SessionId id, StatementId number) {
        return ask(sessions().find_statement(id, number)).value();
    }
    StatementState state(SessionId id, StatementId number) { return statement(id, number).state(); }
    std::string ticket(SessionId id) { return session(id).application.ticket; }
    void interrupt(SessionId id, StatementId number) {
        InterruptRequest request;
        request.statement = number;
        ask(sessions().interrupt(id, request)).value();
    }
    /// A new host on the same store takes the agents in again.
    void come_back(SessionId id) {
        agents->redial(id);
        settle();
    }
    std::vector<std::string> event_types(SessionId id) {
        std::vector<std::string> types;
        for (const auto& event : events_after(0)) {
            if (event.session == id) {
                types.push_back(event.type + (event.statement.value < 0
                                                  ? ""
                                                  : " " + std::to_string(event.statement.value)));
            }
        }
        return types;
    }
};

inline std::string text_of(const std::vector<OutputChunk>& output) {
    std::string text;
    for (const auto& chunk : output) {
        text += chunk.text;
    }
    return text;
}

inline std::string echo_of(const StatementRecord& statement) {
    const auto& data = statement.result.value().data;
    const auto found = data.find("text/plain");
    return found == data.end() ? "" : found->second;
}

}  // namespace sparkhost::host_test

#endif
