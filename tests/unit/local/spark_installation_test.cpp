// SPDX-License-Identifier: Apache-2.0
#include "backends/local/spark_installation.hpp"
#include "backends/local/class_data_archive.hpp"
#include "backends/local/process_start.hpp"

#include "unit/local/local_harness.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>

#include <fcntl.h>
#include <sys/wait.h>

namespace sparkhost::detail::local {

namespace {

/// A fake Spark and options that name it.
struct Installed {
    Installed() {
        options.spark_home = spark.spark_home;
        options.java_home = spark.java_home;
    }
    Result<SparkInstallation> find() { return find_spark(options, environment, "/empty"); }
    void program(const char* name, const std::string& script) {
        ::chmod(dir.write(name, "#!/bin/sh\n" + script).c_str(), 0700);
    }
    test::TempDir dir{};
    test::FakeSpark spark{dir};
    LocalBackendOptions options{};
    Environment environment{{"PATH", "/usr/bin:/bin"}};
};

/// Tried in a process that has no other children.
bool leaves_no_child(const std::function<void()>& action) {
    const pid_t alone = ::fork();
    if (alone == 0) {
        action();
        ::_exit(::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD ? 0 : 1);
    }
    int status = -1;
    ::waitpid(alone, &status, 0);
    return status == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spark_installation)

BOOST_AUTO_TEST_CASE(everything_is_found_where_the_options_say) {
    Installed installed;
    auto found = installed.find();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->version.text == "4.3.0");
    BOOST_TEST(found->scala_version == "2.13");
    BOOST_TEST(found->java == installed.spark.java_home + "/bin/java");
    BOOST_TEST(found->java_version == "17.0.9");
    BOOST_TEST(found->conf_folder == "/empty");
    BOOST_TEST(found->conf_folder_is_ours);
    BOOST_TEST(found->logging_jars.size() == 1u);
    BOOST_TEST(found->environment.at("SPARK_SCALA_VERSION") == "2.13");
}

BOOST_AUTO_TEST_CASE(the_environment_is_asked_next) {
    Installed installed;
    installed.options.spark_home.clear();
    installed.options.java_home.clear();
    installed.environment["SPARK_HOME"] = installed.spark.spark_home + "/";
    installed.environment["JAVA_HOME"] = installed.spark.java_home;
    auto found = installed.find();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->spark_home == installed.spark.spark_home);
    BOOST_TEST(found->java_home == installed.spark.java_home);

    installed.environment.erase("JAVA_HOME");
    installed.environment["PATH"] = installed.spark.java_home + "/bin:/nowhere";
    found = installed.find();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->java_version == "17.0.9");
}

BOOST_AUTO_TEST_CASE(python_is_asked_for_its_pyspark_at_last) {
    Installed installed;
    installed.options.spark_home.clear();
    installed.program("python", "echo " + installed.spark.spark_home);
    installed.options.python = (installed.dir / "python").string();
    auto found = installed.find();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->spark_home == installed.spark.spark_home);
    BOOST_TEST(found->environment.at("PYSPARK_PYTHON") == installed.options.python);
}

