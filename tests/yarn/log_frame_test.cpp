// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/log_frame.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

using namespace detail::yarn;

namespace frame_test {

using State = LogFrame::State;

std::string head(std::int64_t length) {
    return "Container: container_1_0001_01_000001 on node1:45454\nLogAggregationType: LOCAL\n"
           "====================================================\nLogType:stdout\n"
           "LogLastModifiedTime:Sun Nov 22 06:30:00 +0000 2026\nLogLength:" +
           std::to_string(length) + "\nLogContents:\n";
}

const std::string running_end =
    "\nEnd of LogType:stdout.This log file belongs to a running container "
    "(container_1_0001_01_000001) and so may not be complete.\n*****\n\n";

struct Case {
    std::string name{};
    std::int64_t size{0};
    std::string bytes{};
    State state{State::complete};
    std::int64_t total{0};
    std::int64_t begin{0};
    std::string text{};
};

constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();

const std::vector<Case> cases{
    {"whole", all, head(8) + "one\ntwo\n" + running_end, State::complete, 8, 0, "one\ntwo\n"},
    {"its end", -4, head(8) + "two\n" + running_end, State::complete, 8, 4, "two\n"},
    {"its beginning", 3, head(8) + "one" + running_end, State::complete, 8, 0, "one"},
    {"more than there is", -100, head(3) + "one" + running_end, State::complete, 3, 0, "one"},
    {"a log with an end of a log in it", all, head(24) + "End of LogType:stdout.\nx" + running_end,
     State::complete, 24, 0, "End of LogType:stdout.\nx"},
    {"half a character", -3, head(5) + "\x82\xacx" + "End of LogType:stdout\n", State::complete, 5,
     2, "\x82\xacx"},
    {"empty", -10, head(0) + running_end, State::complete, 0, 0, ""},
    {"empty, without a head", -10, running_end, State::complete, 0, 0, ""},
    {"with what was collected earlier", all,
     head(2) + "ab" + running_end + head(3) + "xyz" + running_end, State::complete, 2, 0, "ab"},
    {"of an older version", all,
     "LogType:stdout\nLog Upload Time:x\nLogLength:2\nLog Contents:\nab\nEnd of LogType:stdout\n",
     State::complete, 2, 0, "ab"},
    {"none", all, "Can not find logs for container:container_1_0001_01_000001", State::no_log, 0, 0,
     ""},
};

}  // namespace frame_test

BOOST_AUTO_TEST_SUITE(yarn_log_frame)

using namespace frame_test;

BOOST_AUTO_TEST_CASE(a_file_is_taken_out_of_its_frame) {
    for (const auto& each : cases) {
        for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{10'000}}) {
            BOOST_TEST_CONTEXT(each.name << " in steps of " << step) {
                LogFrame frame(each.size);
                std::string text;
                for (std::size_t at = 0; at < each.bytes.size(); at += step) {
                    frame.put(each.bytes.substr(at, step));
                    text += frame.take();
                }
                frame.put_end();
                text += frame.take();
                BOOST_TEST_REQUIRE((frame.state() == each.state));
                BOOST_TEST(text == each.text);
                if (each.state == State::complete) {
                    BOOST_TEST(frame.total() == each.total);
                    BOOST_TEST(frame.begin() == each.begin);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_cut_off_or_something_else_is_no_file) {
    const std::vector<std::string> strange{"",
                                           "<html>login</html>",
                                           head(8),
                                           head(8) + "one\ntwo",
                                           "LogContents:\nabc",
                                           "\nLogLength:x\nLogContents:\nabc",
                                           "\nLogLength:-1\nLogContents:\nabc",
                                           std::string(100'000, 'x')};
    for (const auto& each : strange) {
        BOOST_TEST_CONTEXT(each.substr(0, 100)) {
            LogFrame frame(all);
            frame.put(each);
            frame.put_end();
            BOOST_TEST((frame.state() == State::strange));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
