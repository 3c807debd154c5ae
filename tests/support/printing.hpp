// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_PRINTING_HPP
#define SPARKHOST_TESTS_SUPPORT_PRINTING_HPP

// How Boost.Test shows our values when a check fails. Found by argument-dependent lookup.

#include <sparkhost/backend.hpp>
#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/event.hpp>

#include <boost/test/tools/detail/print_helper.hpp>

#include <optional>
#include <ostream>

namespace sparkhost {

inline std::ostream& boost_test_print_type(std::ostream& out, Errc code) {
    return out << make_error_code(code).message();
}
inline std::ostream& boost_test_print_type(std::ostream& out, const Error& error) {
    return out << error.code.message() << " (" << error.text() << ')';
}
inline std::ostream& boost_test_print_type(std::ostream& out, BatchId id) {
    return out << "batch " << id.value;
}
inline std::ostream& boost_test_print_type(std::ostream& out, BatchState state) {
    return out << to_string(state);
}
inline std::ostream& boost_test_print_type(std::ostream& out, BatchPhase phase) {
    return out << to_string(phase);
}
inline std::ostream& boost_test_print_type(std::ostream& out, Outcome outcome) {
    return out << to_string(outcome);
}
inline std::ostream& boost_test_print_type(std::ostream& out, ApplicationState state) {
    switch (state) {
        case ApplicationState::submitted:
            return out << "submitted";
        case ApplicationState::started:
            return out << "started";
        case ApplicationState::context_up:
            return out << "context_up";
        case ApplicationState::ended:
            return out << "ended";
    }
    return out << "unknown";
}

inline std::ostream& boost_test_print_type(std::ostream& out, const ApplicationStatus& status) {
    boost_test_print_type(out << '{' << status.ticket << ' ', status.state);
    out << ' ' << to_string(status.outcome);
    if (status.exit_code) {
        out << " exit " << *status.exit_code;
    }
    return out << " \"" << status.application_id << "\" \"" << status.reason << "\"}";
}

inline std::ostream& boost_test_print_type(std::ostream& out, const TimelineEntry& entry) {
    return out << entry.what << '@' << entry.at.time_since_epoch().count();
}

inline std::ostream& boost_test_print_type(std::ostream& out, const BatchRecord& record) {
    out << "{batch " << record.id.value << " v" << record.version << ' ' << to_string(record.phase)
        << ' ' << to_string(record.outcome) << " ticket \"" << record.ticket << '"';
    if (record.kill_requested) {
        out << " kill_requested";
    }
    for (const auto& entry : record.timeline) {
        boost_test_print_type(out << ' ', entry);
    }
    return out << " \"" << record.reason << "\"}";
}

}  // namespace sparkhost

namespace boost::test_tools::tt_detail {

template <class T>
struct print_log_value<std::optional<T>> {
    void operator()(std::ostream& out, const std::optional<T>& value) {
        if (value) {
            print_log_value<T>()(out, *value);
        } else {
            out << "nothing";
        }
    }
};

template <>
struct print_log_value<sparkhost::Timestamp> {
    void operator()(std::ostream& out, sparkhost::Timestamp at) {
        out << at.time_since_epoch().count() << " ms";
    }
};

}  // namespace boost::test_tools::tt_detail

#endif
