// SPDX-License-Identifier: Apache-2.0

// Interactive sessions through the host: SQLite, the local backend, agents in real drivers.

#include "integration/copying_backend.hpp"
#include "integration/real_harness.hpp"

#include "backends/common/posix_file.hpp"

#include <sparkhost/host.hpp>
#include <sparkhost/runtimes/spark.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sparkhost::test {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
namespace local = detail::local;
using detail::UniqueFd;
using Names = std::vector<std::string>;

/// Where drivers find what the host has written for them.
enum class Files { shared, copied };

/// A host on a data folder, until it is let go of. The next one finds what this one has left.
struct HostLife {
    explicit HostLife(const RealHarness& harness, Files files = Files::shared) {
        HostPlugins plugins;
        plugins.storage = make_sqlite_storage({.path = (harness.dir / "jobs.db").string()});
        plugins.backends.push_back(make_local_backend(io.get_executor(), harness.options));
        if (files == Files::copied) {
            auto& backend = plugins.backends.front();
            backend = std::make_unique<CopyingBackend>(std::move(backend), harness.dir / "mounts");
        }
        SparkRuntimeOptions runtime;
        runtime.work_dir = (harness.dir / "agents").string();
        plugins.runtimes.push_back(make_spark_runtime(std::move(runtime)));
        HostOptions options;
        options.agent_folder = (harness.dir / "sessions").string();
        if (files == Files::copied) {
            options.agent_address = "tcp:127.0.0.1:0";
            options.agent_advertised = "tcp:localhost:0";
        }
        host.emplace(io.get_executor(), std::move(options), std::move(plugins));
        auto over = [this](std::exception_ptr, Result<void> result) { ended = std::move(result); };
        asio::co_spawn(io, host->run(), std::move(over));
    }
    /// Lets go of it in the middle of what it does.
    void abandon() {
        host.reset();
        drain(io);
    }
    /// Stops it in order.
    void stop() {
        host->stop();
        drain(io);
        BOOST_TEST_REQUIRE(ended.has_value());
        require_ok(*ended);
    }

    std::optional<Result<void>> ended{};
    asio::io_context io{1};
    std::optional<Host> host{};
};

/// Keeps code waiting that reads a line from it.
class LineGate {
public:
    explicit LineGate(const fs::path& path) : path_(path.string()) {
        BOOST_TEST_REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
        // both ends, so that nobody's open() waits
        end_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
        BOOST_TEST_REQUIRE(bool(end_));
    }
    /// Python that waits here.
    std::string wait() const { return "_ = open('" + path_ + "').readline()\n"; }
    void let_one_go() const { BOOST_TEST_REQUIRE(::write(end_.get(), "go\n", 3) == 3); }

private:
    std::string path_;
    UniqueFd end_{};
};

/// Handles on the processes whose environment names the ticket.
std::vector<UniqueFd> processes_of(const std::string& ticket) {
    std::vector<UniqueFd> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") == std::string::npos &&
            local::names_ticket(read_text(entry.path() / "environ"), ticket)) {
            found.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(name), 0u)));
        }
    }
    return found;
}

bool ends_in_time(const UniqueFd& process) {
    pollfd ended{process.get(), POLLIN, 0};
    return ::poll(&ended, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 1;
}

Names files_in(const fs::path& folder) {
    Names names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        names.push_back(entry.path().filename().string());
    }
    return names;
}

std::string text_of(const std::vector<OutputChunk>& chunks) {
    std::string text;
    for (const auto& chunk : chunks) {
        text += chunk.text;
    }
    return text;
}

std::string echo_of(const StatementRecord& statement) {
    const auto& data = statement.result.value().data;
    const auto found = data.find("text/plain");
    return found == data.end() ? "" : found->second;
}

/// What `follower` gives up to as many bytes as `text` has must be `text`.
asio::awaitable<void> expect_output(OutputFollower& follower, std::string text) {
    std::string seen;
    while (seen.size() < text.size()) {
        const auto chunks = (co_await follower.next()).value();
        BOOST_TEST_REQUIRE(!chunks.empty(), "the statement ended after writing: " << seen);
        seen += text_of(chunks);
    }
    BOOST_TEST(seen == text);
}

asio::awaitable<void> expect_end_of_output(OutputFollower& follower) {
    const auto chunks = (co_await follower.next()).value();
    BOOST_TEST(text_of(chunks) == "");
}

asio::awaitable<SessionRecord> until_released(Sessions sessions, SessionId id) {
    auto record = (co_await sessions.find(id)).value();
    while (record.application.phase != BatchPhase::released) {
        SessionChangeRequest change;
        change.id = id;
        change.seen_version = record.version;
        record = (co_await sessions.wait_for_change(change)).value();
    }
    co_return record;
}

/// One session in a real driver, and what is done with it on one host after the other.
struct HostedSession {
    explicit HostedSession(const RealSpark& real) : spark(real), harness(real) {}

