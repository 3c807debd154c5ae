// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_LOCAL_LAUNCHER_BYTES_HPP
#define SPARKHOST_TESTS_UNIT_LOCAL_LAUNCHER_BYTES_HPP

// What a real Spark 3.5 driver sends, byte for byte, but for the texts in it.

#include <string>
#include <string_view>

namespace sparkhost::test::launcher {

using namespace std::string_view_literals;

inline constexpr std::string_view header = "\xac\xed\x00\x05"sv;
inline constexpr std::string_view protocol = "org.apache.spark.launcher.LauncherProtocol$"sv;

inline std::string utf(std::string_view text) {
    return std::string{static_cast<char>(text.size() >> 8U), static_cast<char>(text.size() & 0xFFU)}
        .append(text);
}

inline std::string string_object(std::string_view text) {
    return "t" + utf(text);
}

inline std::string reference(unsigned handle) {
    return std::string("q\x00\x7e"sv) + static_cast<char>(handle >> 8U) +
           static_cast<char>(handle & 0xFFU);
}

inline std::string hello_class() {
    return std::string("r") + utf(std::string(protocol) + "Hello") +
           std::string("\x7f\x5a\xfa\xc8\x65\x17\xb0\xcd\x02\x00\x02"sv) + "L" + utf("secret") +
           string_object("Ljava/lang/String;") + "L" + utf("sparkVersion") + reference(1) + "x" +
           "r" + utf(std::string(protocol) + "Message") +
           std::string("\xba\x91\x30\x69\x56\xca\x88\x35\x02\x00\x00xp"sv);
}

/// The first message on a stream.
inline std::string hello(std::string_view secret, std::string_view version = "3.5.6") {
    return "s" + hello_class() + string_object(secret) + string_object(version);
}

/// The second message, after hello.
inline std::string set_app_id(std::string_view id) {
    return "sr" + utf(std::string(protocol) + "SetAppId") +
           std::string("\x17\x86\xd3\xa1\x35\x82\x7e\x48\x02\x00\x01"sv) + "L" + utf("appId") +
           reference(1) + "x" + reference(2) + string_object(id);
}

/// The third message, after set_app_id.
inline std::string set_state(std::string_view state) {
    return "sr" + utf(std::string(protocol) + "SetState") +
           std::string("\xef\x75\x1f\xf3\x9f\xe4\xc9\x88\x02\x00\x01"sv) + "L" + utf("state") +
           string_object("Lorg/apache/spark/launcher/SparkAppHandle$State;") + "x" + reference(2) +
           "~r" + utf("org.apache.spark.launcher.SparkAppHandle$State") +
           std::string("\x00\x00\x00\x00\x00\x00\x00\x00\x12\x00\x00"sv) + "xr" +
           utf("java.lang.Enum") + std::string("\x00\x00\x00\x00\x00\x00\x00\x00\x12\x00\x00"sv) +
           "xp" + string_object(state);
}

/// Any message after set_state with a state not sent before.
inline std::string set_other_state(std::string_view state) {
    return "s" + reference(9) + "~" + reference(0xc) + string_object(state);
}

/// Any message after set_state, with the same state as that.
inline std::string set_first_state_again() {
    return "s" + reference(9) + reference(0xe);
}

}  // namespace sparkhost::test::launcher

#endif
