// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/cluster_access.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>

namespace sparkhost::detail::kubernetes {

namespace own_pod_test {

/// The folder of a service account, as a kubelet fills it.
struct Pod {
    Pod() {
        options.service_account_folder = folder.path().string();
        folder.write("token", "first");
        folder.write("namespace", "jobs");
    }

    sparkhost::test::TempDir folder{};
    KubernetesBackendOptions options{};
};

}  // namespace own_pod_test

BOOST_FIXTURE_TEST_SUITE(kubernetes_own_pod, own_pod_test::Pod)

BOOST_AUTO_TEST_CASE(a_pod_knows_its_cluster_by_its_environment_and_its_service_account) {
    const auto access = find_cluster(options, "10.96.0.1", "6443");
    BOOST_TEST_REQUIRE(access.has_value(), access.error().text());
    BOOST_TEST(access->http.url == "https://10.96.0.1:6443");
    BOOST_TEST(access->http.bearer_token_file == (folder / "token").string());
    BOOST_TEST(access->http.ca_file == (folder / "ca.crt").string());
    BOOST_TEST(access->http.bearer_token == "");
    BOOST_TEST(access->http.verify);
    BOOST_TEST(access->default_namespace == "jobs");
}

BOOST_AUTO_TEST_CASE(the_address_may_be_one_of_ipv6_and_may_lack_its_port) {
    BOOST_TEST(find_cluster(options, "fd00::1", "6443").value().http.url ==
               "https://[fd00::1]:6443");
    BOOST_TEST(find_cluster(options, "10.96.0.1", "").value().http.url == "https://10.96.0.1:443");
}

BOOST_AUTO_TEST_CASE(the_namespace_may_end_with_a_line_or_not_be_there) {
    folder.write("namespace", "jobs\n");
    BOOST_TEST(find_cluster(options, "10.96.0.1", "443").value().default_namespace == "jobs");
    std::filesystem::remove(folder / "namespace");
    BOOST_TEST(find_cluster(options, "10.96.0.1", "443").value().default_namespace == "");
}

BOOST_AUTO_TEST_CASE(what_is_given_goes_before_the_pods_own) {
    options.api_server.url = "https://by-hand";
    BOOST_TEST(find_cluster(options, "10.96.0.1", "443").value().http.url == "https://by-hand");
}

BOOST_AUTO_TEST_CASE(without_an_address_or_a_token_it_is_no_pod) {
    const auto says_what_to_set = [](const Result<ClusterAccess>& access) {
        return access.has_error() && access.error().code == Errc::backend_failed &&
               access.error().detail.find("kubeconfig or ::api_server") != std::string::npos;
    };
    BOOST_TEST(says_what_to_set(find_cluster(options, "", "")));
    std::filesystem::remove(folder / "token");
    BOOST_TEST(says_what_to_set(find_cluster(options, "10.96.0.1", "443")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