BOOST_AUTO_TEST_CASE(each_thing_missing_has_its_own_words) {
    struct Row {
        const char* what;
        std::function<void(Installed&)> change;
        const char* words;
    };
    const Row rows[] = {
        {"no Spark",
         [](Installed& i) {
             i.options.spark_home.clear();
             i.program("python", "echo");
             i.options.python = (i.dir / "python").string();
         },
         "no Spark found: set LocalBackendOptions::spark_home or SPARK_HOME, or install pyspark"},
        {"another folder", [](Installed& i) { i.options.spark_home = "/usr"; },
         "/usr is no Spark installation"},
        {"old Spark",
         [](Installed& i) {
             std::filesystem::remove_all(i.dir / "spark");
             i.dir.write("spark/jars/spark-core_2.11-2.4.8.jar", "");
         },
         "Spark 2.4.8"},
        {"no Java anywhere",
         [](Installed& i) {
             i.options.java_home.clear();
             i.environment["PATH"] = "/nowhere";
         },
         "no Java found: set LocalBackendOptions::java_home or JAVA_HOME"},
        {"wrong JAVA_HOME",
         [](Installed& i) {
             i.options.java_home.clear();
             i.environment["JAVA_HOME"] = "/nowhere";
         },
         "/nowhere/bin/java cannot be executed: correct JAVA_HOME"},
        {"old Java", [](Installed& i) { i.dir.write("java/release", "JAVA_VERSION=\"11.0.2\"\n"); },
         "Spark 4.3.0 needs Java 17 or newer"},
        {"wrong Python", [](Installed& i) { i.options.python = "/nowhere/python"; },
         "the Python interpreter /nowhere/python cannot be executed"},
        {"broken spark-env.sh",
         [](Installed& i) { i.dir.write("spark/conf/spark-env.sh", "echo oops >&2; exit 3\n"); },
         "spark-env.sh has failed: oops"},
        {"broken defaults",
         [](Installed& i) { i.dir.write("spark/conf/spark-defaults.conf", "spark.a \\u12\n"); },
         "spark-defaults.conf: malformed"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.what) {
            Installed installed;
            row.change(installed);
            auto found = installed.find();
            BOOST_TEST_REQUIRE(found.has_error());
            BOOST_TEST(found.error().is(Errc::backend_failed));
            BOOST_TEST(found.error().detail.find(row.words) != std::string::npos,
                       found.error().detail);
        }
    }
}

BOOST_AUTO_TEST_CASE(java_without_a_release_file_is_asked) {
    Installed installed;
    std::filesystem::remove(installed.dir / "java/release");
    installed.program("java/bin/java", "echo 'openjdk version \"21.0.1\" 2023-10-17' >&2\n");
    auto found = installed.find();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->java_version == "21.0.1");
}

BOOST_AUTO_TEST_CASE(spark_env_is_sourced_once_with_everything_exported) {
    Installed installed;
    installed.dir.write("spark/conf/spark-env.sh",
                        "export A=1\nB=\"two\nlines\"\n: ${SPARK_LOCAL_IP:=10.0.0.1}\n"
                        "echo noise\nHOMES=$SPARK_HOME\n");
    auto found = installed.find();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->environment.at("A") == "1");
    BOOST_TEST(found->environment.at("B") == "two\nlines");
    BOOST_TEST(found->environment.at("SPARK_LOCAL_IP") == "10.0.0.1");
    BOOST_TEST(found->environment.at("HOMES") == installed.spark.spark_home);
    BOOST_TEST(!found->environment.contains("SHLVL"));
    BOOST_TEST(!found->environment.contains("_"));
    BOOST_TEST(found->conf_folder_is_ours);
}

BOOST_AUTO_TEST_CASE(defaults_are_read_and_trimmed_as_spark_does) {
    Installed installed;
    installed.dir.write("spark/conf/spark-defaults.conf",
                        "# comment\nspark.a   1  \nspark.b=x=y\nother z\n");
    installed.dir.write("spark/conf/java-opts", "-Da\n-Db\n");
    installed.dir.write("spark/conf/log4j2.properties.template", "");
    auto found = installed.find();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(
        (found->defaults == Properties{{"spark.a", "1"}, {"spark.b", "x=y"}, {"other", "z"}}));
    BOOST_TEST(found->conf_options.size() == 2u);
    BOOST_TEST(found->conf_folder == "/empty");
}

BOOST_AUTO_TEST_CASE(a_conf_folder_with_files_for_the_class_path_stays_there) {
    Installed installed;
    installed.environment["SPARK_CONF_DIR"] = (installed.dir / "conf").string();
    installed.dir.write("conf/log4j2.properties", "");
    auto found = installed.find();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->conf_folder == (installed.dir / "conf").string());
    BOOST_TEST(!found->conf_folder_is_ours);
    BOOST_TEST(plan_archive(*found, installed.dir.path().string()).file == "");
}

