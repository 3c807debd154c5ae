// SPDX-License-Identifier: Apache-2.0
// submit, kill and release as they meet the API server: answers that are lost, hosts that die with
// a request on its way, calls that overlap.
#include "kubernetes/kubernetes_rig.hpp"

#include "support/http/scripted_server.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

namespace {

using k8s::Fault;

Fault fault(Fault::Kind kind, std::string method, std::string path, std::size_t times = 1) {
    Fault made;
    made.kind = kind;
    made.method = std::move(method);
    made.path = std::move(path);
    made.times = times;
    return made;
}

Fault answer(int status, std::string method, std::string path) {
    auto made = fault(Fault::Kind::answer, std::move(method), std::move(path), Fault::always);
    made.status = status;
    return made;
}

void open(KubernetesRig& rig) {
    const auto opened = rig.open();
    BOOST_TEST_REQUIRE(opened.has_value(), (opened ? "" : opened.error().text()));
}

/// The next life of a host has no patience with a server that is away, or in trouble.
void open_impatiently(KubernetesRig& rig) {
    const auto usual = std::exchange(rig.options.request_deadline, std::chrono::seconds(1));
    open(rig);
    rig.options.request_deadline = usual;
}

/// The requests of a submit, in their order.
const std::vector<std::string> creations{"/configmaps", "/services", "/pods"};

bool says(const Error& error, const std::string& part) {
    return error.text().find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_backend)

BOOST_AUTO_TEST_CASE(options_that_break_their_rule_are_named) {
    KubernetesBackendOptions good;
    good.work_dir = "/tmp/x";
    good.image = "spark";
    struct Row {
        const char* name;
        void (*spoil)(KubernetesBackendOptions&);
    };
    const std::vector<Row> rows{
        {"name", [](auto& o) { o.name.clear(); }},
        {"work_dir", [](auto& o) { o.work_dir = "logs"; }},
        {"kubeconfig", [](auto& o) { o.kubeconfig = "config"; }},
        {"kubeconfig", [](auto& o) { o.kubeconfig = "/k:config"; }},
        {"kubeconfig", [](auto& o) { o.kubeconfig = ":"; }},
        {"context", [](auto& o) { o.context = "c"; }},
        {"api_server.url", [](auto& o) { o.api_server.url = "host:1"; }},
        {"api_server.url",
         [](auto& o) {
             o.api_server.url = "https://h";
             o.kubeconfig = "/k";
         }},
        {"api_server.ca_file", [](auto& o) { o.api_server.ca_file = "x"; }},
        {"api_server.token_file", [](auto& o) { o.api_server.token_file = "x"; }},
        {"api_server.client_key_file", [](auto& o) { o.api_server.client_key_file = "/x"; }},
        {"service_account_folder", [](auto& o) { o.service_account_folder = ""; }},
        {"default_namespace", [](auto& o) { o.default_namespace = "a/b"; }},
        {"allowed_namespaces",
         [](auto& o) {
             o.allowed_namespaces = {"ok", "Not"};
         }},
        {"pod_template", [](auto& o) { o.pod_template = "x"; }},
        {"kill_grace", [](auto& o) { o.kill_grace = std::chrono::seconds(-1); }},
        {"stuck_limit", [](auto& o) { o.stuck_limit = std::chrono::milliseconds(-1); }},
        {"unschedulable_limit",
         [](auto& o) { o.unschedulable_limit = std::chrono::milliseconds(-1); }},
        {"max_requests", [](auto& o) { o.max_requests = 0; }},
        {"request_deadline", [](auto& o) { o.request_deadline = std::chrono::milliseconds(1); }},
        {"max_followed_logs", [](auto& o) { o.max_followed_logs = 100000; }},
        {"conf", [](auto& o) { o.conf["spark.master"] = "local"; }},
    };
    boost::asio::io_context io;
    for (const auto& row : rows) {
        auto options = good;
        row.spoil(options);
        const std::string wanted = std::string("KubernetesBackendOptions::") + row.name;
        BOOST_TEST_CONTEXT(row.name) {
            BOOST_CHECK_EXCEPTION(make_kubernetes_backend(io.get_executor(), options),
                                  std::invalid_argument, [&](const std::invalid_argument& e) {
                                      return std::string(e.what()).starts_with(wanted);
                                  });
        }
    }
    BOOST_CHECK_NO_THROW(make_kubernetes_backend(io.get_executor(), good));
}

BOOST_AUTO_TEST_CASE(it_opens_and_says_where) {
    KubernetesRig rig;
    open(rig);
}

BOOST_AUTO_TEST_CASE(each_verb_that_the_role_lacks_is_named) {
    struct Row {
        const char* verb;
        const char* what;
    };
    const std::vector<Row> rows{
        {"create", "pods"},     {"get", "pods"},          {"list", "pods"},
        {"watch", "pods"},      {"patch", "pods"},        {"delete", "pods"},
        {"get", "pods/log"},    {"create", "services"},   {"get", "services"},
        {"delete", "services"}, {"create", "configmaps"}, {"get", "configmaps"},
        {"list", "configmaps"}, {"delete", "configmaps"}, {"create", "secrets"},
        {"get", "secrets"},     {"delete", "secrets"},    {"list", "events"},
    };
    KubernetesRig rig;
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.verb << ' ' << row.what) {
            rig.cluster.with([&](k8s::Cluster& c) {
                c.api.access.allows = [row](const std::string&, const std::string& verb,
                                            const std::string& what, const std::string&) {
                    return verb != row.verb || what != row.what;
                };
            });
            const auto opened = rig.open();
            BOOST_TEST_REQUIRE(opened.has_error());
            BOOST_TEST(opened.error().is(Errc::backend_failed));
            const std::string words = std::string("allowed to: ") + row.verb + " " + row.what;
            BOOST_TEST(says(opened.error(), words + " (namespace jobs)"));
            BOOST_TEST(says(opened.error(), "examples/kubernetes/rbac.yaml"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_cluster_that_is_not_there_or_does_not_know_us_is_a_clear_error) {
    KubernetesRig rig;
    rig.cluster.with([](k8s::Cluster& c) { c.api.access.tokens["right"] = "host"; });
    const auto stranger = rig.open();
    BOOST_TEST_REQUIRE(stranger.has_error());
    BOOST_TEST(says(stranger.error(), "does not accept the credentials"));

    const auto right = rig.dir.write("token", "right\n").string();
    rig.options.api_server.token_file = right;
    open(rig);

    rig.options.api_server.token_file = rig.dir.write("other", "wrong").string();
    BOOST_TEST(rig.open().has_error());

    rig.options.api_server.token_file = right;
    rig.cluster.with([](k8s::Cluster& c) { c.server.go_away(); });
    open_impatiently(rig);  // a cluster that is away keeps no host from starting
    const auto request = rig.request("succeeds", "later");
    const auto ticket = rig.reserve(request);
    const auto submitted = rig.submit(request, ticket);
    BOOST_TEST_REQUIRE(submitted.has_error());
    BOOST_TEST(submitted.error().is(Errc::indeterminate));
    rig.cluster.with([](k8s::Cluster& c) { c.server.come_back(); });
    open(rig);
    BOOST_TEST(rig.submit(request, ticket).has_value());
}

BOOST_AUTO_TEST_CASE(a_server_whose_certificate_does_not_verify_keeps_the_host_from_starting) {
    run([](boost::asio::any_io_executor executor) -> boost::asio::awaitable<void> {
        CertificateRequest names;
        names.names = {"IP:127.0.0.1"};
        const TestAuthority authority("its authority");
        auto tls = server_tls(authority.issue(names));
        auto script = always("{}");
        ScriptedServer server(executor, std::move(script), std::move(tls));
        const TempDir dir;
        KubernetesBackendOptions options;
        options.work_dir = dir.path().string();
        options.image = "spark";
        options.api_server.url = server.url();
        options.api_server.ca_file =
            dir.write("ca.crt", TestAuthority("another").certificate()).string();
        const auto backend = make_kubernetes_backend(executor, options);
        BackendContext context;
        context.store_uuid = "5f6e7d8c-1111-2222-3333-444455556666";
        context.blocking_executor = executor;
        context.clock = std::make_shared<detail::SystemClock>();
        const Result<void> opened = co_await backend->open(std::move(context));
        BOOST_TEST_REQUIRE(opened.has_error());
        BOOST_TEST(opened.error().is(Errc::backend_failed));
        BOOST_TEST(says(opened.error(), "cannot be trusted"));
        BOOST_TEST(says(opened.error(), "the server's certificate is not accepted"));
    });
}

namespace {

/// Keeps what is told of the cluster's state.
class TroubleSink final : public EventSink {
public:
    void status(ApplicationStatus) override {}
    void snapshot_complete() override { trouble_now.clear(); }
    void trouble(std::string reason) override { trouble_now = std::move(reason); }
    std::string trouble_now{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_the_role_lacks_is_asked_when_the_api_server_comes_back) {
    KubernetesRig rig;
    rig.options.request_deadline = std::chrono::seconds(1);
    rig.cluster.with([](k8s::Cluster& c) {
        c.server.go_away();
        c.api.access.allows = [](const std::string&, const std::string& verb,
                                 const std::string& what, const std::string&) {
            return verb != "get" || what != "pods/log";
        };
    });
    open(rig);
    BOOST_TEST_REQUIRE(rig.logged.size() == 1U);
    BOOST_TEST(rig.logged[0].find("what is meant for it waits until it can") != std::string::npos);

    boost::asio::cancellation_signal stop;
    const auto sink = std::make_shared<TroubleSink>();
    const auto watch = rig.begin(rig.backend().watch(sink), stop.slot());
    rig.cluster.with([](k8s::Cluster& c) { c.server.come_back(); });
    const std::string words = "must be allowed to: get pods/log (namespace jobs)";
    const auto is_told = [&] { return sink->trouble_now.find(words) != std::string::npos; };
    rig.run_until("the missing permission", is_told);
    const auto logged = std::find(rig.logged.begin(), rig.logged.end(), sink->trouble_now);
    BOOST_TEST((logged != rig.logged.end()));
    stop.emit(boost::asio::cancellation_type::terminal);
    BOOST_TEST(rig.finish(watch).has_value());

    // the next watch asks on, and finds that it has been granted
    rig.cluster.with([](k8s::Cluster& c) { c.api.access.allows = nullptr; });
    const auto again = std::make_shared<TroubleSink>();
    const auto second = rig.begin(rig.backend().watch(again), stop.slot());
    rig.run_until("the cluster's version", [&] {
        return rig.logged.back().find("drivers run in namespace jobs") != std::string::npos;
    });
    BOOST_TEST(again->trouble_now == "");
    stop.emit(boost::asio::cancellation_type::terminal);
    BOOST_TEST(rig.finish(second).has_value());
}

BOOST_AUTO_TEST_CASE(a_driver_is_made_once_and_leaves_nothing) {
    KubernetesRig rig;
    open(rig);
    const auto request = rig.request("succeeds", "once");
    const auto ticket = rig.reserve(request);
    BOOST_TEST(ticket.id == "spark-5f6e7d8c-batch-1-1");
    BOOST_TEST(rig.left(ticket).empty());
    BOOST_TEST(rig.submit(request, ticket).has_value());
    BOOST_TEST(rig.submit(request, ticket).has_value());
    rig.cluster.wait("its start",
                     [&](k8s::Cluster& c) { return c.kubelet.starts_of_ticket(ticket.id) == 1; });
    BOOST_TEST(rig.left(ticket).size() == 3U);
    BOOST_TEST(rig.release(ticket).has_value());
    rig.cluster.wait("nothing", [&](k8s::Cluster& c) { return c.left(ticket.id).empty(); });
    BOOST_TEST(rig.release(ticket).has_value());
    BOOST_TEST(rig.cluster.starts_of_ticket(ticket.id) == 1U);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_taken_is_not_reserved_again) {
    KubernetesRig rig;
    open(rig);
    auto request = rig.request();
    const auto first = rig.reserve(request);
    BOOST_TEST(rig.submit(request, first).has_value());
    // the store has been put back to a backup, and gives the number again
    const auto second = rig.reserve(request);
    BOOST_TEST(second.id == first.id + "-2");
    BOOST_TEST(rig.submit(request, second).has_value());
    BOOST_TEST(rig.kill(first).has_value());
    BOOST_TEST(rig.kill(second).has_value());
    BOOST_TEST(rig.release(first).has_value());
    BOOST_TEST(rig.release(second).has_value());
}

BOOST_AUTO_TEST_CASE(a_lost_request_or_answer_is_made_up_for) {
    for (const auto& path : creations) {
        for (auto kind : {Fault::Kind::lose_request, Fault::Kind::lose_answer}) {
            BOOST_TEST_CONTEXT(path << ' ' << static_cast<int>(kind)) {
                KubernetesRig rig;
                open(rig);
                const auto request = rig.request();
                const auto ticket = rig.reserve(request);
                rig.plan(fault(kind, "POST", path));
                auto submitted = rig.submit(request, ticket);
                if (!submitted) {
                    BOOST_TEST(submitted.error().is(Errc::indeterminate));
                    submitted = rig.submit(request, ticket);
                }
                BOOST_TEST(submitted.has_value());
                BOOST_TEST(rig.settled_starts(ticket) == 1U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_the_api_server_will_not_have_ends_with_its_words) {
    for (const auto& path : creations) {
        for (int status : {403, 404, 422}) {
            BOOST_TEST_CONTEXT(path << ' ' << status) {
                KubernetesRig rig;
                open(rig);
                const auto request = rig.request();
                const auto ticket = rig.reserve(request);
                rig.plan(answer(status, "POST", path));
                const auto refused = rig.submit(request, ticket);
                BOOST_TEST_REQUIRE(refused.has_error());
                const bool tombstone_refused = path == creations[0];
                BOOST_TEST(refused.error().is(Errc::backend_failed));
                rig.heal();
                // asked again, as by a host that died before it wrote that down
                const auto again = rig.submit(request, ticket);
                BOOST_TEST((again.has_value() == tombstone_refused));
                BOOST_TEST(rig.settled_starts(ticket) == (tombstone_refused ? 1U : 0U));
                BOOST_TEST(rig.kill(ticket).has_value());
                BOOST_TEST(rig.release(ticket).has_value());
                BOOST_TEST(rig.left(ticket).empty());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_api_server_in_trouble_is_asked_again_later) {
    for (int status : {401, 429, 500, 503}) {
        BOOST_TEST_CONTEXT(status) {
            KubernetesRig rig;
            open(rig);
            const auto request = rig.request();
            const auto ticket = rig.reserve(request);
            open_impatiently(rig);
            rig.plan(answer(status, "POST", "/pods"));
            const auto submitted = rig.submit(request, ticket);
            BOOST_TEST_REQUIRE(submitted.has_error());
            BOOST_TEST(submitted.error().is(Errc::indeterminate));
            rig.heal();
            open(rig);
            BOOST_TEST(rig.submit(request, ticket).has_value());
            BOOST_TEST(rig.settled_starts(ticket) == 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_quota_that_is_used_up_fails_or_is_waited_for) {
    for (bool waits : {false, true}) {
        KubernetesRig rig;
        rig.options.wait_for_quota = waits;
        open(rig);
        rig.cluster.with([](k8s::Cluster& c) { c.api.pod_quota["jobs"] = 0; });
        const auto request = rig.request();
        const auto ticket = rig.reserve(request);
        const auto refused = rig.submit(request, ticket);
        BOOST_TEST_REQUIRE(refused.has_error());
        BOOST_TEST(refused.error().is(waits ? Errc::indeterminate : Errc::backend_failed));
        BOOST_TEST(says(refused.error(), "exceeded quota"));
        rig.cluster.with([](k8s::Cluster& c) { c.api.pod_quota.clear(); });
        BOOST_TEST(rig.submit(request, ticket).has_value() == waits);
    }
}

BOOST_AUTO_TEST_CASE(a_quota_that_our_own_driver_fills_hides_nothing) {
    KubernetesRig rig;
    open(rig);
    rig.cluster.with([](k8s::Cluster& c) { c.api.pod_quota["jobs"] = 1; });
    const auto request = rig.request();
    const auto ticket = rig.reserve(request);
    BOOST_TEST(rig.submit(request, ticket).has_value());
    BOOST_TEST(rig.submit(request, ticket).has_value());
}

BOOST_AUTO_TEST_CASE(a_host_that_dies_with_a_request_on_its_way_starts_it_once) {
    for (const auto& path : creations) {
        for (bool processed_first : {false, true}) {
            BOOST_TEST_CONTEXT(path << ' ' << processed_first) {
                KubernetesRig rig;
                open(rig);
                const auto request = rig.request();
                const auto ticket = rig.reserve(request);
                rig.plan(fault(Fault::Kind::hold, "POST", path));
                rig.begin(rig.backend().submit(request, ticket));
                rig.run_until_held();
                open(rig);
                if (processed_first) {
                    rig.let_go();
                }
                BOOST_TEST(rig.submit(request, ticket).has_value());
                rig.let_go();
                BOOST_TEST(rig.settled_starts(ticket) == 1U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_request_of_a_dead_host_starts_nothing_after_a_kill) {
    for (const auto& path : creations) {
        BOOST_TEST_CONTEXT(path) {
            KubernetesRig rig;
            open(rig);
            const auto request = rig.request();
            const auto ticket = rig.reserve(request);
            rig.plan(fault(Fault::Kind::hold, "POST", path));
            rig.begin(rig.backend().submit(request, ticket));
            rig.run_until_held();
            open(rig);
            BOOST_TEST(rig.kill(ticket).has_value());
            rig.let_go();
            BOOST_TEST(rig.settled_starts(ticket) == 0U);
            BOOST_TEST(rig.submit(request, ticket).has_error());
            BOOST_TEST(rig.release(ticket).has_value());
            BOOST_TEST(rig.left(ticket).empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_kill_amid_a_submit_waits_for_one_request_and_no_more) {
    for (const auto& path : creations) {
        BOOST_TEST_CONTEXT(path) {
            KubernetesRig rig;
            open(rig);
            const auto request = rig.request();
            const auto ticket = rig.reserve(request);
            rig.plan(fault(Fault::Kind::hold, "POST", path));
            const auto submitting = rig.begin(rig.backend().submit(request, ticket));
            rig.run_until_held();
            const auto killing = rig.begin(rig.backend().kill(ticket));
            const auto killing_again = rig.begin(rig.backend().kill(ticket));
            rig.let_go();
            const auto submitted = rig.finish(submitting);
            BOOST_TEST(rig.finish(killing).has_value());
            BOOST_TEST(rig.finish(killing_again).has_value());
            const bool was_last = path == creations.back();
            BOOST_TEST(submitted.has_value() == was_last);
            const bool fits = submitted || submitted.error().is(Errc::invalid_state);
            BOOST_TEST(fits);
            BOOST_TEST(rig.settled_starts(ticket) <= (was_last ? 1U : 0U));
            BOOST_TEST(rig.cluster.with([&](k8s::Cluster& c) { return c.kubelet.running(); }) ==
                       0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(operations_on_different_tickets_do_not_wait_for_each_other) {
    KubernetesRig rig;
    open(rig);
    const auto slow = rig.request();
    const auto slow_ticket = rig.reserve(slow);
    const auto quick = rig.request();
    const auto quick_ticket = rig.reserve(quick);
    rig.plan(fault(Fault::Kind::hold, "POST", "/pods"));
    const auto waiting = rig.begin(rig.backend().submit(slow, slow_ticket));
    rig.run_until_held();
    BOOST_TEST(rig.submit(quick, quick_ticket).has_value());
    BOOST_TEST(!waiting->has_value());
    rig.let_go();
    BOOST_TEST(rig.finish(waiting).has_value());
}

BOOST_AUTO_TEST_CASE(many_calls_for_one_ticket_at_once_are_one_driver) {
    KubernetesRig rig;
    open(rig);
    const auto request = rig.request();
    const auto ticket = rig.reserve(request);
    std::vector<KubernetesRig::Slot> slots;
    for (int i = 0; i < 5; ++i) {
        slots.push_back(rig.begin(rig.backend().submit(request, ticket)));
    }
    for (const auto& each : slots) {
        BOOST_TEST(rig.finish(each).has_value());
    }
    BOOST_TEST(rig.settled_starts(ticket) == 1U);
    slots.clear();
    for (int i = 0; i < 3; ++i) {
        slots.push_back(rig.begin(rig.backend().kill(ticket)));
        slots.push_back(rig.begin(rig.backend().release({ticket, false})));
    }
    for (const auto& each : slots) {
        BOOST_TEST(rig.finish(each).has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_broken_request_amid_release_or_kill_is_repeated) {
    for (const char* method : {"GET", "DELETE", "PATCH"}) {
        for (auto kind : {Fault::Kind::lose_request, Fault::Kind::lose_answer}) {
            BOOST_TEST_CONTEXT(method << ' ' << static_cast<int>(kind)) {
                KubernetesRig rig;
                open(rig);
                const auto request = rig.request();
                const auto ticket = rig.reserve(request);
                BOOST_TEST(rig.submit(request, ticket).has_value());
                rig.plan(fault(kind, method, "/pods/"));
                if (!rig.kill(ticket)) {
                    BOOST_TEST(rig.kill(ticket).has_value());
                }
                rig.plan(fault(kind, method, "/namespaces/jobs/"));
                if (!rig.release(ticket)) {
                    BOOST_TEST(rig.release(ticket).has_value());
                }
                rig.cluster.wait("nothing",
                                 [&](k8s::Cluster& c) { return c.left(ticket.id).empty(); });
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(tickets_that_are_not_ours_are_told_apart) {
    KubernetesRig rig;
    open(rig);
    const auto request = rig.request();
    for (const Ticket& ticket : {Ticket{"batch-1", ""}, Ticket{"spark-x-1", "{}"},
                                 Ticket{"../pods", "x"}, Ticket{"spark-x-1", ""}}) {
        BOOST_TEST(rig.submit(request, ticket).error().is(Errc::backend_failed));
        BOOST_TEST(rig.kill(ticket).error().is(Errc::backend_failed));
        BOOST_TEST(rig.release(ticket).has_value());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
