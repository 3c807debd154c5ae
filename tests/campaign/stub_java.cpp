// SPDX-License-Identifier: Apache-2.0

// Stands in for java under the real local backend and supervisor: speaks Spark's launcher protocol
// and leaves evidence of each run. An application does what its arguments say:
//
//   label=NAME  ms=N  exit=N  signal=N  context=0  stubborn=1
//
// A session's driver becomes the real agent, on a PySpark without a JVM. The properties file names
// the evidence: spark.campaign.evidence. Lines there: NAME TICKET begin|end NANOSECONDS.

#include "unit/local/launcher_bytes.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

namespace launcher = sparkhost::test::launcher;

struct Order {
    std::string properties{};
    std::string file{};
    std::string first_argument{};
    std::map<std::string, std::string> words{};

    int number(const std::string& name, int otherwise) const {
        const auto found = words.find(name);
        return found == words.end() ? otherwise : std::atoi(found->second.c_str());
    }
};

Order read_order(int argc, char** argv) {
    Order order;
    int at = 1;
    while (at < argc && std::string_view(argv[at]) != "org.apache.spark.deploy.SparkSubmit") {
        ++at;
    }
    for (++at; at + 1 < argc && std::string_view(argv[at]).starts_with("--"); at += 2) {
        if (std::string_view(argv[at]) == "--properties-file") {
            order.properties = argv[at + 1];
        }
    }
    order.file = at < argc ? argv[at] : "";
    for (++at; at < argc; ++at) {
        const std::string_view word(argv[at]);
        order.first_argument = order.first_argument.empty() ? word : order.first_argument;
        const auto sign = word.find('=');
        if (sign != std::string_view::npos) {
            order.words.emplace(word.substr(0, sign), word.substr(sign + 1));
        }
    }
    return order;
}

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string property(const std::string& path, const std::string& name) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name)) {
            const auto begin = line.find_first_not_of(" =:\t", name.size());
            return begin == std::string::npos ? "" : line.substr(begin);
        }
    }
    return {};
}

/// One write of one line to a file that everybody appends to: lines stay whole.
void testify(const std::string& path, const std::string& who, const char* what) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto line = who + " " + variable("SPARKHOST_TICKET") + " " + what + " " +
                      std::to_string(now.tv_sec * 1'000'000'000LL + now.tv_nsec) + "\n";
    const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        ::_exit(99);
    }
    ::close(file);
}

/// The connection stays open until this process ends, as a driver's does.
void tell_launcher() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::atoi(variable("_SPARK_LAUNCHER_PORT").c_str())));
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return;  // its supervisor is gone, and this process soon, too
    }
    const auto said = std::string(launcher::header) +
                      launcher::hello(variable("_SPARK_LAUNCHER_SECRET")) +
                      launcher::set_app_id("stub-" + variable("SPARKHOST_TICKET")) +
                      launcher::set_state("RUNNING");
    [[maybe_unused]] const auto size = ::send(socket, said.data(), said.size(), MSG_NOSIGNAL);
}

[[noreturn]] void become_agent(const Order& order) {
    const auto python = variable("PYSPARK_PYTHON");
    ::setenv("PYTHONPATH", SPARKHOST_FAKE_PYSPARK, 1);
    ::setenv("FAKE_SPARK_JOURNAL", "fake_spark", 1);
    if (char folder[4096]; ::getcwd(folder, sizeof folder) != nullptr) {
        ::setenv("FAKE_SPARK_JOURNAL", (std::string(folder) + "/fake_spark").c_str(), 1);
    }
    ::execl(python.c_str(), python.c_str(), "-B", "-S", order.file.c_str(),
            order.first_argument.c_str(), nullptr);
    ::_exit(98);
}

}  // namespace

int main(int argc, char** argv) {
    const Order order = read_order(argc, argv);
    const auto evidence = property(order.properties, "spark.campaign.evidence");
    const bool session = order.file.ends_with("/sparkhost_agent.py");
    const auto label = session ? "session" : order.words.at("label");
    if (order.number("stubborn", 0) != 0) {
        ::signal(SIGTERM, SIG_IGN);
    }
    testify(evidence, label, "begin");
    if (order.number("context", 1) != 0) {
        tell_launcher();
    }
    if (session) {
        become_agent(order);
    }
    const auto said = label + " was here\n";
    [[maybe_unused]] const auto size = ::write(STDOUT_FILENO, said.data(), said.size());
    ::poll(nullptr, 0, order.number("ms", 0));
    testify(evidence, label, "end");
    if (const int signal = order.number("signal", 0); signal != 0) {
        ::kill(::getpid(), signal);
    }
    return order.number("exit", 0);
}
