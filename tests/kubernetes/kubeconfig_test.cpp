// SPDX-License-Identifier: Apache-2.0
#include "backends/common/base64.hpp"
#include "backends/kubernetes/cluster_access.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr const char* two_clusters = R"(
apiVersion: v1
kind: Config
current-context: prod
preferences: {}
contexts:
- name: prod
  context: {cluster: big, user: admin, namespace: jobs}
- name: test
  context: {cluster: small, user: robot}
- name: nobody
  context: {cluster: small}
clusters:
- name: big
  cluster:
    server: https://big.example:6443
    certificate-authority-data: Q0EtUEVN
    tls-server-name: api.big
- name: small
  cluster:
    server: https://127.0.0.1:6443/base
    certificate-authority: pki/ca.crt
    insecure-skip-tls-verify: true
users:
- name: admin
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
- name: robot
  user: {tokenFile: /run/token, token: ignored}
)";

Result<ClusterAccess> read_kubeconfig(std::string text, std::string path, std::string context) {
    const KubeconfigText file{std::move(path), std::move(text)};
    return read_kubeconfigs({file}, context);
}

/// A kubeconfig with one cluster, one user, and these members in them.
std::string config_with(const std::string& cluster, const std::string& user) {
    return "current-context: c\n"
           "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
           "clusters: [{name: k, cluster: {" +
           cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_kubeconfig)

BOOST_AUTO_TEST_CASE(the_current_context_is_taken_or_the_one_that_is_named) {
    auto prod = read_kubeconfig(two_clusters, "/home/me/.kube/config", "");
    BOOST_TEST_REQUIRE(prod.has_value(), prod.error().text());
    BOOST_TEST(prod->http.url == "https://big.example:6443");
    BOOST_TEST(prod->http.ca_data == "CA-PEM");
    BOOST_TEST(prod->http.ca_file == "");
    BOOST_TEST(prod->http.server_name == "api.big");
    BOOST_TEST(prod->http.client_certificate == "CERT");
    BOOST_TEST(prod->http.client_key == "KEY");
    BOOST_TEST(prod->http.verify);
    BOOST_TEST(prod->default_namespace == "jobs");
    auto test = read_kubeconfig(two_clusters, "/home/me/.kube/config", "test");
    BOOST_TEST_REQUIRE(test.has_value());
    BOOST_TEST(test->http.url == "https://127.0.0.1:6443/base");
    BOOST_TEST(test->http.ca_file == "/home/me/.kube/pki/ca.crt");
    BOOST_TEST(!test->http.verify);
    BOOST_TEST(test->http.bearer_token_file == "/run/token");
    BOOST_TEST(test->http.bearer_token == "");
    BOOST_TEST(test->default_namespace == "");
    auto nobody = read_kubeconfig(two_clusters, "/home/me/.kube/config", "nobody");
    BOOST_TEST_REQUIRE(nobody.has_value());
    BOOST_TEST(nobody->http.bearer_token_file == "");
}

const KubeconfigText first_of_two{"/one/config", R"(
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: 'https://first', certificate-authority: ca.crt}}]
)"};
const KubeconfigText second_of_two{"/two/config", R"(
current-context: c
contexts:
- {name: c, context: {cluster: k, user: u, namespace: second}}
- {name: only-here, context: {cluster: other, user: u}}
clusters:
- {name: k, cluster: {server: 'https://second', tls-server-name: second}}
- {name: other, cluster: {server: 'https://other', certificate-authority: ca.crt}}
users: [{name: u, user: {tokenFile: token}}]
)"};

BOOST_AUTO_TEST_CASE(of_several_files_the_first_that_has_an_entry_has_all_of_it) {
    auto merged = read_kubeconfigs({first_of_two, second_of_two}, "");
    BOOST_TEST_REQUIRE(merged.has_value(), merged.error().text());
    BOOST_TEST(merged->http.url == "https://first");
    BOOST_TEST(merged->http.ca_file == "/one/ca.crt");
    BOOST_TEST(merged->http.server_name == "", "the second file's entry is not looked at");
    BOOST_TEST(merged->default_namespace == "");
    BOOST_TEST(merged->http.bearer_token_file == "/two/token", "beside the file it stands in");

    auto swapped = read_kubeconfigs({second_of_two, first_of_two}, "");
    BOOST_TEST_REQUIRE(swapped.has_value());
    BOOST_TEST(swapped->http.url == "https://second");
    BOOST_TEST(swapped->http.ca_file == "");
    BOOST_TEST(swapped->default_namespace == "second");

    auto chosen = read_kubeconfigs({first_of_two, second_of_two}, "only-here");
    BOOST_TEST_REQUIRE(chosen.has_value());
    BOOST_TEST(chosen->http.ca_file == "/two/ca.crt");
}

