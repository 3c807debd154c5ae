// SPDX-License-Identifier: Apache-2.0
#include "unit/local/local_harness.hpp"
#include "unit/local/supervised.hpp"

#include "backends/local/ticket_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <csignal>

#include <sys/wait.h>

namespace sparkhost::test {

namespace {

using detail::local::WorkPaths;

int count_of(std::string_view wanted, std::string_view text) {
    int count = 0;
    for (auto at = text.find(wanted); at != std::string_view::npos;
         at = text.find(wanted, at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(local_backend)

BOOST_AUTO_TEST_CASE(a_successful_application_is_reported_from_its_start_to_its_end) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        co_await watch.ready();
        Ticket ticket = co_await launch(harness, *backend, "exit 0");
        BOOST_TEST(ticket.id == "0123abcd-batch-0-1");
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::success));
        BOOST_TEST(end.exit_code.value_or(-1) == 0);
        BOOST_TEST(end.reason == "");
        BOOST_TEST_REQUIRE(end.started.has_value());
        BOOST_TEST_REQUIRE(end.ended.has_value());
        BOOST_TEST((*end.started <= *end.ended));
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_failure_comes_with_its_status_and_the_last_error_of_its_log) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend,
                                        "echo 'ZeroDivisionError: division by zero' >&2; exit 3");
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::failed));
        BOOST_TEST(end.exit_code.value_or(-1) == 3);
        BOOST_TEST(end.reason ==
                   "the driver exited with status 3: ZeroDivisionError: division by zero");
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_driver_ended_by_a_signal_has_failed_with_128_and_its_number) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend, "kill -SEGV $$");
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::failed));
        BOOST_TEST(end.exit_code.value_or(-1) == 128 + SIGSEGV);
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(the_application_gets_its_arguments_and_a_closed_environment) {
    LocalHarness harness;
    ::setenv("SPARKHOST_TEST_LEAK", "1", 1);
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto request =
            harness.request("printf '%s|' \"$@\" > $DIR/args; env > $DIR/env; pwd > $DIR/pwd",
                            {"--master", "a b", "", "$HOME\n"});
        Ticket ticket = co_await launch(*backend, request);
        co_await watch.sink->end(ticket.id);
        BOOST_TEST(read_text(harness.dir / "args") == "--master|a b||$HOME\n|");
        const std::string env = read_text(harness.dir / "env");
        for (const char* wanted :
             {"SPARK_ENV_LOADED=1\n", "PYTHONHASHSEED=0\n", "SPARK_LOCAL_IP=127.0.0.1\n",
              "LC_ALL=C.UTF-8\n", "_SPARK_LAUNCHER_PORT="}) {
            BOOST_TEST(env.find(wanted) != std::string::npos, wanted);
        }
        BOOST_TEST(env.find("SPARK_HOME=" + harness.spark.spark_home) != std::string::npos);
        BOOST_TEST(env.find("JAVA_HOME=" + harness.spark.java_home) != std::string::npos);
        const std::string folder = harness.ticket_folder(ticket).string();
        BOOST_TEST(env.find("SPARK_LOCAL_DIRS=" + folder + "/local\n") != std::string::npos);
        BOOST_TEST(env.find("SPARKHOST_TEST_LEAK") == std::string::npos);
        BOOST_TEST(read_text(harness.dir / "pwd") == folder + "/work\n");
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(no_descriptor_of_the_host_reaches_supervisor_or_application) {
    LocalHarness harness;
    // low and high ones, deliberately without close-on-exec
    std::vector<int> leaks;
    for (int i = 0; i < 40; ++i) {
        leaks.push_back(::open("/dev/null", O_RDONLY));
    }
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend,
                                        "ls -l /proc/$PPID/fd > $DIR/supervisor; "
                                        "ls -l /proc/$$/fd > $DIR/driver");
        co_await watch.sink->end(ticket.id);
        // of the supervisor: 0 to 2, once it has said all it had to say; of the driver: 0
        BOOST_TEST(count_of("/dev/null", read_text(harness.dir / "supervisor")) <= 3);
        BOOST_TEST(count_of("/dev/null", read_text(harness.dir / "driver")) == 1);
        co_await watch.stop();
    };
    run(script);
    for (int fd : leaks) {
        ::close(fd);
    }
}

