// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace sparkhost::host_test {

namespace plugins_test {

/// A backend that throws from one function; all others are a FakeBackend's.
class ThrowingBackend final : public Backend {
public:
    ThrowingBackend(std::unique_ptr<Backend> inner, std::string throws)
        : inner_(std::move(inner)), throws_(std::move(throws)) {}
    Traits traits() const override { return inner_->traits(); }
    Awaitable<void> open(BackendContext context) override {
        check("open");
        return inner_->open(std::move(context));
    }
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        check("reserve");
        return inner_->reserve(std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        check("submit");
        return inner_->submit(std::move(request), std::move(ticket));
    }
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        check("watch");
        return inner_->watch(std::move(sink));
    }
    Awaitable<void> kill(Ticket ticket) override {
        check("kill");
        return inner_->kill(std::move(ticket));
    }
    Awaitable<void> release(ReleaseRequest request) override {
        check("release");
        return inner_->release(std::move(request));
    }
    Awaitable<LogPage> read_log(LogRequest request) override {
        check("read_log");
        return inner_->read_log(std::move(request));
    }

private:
    void check(const char* function) {
        if (throws_ == function) {
            if (times_++ % 2 == 0) {
                throw std::runtime_error("thrown");
            }
            throw 42;
        }
    }
    std::unique_ptr<Backend> inner_;
    std::string throws_;
    int times_{0};
};

/// The same for a storage; throws only while armed.
class ThrowingStorage final : public testing::StorageWrapper {
public:
    ThrowingStorage(std::shared_ptr<Storage> inner, std::shared_ptr<std::string> throws)
        : StorageWrapper(std::move(inner)), throws_(std::move(throws)) {}
    Awaitable<StoreInfo> open(StorageContext context) override {
        check("open");
        return StorageWrapper::open(std::move(context));
    }
    Awaitable<CommitResult> commit(Transaction transaction) override {
        check("commit");
        return StorageWrapper::commit(std::move(transaction));
    }
    Awaitable<Record> find(RecordKey key) override {
        check("find");
        return StorageWrapper::find(key);
    }
    Awaitable<RecordKey> find_unique(std::string scope, std::string value) override {
        check("find_unique");
        return StorageWrapper::find_unique(std::move(scope), std::move(value));
    }
    Awaitable<Page> list(Query query) override {
        check("list");
        return StorageWrapper::list(std::move(query));
    }
    Awaitable<std::vector<StoredEvent>> read_events(EventQuery query) override {
        check("read_events");
        return StorageWrapper::read_events(query);
    }
    Awaitable<std::int64_t> prune(PruneRequest request) override {
        check("prune");
        return StorageWrapper::prune(request);
    }

private:
    void check(const char* function) const {
        if (*throws_ == function) {
            throw std::runtime_error("thrown");
        }
    }
    std::shared_ptr<std::string> throws_;
};

struct ThrowingFixture : HostFixture {
    std::shared_ptr<std::string> storage_throws{std::make_shared<std::string>()};
    void start_throwing(const std::string& backend_function) {
        HostPlugins plugins;
        plugins.storage = std::make_unique<ThrowingStorage>(store, storage_throws);
        plugins.backends.push_back(std::make_unique<ThrowingBackend>(
            testing::make_fake_backend(cluster), backend_function));
        make_with(std::move(plugins));
        start();
    }
};

}  // namespace plugins_test

BOOST_AUTO_TEST_SUITE(host_plugins)

