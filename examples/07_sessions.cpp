// SPDX-License-Identifier: Apache-2.0
//
// 07: an interactive session: run code in a Spark that stays, and talk with it while it runs.
//
// You learn: sessions need a runtime beside the backend; statements run one after the other in one
//   Spark; what they write is followed while they run; an interrupt stops one and no other.
// How to run: 07_sessions SPARK_HOME PYTHON
//   Keeps its data in ./example-data. Agents dial a Unix socket there, and the system allows such
//   a path 107 bytes: deep in the file system set HostOptions::agent_address.
// Expected output:
//   session 0 is accepted; a JVM takes some seconds
//   session 0 is idle on Spark …
//   [0] pyspark: for n in 10, 99: print(spark.range(n).count())
//   10
//   99
//   [0] ok
//   [1] pyspark: 6 * 7
//   [1] ok: 42
//   [2] pyspark: spark.range(3).createOrReplaceTempView('numbers')
//   [2] ok
//   [3] sql: SELECT id, id * id FROM numbers ORDER BY id
//   [3] ok: {…"data":[[0,0],[1,1],[2,4]]}
//   [4] pyspark: 1 / 0
//   [4] error: ZeroDivisionError
//   Traceback (most recent call last):
//     File "<statement 4>", line 1, in <module>
//   …
//   ZeroDivisionError: division by zero
//   [5] pyspark: while True: print(spark.range(9).count(), flush=True)
//   9
//   …
//   that is enough: interrupting it
//   [5] cancelled: …
//   session 0 is closed: success
#include <sparkhost/backends/local.hpp>
#include <sparkhost/host.hpp>
#include <sparkhost/runtimes/spark.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <iostream>

namespace asio = boost::asio;
using sparkhost::SessionId, sparkhost::Sessions, sparkhost::StatementId;

/// Accepts code: from here on it runs by itself, whoever listens.
asio::awaitable<StatementId> execute(Sessions sessions, SessionId id, std::string kind,
                                     std::string code) {
    sparkhost::StatementSpec statement{.kind = kind, .code = code};
    const auto accepted = (co_await sessions.execute(id, std::move(statement))).value();
    std::cout << '[' << accepted.spec.id.value << "] " << kind << ": " << code << std::endl;
    co_return accepted.spec.id;
}

/// Waits for the end and prints what came of it.
asio::awaitable<void> show_result(Sessions sessions, SessionId id, StatementId number) {
    const auto statement = (co_await sessions.wait(id, number)).value();
    const auto& result = statement.result.value();
    std::cout << '[' << number.value << "] " << to_string(result.outcome);
    for (const auto& [type, content] : result.data) {  // text/plain, or application/json of sql
        std::cout << ": " << content;
    }
    std::cout << (result.error_name.empty() ? "" : ": ") << result.error_name << std::endl;
    if (result.outcome == sparkhost::StatementOutcome::error) {
        for (const auto& line : result.traceback) {
            std::cout << line;
        }
    }
}

/// Runs code and prints what it writes, as it comes.
asio::awaitable<void> run(Sessions sessions, SessionId id, std::string kind, std::string code) {
    const auto number = co_await execute(sessions, id, kind, code);
    auto output = sessions.follow_output(id, number);
    for (bool over = false; !over;) {
        const auto chunks = (co_await output.next()).value();  // waits; none: the end
        for (const auto& chunk : chunks) {
            std::cout << chunk.text << std::flush;
        }
        over = chunks.empty();
    }
    co_await show_result(sessions, id, number);
}

/// Lets an endless loop write its first line, then stops it.
asio::awaitable<void> interrupt_a_loop(Sessions sessions, SessionId id) {
    const auto number = co_await execute(sessions, id, "pyspark",
                                         "while True: print(spark.range(9).count(), flush=True)");
    auto output = sessions.follow_output(id, number);
    std::cout << (co_await output.next()).value().front().text;
    std::cout << "that is enough: interrupting it" << std::endl;
    sparkhost::InterruptRequest request{.statement = number};
    (co_await sessions.interrupt(id, request)).value();
    co_await show_result(sessions, id, number);
}

asio::awaitable<void> explore(sparkhost::Host& host) {
    auto sessions = host.sessions();
    sparkhost::SessionSpec spec{.kind = "pyspark"};
    auto session = (co_await sessions.open(std::move(spec))).value();  // durable, as a batch
    const auto id = session.id;
    std::cout << "session " << id.value << " is accepted; a JVM takes some seconds" << std::endl;
    session = (co_await sessions.wait_until_started(id)).value();
    std::cout << "session " << id.value << " is " << to_string(session.state());
    if (session.facts) {
        std::cout << " on Spark " << session.facts->spark_version << std::endl;
        co_await run(sessions, id, "pyspark", "for n in 10, 99: print(spark.range(n).count())");
        co_await run(sessions, id, "pyspark", "6 * 7");
        co_await run(sessions, id, "pyspark", "spark.range(3).createOrReplaceTempView('numbers')");
        co_await run(sessions, id, "sql", "SELECT id, id * id FROM numbers ORDER BY id");
        co_await run(sessions, id, "pyspark", "1 / 0");
        co_await interrupt_a_loop(sessions, id);
    }
    (co_await sessions.close(id)).value();
    session = (co_await sessions.wait(id)).value();
    std::cout << "session " << id.value << " is closed: " << to_string(session.state()) << '\n';
    host.stop();
}

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::cerr << "usage: 07_sessions SPARK_HOME PYTHON\n";
        return 2;
    }
    const auto data = std::filesystem::current_path() / "example-data";
    std::filesystem::create_directories(data);
    asio::io_context io;
    sparkhost::LocalBackendOptions local{
        .work_dir = data / "local", .spark_home = argv[1], .python = argv[2]};
    sparkhost::HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = data / "jobs.db"});
    plugins.backends.push_back(sparkhost::make_local_backend(io.get_executor(), std::move(local)));
    plugins.runtimes.push_back(sparkhost::make_spark_runtime({.work_dir = data / "agents"}));
    sparkhost::HostOptions options{.agent_folder = data / "sessions"};
    sparkhost::Host host(io.get_executor(), std::move(options), std::move(plugins));
    const auto rethrow = [](std::exception_ptr failure, auto&&...) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    };
    asio::co_spawn(io, host.run(), rethrow);
    asio::co_spawn(io, explore(host), rethrow);
    io.run();
} catch (const std::exception& failure) {
    std::cerr << "07_sessions: " << failure.what() << '\n';
    return 1;
}
