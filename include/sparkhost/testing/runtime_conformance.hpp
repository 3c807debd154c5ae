// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_RUNTIME_CONFORMANCE_HPP
#define SPARKHOST_TESTING_RUNTIME_CONFORMANCE_HPP

#include <sparkhost/session_runtime.hpp>
#include <sparkhost/testing/conformance_failure.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::testing {

/// What the author of a session runtime provides: the place where sessions run, and code to run
/// in them. All is called on the thread of run_runtime_case(s).
class RuntimeFixture {
public:
    enum class Program {
        echoes,              ///< its result has "2" as `text/plain`
        writes,              ///< "one\n", then "two\n" to standard output, "three\n" to the other
        fails,               ///< with an exception that has a name and a traceback
        endless,             ///< runs until it is interrupted
        endless_after_line,  ///< writes "begun\n" to standard output, then as `endless`
        completable          ///< not run: code that can be completed at its end
    };

    virtual ~RuntimeFixture() = default;

    /// The runtime. Called once. What it starts by itself belongs on `executor`.
    virtual std::unique_ptr<SessionRuntime> make(boost::asio::any_io_executor executor) = 0;

    /// Starts what prepare() gave, as a backend would: its agent then dials. Awaited on `executor`.
    /// Whatever goes wrong is thrown.
    virtual boost::asio::awaitable<void> launch(SubmitRequest request) = 0;

    /// Ends all that launch() has started; called last, and once. The runtime is gone by then.
    virtual boost::asio::awaitable<void> end_all() = 0;

    /// The kind of the sessions and of the code.
    virtual std::string kind() = 0;

    /// The program's code. Before it does anything else it writes down that it has begun, under
    /// `mark` (letters, digits and '-').
    virtual std::string code(Program program, std::string mark) = 0;

    /// How often code has begun under this mark.
    virtual std::size_t runs(std::string mark) = 0;
};

/// Declared deviations, and how patient the kit is.
struct RuntimeConformanceOptions {
    bool interrupts{true};  ///< false: code cannot be interrupted. Default: true
    bool completes{true};   ///< false: Conversation::complete() is not implemented. Default: true
    /// Where the kit's agent endpoint listens, as AgentEndpointOptions::address. Default: a Unix
    /// socket in a folder for temporary files, next to the claim files.
    std::string agent_address{};
    /// Real time one wait may take before the runtime counts as hung. Default: 60 s
    std::chrono::milliseconds patience{std::chrono::seconds{60}};
};

namespace runtime_cases {
class Rig;
}

/// One behaviour.
struct RuntimeCase {
    std::string name;  ///< a sentence
    RuntimeConformanceOptions options{};
    std::function<boost::asio::awaitable<void>(runtime_cases::Rig&)> run{};
};

/// All cases that apply.
std::vector<RuntimeCase> runtime_conformance_cases(RuntimeConformanceOptions options = {});

/// Runs one case to its end, in sessions of its own, on an event loop of its own. Throws
/// ConformanceFailure. With any test framework:
///
///     for (auto& each : runtime_conformance_cases()) {
///         MyFixture fixture;
///         run_runtime_case(each, fixture);
///     }
///
/// What a hung runtime still refers to (the loop) is left behind, so that the failure can be told.
void run_runtime_case(const RuntimeCase& runtime_case, RuntimeFixture& fixture);

/// The same for several cases with one fixture, where it takes long to start a session: a case
/// goes on in the session of the one before it, unless that has ended it or has failed. All are
/// run, but for those after one that hangs; the failure names each that failed.
void run_runtime_cases(const std::vector<RuntimeCase>& cases, RuntimeFixture& fixture);

}  // namespace sparkhost::testing

#endif
