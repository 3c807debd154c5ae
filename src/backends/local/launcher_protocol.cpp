// SPDX-License-Identifier: Apache-2.0
#include "backends/local/launcher_protocol.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail {

namespace launcher_protocol {

// Java Object Serialization Specification 6.4.2
constexpr std::uint8_t tag_null = 0x70;
constexpr std::uint8_t tag_reference = 0x71;
constexpr std::uint8_t tag_class = 0x72;
constexpr std::uint8_t tag_object = 0x73;
constexpr std::uint8_t tag_string = 0x74;
constexpr std::uint8_t tag_end = 0x78;
constexpr std::uint8_t tag_reset = 0x79;
constexpr std::uint8_t tag_enum = 0x7e;
constexpr std::uint8_t flag_serializable = 0x02;
constexpr std::uint8_t flag_enum = 0x10;
constexpr std::uint32_t first_handle = 0x7e0000;

constexpr std::string_view header{"\xac\xed\x00\x05", 4};
constexpr std::string_view prefix = "org.apache.spark.launcher.LauncherProtocol$";

constexpr std::size_t max_fields = 16;
constexpr std::size_t max_parents = 8;

constexpr std::string_view stop_stream{
    "\xac\xed\x00\x05sr\x00/org.apache.spark.launcher.LauncherProtocol$Stop"
    "\x18\x05\x48\x2f\x54\xcd\x23\x01\x02\x00\x00"
    "xr\x00"
    "2org.apache.spark.launcher.LauncherProtocol$Message"
    "\xba\x91\x30\x69\x56\xca\x88\x35\x02\x00\x00xp",
    133};

LauncherMessage::Kind kind_of(std::string_view class_name) {
    if (class_name.substr(0, prefix.size()) == prefix) {
        const auto name = class_name.substr(prefix.size());
        if (name == "Hello") {
            return LauncherMessage::Kind::hello;
        }
        if (name == "SetAppId") {
            return LauncherMessage::Kind::application;
        }
        if (name == "SetState") {
            return LauncherMessage::Kind::state;
        }
    }
    return LauncherMessage::Kind::other;
}

/// True when a field of that name holds what `text` is to be.
bool is_text_field(LauncherMessage::Kind kind, std::string_view field) {
    return (kind == LauncherMessage::Kind::hello && field == "sparkVersion") ||
           (kind == LauncherMessage::Kind::application && field == "appId") ||
           (kind == LauncherMessage::Kind::state && field == "state");
}

}  // namespace launcher_protocol

/// A look at the buffer: what is read here counts only when the whole message was there.
struct LauncherReader::Input {
    std::string_view bytes;
    std::size_t position{0};
    bool truncated{false};
    bool broken{false};

    bool failed() const { return truncated || broken; }

    std::string_view take(std::size_t size) {
        if (failed() || bytes.size() - position < size) {
            truncated = !broken;
            return {};
        }
        const auto taken = bytes.substr(position, size);
        position += size;
        return taken;
    }
    std::uint32_t number(std::size_t size) {
        std::uint32_t value = 0;
        for (const char c : take(size)) {
            value = value << 8U | static_cast<unsigned char>(c);
        }
        return value;
    }
    std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
    std::string text() {
        const std::size_t size = number(2);
        if (size > max_string) {
            fail();
        }
        return std::string(take(size));
    }
    /// What is cut off is not broken yet: read further on, it comes out again.
    void fail() { broken = !truncated; }
};

void LauncherReader::feed(std::string_view bytes) {
    total_ += bytes.size();
    if (total_ > limit_) {
        broken_ = true;
    }
    if (!broken_) {
        buffer_ += bytes;
    }
}

LauncherReader::Status LauncherReader::next(LauncherMessage& message) {
    while (!broken_) {
        const auto handles = handles_.size();
        const bool at_reset = header_read_ && !buffer_.empty() &&
                              static_cast<std::uint8_t>(buffer_[0]) == launcher_protocol::tag_reset;
        const bool reads_message = header_read_ && !at_reset;
        Input input{.bytes = std::string_view(buffer_).substr(0, max_message)};
        message = {};
        if (reads_message) {
            read_message(input, message);
        } else if (at_reset) {
            input.byte();
        } else {
            read_header(input);
        }
        if (input.truncated && buffer_.size() < max_message) {
            handles_.resize(handles);  // read again when more has come
            return Status::more;
        }
        if (input.failed()) {
            break;
        }
        buffer_.erase(0, input.position);
        header_read_ = true;
        if (at_reset) {
            handles_.clear();
        }
        if (reads_message) {
            return Status::message;
        }
    }
    broken_ = true;
    buffer_.clear();
    return Status::broken;
}

void LauncherReader::read_header(Input& input) {
    const auto size = std::min(input.bytes.size(), launcher_protocol::header.size());
    if (input.bytes.substr(0, size) != launcher_protocol::header.substr(0, size)) {
        input.fail();
    }
    input.take(launcher_protocol::header.size());
}

