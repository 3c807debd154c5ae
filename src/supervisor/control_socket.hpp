// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_CONTROL_SOCKET_HPP
#define SPARKHOST_SRC_SUPERVISOR_CONTROL_SOCKET_HPP

#include "supervisor/fd.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>

namespace sparkhost::supervisor {

/// Tells the journal to whoever of the same user connects, and hears "kill". A peer needs no
/// buffer: it has a position in the journal, so a slow one costs and delays nothing.
class ControlSocket {
public:
    explicit ControlSocket(Fd listener) : listener_(static_cast<Fd&&>(listener)) {}

    int listener() const { return listener_.get(); }

    /// Appends the peers' descriptors; `journal` says who has something to be sent.
    void collect(std::vector<pollfd>& polled, std::string_view journal) const;

    /// Handles what poll(2) has said of one of the peers. True: it asks for a kill.
    bool serve(const pollfd& polled);

    /// Takes up to all waiting connections; false when the system cannot give descriptors now.
    bool accept_peers();

    /// Sends each peer what it lacks of the journal, as far as it goes without waiting.
    void tell(std::string_view journal);

private:
    struct Peer {
        Fd socket{};
        std::size_t told{0};
        std::string request{};
        bool silent{false};  // it has closed its sending side
        bool deaf{false};    // it hears no more, but may have asked for something before
    };

    static constexpr std::size_t max_peers = 16;
    static constexpr std::size_t max_request = 64;

    static bool read_request(Peer& peer, bool& kill);
    static void send_rest(Peer& peer, std::string_view journal);

    Fd listener_;
    std::vector<Peer> peers_{};
};

}  // namespace sparkhost::supervisor

#endif
