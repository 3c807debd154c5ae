// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_LOG_FRAME_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_LOG_FRAME_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace sparkhost::detail::yarn {

/// Takes a file of a container out of what NodeManagers and log servers put around it:
///
///     Container: container_1_0001_01_000001 on node:45454
///     LogAggregationType: LOCAL
///     ====
///     LogType:stdout
///     LogLastModifiedTime:…
///     LogLength:1234
///     LogContents:
///     …so many bytes as the file has, or as were asked for; then "End of LogType:stdout" …
///
/// The bytes are counted, not searched for an end, which a log can contain. Behind it parts may
/// follow that were collected earlier; they are left out. Pure.
class LogFrame {
public:
    /// `size`: as it was asked for: bytes from the file's beginning; negative: from its end.
    explicit LogFrame(std::int64_t size) : size_(size) {}

    enum class State {
        head,      ///< of the frame, still
        contents,  ///< more comes
        complete,  ///< all that was asked for is there
        no_log,    ///< it says that there is none
        strange    ///< it is something else
    };
    State state() const { return state_; }
    void put(std::string_view bytes);
    /// Nothing comes any more.
    void put_end();

    // Preconditions: contents or complete.
    std::int64_t total() const { return total_; }  ///< bytes there are in the file
    std::int64_t begin() const;                    ///< of what was asked for, in the file

    /// What has come of the contents since the last time.
    std::string take();

private:
    void read_head();
    std::int64_t wanted() const;

    std::int64_t size_;
    State state_{State::head};
    std::string pending_{};
    std::int64_t total_{0};
    std::int64_t left_{0};
};

}  // namespace sparkhost::detail::yarn

#endif