BOOST_AUTO_TEST_CASE(the_current_context_is_the_first_files_that_names_one) {
    const KubeconfigText before{"/zero/config", "current-context: only-here"};
    const KubeconfigText empty{"/empty/config", "current-context: ''"};
    auto access = read_kubeconfigs({empty, before, first_of_two, second_of_two}, "");
    BOOST_TEST_REQUIRE(access.has_value());
    BOOST_TEST(access->http.url == "https://other");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_in_several_files_is_named_with_its_file) {
    const KubeconfigText broken{"/three/config", "users: [{name: u, user: {exec: {}}}]"};
    const KubeconfigText no_yaml{"/four/config", "a: ["};
    const std::pair<std::vector<KubeconfigText>, const char*> rows[] = {
        {{first_of_two}, "kubeconfig /one/config: the file: it names no current-context"},
        {{broken, first_of_two, second_of_two}, "kubeconfig /three/config: user \"u\": exec"},
        {{first_of_two, second_of_two, no_yaml}, "kubeconfig /four/config: "},
        {{first_of_two, broken}, "kubeconfig /one/config:/three/config: the file: it names no"}};
    for (const auto& [files, expected] : rows) {
        auto access = read_kubeconfigs(files, "");
        BOOST_TEST_REQUIRE(access.has_error(), expected);
        BOOST_TEST(access.error().detail.starts_with(expected), access.error().detail);
    }
    auto gone = read_kubeconfigs({first_of_two, second_of_two}, "gone");
    BOOST_TEST(gone.error().detail.starts_with(
        "kubeconfig /one/config:/two/config: context \"gone\": there is none"));
}

BOOST_AUTO_TEST_CASE(a_list_of_paths_is_read_as_kubectl_reads_it) {
    using Paths = std::vector<std::string>;
    BOOST_TEST((kubeconfig_paths("") == Paths{}));
    BOOST_TEST((kubeconfig_paths("/a") == Paths{"/a"}));
    BOOST_TEST((kubeconfig_paths("/a:/b/c") == Paths{"/a", "/b/c"}));
    BOOST_TEST((kubeconfig_paths(":/a::/b:") == Paths{"/a", "/b"}));
    BOOST_TEST((kubeconfig_paths(":::") == Paths{}));
}

BOOST_AUTO_TEST_CASE(files_that_do_not_exist_are_passed_over_where_one_does) {
    const test::TempDir dir;
    KubernetesBackendOptions options;
    const auto one = dir.write("one", first_of_two.text).string();
    const auto two = dir.write("two", second_of_two.text).string();
    const auto none = (dir / "none").string();
    options.kubeconfig = none + ":" + one + "::" + two;
    auto access = find_cluster(options, "", "");
    BOOST_TEST_REQUIRE(access.has_value(), access.error().text());
    BOOST_TEST(access->http.url == "https://first");
    options.kubeconfig = none + ":" + none + "-2";
    access = find_cluster(options, "", "");
    BOOST_TEST_REQUIRE(access.has_error());
    BOOST_TEST(access.error().detail.find(none) != std::string::npos, access.error().detail);
}

