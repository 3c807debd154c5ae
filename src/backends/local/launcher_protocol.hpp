// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_LAUNCHER_PROTOCOL_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_LAUNCHER_PROTOCOL_HPP

// What a Spark driver tells whoever launched it (org.apache.spark.launcher.LauncherProtocol):
// Java objects, serialised one after the other (Java Object Serialization Specification, chapter
// 6). Only the handful of forms these messages need is understood; no class is ever made from
// what arrives. Pure, and needs neither Boost nor exceptions: the supervisor shares it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail {

struct LauncherMessage {
    enum class Kind {
        hello,        ///< secret; text: Spark version
        application,  ///< text: application id
        state,        ///< text: SparkAppHandle.State's name
        other         ///< well-formed, but none of these
    };
    Kind kind{Kind::other};
    std::string text{};  ///< modified UTF-8, as Java wrote it
    std::string secret{};

    bool operator==(const LauncherMessage&) const = default;
};

/// Reads one connection, in pieces of any size.
class LauncherReader {
public:
    enum class Status {
        more,     ///< nothing complete is left: feed more
        message,  ///< `message` holds the next one
        broken    ///< no such stream, or over its bounds; stays so, close the connection
    };

    static constexpr std::size_t max_string = 4096;
    static constexpr std::size_t max_handles = 4096;
    static constexpr std::size_t max_message = 16 * 1024;
    static constexpr std::size_t max_stranger_bytes = 2048;
    static constexpr std::size_t max_bytes = 1024 * 1024;

    void feed(std::string_view bytes);
    Status next(LauncherMessage& message);

    /// The secret was right: from here max_bytes counts, not max_stranger_bytes.
    void trust() { limit_ = max_bytes; }

private:
    struct Handle {
        enum class Kind { class_description, string, object, constant };
        Kind kind{Kind::string};
        std::string text{};                 // value, class name, or constant's name
        std::uint8_t flags{0};              // of a class
        std::vector<std::string> fields{};  // names, of a class
        std::size_t parent{no_handle};      // of a class
    };
    struct Input;

    static constexpr std::size_t no_handle = static_cast<std::size_t>(-1);

    void read_header(Input& input);
    void read_message(Input& input, LauncherMessage& message);
    void read_value(Input& input, std::string& value);
    std::size_t read_class(Input& input);
    std::size_t read_class_body(Input& input);
    std::size_t read_string(Input& input, std::uint8_t tag);
    std::size_t read_constant(Input& input);
    std::size_t read_reference(Input& input, Handle::Kind wanted);
    std::size_t add_handle(Input& input, Handle handle);

    std::string buffer_{};
    std::vector<Handle> handles_{};
    std::size_t total_{0};
    std::size_t limit_{max_stranger_bytes};
    bool header_read_{false};
    bool broken_{false};
};

/// What asks the driver to stop: the 133 bytes of a stream with nothing but one Stop.
std::string_view launcher_stop_stream();

/// Takes the same time wherever the texts differ. Their lengths are no secret.
bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace sparkhost::detail

#endif
