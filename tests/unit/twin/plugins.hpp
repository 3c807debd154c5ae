// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TWIN_PLUGINS_HPP
#define SPARKHOST_TESTS_UNIT_TWIN_PLUGINS_HPP

// The plug-ins of a host in the twin: each call that changes the world is an effect before it is
// made and another one before its answer is given.

#include "course.hpp"

#include <sparkhost/session_runtime.hpp>
#include <sparkhost/storage.hpp>
#include <sparkhost/testing/backend_wrapper.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::twin {

/// What is known of the cluster's applications beside what the cluster says itself.
struct Applications {
    std::shared_ptr<testing::FakeCluster> cluster{std::make_shared<testing::FakeCluster>()};
    std::vector<std::string> tickets{};               ///< ever reserved
    std::map<std::string, ApplicationStatus> ends{};  ///< by ticket: how it stood when released

    /// How often user code was started for "batch-7": in all of its tickets together.
    std::size_t starts(const std::string& subject) const;
};
using ApplicationsPtr = std::shared_ptr<Applications>;

std::unique_ptr<Storage> make_twin_storage(std::shared_ptr<Storage> inner, CoursePtr course);

/// Its tickets are never given twice, as those of a backend that draws them: whoever forgets one
/// and reserves again starts something else.
std::unique_ptr<Backend> make_twin_backend(ApplicationsPtr applications, CoursePtr course);

std::unique_ptr<SessionRuntime> make_twin_runtime(std::shared_ptr<SessionRuntime> inner,
                                                  CoursePtr course);

}  // namespace sparkhost::twin

#endif
