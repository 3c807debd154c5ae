// SPDX-License-Identifier: Apache-2.0
#include "rest/multipart.hpp"
#include "unit/rest/session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <string>

using namespace sparkhost;
using namespace sparkhost::rest_test;
using Use = SessionFile::Use;

namespace {

const std::string form_type = "multipart/form-data; boundary=\"b 1\"";

std::string form(const std::string& field, const std::string& file_name,
                 const std::string& content) {
    return "--b 1\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n"
           "--b 1\r\nContent-Disposition: form-data; name=\"" +
           field + "\"; filename=\"" + file_name +
           "\"\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
           "\r\n" +
           content + "\r\n--b 1--\r\n";
}

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct FileRoutes : StartedSessions {
    rest::Response upload(SessionId id, const std::string& route, std::string body,
                          const std::string& type = form_type) {
        auto request = make_request(http::verb::post, path(id) + route, std::move(body));
        request.set(http::field::content_type, type);
        return eventual(std::move(request));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_livy_file_routes, FileRoutes)

BOOST_AUTO_TEST_CASE(files_are_given_by_their_uri) {
    const SessionId id = open_idle();
    for (const std::string name : {"jar", "pyfile", "file"}) {
        const auto given =
            eventual_post(path(id) + "/add-" + name, R"({"uri": "hdfs://nn/)" + name + R"("})");
        BOOST_TEST(given.result_int() == 200u);
        BOOST_TEST(given.body() == "");
    }
    const std::vector<SessionFile> wanted{{Use::jar, "hdfs://nn/jar"},
                                          {Use::python, "hdfs://nn/pyfile"},
                                          {Use::data, "hdfs://nn/file"}};
    BOOST_TEST((agents->files(id) == wanted));
    BOOST_TEST(post(path(id) + "/add-jar", "{}").body() ==
               R"({"msg":"requirement failed: URI is required."})");
    BOOST_TEST(post(path(id) + "/add-jar", R"({"url": "x"})").result_int() == 400u);
    agents->fail_next("add", Error(Errc::invalid_argument, "File hdfs://nn/x does not exist"));
    const auto refused = eventual_post(path(id) + "/add-jar", R"({"uri": "hdfs://nn/x"})");
    BOOST_TEST(refused.result_int() == 400u);
    BOOST_TEST(refused.body().find("does not exist") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(files_are_uploaded_and_go_with_the_session) {
    const SessionId id = open_idle();
    const std::string content("a\0\r\n--b\r\n--b 2\r\n", 16);
    BOOST_TEST(upload(id, "/upload-jar", form("jar", "my job;1.jar", content)).body() == "");
    BOOST_TEST(upload(id, "/upload-file", form("file", "data.csv", "")).result_int() == 200u);
    const auto files = agents->files(id);
    BOOST_TEST_REQUIRE(files.size() == 2u);
    BOOST_TEST((files[0].use == Use::jar));
    BOOST_TEST(files[0].uri.ends_with("/my job;1.jar"));
    BOOST_TEST(content_of(files[0].uri) == content);
    BOOST_TEST((files[1].use == Use::data));
    BOOST_TEST(content_of(files[1].uri) == "");
    eventual_post(path(id) + "/stop");
    eventually([&] { return !std::ifstream(files[0].uri); });
}

BOOST_AUTO_TEST_CASE(broken_uploads_are_refused) {
    const SessionId id = open_idle();
    const auto refused = [&](const std::string& route, const std::string& body,
                             const std::string& type = form_type) {
        const auto response = upload(id, route, body, type);
        BOOST_TEST(response.result_int() == 400u, response.body());
        return response.body();
    };
    BOOST_TEST(refused("/upload-jar", form("file", "x.jar", "x")) == "\"No jar sent!\"");
    BOOST_TEST(refused("/upload-file", form("jar", "x", "x")) == "\"No file sent!\"");
    BOOST_TEST(refused("/upload-pyfile", "plain").find("multipart") != std::string::npos);
    const auto whole = form("file", "x", "x");
    BOOST_TEST(refused("/upload-file", whole.substr(0, whole.size() - 8)).find("complete") !=
               std::string::npos);
    refused("/upload-file", whole, "multipart/form-data");
    refused("/upload-file", whole, "text/plain");
    for (const std::string name : {"", "..", "../x", "/etc/passwd"}) {
        BOOST_TEST(refused("/upload-file", form("file", name, "x")).find("name of a file") !=
                   std::string::npos);
    }
    BOOST_TEST(agents->files(id).empty());
    BOOST_TEST(upload(SessionId{9}, "/upload-file", whole).result_int() == 404u);
}

BOOST_AUTO_TEST_CASE(files_wait_for_a_session_that_is_starting) {
    agents->hold("ready");
    const SessionId id = open();
    auto added =
        begin_request(make_request(http::verb::post, path(id) + "/add-file", R"({"uri": "/x"})"));
    auto request =
        make_request(http::verb::post, path(id) + "/upload-file", form("file", "x", "x"));
    request.set(http::field::content_type, form_type);
    auto uploaded = begin_request(std::move(request));
    BOOST_TEST(!added->done);
    BOOST_TEST(!uploaded->done);
    agents->let_go("ready");
    eventually([&] { return added->done && uploaded->done; });
    BOOST_TEST(added->response.value().result_int() == 200u);
    BOOST_TEST(uploaded->response.value().result_int() == 200u);
    BOOST_TEST(agents->files(id).size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_not_active_takes_no_files) {
    const SessionId id = open_idle();
    agents->drop_connection(id);
    settle();
    const auto cut = eventual_post(path(id) + "/add-file", R"({"uri": "/x"})");
    BOOST_TEST(cut.result_int() == 503u);
    BOOST_TEST(cut.body().find("Session is in state idle") != std::string::npos);
    agents->redial(id);
    eventual_post(path(id) + "/stop");
    BOOST_TEST(post(path(id) + "/add-file", R"({"uri": "/x"})").body() ==
               R"({"msg":"requirement failed: Session isn't active."})");
    BOOST_TEST(upload(id, "/upload-file", form("file", "x", "x")).result_int() == 400u);
}

BOOST_AUTO_TEST_CASE(uploads_may_be_larger_than_other_bodies) {
    router_options.max_body = 300;
    router_options.max_upload = 1000;
    router.emplace(host(), router_options);
    const SessionId id = open_idle();
    BOOST_TEST(upload(id, "/upload-file", form("file", "x", std::string(500, 'x'))).result_int() ==
               200u);
    BOOST_TEST(upload(id, "/upload-file", form("file", "x", std::string(900, 'x'))).result_int() ==
               413u);
    BOOST_TEST(post(path(id) + "/add-file", std::string(500, ' ')).result_int() == 413u);
}

BOOST_AUTO_TEST_SUITE_END()
