// SPDX-License-Identifier: Apache-2.0
#include "backends/local/ticket_folder.hpp"
#include "backends/local/leftovers.hpp"
#include "backends/local/observation.hpp"
#include "backends/local/ticket_data.hpp"

#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

#include <sys/stat.h>

namespace sparkhost::detail::local {

namespace {

Timestamp ms(int count) {
    return Timestamp(std::chrono::milliseconds(count));
}

SubmitRequest named_request(std::string uuid, std::string subject, int attempt) {
    SubmitRequest request;
    request.store_uuid = std::move(uuid);
    request.subject = std::move(subject);
    request.attempt = attempt;
    return request;
}

struct Folders {
    Folders() { (void)make_folder(paths.tickets()); }
    test::TempDir dir{};
    WorkPaths paths{dir.path().string()};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ticket_folder)

BOOST_AUTO_TEST_CASE(ticket_ids_are_short_lower_case_and_safe_as_names) {
    BOOST_TEST(ticket_id(named_request("0123ABCD-99", "batch-7", 1)) == "0123abcd-batch-7-1");
    BOOST_TEST(ticket_id(named_request("0123ABCD-99", "../Batch 7", 2)) == "0123abcd----batch-7-2");
    auto longest = ticket_id(named_request("0123abcd", std::string(100, 'x'), 12));
    BOOST_TEST(longest.size() == 63u);
    BOOST_TEST(longest.ends_with("-12"));
    BOOST_TEST(ticket_id(named_request("0123ABCD-99", "batch-7", 1), 2) == "0123abcd-batch-7-1-2");
    BOOST_TEST(is_ticket_id(longest));
    for (const char* other : {"", "a/b", "..", "A", "a.b", "a b", "a_b"}) {
        BOOST_TEST(!is_ticket_id(other), other);
    }
    BOOST_TEST(!is_ticket_id(std::string(64, 'a')));
}

BOOST_AUTO_TEST_CASE(ticket_data_survives_being_stored) {
    TicketData data;
    data.spark_home = "/spark \"x\"";
    data.spark_version = "4.3.0";
    data.logging_jars = {"/a.jar", "/b.jar"};
    data.java = "/java";
    data.conf_folder = "/conf";
    data.conf_options = {"-Da=b", ""};
    data.properties = {{"spark.a", "x\ny\xC3\xA9"}, {"spark.b", ""}};
    auto decoded = decode_ticket_data(encode_ticket_data(data));
    BOOST_TEST_REQUIRE(decoded.has_value());
    BOOST_TEST((*decoded == data));
    for (const char* broken : {"", "{", "[]", "{}", "{\"format\":2}", "{\"format\":1}"}) {
        BOOST_TEST(decode_ticket_data(broken).has_error(), broken);
    }
}

BOOST_AUTO_TEST_CASE(the_first_claim_wins) {
    Folders folders;
    auto first = claim_for_killer(folders.paths, "t-1", ms(5));
    BOOST_TEST_REQUIRE(first.has_value());
    BOOST_TEST(first->killed);
    auto second = claim_for_killer(folders.paths, "t-1", ms(6));
    BOOST_TEST_REQUIRE(second.has_value());
    BOOST_TEST((second->killed_at == ms(5)));
    // and nothing but the claim is left of both
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folders.paths.folder("t-1"))) {
        files += entry.is_regular_file() ? 1 : 0;
    }
    BOOST_TEST(files == 1u);

    folders.dir.write("tickets/t-2/claim", "supervisor 7 8 boot\n");
    auto lost = claim_for_killer(folders.paths, "t-2", ms(7));
    BOOST_TEST_REQUIRE(lost.has_value());
    BOOST_TEST(!lost->killed);
    BOOST_TEST(lost->supervisor.pid == 7);
}

BOOST_AUTO_TEST_CASE(a_claim_that_cannot_be_read_is_an_error_not_a_missing_one) {
    Folders folders;
    BOOST_TEST(!read_claim(folders.paths, "t-1")->has_value());
    folders.dir.write("tickets/t-1/claim", "rubbish\n");
    BOOST_TEST(read_claim(folders.paths, "t-1").has_error());
}

