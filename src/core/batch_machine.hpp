// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_BATCH_MACHINE_HPP
#define SPARKHOST_SRC_CORE_BATCH_MACHINE_HPP

// The life of a batch as decisions: no I/O, no clock, no Asio. docs/states.md draws it, and a
// test compares the drawing with these tables.

#include <sparkhost/backend.hpp>
#include <sparkhost/batch.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail {

/// What has become known about a batch.
enum class BatchEvent {
    admitted,         ///< it has a slot and its ticket
    refused,          ///< the backend will not run it: nothing was or will be started
    taken,            ///< the backend has taken the ticket
    process_started,  ///< its driver runs
    context_up,       ///< its SparkContext has reported
    ended,            ///< the application is over
    lost,             ///< the backend does not know an application it had taken
    kill_requested,   ///< somebody wants it to end
    erase_requested,  ///< somebody wants it to end and be forgotten
    released,         ///< the backend has cleaned up
    due,              ///< it is time for the next attempt
    progressed        ///< a step that its backend has not named before
};

/// One arrow of the diagram. An end leads to `ended`, or to `attempt_ended` where the batch is to
/// be tried again.
struct BatchEdge {
    BatchPhase from;
    BatchEvent event;
    BatchPhase to;
};
std::span<const BatchEdge> batch_edges();

/// The order in which an application's reports may come; the same arrows as a table.
struct ApplicationEdge {
    ApplicationState from;
    ApplicationState to;
};
std::span<const ApplicationEdge> application_edges();

std::string_view to_string(BatchEvent event);
std::string_view to_string(ApplicationState state);

struct BatchObservation {
    BatchEvent event{BatchEvent::admitted};
    Timestamp at{};
    std::string reason{};
    std::string ticket{};                       ///< admitted
    std::string ticket_data{};                  ///< admitted
    int attempt{0};                             ///< admitted
    std::optional<BatchSpec> launch{};          ///< admitted: what runs, if not what was asked for
    std::optional<ApplicationStatus> report{};  ///< a backend's
    bool hopeless{false};  ///< refused: the same request would be refused again
    double chance{0};      ///< ended, lost, refused: a number from 0 to 1, for the jitter
};

/// Changes the record as the observation demands and says which events the log gets.
/// Empty: nothing new (a repeated or outdated report); the record is untouched. The version is
/// the storage's business.
std::vector<std::string> apply(BatchRecord& record, const BatchObservation& observation);

/// The observation that a backend's report amounts to for a batch in this phase; nothing if it
/// tells nothing new.
std::optional<BatchObservation> interpret(const BatchRecord& record,
                                          const ApplicationStatus& report, Timestamp now);

/// What has to be done for a batch whose record, as stored, is this. `kill` may run while
/// `submit` does; nothing else overlaps.
enum class BatchEffect {
    none,
    await_admission,
    reserve,
    submit,
    kill,
    release,
    await_retry,
    erase
};

/// Whether a batch in this phase has a slot; one that is accepted may have one, too.
constexpr bool needs_slot(BatchPhase phase) {
    return phase == BatchPhase::reserved || phase == BatchPhase::submitted ||
           phase == BatchPhase::running;
}

struct BatchProgress {
    bool admitted{false};  ///< a slot is held
    bool reserving{false};
    bool submitting{false};
    bool submit_done{false};  ///< the backend has answered; not asked again in this life
    bool killing{false};
    bool kill_done{false};  ///< the backend has confirmed the kill
    bool releasing{false};
    bool awaiting_retry{false};
    bool erasing{false};
    bool ending_itself{false};  ///< it has been asked to end; the kill waits
    bool unsettled{false};      ///< its session has statements without an end: it stays
};
BatchEffect next_effect(const BatchRecord& record, const BatchProgress& progress);

}  // namespace sparkhost::detail

#endif
