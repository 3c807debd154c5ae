// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_ANSWER_FIELDS_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_ANSWER_FIELDS_HPP

// What Hadoop's daemons have in common in their answers. Pure.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sparkhost::detail::yarn::answer {

/// Null: it is no object.
boost::json::value parse_object(std::string_view body);

// Empty, 0, null: it is not there, or something else.
std::string text_at(const boost::json::object& object, std::string_view key);
std::int64_t number_at(const boost::json::object& object, std::string_view key);
const boost::json::object* object_at(const boost::json::object& object, std::string_view key);

/// {"RemoteException":{"exception":…,"message":…}}, else what a text or a web page begins with.
struct Failure {
    std::string exception{};
    std::string message{};
};
Failure read_failure(std::string_view body);

/// "HTTP status 400: message", for people.
std::string failure_words(int status, const Failure& failure);

}  // namespace sparkhost::detail::yarn::answer

#endif