BOOST_AUTO_TEST_CASE(a_prepared_folder_is_private_and_complete) {
    Folders folders;
    LaunchPlan plan;
    plan.arguments = {"/bin/true"};
    plan.directory = folders.paths.folder("t-1") + "/work";
    plan.output = folders.paths.driver_log("t-1");
    std::thread other([&] {
        for (int i = 0; i < 20; ++i) {
            (void)prepare_ticket_folder(folders.paths, "t-1", "spark.a=b\n", plan);
        }
    });
    for (int i = 0; i < 20; ++i) {
        BOOST_TEST(prepare_ticket_folder(folders.paths, "t-1", "spark.a=b\n", plan).has_value());
    }
    other.join();
    BOOST_TEST(*read_whole_file(folders.paths.properties("t-1")) == "spark.a=b\n");
    std::string fault;
    auto decoded = decode_launch(*read_whole_file(folders.paths.launch("t-1")), fault);
    BOOST_TEST_REQUIRE(decoded.has_value());
    BOOST_TEST((*decoded == plan));
    struct stat status {};
    ::stat(folders.paths.properties("t-1").c_str(), &status);
    BOOST_TEST((status.st_mode & 0777u) == 0600u);
    ::stat(folders.paths.folder("t-1").c_str(), &status);
    BOOST_TEST((status.st_mode & 0777u) == 0700u);
    plan.arguments.clear();
    BOOST_TEST(prepare_ticket_folder(folders.paths, "t-1", "", plan).has_error());
}

BOOST_AUTO_TEST_CASE(what_a_vanished_supervisor_has_left_is_settled_once) {
    Folders folders;
    folders.dir.write("tickets/t-1/claim", "supervisor 999999999 1 another-boot\n");
    folders.dir.write("tickets/t-1/journal", "1 claimed 999999999 1 another-boot\n2 star");
    for (int i = 0; i < 2; ++i) {
        auto seen = observe_ticket(folders.paths, "t-1", Look::connect, ms(50 + i));
        BOOST_TEST_REQUIRE(seen.has_value());
        BOOST_TEST(!seen->control);
        ApplicationTracker tracker("t-1");
        apply_observation(tracker, *seen);
        BOOST_TEST((tracker.status().outcome == Outcome::unknown));
        BOOST_TEST((tracker.status().ended == ms(50)));
        BOOST_TEST(!tracker.status().started.has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_look_that_only_reads_settles_nothing) {
    Folders folders;
    folders.dir.write("tickets/t-1/claim", "supervisor 999999999 1 another-boot\n");
    folders.dir.write("tickets/t-2/launch", "not started");
    folders.dir.write("tickets/Not a ticket/claim", "killed 1\n");
    auto all = observe_all(folders.paths);
    BOOST_TEST_REQUIRE(all.has_value());
    BOOST_TEST_REQUIRE(all->size() == 1u);
    BOOST_TEST(all->front().ticket == "t-1");
    BOOST_TEST(!file_exists(folders.paths.journal("t-1")));
}

BOOST_AUTO_TEST_CASE(logs_are_spread_over_folders) {
    Folders folders;
    // FNV-1a of "a" is e40c292c
    BOOST_TEST(folders.paths.kept_log("a") == folders.paths.root + "/logs/2c/a.log");
}

BOOST_AUTO_TEST_CASE(release_is_idempotent_also_half_done) {
    Folders folders;
    BOOST_TEST(release_ticket(folders.paths, "t-1", true).has_value());
    folders.dir.write("tickets/t-1/driver.log", "text");
    BOOST_TEST(release_ticket(folders.paths, "t-1", true).has_value());
    BOOST_TEST(!file_exists(folders.paths.folder("t-1")));
    BOOST_TEST(*read_whole_file(folders.paths.kept_log("t-1")) == "text");
    // as after a crash between the move and the removal
    (void)make_folder(folders.paths.folder("t-1"));
    BOOST_TEST(release_ticket(folders.paths, "t-1", true).has_value());
    BOOST_TEST(*read_whole_file(folders.paths.kept_log("t-1")) == "text");
    BOOST_TEST(release_ticket(folders.paths, "t-1", false).has_value());
    BOOST_TEST(!file_exists(folders.paths.kept_log("t-1")));
}

// As when a supervisor that ends removes its socket meanwhile.
BOOST_AUTO_TEST_CASE(a_folder_that_others_remove_from_is_removed_whole) {
    Folders folders;
    const auto path = folders.paths.folder("t-1");
    for (int round = 0; round < 20; ++round) {
        for (int number = 0; number < 500; ++number) {
            folders.dir.write("tickets/t-1/" + std::to_string(number), "");
        }
        std::thread other([&] {
            for (int number = 0; number < 500; ++number) {
                ::unlink((path + "/" + std::to_string(number)).c_str());
            }
        });
        BOOST_TEST(release_ticket(folders.paths, "t-1", true).has_value());
        BOOST_TEST(!file_exists(path));
        other.join();
    }
}

BOOST_AUTO_TEST_CASE(an_environment_names_a_ticket_exactly) {
    BOOST_TEST(names_ticket(std::string("A=b\0SPARKHOST_TICKET=t-1\0C=d\0", 30), "t-1"));
    BOOST_TEST(!names_ticket(std::string("SPARKHOST_TICKET=t-11\0", 22), "t-1"));
    BOOST_TEST(!names_ticket(std::string("XSPARKHOST_TICKET=t-1\0", 22), "t-1"));
    BOOST_TEST(!names_ticket("", "t-1"));
    BOOST_TEST(end_leftovers("no-such-ticket-1", {}) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::local
