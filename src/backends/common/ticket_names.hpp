// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_TICKET_NAMES_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_TICKET_NAMES_HPP

#include <sparkhost/backend.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace sparkhost::detail {

/// "spark-<first 8 of the store's uuid>-<subject>-<attempt>": a DNS label of at most 50 characters.
/// The next names are for where that one is taken: with "-2", "-3" … behind it.
std::string ticket_id(const SubmitRequest& request, int turn = 1);

/// Whether `id` can be one of ours. Guards paths and targets made of it.
bool is_ticket_id(std::string_view id);

/// `bytes` random bytes in hex.
std::string random_hex(std::size_t bytes);

}  // namespace sparkhost::detail

#endif
