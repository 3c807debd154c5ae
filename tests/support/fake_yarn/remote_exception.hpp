// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_REMOTE_EXCEPTION_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_REMOTE_EXCEPTION_HPP

#include "support/fake_cluster/http_message.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>

namespace sparkhost::test::yarn {

inline HttpAnswer json_answer(const boost::json::object& object, int status = 200) {
    return {.status = status, .body = boost::json::serialize(object)};
}

/// How all of Hadoop's services refuse.
inline HttpAnswer remote_exception(int status, const std::string& java_class,
                                   const std::string& message) {
    const auto name = java_class.substr(java_class.rfind('.') + 1);
    const boost::json::object refusal{
        {"exception", name}, {"message", message}, {"javaClassName", java_class}};
    return json_answer({{"RemoteException", refusal}}, status);
}

}  // namespace sparkhost::test::yarn

#endif