BOOST_AUTO_TEST_CASE(json_is_yaml_too) {
    auto access = read_kubeconfig(
        R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k"}}],)"
        R"("clusters":[{"name":"k","cluster":{"server":"https://h"}}]})",
        "/k", "");
    BOOST_TEST_REQUIRE(access.has_value());
    BOOST_TEST(access->http.url == "https://h");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named_with_its_place) {
    struct Row {
        std::string text;
        std::string context;
        const char* expected;
    };
    const std::string server = "server: 'https://h'";
    const Row rows[] = {
        {"", "", "no contents"},
        {"- a", "", "no contents"},
        {"a: [", "", "no valid YAML"},
        {"a: 1", "", "current-context"},
        {"current-context: 7", "", "current-context must be a text"},
        {two_clusters, "gone", "context \"gone\": there is none"},
        {"current-context: c\ncontexts: [{name: c, context: {cluster: k}}]", "",
         "cluster \"k\": there is none"},
        {"current-context: c\ncontexts: [{name: c}]", "", "context \"c\": it is empty"},
        {"current-context: c\ncontexts: [3, [], {name: []}]", "", "context \"c\": there is none"},
        {config_with("", ""), "", "cluster \"k\": server is missing"},
        {config_with("server: [1]", ""), "", "server must be a text"},
        {config_with(server + ", proxy-url: 'http://p'", ""), "", "proxy-url is not supported"},
        {config_with(server + ", certificate-authority-data: '%%'", ""), "", "no base64"},
        {config_with(server + ", insecure-skip-tls-verify: maybe", ""), "", "true or false"},
        {config_with(server, "exec: {command: aws}"), "", "user \"u\": exec is not supported"},
        {config_with(server, "auth-provider: {name: gcp}"), "", "auth-provider is not supported"},
        {config_with(server, "as: root"), "", "impersonation"},
        {config_with(server, "client-certificate: /c"), "", "belong together"},
        {config_with(server, "client-certificate: /c, client-key-data: S0VZ"), "", "both"},
        {config_with(server, "token: t, username: a, password: b"), "", "either a token"}};
    for (const auto& row : rows) {
        auto access = read_kubeconfig(row.text, "/etc/kube.conf", row.context);
        BOOST_TEST_REQUIRE(access.has_error(), row.expected);
        BOOST_TEST(access.error().is(Errc::backend_failed));
        BOOST_TEST(access.error().detail.find(row.expected) != std::string::npos,
                   access.error().detail);
        BOOST_TEST(access.error().detail.starts_with("kubeconfig /etc/kube.conf: "));
    }
}

BOOST_AUTO_TEST_CASE(each_way_to_authenticate_is_taken) {
    const std::string server = "server: 'https://h'";
    auto token = read_kubeconfig(config_with(server, "token: abc"), "k", "");
    BOOST_TEST(token->http.bearer_token == "abc");
    auto basic = read_kubeconfig(config_with(server, "username: a, password: b"), "k", "");
    BOOST_TEST(basic->http.user == "a");
    BOOST_TEST(basic->http.password == "b");
    auto files = read_kubeconfig(
        config_with(server, "client-certificate: c.crt, client-key: /c.key"), "/d/k", "");
    BOOST_TEST(files->http.client_certificate_file == "/d/c.crt");
    BOOST_TEST(files->http.client_key_file == "/c.key");
}

BOOST_AUTO_TEST_CASE(hostile_texts_give_errors_or_a_cluster_and_nothing_else) {
    std::mt19937 random(7);  // the same texts each time
    const std::string alphabet = "{}[]:,-&*!|>'\"\\\n\t #%@`a0\xC3\xFF";
    const std::string valid = two_clusters;
    for (int round = 0; round < 3000; ++round) {
        std::string text = valid;
        for (unsigned k = 0; k < 1 + random() % 4; ++k) {
            const std::size_t at = random() % text.size();
            const char c = alphabet[random() % alphabet.size()];
            switch (random() % 3) {
                case 0:
                    text[at] = c;
                    break;
                case 1:
                    text.insert(at, 1, c);
                    break;
                default:
                    text.erase(at, 1 + random() % 20);
            }
        }
        auto access = read_kubeconfig(text, "/k", "");
        BOOST_TEST((access.has_value() || access.error().is(Errc::backend_failed)));
        BOOST_TEST((access.has_error() || !access->http.url.empty()));
    }
}

BOOST_AUTO_TEST_CASE(base64_is_written_and_read) {
    const std::pair<const char*, const char*> rows[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
    for (const auto& [bytes, text] : rows) {
        BOOST_TEST(to_base64(bytes) == text);
        BOOST_TEST(from_base64(text).value() == bytes);
    }
    BOOST_TEST(from_base64("Zm\n9v").value() == "foo");
    for (const char* broken : {"Z", "Zg", "Zg=", "Zg===", "Z===", "Zg==Zg==", "Z*==", "===="}) {
        BOOST_TEST(!from_base64(broken).has_value(), broken);
    }
    const std::string all("\x00\x01\xFF\xFE", 4);
    BOOST_TEST(from_base64(to_base64(all)).value() == all);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
