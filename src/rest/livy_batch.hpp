// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LIVY_BATCH_HPP
#define SPARKHOST_SRC_REST_LIVY_BATCH_HPP

#include "rest/livy_log.hpp"

#include <sparkhost/batch.hpp>
#include <sparkhost/rest/router.hpp>
#include <sparkhost/session.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::rest {

/// An object as Livy shows it, with the last lines of its log.
template <class Record>
struct WithLog {
    Record record{};
    std::vector<std::string> log{};
};
using LivyBatch = WithLog<BatchRecord>;
using LivySession = WithLog<SessionRecord>;

using LivyLevel = sparkhost::rest::LivyLevel;

// Livy's JSON objects: exactly these keys in this order, nulls included, on one line. Clients
// break on more keys and on fewer.
std::string livy_batch_json(const LivyBatch& batch, LivyLevel level = LivyLevel::v0_9);
std::string livy_state_json(std::int64_t id, std::string_view state);
std::string livy_log_json(std::int64_t id, const LogView& view);
std::string livy_message_json(std::string_view message);
std::string livy_version_json(LivyLevel level = LivyLevel::v0_9);

}  // namespace sparkhost::detail::rest

#endif
