// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/am_conf.hpp"

#include "backends/common/spark_conf.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <vector>

namespace sparkhost::detail::yarn {

namespace {

/// What is the backend's to say: no option opens these for requests.
const std::vector<std::string>& decided_here() {
    static const std::vector<std::string> patterns{
        "spark.submit.*",           "spark.app.id",
        "spark.app.submitTime",     "spark.driver.host",
        "spark.driver.bindAddress", "spark.yarn.app.*",
        "spark.yarn.archive",       "spark.yarn.jars",
        "spark.yarn.cache.*",       "spark.yarn.config.*",
        "spark.yarn.isPython",      "spark.yarn.preserve.staging.files",
        "spark.yarn.primary.*",     "spark.yarn.secondary.jars",
        "spark.yarn.stagingDir",    "spark.yarn.unmanagedAM.enabled",
        "spark.yarn.user.*"};
    return patterns;
}

/// What spark-submit does on its own machine, and nobody does here.
struct Unsupported {
    std::vector<std::string> patterns;
    const char* rule;
};

const std::vector<Unsupported>& unsupported() {
    static const std::vector<Unsupported> all{
        {{"spark.jars.packages"},
         "packages are resolved by spark-submit, which is not run here: give the jars themselves"},
        {{"spark.kerberos.keytab", "spark.kerberos.principal", "spark.yarn.keytab",
          "spark.yarn.principal"},
         "Kerberos is not supported on YARN yet"},
        {{"spark.driver.resource.*", "spark.yarn.driver.resource.*"},
         "other resources than memory and cores are not supported for the driver yet"},
        {{"spark.yarn.rolledLog.*"}, "rolling logs are not supported yet"},
        {{"spark.yarn.populateHadoopClasspath"},
         "Spark's own jars have to have Hadoop's client with them"}};
    return all;
}

bool is_false(std::string_view value) {
    return value == "false";
}

}  // namespace

const Properties& forced_properties() {
    static const Properties properties{{"spark.master", "yarn"},
                                       {"spark.submit.deployMode", "cluster"},
                                       {"spark.yarn.maxAppAttempts", "1"}};
    return properties;
}

std::string conf_refusal(const std::string& key, std::string_view value) {
    const auto forced = forced_properties().find(key);
    if (forced != forced_properties().end()) {
        return value == forced->second ? std::string() : "is always " + forced->second + " here";
    }
    // a list of its own, and one that nobody reads where spark-submit does not wait
    if (key == "spark.submit.pyFiles" || key == "spark.yarn.submit.waitAppCompletion") {
        return {};
    }
    if (matches_any(decided_here(), key)) {
        return "this property is decided by this server: a request must not set it";
    }
    for (const auto& each : unsupported()) {
        if (matches_any(each.patterns, key) && !is_false(value)) {
            return each.rule;
        }
    }
    return {};
}

bool is_of_the_command(std::string_view key) {
    return key == "spark.driver.extraJavaOptions" || key == "spark.driver.defaultJavaOptions" ||
           key == "spark.driver.extraLibraryPath";
}

bool is_variable_refused(std::string_view name) {
    const bool plain = !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                           const auto byte = static_cast<unsigned char>(c);
                           return byte < 0x80 && (std::isalnum(byte) || c == '_');
                       });
    return !plain || name.starts_with("SPARKHOST_") || name == "SPARK_YARN_STAGING_DIR" ||
           name == "SPARK_USER" || name == "CONTAINER_ID" || name == "PWD";
}

std::optional<std::chrono::milliseconds> spark_time(std::string_view text) {
    std::int64_t number = 0;
    const char* last = text.data() + text.size();
    const auto [end, code] = std::from_chars(text.data(), last, number);
    if (code != std::errc{} || number < 0 || number > 1'000'000'000'000) {
        return std::nullopt;
    }
    struct Unit {
        std::string_view name;
        std::int64_t milliseconds;
    };
    constexpr Unit units[] = {{"", 1},        {"ms", 1},      {"s", 1000},    {"m", 60000},
                              {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    const std::string_view name(end, static_cast<std::size_t>(last - end));
    for (const auto& each : units) {
        if (each.name == name) {
            return std::chrono::milliseconds(number * each.milliseconds);
        }
    }
    return std::nullopt;
}

std::string text_of(const Properties& properties, std::string_view key) {
    const auto found = properties.find(std::string(key));
    return found == properties.end() ? std::string() : found->second;
}

Result<int> count_property(const Properties& properties, const std::string& key, int least,
                           int otherwise) {
    const auto found = properties.find(key);
    if (found == properties.end()) {
        return otherwise;
    }
    const std::string& text = found->second;
    const bool is_number = !text.empty() && text.size() <= 9 &&
                           text.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number || std::stoi(text) < least) {
        return Error(Errc::invalid_argument,
                     "must be a whole number, at least " + std::to_string(least), "conf." + key);
    }
    return std::stoi(text);
}

}  // namespace sparkhost::detail::yarn
