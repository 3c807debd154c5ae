// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_BACKEND_FIXTURE_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_BACKEND_FIXTURE_HPP

#include <sparkhost/testing/backend_conformance.hpp>
#include <sparkhost/testing/backend_wrapper.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace sparkhost::test {

/// What runs on the fake cluster: the files of the specs are the programs.
struct FakeWorld {
    std::shared_ptr<testing::FakeCluster> cluster{std::make_shared<testing::FakeCluster>()};
    std::map<std::string, std::string> tickets;      ///< by mark
    std::map<std::string, std::size_t> more_starts;  ///< by ticket: what a broken backend added

    /// What the program would do, as soon as it has been started.
    void play(const SubmitRequest& request, const Ticket& ticket) {
        if (!tickets.emplace(request.spec.args.at(0), ticket.id).second) {
            return;
        }
        cluster->start(ticket.id);
        cluster->bring_context_up(ticket.id, "app-" + ticket.id);
        if (request.spec.file == "/succeeds.py") {
            for (const char* line : {"Running Spark", "one", "two", "three", "Bye"}) {
                cluster->append_log(ticket.id, line);
            }
            cluster->end(ticket.id, Outcome::success, 0);
        } else if (request.spec.file == "/fails.py") {
            cluster->end(ticket.id, Outcome::failed, 3, "exit code 3");
        }
    }
};

/// A fake backend whose applications do by themselves what their program says.
class PlayingBackend : public testing::BackendWrapper {
public:
    explicit PlayingBackend(std::shared_ptr<FakeWorld> world)
        : BackendWrapper(testing::make_fake_backend(world->cluster)), world_(std::move(world)) {}

    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return submit_and_play(inner_, world_, std::move(request), std::move(ticket));
    }

protected:
    static Awaitable<void> submit_and_play(std::shared_ptr<Backend> inner,
                                           std::shared_ptr<FakeWorld> world, SubmitRequest request,
                                           Ticket ticket) {
        auto result = co_await inner->submit(request, ticket);
        if (result && world->cluster->starts(ticket.id) == 1) {
            world->play(request, ticket);
        }
        co_return result;
    }

    std::shared_ptr<FakeWorld> world_;
};

class FakeBackendFixture final : public testing::BackendFixture {
public:
    using Make = std::function<std::unique_ptr<Backend>(std::shared_ptr<FakeWorld>)>;

    explicit FakeBackendFixture(
        Make make = std::make_unique<PlayingBackend, std::shared_ptr<FakeWorld>>)
        : make_(std::move(make)) {}

    std::unique_ptr<Backend> make(boost::asio::any_io_executor) override { return make_(world_); }

    BatchSpec spec(Program program, std::string mark) override {
        static const char* const files[] = {"/succeeds.py", "/fails.py", "/endless.py"};
        BatchSpec made;
        made.file = files[static_cast<int>(program)];
        made.args = {std::move(mark)};
        return made;
    }

    std::size_t starts(std::string mark) override {
        auto found = world_->tickets.find(mark);
        if (found == world_->tickets.end()) {
            return 0;
        }
        return world_->cluster->starts(found->second) + world_->more_starts[found->second];
    }

    FakeWorld& world() { return *world_; }

private:
    std::shared_ptr<FakeWorld> world_{std::make_shared<FakeWorld>()};
    Make make_;
};

}  // namespace sparkhost::test

#endif