void LauncherReader::read_message(Input& input, LauncherMessage& message) {
    const auto tag = input.byte();
    if (tag != launcher_protocol::tag_object) {
        input.fail();
    }
    const auto type = read_class(input);
    if (input.failed() || type == no_handle) {
        input.fail();
        return;
    }
    add_handle(input, {.kind = Handle::Kind::object});
    std::array<std::size_t, launcher_protocol::max_parents> chain{};
    std::size_t depth = 0;
    for (auto at = type; at != no_handle; at = handles_[at].parent) {
        if (depth == chain.size() || handles_[at].flags != launcher_protocol::flag_serializable) {
            input.fail();
            return;
        }
        chain[depth++] = at;
    }
    message.kind = launcher_protocol::kind_of(handles_[type].text);
    // a class writes its parent's fields first
    while (depth > 0 && !input.failed()) {
        const auto fields = handles_[chain[--depth]].fields;
        for (const auto& field : fields) {
            std::string value;
            read_value(input, value);
            if (launcher_protocol::is_text_field(message.kind, field)) {
                message.text = std::move(value);
            } else if (field == "secret") {
                message.secret = std::move(value);
            }
        }
    }
}

void LauncherReader::read_value(Input& input, std::string& value) {
    const auto tag = input.byte();
    auto handle = no_handle;
    if (input.failed() || tag == launcher_protocol::tag_null) {
        return;
    }
    if (tag == launcher_protocol::tag_enum) {
        handle = read_constant(input);
    } else if (tag == launcher_protocol::tag_reference) {
        handle = input.number(4) - std::size_t{launcher_protocol::first_handle};
        if (!input.failed() &&
            (handle >= handles_.size() || (handles_[handle].kind != Handle::Kind::string &&
                                           handles_[handle].kind != Handle::Kind::constant))) {
            input.fail();
        }
    } else {
        handle = read_string(input, tag);
    }
    if (!input.failed()) {
        value = handles_[handle].text;
    }
}

std::size_t LauncherReader::read_class(Input& input) {
    auto first = no_handle;
    auto child = no_handle;
    for (std::size_t depth = 0; depth <= launcher_protocol::max_parents; ++depth) {
        const auto tag = input.byte();
        auto type = no_handle;
        if (tag == launcher_protocol::tag_reference) {
            type = read_reference(input, Handle::Kind::class_description);
        } else if (tag == launcher_protocol::tag_class) {
            type = read_class_body(input);
        } else if (tag != launcher_protocol::tag_null) {
            input.fail();
        }
        if (input.failed()) {
            return no_handle;
        }
        if (child == no_handle) {
            first = type;
        } else {
            handles_[child].parent = type;
        }
        if (tag != launcher_protocol::tag_class) {
            return first;
        }
        child = type;
    }
    input.fail();
    return no_handle;
}

std::size_t LauncherReader::read_class_body(Input& input) {
    Handle description{.kind = Handle::Kind::class_description, .text = input.text()};
    input.take(8);  // serialVersionUID: says nothing that the fields do not
    const auto type = add_handle(input, std::move(description));
    const auto flags = input.byte();
    const auto count = input.number(2);
    if (count > launcher_protocol::max_fields) {
        input.fail();
    }
    std::vector<std::string> fields;
    for (std::uint32_t i = 0; i < count && !input.failed(); ++i) {
        const auto kind = input.byte();
        fields.push_back(input.text());
        const auto signature = input.byte();
        if (kind != 'L') {
            input.fail();
        }
        read_string(input, signature);
    }
    const auto end = input.byte();
    if (end != launcher_protocol::tag_end) {
        input.fail();
    }
    if (input.failed()) {
        return no_handle;
    }
    handles_[type].flags = flags;
    handles_[type].fields = std::move(fields);
    return type;
}

std::size_t LauncherReader::read_string(Input& input, std::uint8_t tag) {
    if (tag == launcher_protocol::tag_reference) {
        return read_reference(input, Handle::Kind::string);
    }
    if (tag != launcher_protocol::tag_string) {
        input.fail();
        return no_handle;
    }
    return add_handle(input, {.kind = Handle::Kind::string, .text = input.text()});
}

/// The constant's handle comes before that of its name.
std::size_t LauncherReader::read_constant(Input& input) {
    const auto type = read_class(input);
    if (input.failed() || type == no_handle ||
        (handles_[type].flags & launcher_protocol::flag_enum) == 0) {
        input.fail();
        return no_handle;
    }
    const auto constant = add_handle(input, {.kind = Handle::Kind::constant});
    const auto name = read_string(input, input.byte());
    if (!input.failed()) {
        handles_[constant].text = handles_[name].text;
    }
    return constant;
}

std::size_t LauncherReader::read_reference(Input& input, Handle::Kind wanted) {
    const std::size_t handle = input.number(4) - std::size_t{launcher_protocol::first_handle};
    if ((handle >= handles_.size() || handles_[handle].kind != wanted)) {
        input.fail();
    }
    return handle;
}

std::size_t LauncherReader::add_handle(Input& input, Handle handle) {
    if (handles_.size() >= max_handles) {
        input.fail();
    }
    if (input.failed()) {
        return no_handle;
    }
    handles_.push_back(std::move(handle));
    return handles_.size() - 1;
}

std::string_view launcher_stop_stream() {
    return launcher_protocol::stop_stream;
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
    if (left.size() != right.size()) {
        return false;
    }
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        difference |= static_cast<unsigned>(static_cast<unsigned char>(left[i])) ^
                      static_cast<unsigned>(static_cast<unsigned char>(right[i]));
    }
    // keeps the compiler from leaving the loop early
    volatile unsigned result = difference;
    return result == 0;
}

}  // namespace sparkhost::detail
