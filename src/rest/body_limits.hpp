// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_BODY_LIMITS_HPP
#define SPARKHOST_SRC_REST_BODY_LIMITS_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>

namespace sparkhost::detail::rest {

/// Whether a request for this target may carry a file, a serialized function, or code with data in
/// it.
inline bool takes_large_body(std::string_view target) {
    constexpr std::array<std::string_view, 6> names{"/upload-jar", "/upload-file", "/upload-pyfile",
                                                    "/submit-job", "/run-job",     "/statements"};
    const auto path = target.substr(0, target.find_first_of("?;"));
    return std::ranges::any_of(names, [&](auto name) { return path.ends_with(name); });
}

/// Large bodies are read into memory: a server's connections share so much of it.
class LargeBodies {
public:
    LargeBodies(std::size_t size, std::size_t memory) : max_size(size), left_(memory) {}

    const std::size_t max_size;

    /// Room for so many bytes, until it is destroyed; null where there is none.
    static std::shared_ptr<void> take_room(const std::shared_ptr<LargeBodies>& bodies,
                                           std::size_t size) {
        auto left = bodies->left_.load();
        while (left >= size) {
            if (bodies->left_.compare_exchange_weak(left, left - size)) {
                return {bodies.get(), [bodies, size](void*) { bodies->left_ += size; }};
            }
        }
        return nullptr;
    }

private:
    std::atomic<std::size_t> left_;
};

}  // namespace sparkhost::detail::rest

#endif
