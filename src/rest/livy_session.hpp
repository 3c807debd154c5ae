// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LIVY_SESSION_HPP
#define SPARKHOST_SRC_REST_LIVY_SESSION_HPP

#include "rest/livy_batch.hpp"

#include <sparkhost/session.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sparkhost::detail::rest {

// Livy's JSON objects of sessions: exactly the level's keys in this order, nulls included, on one
// line.
// Secrets of the conf are taken out.
std::string livy_session_json(LivySession session, LivyLevel level = LivyLevel::v0_9);

/// `spec.kind` says how the output is laid out: it must be there.
std::string livy_statement_json(const StatementRecord& record);
std::string livy_statement_list_json(std::int64_t total,
                                     const std::vector<StatementRecord>& statements);

/// Which statements Livy's ?from&size&order asks for, of `total` in the order of their ids.
struct StatementWindow {
    std::int64_t offset{0};
    std::int64_t count{0};
};
/// `from` below 0 is 0; `size` below 0 is none; `newest_first` counts from the end.
struct StatementWindowRequest {
    std::int64_t total{0};
    std::int64_t from{0};
    std::int64_t size{0};
    bool newest_first{false};
};
StatementWindow statement_window(StatementWindowRequest request);

}  // namespace sparkhost::detail::rest

#endif
