// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_YARN_YARN_PLACE_HPP
#define SPARKHOST_TESTS_YARN_YARN_PLACE_HPP

#include "yarn/yarn_host.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace sparkhost::test::yarn {

/// A host on the fake cluster that starts with its first batch, and must do the cluster no harm.
struct Place {
    Place() { host.backend.lost_after = std::chrono::seconds(1); }
    ~Place() {
        for (const auto& sin : host.cluster.sins()) {
            BOOST_ERROR(sin);
        }
    }

    BatchId submit(const BatchSpec& spec) {
        if (!started) {
            host.start();
            started = true;
        }
        return host.ask(host.host().submit(spec)).value().id;
    }
    BatchId submit(const std::string& program) { return submit(scripted_spec(program, program)); }
    BatchRecord until_ended(BatchId id) {
        host.until("the end", [&] { return host.find(id).has_ended(); });
        return host.find(id);
    }
    void until_running(BatchId id) {
        host.until("it to run", [&] { return host.find(id).state() == BatchState::running; });
    }
    void until_cluster(const std::string& what, const std::function<bool(Cluster&)>& holds) {
        host.until(what, [&] { return host.cluster.with(holds); });
    }
    /// So many requests of the cluster's are answered meanwhile.
    void until_looked(std::size_t often = 20) {
        const auto asked = [&] {
            return host.cluster.with([](Cluster& c) { return c.traffic.request_log.size(); });
        };
        const auto enough = asked() + often;
        host.until("looks", [&] { return asked() >= enough; });
    }
    void change(const std::function<void(Cluster&)>& what) { host.cluster.with(what); }
    static AmPtr only_am(Cluster& c) { return c.masters.all().at(0); }

    YarnHost host;
    bool started{false};
};

}  // namespace sparkhost::test::yarn

#endif
