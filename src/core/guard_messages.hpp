// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_GUARD_MESSAGES_HPP
#define SPARKHOST_SRC_CORE_GUARD_MESSAGES_HPP

// What a driver's guard says after its grant (docs/agent_protocol.md, "Guards"). The user's code
// shares its process, and can say anything in its name.

#include <sparkhost/backend.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sparkhost::detail {

/// Longest line of a guard, with its end; the longest report has less than half.
inline constexpr std::size_t guard_line = 256u << 10;

struct GuardPing {
    std::string pong{};  ///< the answer, with its line end
};
struct GuardOther {};  ///< of a type that this host does not know
using GuardMessage = std::variant<GuardOther, GuardPing, DriverReport>;

/// A report comes without ticket and driver: those are its connection's.
/// Errors: backend_failed – a framing error.
Result<GuardMessage> read_guard_message(std::string_view line);

/// Bytes in, lines without their ends out. Errors: backend_failed – one is longer than guard_line.
class GuardLines {
public:
    Result<std::vector<std::string>> feed(std::string_view bytes);

private:
    std::string rest_{};
};

}  // namespace sparkhost::detail

#endif
