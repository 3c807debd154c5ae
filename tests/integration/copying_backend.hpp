// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_INTEGRATION_COPYING_BACKEND_HPP
#define SPARKHOST_TESTS_INTEGRATION_COPYING_BACKEND_HPP

#include <sparkhost/testing/backend_wrapper.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace sparkhost::test {

/// A backend whose drivers see nothing of this host but copies of what is handed over, mounted as
/// Kubernetes does it: read-only, each name a link into a folder that could be replaced.
class CopyingBackend final : public testing::BackendWrapper {
public:
    CopyingBackend(std::unique_ptr<Backend> inner, std::filesystem::path mounts)
        : BackendWrapper(std::shared_ptr<Backend>(std::move(inner))), mounts_(std::move(mounts)) {}

    Traits traits() const override {
        auto traits = inner_->traits();
        traits.shares_files = false;
        return traits;
    }
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return inner_->reserve(with_copies(std::move(request)));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return inner_->submit(with_copies(std::move(request)), std::move(ticket));
    }

private:
    SubmitRequest with_copies(SubmitRequest request) const {
        namespace fs = std::filesystem;
        constexpr auto read_only =
            fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
        const auto mount = mounts_ / request.subject;
        const auto content = mount / "..2026";
        if (fs::create_directories(content)) {
            fs::create_symlink("..2026", mount / "..data");
        }
        for (const auto& file : request.driver_files) {
            BOOST_TEST(fs::path(file.path).is_absolute(), file.path);
            const auto name = fs::path(file.path).filename();
            if (!fs::exists(content / name)) {
                fs::copy_file(file.path, content / name);
                fs::permissions(content / name, read_only);
                fs::create_symlink(fs::path("..data") / name, mount / name);
            }
            const auto copy = (mount / name).string();
            std::replace(request.spec.args.begin(), request.spec.args.end(), file.path, copy);
            if (request.spec.file == file.path) {
                request.spec.file = copy;
            }
        }
        return request;
    }

    std::filesystem::path mounts_;
};

}  // namespace sparkhost::test

#endif
