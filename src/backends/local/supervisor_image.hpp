// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_SUPERVISOR_IMAGE_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_SUPERVISOR_IMAGE_HPP

#include <string_view>

namespace sparkhost::detail {

/// The supervisor's executable file. The body is made during the build (cmake/embed_binary.cmake).
std::string_view supervisor_image();

}  // namespace sparkhost::detail

#endif
