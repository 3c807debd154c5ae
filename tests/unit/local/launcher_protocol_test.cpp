// SPDX-License-Identifier: Apache-2.0
#include "backends/local/launcher_protocol.hpp"

#include "unit/local/launcher_bytes.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

namespace launcher = sparkhost::test::launcher;
using namespace std::string_view_literals;
using sparkhost::detail::LauncherMessage;
using sparkhost::detail::LauncherReader;
using Kind = LauncherMessage::Kind;
using Status = LauncherReader::Status;

struct Reading {
    std::vector<LauncherMessage> messages{};
    bool broken{false};
};

void drain_reader(LauncherReader& reader, Reading& reading) {
    LauncherMessage message;
    for (;;) {
        const auto status = reader.next(message);
        if (status != Status::message) {
            reading.broken = status == Status::broken;
            return;
        }
        reading.messages.push_back(message);
    }
}

Reading read_all(std::string_view bytes) {
    LauncherReader reader;
    reader.trust();
    reader.feed(bytes);
    Reading reading;
    drain_reader(reader, reading);
    return reading;
}

/// A driver's whole life, in the shape seen from Spark.
std::string life() {
    return std::string(launcher::header) + launcher::hello("SECRET") +
           launcher::set_app_id("app-1") + launcher::set_state("RUNNING") +
           launcher::set_other_state("FINISHED") + launcher::set_first_state_again();
}

const std::vector<LauncherMessage> life_told{{Kind::hello, "3.5.6", "SECRET"},
                                             {Kind::application, "app-1", ""},
                                             {Kind::state, "RUNNING", ""},
                                             {Kind::state, "FINISHED", ""},
                                             {Kind::state, "RUNNING", ""}};

std::string from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
    }
    return bytes;
}

