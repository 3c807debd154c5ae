// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_VERSION_HPP
#define SPARKHOST_VERSION_HPP

// The one place where the version is written; CMake reads it from here.
#define SPARKHOST_VERSION_MAJOR 0
#define SPARKHOST_VERSION_MINOR 1
#define SPARKHOST_VERSION_PATCH 0
#define SPARKHOST_VERSION "0.1.0"

#endif
