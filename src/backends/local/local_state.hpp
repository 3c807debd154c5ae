// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_LOCAL_STATE_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_LOCAL_STATE_HPP

#include "backends/local/application_watch.hpp"
#include "backends/local/class_data_archive.hpp"
#include "backends/local/log_reader.hpp"
#include "backends/local/spark_conf.hpp"
#include "backends/local/spark_installation.hpp"
#include "backends/local/supervisor_start.hpp"
#include "backends/local/ticket_data.hpp"
#include "backends/local/ticket_folder.hpp"

#include <sparkhost/backends/local.hpp>

#include <memory>
#include <string>

namespace sparkhost::detail::local {

/// What the backend's operations share. Lives as long as any of them; for the host's strand.
struct LocalState {
    explicit LocalState(LocalBackendOptions given)
        : options(std::move(given)), environment(initial_environment(options)) {}

    const LocalBackendOptions options;
    const Environment environment;

    // set by open
    BackendContext context{};
    WorkPaths paths{};
    SparkInstallation spark{};
    std::shared_ptr<const SupervisorProgram> supervisor{};
    ArchivePlan archive{};

    std::shared_ptr<ApplicationWatch> watch{};  ///< while Backend::watch runs
    LogReader logs{};
    ArchiveTrainer trainer{};

    void log(LogLevel level, std::string message) const {
        if (context.log) {
            context.log(LogEvent{level, "local", std::move(message)});
        }
    }
    /// Has the running watch, if any, report this application.
    void announce(const std::string& ticket) const {
        if (watch) {
            watch->adopt(ticket);
        }
    }
};

// The operations of Backend (include/sparkhost/backend.hpp says what each one promises).

Awaitable<void> open_backend(std::shared_ptr<LocalState> state, BackendContext context);
Awaitable<Ticket> reserve_ticket(std::shared_ptr<LocalState> state, SubmitRequest request);
Awaitable<void> submit_application(std::shared_ptr<LocalState> state, SubmitRequest request,
                                   Ticket ticket);
Awaitable<void> watch_applications(std::shared_ptr<LocalState> state,
                                   std::shared_ptr<EventSink> sink);
Awaitable<void> kill_application(std::shared_ptr<LocalState> state, Ticket ticket);
Awaitable<void> release_application(std::shared_ptr<LocalState> state,
                                    Backend::ReleaseRequest request);
Awaitable<LogPage> read_application_log(std::shared_ptr<LocalState> state, LogRequest request);

}  // namespace sparkhost::detail::local

#endif
