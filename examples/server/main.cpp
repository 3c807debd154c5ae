// SPDX-License-Identifier: Apache-2.0
//
// sparkhost-server: the library as a stand-alone program. It adds what an application brings
// itself: options, an event loop and signals (life.cpp), a listening socket (listening.cpp) and how
// the next version gets it (hand_over.cpp), a place for the log.
#include "config.hpp"
#include "hand_over.hpp"
#include "life.hpp"
#include "listening.hpp"
#include "logging.hpp"
#include "process.hpp"

#include <sparkhost/version.hpp>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace {

/// From the service manager, from the server that works now, or opened here.
server::Listening find_socket(server::Config& config, std::optional<server::Listening> passed,
                              std::optional<server::TakeOver>& take_over) {
    if (passed && config.take_over) {
        throw server::ConfigError(
            "--take-over: the service manager has passed the socket already (LISTEN_FDS) and keeps "
            "it open; leave the option out");
    }
    if (config.take_over) {
        take_over = server::TakeOver::begin(config.data_dir);
    }
    if (take_over) {
        auto taken = take_over->take_listening();
        server::agree_on_address(config, taken, "is taken over");
        return taken;
    }
    if (passed) {
        server::agree_on_address(config, *passed, "the service manager has passed (LISTEN_FDS)");
        return std::move(*passed);
    }
    return server::listen_on(config.listen);
}

void tell_ready(const server::Listening& listening) {
    std::cout << "sparkhost-server listening on http://" << server::to_string(listening.endpoint)
              << std::endl;
    server::notify_service_manager("READY=1");
}

int run(server::Config& config) {
    auto passed = server::from_service_manager();
    server::leave_init_behind();
    server::survive_failed_writes();
    server::raise_descriptor_limit();
    server::make_data_dir(config.data_dir);
    if (!config.cache_dir.empty()) {
        server::make_data_dir(config.cache_dir);
    }
    server::Logging logging(config.log_level);
    const auto log = logging.sink();
    std::optional<server::TakeOver> take_over;
    const auto listening = find_socket(config, std::move(passed), take_over);
    auto life = std::make_unique<server::Life>(config, listening, log);
    if (take_over) {
        take_over->wait_for_release();  // as late as possible: what can fail has not failed
    }
    auto successor = life->run([&] {
        tell_ready(listening);
        if (take_over) {
            take_over->confirm();
        }
    });
    for (;;) {
        life.reset();  // the store is free
        if (!successor) {
            return EXIT_SUCCESS;
        }
        server::cancel_end();
        if (successor->took_over()) {
            return EXIT_SUCCESS;
        }
        log({sparkhost::LogLevel::error, "server",
             "the server that was to take over has ended before it was ready; this one goes on"});
        life = std::make_unique<server::Life>(config, listening, log);
        successor = life->run([] {});
    }
}

}  // namespace

int main(int argc, char** argv) try {
    auto command = server::read_command({argv + 1, argv + argc});
    std::cerr << command.config.livy_report;
    switch (command.action) {
        case server::Action::help:
            std::cout << server::help_text();
            return 0;
        case server::Action::version:
            std::cout << "sparkhost-server " SPARKHOST_VERSION "\n";
            return 0;
        case server::Action::print_config:
            std::cout << describe(command.config);
            return 0;
        case server::Action::serve:
            break;
    }
    return run(command.config);
} catch (const server::ConfigError& mistake) {
    std::cerr << "sparkhost-server: " << mistake.what() << "\nTry sparkhost-server --help\n";
    return 2;
} catch (const std::exception& failure) {
    std::cerr << "sparkhost-server: " << failure.what() << '\n';
    return EXIT_FAILURE;
}
