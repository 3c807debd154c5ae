// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_UUID_HPP
#define SPARKHOST_SRC_STORAGES_UUID_HPP

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <string>

namespace sparkhost::detail {

/// A random (version 4) UUID from the system's generator: the name of a new store.
inline std::string make_uuid() {
    boost::uuids::random_generator_pure generate;
    return boost::uuids::to_string(generate());
}

}  // namespace sparkhost::detail

#endif
