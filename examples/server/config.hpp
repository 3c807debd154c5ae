// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_CONFIG_HPP
#define SPARKHOST_EXAMPLES_SERVER_CONFIG_HPP

#include <sparkhost/rest/router.hpp>
#include <sparkhost/retry.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/// What the operator decides. The members are the options of the same name (see options.cpp).
struct Config {
    boost::asio::ip::tcp::endpoint listen{boost::asio::ip::address_v4::loopback(), 8998};
    bool insecure_listen{false};
    std::vector<std::string> allowed_hosts{};
    std::int64_t max_header{64 << 10};
    std::int64_t max_body{1 << 20};
    std::int64_t max_upload{101 << 20};
    bool csrf_protection{false};
    std::chrono::milliseconds drain_timeout{std::chrono::seconds{10}};
    bool take_over{false};

    std::string data_dir{};   ///< empty only where no default can be made up
    std::string cache_dir{};  ///< empty: the data folder
    std::string config_file{};

    std::string spark_home{};
    std::string java_home{};
    std::string python{};
    std::string master{"local[*]"};
    bool class_data_archive{true};

    std::int64_t max_running{4};
    std::int64_t max_queued{100'000};
    std::chrono::milliseconds kill_grace{std::chrono::seconds{10}};
    std::chrono::milliseconds batch_retention{0};
    std::int64_t max_attempts{1};
    std::chrono::milliseconds retry_delay{std::chrono::seconds{10}};
    std::chrono::milliseconds retry_max_delay{std::chrono::minutes{5}};
    std::string retry_factor{"2"};
    std::string retry_jitter{"0.2"};
    std::vector<std::string> retry_on{"failed", "not_started"};

    std::vector<std::string> default_conf{};  ///< "KEY=VALUE"
    std::vector<std::string> refused_conf{};
    std::vector<std::string> local_file_roots{};
    std::vector<std::string> file_list_conf{};

    std::int64_t max_sessions{100};
    std::chrono::milliseconds session_retention{0};  ///< zero: kept, as are batches
    std::int64_t max_statements{10'000};
    std::int64_t sql_rows{1000};
    std::chrono::milliseconds host_vanished_after{std::chrono::minutes{15}};
    std::chrono::milliseconds session_idle_timeout{std::chrono::hours{1}};
    std::chrono::milliseconds session_close_grace{std::chrono::seconds{10}};
    std::vector<std::string> job_jars{};
    std::string agent_address{};  ///< empty: a Unix socket in the data folder
    std::string agent_advertised{};

    bool no_local_backend{false};
    std::vector<std::string> kubernetes{};  ///< one for each cluster: kubernetes_options.hpp
    std::vector<std::string> standalone{};  ///< one for each cluster: standalone_options.hpp
    std::vector<std::string> yarn{};        ///< one for each cluster: yarn_options.hpp
    std::string default_backend{};          ///< empty: the first of them

    std::string livy_compatibility{"0.9"};
    std::int64_t max_page{10'000};
    std::int64_t max_log_bytes{16 << 20};

    std::string log_level{"info"};

    /// What came of --livy-conf, for people; empty without it.
    std::string livy_report{};

    /// `livy_compatibility` as the library has it; nothing where it is no version.
    std::optional<sparkhost::rest::LivyLevel> livy_level() const;
    /// The members above that are about it.
    sparkhost::RetryPolicy retry() const;
    /// `default_conf` by keys.
    std::map<std::string, std::string> default_properties() const;

    /// Where each option's value came from: "command line", the config file's name, "default".
    std::map<std::string, std::string, std::less<>> source{};
};

/// What the command line asks for.
enum class Action { serve, print_config, help, version };

struct Command {
    Action action{Action::serve};
    Config config{};
};

/// A mistake in the options or the config file; the text names the option and what is expected.
class ConfigError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Names of the backends, the default one first.
std::vector<std::string> backend_names(const Config& config);

/// Whether this address may be listened on; a name that it gives the server becomes an allowed
/// host. Throws ConfigError.
void check_listen(Config& config);

/// Command line over config file over Livy's configuration over defaults. Throws ConfigError.
Command read_command(const std::vector<std::string>& arguments);

/// The text of --help.
std::string help_text();

/// The effective configuration as JSON, each value with where it came from.
std::string describe(const Config& config);

/// "127.0.0.1:8998", "[::1]:8998".
std::string to_string(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace server

#endif