BOOST_AUTO_TEST_CASE(an_archive_fits_one_state_of_jars_java_and_class_path) {
    Installed installed;
    const std::string folder = installed.dir.path().string();
    auto plan_now = [&] { return plan_archive(*installed.find(), folder); };
    const ArchivePlan plan = plan_now();
    BOOST_TEST(plan.file.starts_with(folder + "/spark-4.3.0-"));
    BOOST_TEST(plan_now().file == plan.file);
    BOOST_TEST(usable_archive(plan, plan.data, plan.environment) == "");
    const std::string name = std::filesystem::path(plan.file).filename().string();
    installed.dir.write(name, "archive");
    BOOST_TEST(usable_archive(plan, plan.data, plan.environment) == "");  // without its seal
    installed.dir.write(name + ".seal", "7 " + fingerprint("archive") + "\n");
    BOOST_TEST(usable_archive(plan, plan.data, plan.environment) == plan.file);
    for (const char* broken : {"", "archiv", "Archive", "archive+"}) {
        installed.dir.write(name, broken);
        BOOST_TEST(usable_archive(plan, plan.data, plan.environment) == "", broken);
    }
    installed.dir.write(name, "archive");
    TicketData other = plan.data;
    other.properties["spark.driver.extraClassPath"] = "/x.jar";
    BOOST_TEST(usable_archive(plan, other, plan.environment) == "");
    other = plan.data;
    other.java = "/other/java";
    BOOST_TEST(usable_archive(plan, other, plan.environment) == "");
    installed.dir.write("spark/jars/new.jar", "");
    BOOST_TEST(plan_now().file != plan.file);
    const std::string with_jar = plan_now().file;
    installed.dir.write("java/release", "JAVA_VERSION=\"17.0.10\"\n");
    BOOST_TEST(plan_now().file != with_jar);
    BOOST_TEST(fingerprint("") == "cbf29ce484222325");
    BOOST_TEST(fingerprint("a") == "af63dc4c8601ec8c");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(process_start)

BOOST_AUTO_TEST_CASE(a_program_gets_exactly_what_it_is_given) {
    const int leak = ::open("/dev/null", O_RDONLY);
    ProcessStart start;
    start.program = "/bin/sh";
    start.arguments = {"-c", "echo \"$A\"; echo \"$1\" >&2; pwd; ls /proc/self/fd; exit 7", "sh",
                       "x y"};
    start.environment = {{"A", "b c"}};
    start.directory = "/usr";
    auto output = run_program(start, std::chrono::seconds(60));
    ::close(leak);
    BOOST_TEST_REQUIRE(output.has_value());
    BOOST_TEST(output->status == 7);
    BOOST_TEST(output->err == "x y\n");
    BOOST_TEST(output->out == "b c\n/usr\n0\n1\n2\n3\n");  // 3: ls reads the folder itself
}

BOOST_AUTO_TEST_CASE(what_cannot_be_executed_is_an_error_and_leaves_no_child) {
    ProcessStart start;
    start.program = "/no/such/program";
    auto started = start_process(start);
    BOOST_TEST_REQUIRE(started.has_error());
    BOOST_TEST(started.error().detail.find("/no/such/program: No such file") != std::string::npos);
    start.program = "/bin/true";
    start.directory = "/no/such/folder";
    BOOST_TEST(start_process(start).has_error());
    BOOST_TEST(leaves_no_child([&] { (void)start_process(start); }));
}

BOOST_AUTO_TEST_CASE(a_program_that_does_not_end_is_killed) {
    ProcessStart start;
    start.program = "/bin/sleep";
    start.arguments = {"1000"};
    auto output = run_program(start, std::chrono::milliseconds(1));
    BOOST_TEST_REQUIRE(output.has_error());
    BOOST_TEST(output.error().detail == "/bin/sleep has not answered in time");
    BOOST_TEST(leaves_no_child([&] { (void)run_program(start, std::chrono::milliseconds(1)); }));
}

BOOST_AUTO_TEST_CASE(ignored_and_blocked_signals_are_not_passed_on) {
    auto before = ::signal(SIGTERM, SIG_IGN);
    sigset_t blocked;
    sigset_t old;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
    ProcessStart start;
    start.program = "/bin/sh";
    start.arguments = {"-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status"};
    start.environment = {{"PATH", "/usr/bin:/bin"}};
    auto output = run_program(start, std::chrono::seconds(60));
    ::signal(SIGTERM, before);
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
    BOOST_TEST_REQUIRE(output.has_value());
    BOOST_TEST(output->out == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::local