BOOST_AUTO_TEST_CASE(a_second_submit_adopts_the_first) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto request = harness.request("echo run >> $DIR/runs");
        Ticket ticket = co_await launch(*backend, request);
        for (int i = 0; i < 3; ++i) {
            auto again = co_await backend->submit(request, ticket);
            BOOST_TEST(again.has_value());
        }
        co_await watch.sink->end(ticket.id);
        auto after_end = co_await backend->submit(request, ticket);
        BOOST_TEST(after_end.has_value());
        BOOST_TEST(read_text(harness.dir / "runs") == "run\n");
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(an_application_outlives_its_host_and_is_found_by_the_next) {
    LocalHarness harness;
    const auto fifo = harness.dir / "gate";
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    Ticket ticket;
    auto first = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        ticket = co_await launch(harness, *backend, "read line < $DIR/gate; exit $line");
        co_await watch.sink->state(ticket.id, ApplicationState::started);
        co_await watch.stop();
    };
    run(first);
    auto second = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        co_await watch.ready();
        BOOST_TEST_REQUIRE(watch.sink->last.contains(ticket.id));
        BOOST_TEST((watch.sink->last[ticket.id].state == ApplicationState::started));
        harness.dir.write("gate", "7\n");
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST(end.exit_code.value_or(-1) == 7);
        co_await watch.stop();
    };
    run(second);
}

