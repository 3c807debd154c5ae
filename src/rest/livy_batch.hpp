// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LIVY_BATCH_HPP
#define SPARKHOST_SRC_REST_LIVY_BATCH_HPP

#include "rest/livy_log.hpp"

#include <sparkhost/batch.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sparkhost::detail::rest {

/// A batch as Livy shows it, with the last lines of its log.
struct LivyBatch {
    BatchRecord record{};
    std::vector<std::string> log{};
};

// Livy's JSON objects: exactly these keys in this order, nulls included, on one line. Clients
// break on more keys and on fewer.
std::string livy_batch_json(const LivyBatch& batch);
std::string livy_list_json(std::int64_t from, std::int64_t total,
                           const std::vector<LivyBatch>& batches);
std::string livy_state_json(const BatchRecord& record);
std::string livy_log_json(BatchId id, const LogView& view);
std::string livy_message_json(std::string_view message);
std::string livy_version_json();

}  // namespace sparkhost::detail::rest

#endif
