// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_STORAGES_MEMORY_HPP
#define SPARKHOST_STORAGES_MEMORY_HPP

#include <sparkhost/storage.hpp>

#include <memory>

namespace sparkhost {

/// Keeps everything in memory: for tests and for work that may be forgotten with the process.
/// Behaves as every Storage does, but nothing is durable.
std::unique_ptr<Storage> make_memory_storage();

}  // namespace sparkhost

#endif