/// A first message whose only field holds what `value` says.
std::string with_value(std::string_view value) {
    return std::string(launcher::header) + "sr" +
           launcher::utf(std::string(launcher::protocol) + "SetAppId") +
           std::string("\x17\x86\xd3\xa1\x35\x82\x7e\x48\x02\x00\x01"sv) + "L" +
           launcher::utf("appId") + launcher::string_object("Ljava/lang/String;") + "xp" +
           std::string(value);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(launcher_protocol)

BOOST_AUTO_TEST_CASE(a_hello_captured_from_spark_is_understood) {
    const auto bytes = from_hex(
        "aced0005737200306f72672e6170616368652e737061726b2e6c61756e636865722e4c61756e6368657250726f"
        "746f636f6c2448656c6c6f7f5afac86517b0cd0200024c00067365637265747400124c6a6176612f6c616e672f"
        "537472696e673b4c000c737061726b56657273696f6e71007e0001787200326f72672e6170616368652e737061"
        "726b2e6c61756e636865722e4c61756e6368657250726f746f636f6c244d657373616765ba91306956ca883502"
        "000078707400065345435245547400"
        "05332e352e36");
    const auto reading = read_all(bytes);
    BOOST_TEST(!reading.broken);
    BOOST_REQUIRE(reading.messages.size() == 1U);
    BOOST_CHECK(reading.messages[0] == life_told[0]);
}

BOOST_AUTO_TEST_CASE(the_messages_of_a_life_are_read_with_their_back_references) {
    const auto reading = read_all(life());
    BOOST_TEST(!reading.broken);
    BOOST_CHECK(reading.messages == life_told);
}

BOOST_AUTO_TEST_CASE(the_size_of_the_pieces_makes_no_difference) {
    const auto bytes = life();
    for (std::size_t size = 1; size < 70; ++size) {
        BOOST_TEST_CONTEXT("pieces of " << size) {
            LauncherReader reader;
            reader.trust();
            Reading reading;
            for (std::size_t at = 0; at < bytes.size(); at += size) {
                reader.feed(std::string_view(bytes).substr(at, size));
                drain_reader(reader, reading);
            }
            BOOST_TEST(!reading.broken);
            BOOST_CHECK(reading.messages == life_told);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_stream_cut_anywhere_is_incomplete_not_broken_and_can_go_on) {
    const auto bytes = life();
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        BOOST_TEST_CONTEXT("cut at " << cut) {
            LauncherReader reader;
            reader.trust();
            Reading reading;
            reader.feed(std::string_view(bytes).substr(0, cut));
            drain_reader(reader, reading);
            BOOST_TEST(!reading.broken);
            reader.feed(std::string_view(bytes).substr(cut));
            drain_reader(reader, reading);
            BOOST_CHECK(reading.messages == life_told);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_reset_forgets_all_handles) {
    const auto bytes = std::string(launcher::header) + launcher::hello("A") + "\x79" +
                       launcher::hello("B") + launcher::set_app_id("x");
    const auto reading = read_all(bytes);
    BOOST_TEST(!reading.broken);
    BOOST_REQUIRE(reading.messages.size() == 3U);
    BOOST_TEST(reading.messages[1].secret == "B");
    BOOST_TEST(read_all(std::string(launcher::header) + launcher::hello("A") + "\x79" +
                        launcher::set_app_id("x"))
                   .broken);
}

BOOST_AUTO_TEST_CASE(a_null_field_is_empty) {
    const auto reading = read_all(with_value("p"));
    BOOST_REQUIRE(reading.messages.size() == 1U);
    BOOST_CHECK(reading.messages[0] == (LauncherMessage{Kind::application, "", ""}));
}

BOOST_AUTO_TEST_CASE(a_message_of_an_unknown_class_is_passed_on_as_other) {
    const auto bytes = std::string(launcher::header) + "sr" + launcher::utf("a.New") +
                       std::string("\0\0\0\0\0\0\0\0\x02\0\0xp"sv);
    const auto reading = read_all(bytes);
    BOOST_REQUIRE(reading.messages.size() == 1U);
    BOOST_CHECK(reading.messages[0] == LauncherMessage{});
}

BOOST_AUTO_TEST_CASE(what_is_no_launcher_stream_is_broken) {
    const std::string head(launcher::header);
    const auto type = "r" + launcher::utf("a.B") + std::string("\0\0\0\0\0\0\0\0"sv);
    const struct {
        const char* what;
        std::string bytes;
    } streams[]{
        {"another protocol", "GET / HTTP/1.1\r\n"},
        {"another version of the stream", std::string("\xac\xed\x00\x04"sv)},
        {"a string as a message", head + launcher::string_object("x")},
        {"null as a message", head + "p"},
        {"block data", head + std::string("w\x04\0\0\0\0"sv)},
        {"an array", head + "u"},
        {"a proxy class", head + "s}"},
        {"an object without class", head + "sp"},
        {"a class that writes its own data", head + "s" + type + std::string("\x03\0\0xp"sv)},
        {"an externalizable class", head + "s" + type + std::string("\x0c\0\0xp"sv)},
        {"an enum's class as an object", head + "s" + type + std::string("\x12\0\0xp"sv)},
        {"too many fields", head + "s" + type + std::string("\x02\0\x11"sv)},
        {"a number as a field", head + "s" + type + std::string("\x02\0\x01I\0\x01i"sv) + "x"},
        {"an annotated class", head + "s" + type + std::string("\x02\0\0w\x01"sv)},
        {"an object as a value", with_value("s")},
        {"a long string", with_value("|")},
        {"a reference to what is not there", with_value(launcher::reference(99))},
        {"a reference below the first", with_value("q\x01\x02\x03\x04"sv)},
        {"a reference to a class as a value", with_value(launcher::reference(0))},
        {"a reference to the message as a value", with_value(launcher::reference(2))},
        {"a string as a class", head + "s" + launcher::string_object("x")},
        {"a constant of no enum", with_value("~" + launcher::reference(0) + "t")},
        {"a constant without class", with_value("~p")},
        {"a constant with no name", with_value("~" + type + std::string("\x12\0\0xpp"sv))},
        {"an overlong string", with_value("t\x10\x01"sv)},
        {"a class that is its own parent",
         head + "s" + type + std::string("\x02\0\0x"sv) + launcher::reference(0)},
    };
    for (const auto& stream : streams) {
        BOOST_TEST_CONTEXT(stream.what) {
            const auto reading = read_all(stream.bytes);
            BOOST_TEST(reading.broken);
            BOOST_TEST(reading.messages.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_chain_of_parents_has_a_bound) {
    std::string bytes = std::string(launcher::header) + "s";
    for (int i = 0; i < 20; ++i) {
        bytes += "r" + launcher::utf("a.B") + std::string("\0\0\0\0\0\0\0\0\x02\0\0x"sv);
    }
    BOOST_TEST(read_all(bytes + "p").broken);
}

BOOST_AUTO_TEST_CASE(a_string_of_the_largest_size_is_taken) {
    const std::string longest(LauncherReader::max_string, 'x');
    const auto reading = read_all(with_value(launcher::string_object(longest)));
    BOOST_REQUIRE(reading.messages.size() == 1U);
    BOOST_TEST(reading.messages[0].text == longest);
}

BOOST_AUTO_TEST_CASE(handles_and_bytes_have_bounds) {
    LauncherReader reader;
    reader.trust();
    reader.feed(life());
    Reading reading;
    drain_reader(reader, reading);
    std::size_t rounds = 0;
    while (!reading.broken && rounds < 100000) {
        reader.feed(launcher::set_other_state("RUNNING"));
        drain_reader(reader, reading);
        ++rounds;
    }
    BOOST_TEST(reading.broken);
    BOOST_TEST(rounds * 3 <= LauncherReader::max_handles);

    LauncherReader again;
    again.trust();
    again.feed(life());
    Reading told;
    drain_reader(again, told);
    // a message without new handles but its own, after each a reset
    for (rounds = 0; !told.broken && rounds < 100000; ++rounds) {
        again.feed(std::string("\x79", 1) + launcher::hello("S"));
        drain_reader(again, told);
    }
    BOOST_TEST(told.broken);
    BOOST_TEST(rounds * launcher::hello("S").size() <= LauncherReader::max_bytes);
}

BOOST_AUTO_TEST_CASE(a_stranger_gets_less_room_than_who_is_trusted) {
    const auto bytes = std::string(launcher::header) + launcher::hello(std::string(3000, 'x'));
    LauncherReader stranger;
    LauncherMessage message;
    stranger.feed(bytes);
    BOOST_CHECK(stranger.next(message) == Status::broken);
    LauncherReader trusted;
    trusted.trust();
    trusted.feed(bytes);
    BOOST_CHECK(trusted.next(message) == Status::message);
}

BOOST_AUTO_TEST_CASE(a_broken_stream_stays_broken) {
    LauncherReader reader;
    LauncherMessage message;
    reader.feed("nonsense");
    BOOST_CHECK(reader.next(message) == Status::broken);
    reader.feed(life());
    BOOST_CHECK(reader.next(message) == Status::broken);
}

BOOST_AUTO_TEST_CASE(the_stop_stream_is_the_one_that_spark_obeys) {
    BOOST_CHECK(sparkhost::detail::launcher_stop_stream() ==
                from_hex("aced00057372002f6f72672e6170616368652e737061726b2e6c61756e636865722e4c61"
                         "756e6368657250726f746f636f6c2453746f701805482f54cd23010200007872"
                         "00326f"
                         "72672e6170616368652e737061726b2e6c61756e636865722e4c61756e6368657250726f"
                         "746f636f6c244d657373616765ba91306956ca88350200007870"));
    BOOST_TEST(sparkhost::detail::launcher_stop_stream().size() == 133U);
}

BOOST_AUTO_TEST_CASE(secrets_are_equal_when_every_byte_is) {
    using sparkhost::detail::equal_in_constant_time;
    BOOST_TEST(equal_in_constant_time("", ""));
    BOOST_TEST(equal_in_constant_time("abc", "abc"));
    BOOST_TEST(!equal_in_constant_time("abc", "abd"));
    BOOST_TEST(!equal_in_constant_time("abc", "xbc"));
    BOOST_TEST(!equal_in_constant_time("abc", "ab"));
    BOOST_TEST(!equal_in_constant_time("", "a"));
}

BOOST_AUTO_TEST_SUITE_END()