BOOST_AUTO_TEST_CASE(what_ended_while_no_host_watched_is_in_the_next_snapshot) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend, "exit 5");
        co_await watch.sink->end(ticket.id);
        co_await watch.stop();
        BOOST_TEST(watch.result->has_value());

        RunningWatch next(*backend, strand);
        co_await next.ready();
        BOOST_TEST_REQUIRE(next.sink->reports.size() == 1u);
        BOOST_TEST(next.sink->reports[0].exit_code.value_or(-1) == 5);
        co_await next.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(kill_ends_the_application_and_its_descendants) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend,
                                        "setsid sh -c 'echo $$ > $DIR/pid; exec sleep 1000' & "
                                        "echo up > $DIR/up; wait");
        co_await watch.sink->state(ticket.id, ApplicationState::started);
        auto killed = co_await backend->kill(ticket);
        BOOST_TEST(killed.has_value());
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::killed));
        auto again = co_await backend->kill(ticket);
        BOOST_TEST(again.has_value());
        const std::string pid = read_text(harness.dir / "pid");
        if (!pid.empty()) {
            BOOST_TEST(::kill(std::stoi(pid), 0) != 0);
        }
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(kill_before_submit_takes_the_ticket_and_is_reported) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto request = harness.request("echo run >> $DIR/runs");
        auto ticket = co_await backend->reserve(request);
        auto killed = co_await backend->kill(*ticket);
        BOOST_TEST(killed.has_value());
        ApplicationStatus end = co_await watch.sink->end(ticket->id);
        BOOST_TEST((end.outcome == Outcome::killed));
        BOOST_TEST(end.reason == "killed before it was started");
        auto submitted = co_await backend->submit(request, *ticket);
        BOOST_TEST_REQUIRE(submitted.has_error());
        BOOST_TEST(submitted.error().is(Errc::invalid_state));
        BOOST_TEST(read_text(harness.dir / "runs") == "");
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_killed_supervisor_ends_the_application_as_unknown) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend,
                                        "setsid sleep 1000 & echo $! > $DIR/pid; "
                                        "echo up; sleep 1000");
        LogRequest log{.ticket = ticket, .follow = true};
        auto page = co_await backend->read_log(log);
        BOOST_TEST_REQUIRE(page.has_value());
        const WorkPaths paths{harness.options.work_dir};
        auto claim = detail::local::read_claim(paths, ticket.id);
        BOOST_TEST_REQUIRE(claim->has_value());
        ::kill((*claim)->supervisor.pid, SIGKILL);
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::unknown));
        BOOST_TEST(end.reason ==
                   "the supervisor was killed; how the application ended is not known");
        BOOST_TEST(!end.exit_code.has_value());
        // nothing of it is left, and everybody will be told the same from now on
        wait_until_gone(std::stoi(read_text(harness.dir / "pid")));
        auto killed = co_await backend->kill(ticket);
        BOOST_TEST(killed.has_value());
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_program_that_cannot_be_executed_fails_with_the_reason) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto request = harness.request("exit 0");
        auto ticket = co_await backend->reserve(request);
        ::chmod((harness.spark.java_home + "/bin/java").c_str(), 0600);
        auto submitted = co_await backend->submit(request, *ticket);
        BOOST_TEST(submitted.has_value());
        ApplicationStatus end = co_await watch.sink->end(ticket->id);
        BOOST_TEST((end.outcome == Outcome::failed));
        BOOST_TEST(end.exit_code.value_or(-1) == 127);
        BOOST_TEST(end.reason.starts_with("the driver could not be started: "), end.reason);
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(release_keeps_the_log_and_removes_everything_else) {
    LocalHarness harness;
    harness.dir.write("precious/file", "kept");
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        // a link planted by the application must not lead the removal astray
        Ticket ticket = co_await launch(harness, *backend,
                                        "echo hello; ln -s $DIR/precious trap; "
                                        "ln -s $DIR/precious ../local/trap");
        co_await watch.sink->end(ticket.id);
        const Backend::ReleaseRequest request{ticket, true};
        for (int i = 0; i < 2; ++i) {
            auto released = co_await backend->release(request);
            BOOST_TEST(released.has_value());
        }
        BOOST_TEST(!std::filesystem::exists(harness.ticket_folder(ticket)));
        BOOST_TEST(read_text(harness.dir / "precious/file") == "kept");
        LogRequest log{.ticket = ticket};
        auto page = co_await backend->read_log(log);
        BOOST_TEST_REQUIRE(page.has_value());
        BOOST_TEST(page->complete);
        BOOST_TEST_REQUIRE(page->lines.size() == 1u);
        BOOST_TEST(page->lines[0] == "hello");

        const Backend::ReleaseRequest without_log{ticket, false};
        auto released = co_await backend->release(without_log);
        BOOST_TEST(released.has_value());
        auto gone = co_await backend->read_log(log);
        BOOST_TEST_REQUIRE(gone.has_error());
        BOOST_TEST(gone.error().is(Errc::not_found));
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_following_reader_is_woken_by_output_and_by_the_end) {
    LocalHarness harness;
    BOOST_TEST_REQUIRE(::mkfifo((harness.dir / "gate").c_str(), 0600) == 0);
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket =
            co_await launch(harness, *backend, "echo one; read line < $DIR/gate; printf two");
        LogRequest request{.ticket = ticket, .follow = true};
        auto page = co_await backend->read_log(request);
        BOOST_TEST_REQUIRE(page.has_value());
        BOOST_TEST_REQUIRE(page->lines.size() == 1u);
        BOOST_TEST(page->lines[0] == "one");
        harness.dir.write("gate", "go\n");
        request.offset = 1;
        page = co_await backend->read_log(request);
        BOOST_TEST_REQUIRE(page.has_value());
        BOOST_TEST_REQUIRE(page->lines.size() == 1u);
        BOOST_TEST(page->lines[0] == "two");
        BOOST_TEST(page->complete);
        request.offset = 2;
        page = co_await backend->read_log(request);
        BOOST_TEST(page->lines.empty());
        BOOST_TEST(page->total == 2);
        co_await watch.sink->end(ticket.id);
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_following_reader_can_be_cancelled) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend, "echo up; exec sleep 1000");
        LogRequest request{.ticket = ticket, .offset = 0, .follow = true};
        co_await backend->read_log(request);
        request.offset = 1;
        asio::cancellation_signal cancel;
        std::optional<Result<LogPage>> page;
        asio::steady_timer answered(strand, asio::steady_timer::time_point::max());
        auto keep = [&](std::exception_ptr, Result<LogPage> result) {
            page = std::move(result);
            answered.cancel();
        };
        asio::co_spawn(strand, backend->read_log(request),
                       asio::bind_cancellation_slot(cancel.slot(), std::move(keep)));
        // by now and then the reader waits: let what is ready run until it does
        const Backend::ReleaseRequest nobody{Ticket{"nobody-else-1", ""}, true};
        auto released = co_await backend->release(nobody);
        BOOST_TEST(released.has_value());
        BOOST_TEST(!page.has_value());
        cancel.emit(asio::cancellation_type::terminal);
        while (!page) {
            boost::system::error_code woken;
            co_await answered.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        co_await backend->kill(ticket);
        co_await watch.sink->end(ticket.id);
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_host_that_reaps_all_children_does_no_harm) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        for (int i = 0; i < 3; ++i) {
            Ticket ticket = co_await launch(harness, *backend, "exit 4");
            while (::waitpid(-1, nullptr, WNOHANG) > 0) {
            }
            ApplicationStatus end = co_await watch.sink->end(ticket.id);
            BOOST_TEST(end.exit_code.value_or(-1) == 4);
            while (::waitpid(-1, nullptr, WNOHANG) > 0) {
            }
        }
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(supervisors_are_nobodys_children_and_foreign_ones_are_left_alone) {
    LocalHarness harness;
    const pid_t foreign = ::fork();
    if (foreign == 0) {
        ::_exit(42);
    }
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend, "exit 0");
        co_await watch.sink->end(ticket.id);
        Ticket next = co_await launch(harness, *backend, "exit 0");
        co_await watch.sink->end(next.id);
        co_await watch.stop();
    };
    run(script);
    int status = 0;
    BOOST_TEST(::waitpid(foreign, &status, 0) == foreign);
    BOOST_TEST(WEXITSTATUS(status) == 42);
    BOOST_TEST(::waitpid(-1, &status, WNOHANG) == -1, "a child is left");
}

