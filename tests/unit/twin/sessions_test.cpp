// SPDX-License-Identifier: Apache-2.0

// Sessions in the deterministic twin: their agents live on when a host dies, and dial the next one.

#include "support/temp_dir.hpp"
#include "twin_life.hpp"

#include <sparkhost/sessions.hpp>
#include <sparkhost/testing/fake_runtime.hpp>

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

namespace sparkhost::twin {

namespace sessions_test {

/// The agents of one run, and what the client knows of its session.
struct Agents {
    test::TempDir dir;
    asio::io_context drivers{1};
    std::shared_ptr<testing::FakeAgents> agents{
        std::make_shared<testing::FakeAgents>(drivers.get_executor())};
    std::optional<SessionId> id{};
    std::map<std::string, StatementId> executed{};
    bool delete_asked{false};
    std::size_t redials{0};

    bool can_dial(SessionId session) const {
        return agents->prepared(session) && !agents->exit_code(session) &&
               !agents->is_connected(session);
    }
};
using AgentsPtr = std::shared_ptr<Agents>;

testing::FakeStatement program(const std::string& code) {
    testing::FakeStatement made;
    made.output = {{OutputStream::standard_output, "one "}, {OutputStream::standard_output, "two"}};
    made.result.data["text/plain"] = code;
    return made;
}

void set_up(const AgentsPtr& world, Twin& twin) {
    for (const char* code : {"a", "b"}) {
        world->agents->answer(code, program(code));
    }
    asio::co_spawn(world->drivers, world->agents->run_on(twin.applications->cluster),
                   asio::detached);
    twin.add_plugins = [world](HostPlugins& plugins, const CoursePtr& course) {
        plugins.runtimes.push_back(
            make_twin_runtime(testing::make_fake_runtime(world->agents), course));
        world->redials = 0;
    };
    twin.move_others = [world] {
        world->drivers.restart();
        return world->drivers.poll() != 0;
    };
    twin.host_died = [world] {
        if (world->agents->prepared(SessionId{0})) {
            world->agents->drop_connection(SessionId{0});
        }
    };
    twin.at_end.push_back([world] {
        world->agents.reset();
        world->drivers.restart();
        world->drivers.poll();
    });
}

/// An agent without a connection dials again, some times for each host.
bool redial(const AgentsPtr& world) {
    if (!world->can_dial(SessionId{0}) || world->redials++ >= 5) {
        return false;
    }
    world->agents->redial(SessionId{0});
    return true;
}

Step opens(AgentsPtr world) {
    Step step;
    step.name = "open a session";
    step.ask = [world](Twin& twin, std::size_t number) {
        SessionSpec spec;
        spec.kind = "pyspark";
        spec.spec.idempotency_key = "key";
        twin.ask<SessionRecord>(
            number, twin.host().sessions().open(spec), [&twin, world](auto answer) {
                if (!answer) {
                    return twin.complain(Fault::wrong_answer, "open: " + answer.error().text());
                }
                world->id = answer->id;
            });
    };
    return step;
}

Step executes(AgentsPtr world, std::string code) {
    Step step;
    step.name = "execute " + code;
    step.repeated = false;
    step.ask = [world, code](Twin& twin, std::size_t number) {
        StatementSpec spec;
        spec.code = code;
        twin.ask<StatementRecord>(number, twin.host().sessions().execute(*world->id, spec),
                                  [&twin, world, code](auto answer) {
                                      if (!answer) {
                                          return twin.complain(Fault::wrong_answer,
                                                               "execute: " + answer.error().text());
                                      }
                                      world->executed[code] = answer->spec.id;
                                  });
    };
    return step;
}

void check_result(Twin& twin, const StatementRecord& statement, const std::string& code,
                  bool may_be_cancelled) {
    std::string output;
    for (const auto& chunk : statement.output) {
        output += chunk.text;
    }
    if (statement.state() == StatementState::cancelled && may_be_cancelled) {
        return;
    }
    if (statement.state() != StatementState::available || output != "one two" ||
        statement.result->data.at("text/plain") != code) {
        twin.complain(Fault::wrong_end, "statement " + code + " has ended as " +
                                            std::string(to_string(statement.state())) +
                                            " with the output '" + output + "'");
    }
}

Step waits_for(AgentsPtr world, std::string code, bool may_be_cancelled = false) {
    Step step;
    step.name = "wait for " + code;
    step.ask = [world, code, may_be_cancelled](Twin& twin, std::size_t number) {
        const auto known = world->executed.find(code);
        if (known == world->executed.end()) {
            return twin.answered(number);  // the client has no answer, and does not know of it
        }
        twin.ask<StatementRecord>(number, twin.host().sessions().wait(*world->id, known->second),
                                  [&twin, code, may_be_cancelled](auto answer) {
                                      if (!answer) {
                                          return twin.complain(Fault::lost,
                                                               code + ": " + answer.error().text());
                                      }
                                      check_result(twin, *answer, code, may_be_cancelled);
                                  });
    };
    return step;
}

Step interrupts(AgentsPtr world, std::string code) {
    Step step;
    step.name = "interrupt " + code;
    step.ask = [world, code](Twin& twin, std::size_t number) {
        const auto known = world->executed.find(code);
        if (known == world->executed.end()) {
            return twin.answered(number);
        }
        InterruptRequest request;
        request.statement = known->second;
        twin.ask<StatementRecord>(
            number, twin.host().sessions().interrupt(*world->id, request), [&twin](auto answer) {
                if (!answer) {
                    twin.complain(Fault::wrong_answer, "interrupt: " + answer.error().text());
                }
            });
    };
    return step;
}

Step deletes(AgentsPtr world) {
    Step step;
    step.name = "delete the session";
    step.ask = [world](Twin& twin, std::size_t number) {
        const bool before = std::exchange(world->delete_asked, true);
        twin.ask<void>(
            number, twin.host().sessions().erase(*world->id), [&twin, before](auto answer) {
                if (!answer && !(before && answer.error().is(Errc::not_found))) {
                    twin.complain(Fault::wrong_answer, "delete: " + answer.error().text());
                }
            });
    };
    return step;
}

void check(const AgentsPtr& world, Twin& twin) {
    for (const char* code : {"a", "b"}) {
        const auto runs = world->agents->runs(SessionId{0}, code);
        if (runs > 1) {
            twin.complain(Fault::doubled, std::string(code) + " has run twice");
        }
    }
    if (twin.applications->starts("session-0") > 1) {
        twin.complain(Fault::doubled, "the session was started twice");
    }
    for (const auto kind : {RecordKind::session, RecordKind::statement}) {
        Query query;
        query.kind = kind;
        if (twin.from_store(twin.store->list(query)).value().total != 0) {
            twin.complain(Fault::stuck, "something of the session has been left in the store");
        }
    }
}

/// Scenarios have a world of their own in each run: `steps` is called again for each of them.
using Steps = std::function<std::vector<Step>(const AgentsPtr&)>;

void expect_nothing_wrong(std::string name, const Steps& steps, const Reach& reach) {
    auto world = std::make_shared<AgentsPtr>();
    Scenario scenario;
    scenario.name = std::move(name);
    scenario.steps = steps(nullptr);
    for (std::size_t number = 0; number < scenario.steps.size(); ++number) {
        scenario.steps[number].ask = [world, steps, number](Twin& twin, std::size_t step) {
            steps(*world)[number].ask(twin, step);
        };
    }
    scenario.configure = [world](HostOptions& options) {
        options.agent_folder = ((*world)->dir / "sessions").string();
        options.session_idle_timeout = std::chrono::seconds(0);
    };
    scenario.set_up = [world](Twin& twin) {
        *world = std::make_shared<Agents>();
        set_up(*world, twin);
    };
    scenario.move = [world](Twin&) { return redial(*world); };
    scenario.check = [world](Twin& twin) { check(*world, twin); };
    const auto found = explore(scenario, reach);
    for (const auto& violation : found.violations) {
        BOOST_ERROR(violation.text);
    }
    BOOST_TEST(found.schedules > 1u);
    BOOST_TEST_MESSAGE("twin: " << found.schedules << " schedules of: " << scenario.name);
}

Reach session_reach(std::size_t stride) {
    Reach reach;
    reach.stride = stride;
    return reach;
}

BOOST_AUTO_TEST_SUITE(twin_sessions)

BOOST_AUTO_TEST_CASE(statements_run_once_and_their_output_is_whole) {
    const Steps steps = [](const AgentsPtr& world) -> std::vector<Step> {
        return {opens(world),          executes(world, "a"),  executes(world, "b"),
                waits_for(world, "a"), waits_for(world, "b"), deletes(world)};
    };
    expect_nothing_wrong("session with two statements", steps, session_reach(13));
}

BOOST_AUTO_TEST_CASE(a_statement_that_is_cancelled_comes_to_its_end) {
    const Steps steps = [](const AgentsPtr& world) -> std::vector<Step> {
        return {opens(world), executes(world, "a"), interrupts(world, "a"),
                waits_for(world, "a", true), deletes(world)};
    };
    expect_nothing_wrong("session with a cancel", steps, session_reach(13));
}

BOOST_AUTO_TEST_CASE(a_session_that_is_deleted_at_once_leaves_nothing) {
    const Steps steps = [](const AgentsPtr& world) -> std::vector<Step> {
        return {opens(world), deletes(world)};
    };
    expect_nothing_wrong("session deleted", steps, session_reach(7));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sessions_test

}  // namespace sparkhost::twin