    void use(HostLife& life) { sessions.emplace(life.host->sessions()); }
    /// Before the life's context goes: what belongs to its host runs there.
    void let_go() { sessions.reset(); }

    asio::awaitable<void> open() {
        SessionSpec wanted;
        wanted.kind = "pyspark";
        wanted.spec.name = "exploring";
        auto record = (co_await sessions->open(std::move(wanted))).value();
        id = record.id;
        BOOST_TEST((record.state() == SessionState::starting));
        record = (co_await sessions->wait_until_started(id)).value();
        BOOST_TEST_REQUIRE((record.state() == SessionState::idle), record.application.reason);
        BOOST_TEST(record.facts.value().spark_version.front() == spark.name.front());
        BOOST_TEST(record.facts.value().application_id.starts_with("local-"));
        BOOST_TEST(record.application.application_id == record.facts.value().application_id);
        ticket = record.application.ticket;
    }

    asio::awaitable<StatementId> execute(std::string code, std::string kind = {}) {
        StatementSpec statement;
        statement.kind = std::move(kind);
        statement.code = std::move(code);
        co_return (co_await sessions->execute(id, std::move(statement))).value().spec.id;
    }
    /// Its record when it is over.
    asio::awaitable<StatementRecord> run(std::string code, std::string kind = {}) {
        const auto number = co_await execute(std::move(code), std::move(kind));
        co_return (co_await sessions->wait(id, number)).value();
    }
    asio::awaitable<StatementState> state(StatementId number) {
        co_return (co_await sessions->find_statement(id, number)).value().state();
    }

    asio::awaitable<void> add_and_query() {
        const auto sum = co_await run("1+1");
        BOOST_TEST(echo_of(sum) == "2");
        const auto view = co_await run("spark.range(3).createOrReplaceTempView('numbers')");
        BOOST_TEST((view.result.value().outcome == StatementOutcome::ok));
        const auto rows = co_await run("SELECT id FROM numbers ORDER BY id", "sql");
        const auto table = json::parse(rows.result.value().data.at("application/json"));
        BOOST_TEST(table.at("data").as_array().size() == 3u);
    }

    asio::awaitable<void> follow_while_it_runs() {
        talk = co_await execute("print('one', flush=True)\n" + gate.wait() + "print('two')");
        auto follower = sessions->follow_output(id, talk);
        co_await expect_output(follower, "one\n");
        const auto meanwhile = co_await state(talk);
        BOOST_TEST((meanwhile == StatementState::running));
        gate.let_one_go();
        co_await expect_output(follower, "two\n");
        co_await expect_end_of_output(follower);
        BOOST_TEST(follower.position() == 8u);
    }

    asio::awaitable<void> interrupt_a_loop() {
        const auto loop = co_await execute("print('round', flush=True)\nwhile True: pass");
        auto follower = sessions->follow_output(id, loop);
        co_await expect_output(follower, "round\n");
        InterruptRequest request;
        request.statement = loop;
        const auto wished = (co_await sessions->interrupt(id, request)).value();
        BOOST_TEST(wished.cancel_requested);
        const auto stopped = (co_await sessions->wait(id, loop)).value();
        BOOST_TEST((stopped.state() == StatementState::cancelled));
        BOOST_TEST(stopped.result.value().error_name == "KeyboardInterrupt");
        const auto after = (co_await sessions->find(id)).value();
        BOOST_TEST((after.state() == SessionState::idle));
    }

    std::string mark(std::string word) const {
        return "_ = open('" + marks.string() + "', 'a').write('" + word + "\\n')\n";
    }
    /// Completes when one statement runs and the other one waits for it.
    asio::awaitable<void> leave_two_behind() {
        running = co_await execute(mark("first") + "print('begun', flush=True)\n" + gate.wait() +
                                   "print('over')\n'first'");
        waiting = co_await execute(mark("second") + "'second'");
        auto follower = sessions->follow_output(id, running);
        co_await expect_output(follower, "begun\n");
        const auto second = co_await state(waiting);
        BOOST_TEST((second == StatementState::waiting));
    }

    /// On another host.
    asio::awaitable<void> find_what_was_left() {
        const auto record = (co_await sessions->find("exploring")).value();
        BOOST_TEST_REQUIRE((record.id == id));
        BOOST_TEST((record.state() == SessionState::busy));
        BOOST_TEST(record.open_statements == 2);
        StatementQuery query;
        query.session = id;
        const auto page = (co_await sessions->list_statements(query)).value();
        BOOST_TEST(page.total == record.statements);
        BOOST_TEST_REQUIRE(page.statements.size() == 7u);
        BOOST_TEST(echo_of(page.statements[0]) == "2");
        BOOST_TEST((page.statements[5].state() == StatementState::running));
        BOOST_TEST((page.statements[6].state() == StatementState::waiting));
        auto told = sessions->follow_output(id, talk, 4);
        co_await expect_output(told, "two\n");
        co_await expect_end_of_output(told);
    }

