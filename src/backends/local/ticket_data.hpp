// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_TICKET_DATA_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_TICKET_DATA_HPP

#include "backends/local/spark_installation.hpp"

#include <sparkhost/backend.hpp>
#include <sparkhost/error.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::local {

/// What is decided when a ticket is reserved, so that a submit after a crash, an upgrade or a
/// change of options starts the same thing.
struct TicketData {
    std::string spark_home{};
    std::string spark_version{};
    std::vector<std::string> logging_jars{};
    std::string java{};
    std::string conf_folder{};
    std::vector<std::string> conf_options{};
    Properties properties{};
    bool operator==(const TicketData&) const = default;
};

std::string encode_ticket_data(const TicketData& data);

/// Errors: backend_failed – this text was not written by encode_ticket_data.
Result<TicketData> decode_ticket_data(std::string_view text);

/// "<first 8 of the store's uuid>-<subject>-<attempt>", in lower case; what else a subject may
/// hold becomes '-'; at most 63 characters. The next names are for where that one is taken: with
/// "-2", "-3" … behind it.
std::string ticket_id(const SubmitRequest& request, int turn = 1);

/// Whether `id` can be one of ours: lower-case letters, digits and '-', 1 to 63 of them. Guards
/// paths made of it.
bool is_ticket_id(std::string_view id);

}  // namespace sparkhost::detail::local

#endif