BOOST_AUTO_TEST_CASE(a_supervisor_named_by_the_options_is_used) {
    LocalHarness harness;
    auto program = harness.dir.write("supervisor", "#!/bin/sh\necho error no mood\nexit 1\n");
    ::chmod(program.c_str(), 0700);
    harness.options.supervisor = program.string();
    auto script = [&]() -> asio::awaitable<void> {
        auto backend = co_await harness.open();
        auto request = harness.request("exit 0");
        auto ticket = co_await backend->reserve(request);
        auto submitted = co_await backend->submit(request, *ticket);
        BOOST_TEST_REQUIRE(submitted.has_error());
        BOOST_TEST(submitted.error().is(Errc::backend_failed));
        BOOST_TEST(submitted.error().detail == "no mood");
        // "never will be": not even by a supervisor that works
        auto again = co_await backend->submit(request, *ticket);
        BOOST_TEST_REQUIRE(again.has_error());
        BOOST_TEST(again.error().is(Errc::backend_failed));
        BOOST_TEST(again.error().detail == "no mood");
        // a host that has died before it could store that learns it as well: nobody has killed it
        auto strand = co_await asio::this_coro::executor;
        RunningWatch watch(*backend, strand);
        co_await watch.ready();
        ApplicationStatus end = co_await watch.sink->end(ticket->id);
        BOOST_TEST((end.outcome == Outcome::failed));
        BOOST_TEST(end.reason == "no mood");
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(an_unfinished_submit_is_taken_up_by_the_next) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        auto request = harness.request("exit 6");
        auto ticket = co_await backend->reserve(request);
        // as after a crash between writing the folder and starting the supervisor
        std::filesystem::create_directories(harness.ticket_folder(*ticket) / "work");
        harness.dir.write("work/tickets/" + ticket->id + "/launch", "torn");
        RunningWatch watch(*backend, strand);
        co_await watch.ready();
        BOOST_TEST(watch.sink->reports.empty());
        auto submitted = co_await backend->submit(request, *ticket);
        BOOST_TEST(submitted.has_value());
        ApplicationStatus end = co_await watch.sink->end(ticket->id);
        BOOST_TEST(end.exit_code.value_or(-1) == 6);
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(the_work_folder_may_have_a_long_path) {
    LocalHarness harness;
    harness.options.work_dir = (harness.dir / std::string(150, 'x')).string();
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend, "exec sleep 1000");
        co_await watch.sink->state(ticket.id, ApplicationState::started);
        auto killed = co_await backend->kill(ticket);
        BOOST_TEST(killed.has_value());
        co_await watch.sink->end(ticket.id);
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
