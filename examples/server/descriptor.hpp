// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_DESCRIPTOR_HPP
#define SPARKHOST_EXAMPLES_SERVER_DESCRIPTOR_HPP

#include <unistd.h>

#include <utility>

namespace server {

/// An open file descriptor, closed with it.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }  ///< whose it is from now on
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_{-1};
};

}  // namespace server

#endif