    asio::awaitable<void> finish_what_was_left() {
        auto follower = sessions->follow_output(id, running);
        co_await expect_output(follower, "begun\n");
        gate.let_one_go();
        co_await expect_output(follower, "over\n");
        co_await expect_end_of_output(follower);
        const auto first = (co_await sessions->wait(id, running)).value();
        BOOST_TEST(echo_of(first) == "'first'");
        BOOST_TEST(text_of(first.output) == "begun\nover\n");
        const auto second = (co_await sessions->wait(id, waiting)).value();
        BOOST_TEST(echo_of(second) == "'second'");
        const auto third = co_await run("'third'");
        BOOST_TEST(echo_of(third) == "'third'");
        BOOST_TEST(read_text(marks) == "first\nsecond\n");
    }

    asio::awaitable<void> close() {
        const auto closing = (co_await sessions->close(id)).value();
        BOOST_TEST((closing.state() == SessionState::shutting_down));
        const auto end = (co_await sessions->wait(id)).value();
        BOOST_TEST((end.state() == SessionState::success), end.application.reason);
        co_await until_released(*sessions, id);
    }

    asio::awaitable<void> open_and_die() {
        SessionSpec wanted;
        wanted.kind = "pyspark";
        wanted.spec.conf["spark.driver.memory"] = "1k";
        id = (co_await sessions->open(std::move(wanted))).value().id;
        const auto started = (co_await sessions->wait_until_started(id)).value();
        BOOST_TEST((started.state() == SessionState::dead));
        const auto record = co_await until_released(*sessions, id);
        BOOST_TEST((record.state() == SessionState::dead));
        BOOST_TEST(record.application.reason != "");
        BOOST_TEST_MESSAGE(record.application.reason);
        ticket = record.application.ticket;
        SessionLogRequest request;
        request.id = id;
        const auto log = (co_await sessions->read_log(request)).value();
        BOOST_TEST(!log.lines.empty(), "what the JVM said");
    }

    /// Once the last host has stopped.
    void expect_no_leftovers() const {
        BOOST_TEST(files_in(harness.dir / "sessions/claims") == Names(),
                   boost::test_tools::per_element());
        for (const auto& file : files_in(harness.dir / "agents")) {
            BOOST_TEST(file.starts_with("sparkhost_"), file);  // the agent's program
        }
        BOOST_TEST(files_in(harness.dir / "work/tickets") == Names(),
                   boost::test_tools::per_element());
        BOOST_TEST(local::end_leftovers(ticket, {}) == 0);
    }

    RealSpark spark;
    RealHarness harness;
    LineGate gate{harness.dir / "gate"};
    fs::path marks{harness.dir / "marks"};
    std::optional<Sessions> sessions{};
    SessionId id{};
    std::string ticket{};
    StatementId talk{};
    StatementId running{};
    StatementId waiting{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(host_sessions_spark)

void outlives_its_host(const RealSpark& spark, Files files) {
    HostedSession session(spark);
    {
        HostLife life(session.harness, files);
        session.use(life);
        auto script = [&]() -> asio::awaitable<void> {
            co_await session.open();
            co_await session.add_and_query();
            co_await session.follow_while_it_runs();
            co_await session.interrupt_a_loop();
            co_await session.leave_two_behind();
        };
        run_on(life.io, script, spark_patience);
        session.let_go();
        life.abandon();
    }
    HostLife life(session.harness, files);
    session.use(life);
    auto processes = processes_of(session.ticket);
    BOOST_TEST(processes.size() >= 2u, "a JVM and Python");
    auto script = [&]() -> asio::awaitable<void> {
        co_await session.find_what_was_left();
        co_await session.finish_what_was_left();
        co_await session.close();
    };
    run_on(life.io, script, spark_patience);
    session.let_go();
    life.stop();
    for (const auto& process : processes) {
        BOOST_TEST(ends_in_time(process));
    }
    session.expect_no_leftovers();
}

BOOST_DATA_TEST_CASE(a_session_outlives_its_host_runs_all_code_once_and_leaves_nothing,
                     boost::unit_test::data::make(all_sparks), spark) {
    outlives_its_host(spark, Files::shared);
}

BOOST_AUTO_TEST_CASE(so_does_one_whose_driver_has_copies_and_dials_a_name) {
    outlives_its_host(all_sparks[0], Files::copied);
}

BOOST_DATA_TEST_CASE(a_session_whose_jvm_cannot_start_is_dead_and_says_why,
                     boost::unit_test::data::make(all_sparks), spark) {
    HostedSession session(spark);
    HostLife life(session.harness);
    session.use(life);
    run_on(
        life.io, [&] { return session.open_and_die(); }, spark_patience);
    session.let_go();
    life.stop();
    session.expect_no_leftovers();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
