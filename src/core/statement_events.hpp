// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_STATEMENT_EVENTS_HPP
#define SPARKHOST_SRC_CORE_STATEMENT_EVENTS_HPP

#include <sparkhost/event.hpp>
#include <sparkhost/session.hpp>
#include <sparkhost/storage.hpp>

#include <cstdint>
#include <string>

namespace sparkhost::statement_driver {

/// What the event log is told of a statement.
Event event_of(const StatementRecord& record, std::string type, Timestamp at,
               std::int64_t stored_version);

void add_event(Transaction& transaction, RecordKey subject, const Event& event);

}  // namespace sparkhost::statement_driver

#endif
