// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_LAUNCH_RECIPE_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_LAUNCH_RECIPE_HPP

#include "backends/local/journal.hpp"
#include "backends/local/ticket_data.hpp"
#include "backends/local/ticket_folder.hpp"

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>

#include <chrono>
#include <string>

namespace sparkhost::detail::local {

/// What a launch is made of beside the ticket's data.
struct LaunchRecipe {
    std::string ticket{};
    WorkPaths paths{};
    BatchSpec spec{};
    TicketData data{};
    Environment environment{};
    std::string archive{};  ///< class-data archive; empty: none
    std::chrono::milliseconds grace{};
};

/// The virtual machine's part of the command, without an archive.
JavaCommandRequest java_command_request(const TicketData& data, const Environment& environment);

/// Errors: invalid_argument – Java options that cannot be used.
Result<LaunchPlan> make_launch_plan(const LaunchRecipe& recipe);

}  // namespace sparkhost::detail::local

#endif