BOOST_AUTO_TEST_CASE(a_backend_that_throws_is_a_backend_that_failed) {
    for (const char* function :
         {"open", "reserve", "submit", "watch", "kill", "release", "read_log"}) {
        BOOST_TEST_CONTEXT(function) {
            plugins_test::ThrowingFixture fixture;
            fixture.start_throwing(function);
            if (std::string(function) == "open") {
                BOOST_TEST(fixture.life.running->answer->error().is(Errc::backend_failed));
                continue;
            }
            const auto id = fixture.submit().id;
            const auto killed = fixture.ask(fixture.host().kill(id));
            BOOST_TEST(killed.has_error() == (std::string(function) == "kill"));
            auto lines = fixture.ask(fixture.host().read_log({.id = id}));
            BOOST_TEST(lines.has_error() == (std::string(function) == "read_log"));
            fixture.advance(1s);
            if (std::string(function) == "reserve" || std::string(function) == "submit") {
                BOOST_TEST(fixture.find(id).has_ended());
                BOOST_TEST(!fixture.find(id).reason.empty());
            }
            BOOST_TEST(fixture.host().status().ready);
            fixture.stop().value();
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_submit_that_is_in_doubt_is_asked_for_again_with_the_same_ticket,
                        HostFixture) {
    cluster->set_pace(FakeCluster::Pace::by_hand);
    start();
    cluster->fail_next("submit", Error(Errc::indeterminate, "no room"), 3);
    const auto id = submit().id;
    const auto first = ticket(id);
    for (int round = 0; round < 3; ++round) {
        BOOST_TEST(phase(id) == BatchPhase::reserved);
        BOOST_TEST(ticket(id) == first);
        advance(31s);
    }
    BOOST_TEST(phase(id) == BatchPhase::submitted);
    BOOST_TEST(ticket(id) == first);
    finish(id);
    BOOST_TEST(find(id).state() == BatchState::success);
    long warned = 0;
    for (const auto& line : logged) {
        warned += line.find("trying again until it is: no room") != std::string::npos ? 1 : 0;
    }
    BOOST_TEST(warned == 3);  // the second and third at level debug
}

BOOST_FIXTURE_TEST_CASE(what_waits_to_be_submitted_again_can_be_killed, HostFixture) {
    cluster->set_pace(FakeCluster::Pace::by_hand);
    start();
    cluster->fail_next("submit", Error(Errc::indeterminate, "no room"), 100);
    const auto id = submit().id;
    BOOST_TEST(phase(id) == BatchPhase::reserved);
    BOOST_TEST(ask(host().kill(id)).has_value());
    advance(31s);
    advance(31s);
    BOOST_TEST(find(id).state() == BatchState::killed);
    BOOST_TEST(cluster->starts(ticket(id)) == 0u);
}

BOOST_AUTO_TEST_CASE(a_storage_that_throws_is_a_storage_that_failed) {
    for (const char* function :
         {"open", "commit", "find", "find_unique", "list", "read_events", "prune"}) {
        BOOST_TEST_CONTEXT(function) {
            plugins_test::ThrowingFixture fixture;
            fixture.options.cached_records = 0;
            fixture.options.max_events = 1;
            fixture.options.max_running = 1;
            const bool opening = std::string(function) == "open";
            *fixture.storage_throws = opening ? function : "";
            fixture.start_throwing("");
            if (opening) {
                BOOST_TEST(fixture.life.running->answer->error().is(Errc::storage_failed));
                continue;
            }
            fixture.submit();
            const auto queued = fixture.submit().id;
            *fixture.storage_throws = function;
            const auto is = [&](const char* name) { return std::string(function) == name; };
            BOOST_TEST(fixture.ask(fixture.host().submit(HostFixture::spec())).has_error() ==
                       is("commit"));
            BOOST_TEST(fixture.ask(fixture.host().find(queued)).has_error() == is("find"));
            BOOST_TEST(fixture.ask(fixture.host().find("x")).error().is(Errc::storage_failed) ==
                       is("find_unique"));
            BOOST_TEST(fixture.ask(fixture.host().list({})).has_error() == is("list"));
            auto follower = fixture.host().follow_events(-1);
            const auto events = fixture.ask(follower.next());
            BOOST_TEST((events.has_error() && events.error().is(Errc::storage_failed)) ==
                       is("read_events"));
            fixture.finish(BatchId{0});
            *fixture.storage_throws = "";
            for (int i = 0; i < 5; ++i) {
                fixture.advance(11s);
            }
            BOOST_TEST(fixture.phase(queued) == BatchPhase::submitted);
            fixture.stop().value();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
