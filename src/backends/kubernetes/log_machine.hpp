// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_MACHINE_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::kubernetes {

/// Nanoseconds since 1970 of the time stamp that a line of a pod's log begins with
/// ("2024-05-01T10:00:00.123456789Z text", also with "+02:00"). Nothing: it has none.
std::optional<std::int64_t> log_stamp(std::string_view line);

/// What stands behind the time stamp.
std::string_view log_text(std::string_view line);

/// Puts one log together out of several streams of it, each of which begins with lines that are
/// known already: the API server forgets the fraction of the second it is asked for, lines may
/// have equal stamps, and those of stdout and stderr are not quite in order. So a stream is asked
/// for from a while before the last line, and each line of the stream whose stamp is known is
/// left out, as often as the stamp is known. Pure.
class LogStitcher {
public:
    /// The records that are kept, oldest first; those at the end are enough (needs()).
    void remember(std::string_view records);
    /// Whether records older than these may be needed, too.
    static bool needs_more(std::string_view records);

    /// A stream begins. Gives the time to ask for ("2024-05-01T09:59:58Z"); empty: everything.
    std::string begin();

    /// Bytes of the stream. Gives the records that are new, each with its stamp and '\n'.
    std::string put(std::string_view bytes);

    /// The log is complete with this stream: a last line without an end is one, too.
    std::string finish();

    /// Lines without a stamp, which are words of the cluster about the log, since the last call.
    std::string take_remarks();

private:
    void accept(std::string_view line, std::string& records);
    void note(std::int64_t stamp);
    bool is_known(std::int64_t stamp);

    std::map<std::int64_t, std::size_t> recent_{};    ///< stamps of the last records
    std::map<std::int64_t, std::size_t> expected_{};  ///< those that this stream repeats
    std::string pending_{};                           ///< a line that has not ended yet
    std::string remarks_{};
};

}  // namespace sparkhost::detail::kubernetes

#endif
