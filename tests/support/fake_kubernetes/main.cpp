// SPDX-License-Identifier: Apache-2.0

// The fake as a program. Prints its URL, then performs the orders that come as lines of JSON on
// its standard input, each answered by one line; ends with its input.
//
// With --until-killed it takes no orders, writes no events and makes no executors.
//
//     {"do": "fault", "kind": "answer", "status": 429, "retry_after": 1, "times": 3}
//     {"do": "hold", "step": "start"}    {"do": "starts"}    {"do": "figures"}

#include "support/fake_kubernetes/control.hpp"

#include <future>
#include <iostream>
#include <string_view>

int main(int argc, char** argv) {
    using namespace sparkhost::test::k8s;
    FakeKubernetes fake;
    fake.with([](Cluster& cluster) { cluster.server.keeps_request_log = false; });
    const bool bare = argc > 1 && std::string_view(argv[1]) == "--until-killed";
    fake.with([bare](Cluster& cluster) {
        cluster.kubelet.writes_events = !bare;
        cluster.kubelet.makes_executors = !bare;
    });
    std::cout << fake.url() << std::endl;
    if (bare) {
        std::promise<void>().get_future().wait();
    }
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << control(fake, line) << std::endl;
    }
    return 0;
}
