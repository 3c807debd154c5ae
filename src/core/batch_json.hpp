// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_BATCH_JSON_HPP
#define SPARKHOST_SRC_CORE_BATCH_JSON_HPP

// Batches and their events as they are stored. The one place that knows the stored form.

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/event.hpp>
#include <sparkhost/storage.hpp>

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail {

/// Everything of a batch but id and version; reading throws where it is not one of ours.
boost::json::object batch_to_json(const BatchRecord& record);
BatchRecord batch_from_json(const boost::json::object& object);
boost::json::object spec_to_json(const BatchSpec& spec);
BatchSpec spec_from_json(const boost::json::object& object);

/// The body of a batch's record.
std::string encode_batch(const BatchRecord& record);

/// The word a record is filed under: the phase until it has ended (with ".again" where it is shown
/// as running because an attempt before has run), then "ended.<state>", and
/// "<state>" once it is released and need not be erased.
std::string stored_state(const BatchRecord& record);
/// The words that batches shown in this state are filed under.
std::vector<std::string> stored_states(BatchState state);
/// The words of batches that something has still to be done for, whoever waits in the queue aside.
std::vector<std::string> stored_states_in_progress();
/// The words of a phase.
std::vector<std::string> stored_states(BatchPhase phase);

/// Errors: storage_failed – the body is not one of ours.
Result<BatchRecord> decode_batch(const Record& stored);

/// The body of an event: what the store does not keep in columns.
std::string encode_event(const Event& event);

Result<Event> decode_event(const StoredEvent& stored);

/// The same for equal requests, else different: tells whether an idempotency key is used again
/// for the same request. Name, owner and key itself do not take part where they cannot differ.
std::string fingerprint(const BatchSpec& spec);
/// The same of any text.
std::string fingerprint_of(const std::string& text);

}  // namespace sparkhost::detail

#endif
