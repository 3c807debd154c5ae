// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_BACKEND_CONFORMANCE_HPP
#define SPARKHOST_TESTING_BACKEND_CONFORMANCE_HPP

#include <sparkhost/backend.hpp>
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

/// What the author of a backend provides: the place where applications run, and programs to run
/// there. Each case needs a fixture of its own, where nothing has run yet; the functions are
/// called on the thread of run_backend_case() and may block.
class BackendFixture {
public:
    enum class Program {
        succeeds,  ///< prints the lines "one", "two" and "three", then ends with exit code 0
        fails,     ///< ends with exit code 3
        endless    ///< runs until it is killed
    };

    virtual ~BackendFixture() = default;

    /// A backend object, not opened yet. Called again, as by a host that starts again, it makes
    /// another one for the same place; the kit has destroyed the earlier one.
    virtual std::unique_ptr<Backend> make(boost::asio::any_io_executor executor) = 0;

    /// What to submit for this program. The program's user code writes down that it has begun,
    /// under `mark` (letters, digits and '-'), before it does anything else.
    virtual BatchSpec spec(Program program, std::string mark) = 0;

    /// How often user code has begun under this mark.
    virtual std::size_t starts(std::string mark) = 0;
};

/// Declared deviations, and how patient the kit is.
struct BackendConformanceOptions {
    bool serves_logs{true};      ///< as in Backend::Traits. Default: true
    bool reports_context{true};  ///< application ids of programs with a SparkContext are reported;
                                 ///< false: the programs have none. Default: true
    bool reports_exit_code{true};  ///< false: outcomes only. Default: true
    /// Two stores can use the place at the same time, each seeing its own applications.
    /// false: the place belongs to one store. Default: true
    bool keeps_stores_apart{true};
    std::size_t race_rounds{24};  ///< tries of each race. Default: 24
    /// Real time one wait may take before the backend counts as hung. Default: 60 s
    std::chrono::milliseconds patience{std::chrono::seconds{60}};
};

namespace backend_cases {
class Rig;
}

/// One behaviour.
struct BackendCase {
    std::string name;  ///< a sentence
    BackendConformanceOptions options{};
    std::function<boost::asio::awaitable<void>(backend_cases::Rig&)> run{};
};

/// All cases that apply. With any test framework:
///
///     for (auto& each : backend_conformance_cases()) {
///         MyFixture fixture;
///         run_backend_case(each, fixture);
///     }
std::vector<BackendCase> backend_conformance_cases(BackendConformanceOptions options = {});

/// Runs one case to its end on an event loop and a pool of its own, then kills and releases what
/// it has started. Throws ConformanceFailure. What a hung backend still refers to (the loop, the
/// pool) is left behind, so that the failure can be told.
void run_backend_case(const BackendCase& backend_case, BackendFixture& fixture);

}  // namespace sparkhost::testing

#endif
