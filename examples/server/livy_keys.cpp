// SPDX-License-Identifier: Apache-2.0
#include "livy_keys.hpp"

#include "livy_values.hpp"

#include <algorithm>

namespace server {

namespace {

using enum LivyFate;

constexpr std::string_view no_ui = "there is no UI yet";
constexpr std::string_view no_auth =
    "means nothing without livy.server.auth.type, which is refused";
constexpr std::string_view no_tls = "means nothing without livy.keystore, which is refused";
constexpr std::string_view no_kinit =
    "this server does not renew Kerberos tickets; Spark does with spark.kerberos.keytab";
constexpr std::string_view livys_header = "answers have Livy's default value";
constexpr std::string_view no_pool = "sessions need no threads of the server";
constexpr std::string_view durable = "everything is always kept, in the data folder";
constexpr std::string_view no_zookeeper = "there is no ZooKeeper here";
constexpr std::string_view own_clusters =
    "clusters are named by --yarn and --kubernetes, which have keys of their own";
constexpr std::string_view no_thrift = "there is no Thrift server here";
constexpr std::string_view own_agent = "sessions have an agent of this server's own";

std::vector<LivyKey> spark_rows() {
    return {
        {"livy.server.spark-home", mapped, "spark-home", "", "", &livy_text},
        {"livy.spark.master", mapped, "master",
         "local, local[…] or spark://…; others are refused, for nothing here runs there", "",
         &livy_master},
        {"livy.spark.deploy-mode", refused, "", "drivers run on this machine", "client"},
        {"livy.spark.version", ignored, "", "found out from the installation"},
        {"livy.spark.scala-version", ignored, "", "found out from the installation"},
        {"livy.session.staging-dir", ignored, "", "what clients upload is kept in the data folder"},
        {"livy.file.upload.max.size", mapped, "max-upload",
         "bytes of a file; 1 MiB for the rest of the request comes on top", "", &livy_upload},
        {"livy.file.local-dir-whitelist", mapped, "local-file-root",
         "whole folder names count, paths without a scheme are local, too; without it clients may "
         "name any local file",
         "", &livy_list},
        {"livy.repl.enable-hive-context", ignored, "",
         "say --default-conf spark.sql.catalogImplementation=hive"},
        {"livy.repl.jars", ignored, "", own_agent},
        {"livy.rsc.jars", ignored, "", own_agent},
        {"livy.spark.file-list-configs", mapped, "file-list-conf", "", "", &livy_list},
        {"livy.environment", ignored, "", "answers are always those of production"},
    };
}

std::vector<LivyKey> http_rows() {
    return {
        {"livy.server.host", mapped, "listen",
         "a numeric address; one that is not loopback needs --insecure-listen"},
        {"livy.server.port", mapped, "listen", ""},
        {"livy.ui.basePath", ignored, "", no_ui},
        {"livy.ui.enabled", ignored, "", no_ui},
        {"livy.ui.history-server-url", ignored, "", no_ui},
        {"livy.server.request-header.size", mapped, "max-header", "bytes", "", &livy_number},
        {"livy.server.response-header.size", ignored, "", "headers of answers are small"},
        {"livy.server.send-server-version", ignored, "", "never sent"},
        {"livy.server.request-log-retain.days", ignored, "", "there is no request log"},
        {"livy.server.csrf-protection.enabled", mapped, "csrf-protection", "", "", &livy_flag},
        {"livy.server.security-headers.enabled", ignored, "", "they are always sent"},
        {"livy.server.http.header.Strict-Transport-Security", ignored, "",
         "the business of the proxy that speaks TLS"},
        {"livy.server.http.header.X-XSS-Protection", refused, "", livys_header, "1; mode=block"},
        {"livy.server.http.header.X-Frame-Options", refused, "", livys_header, "SAMEORIGIN"},
        {"livy.server.http.header.X-Content-Type-Options", refused, "", livys_header, "nosniff"},
        {"livy.server.http.header.Content-Security-Policy", refused, "", livys_header,
         "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src 'self'; frame-src "
         "'self';"},
    };
}

std::vector<LivyKey> security_rows() {
    return {
        {"livy.keystore", refused, "", "TLS is not spoken here; put a proxy in front"},
        {"livy.keystore.password", ignored, "", no_tls},
        {"livy.key-password", ignored, "", no_tls},
        {"livy.keystore.type", ignored, "", no_tls},
        {"livy.hadoop.security.credential.provider.path", ignored, "", no_tls},
        {"livy.server.auth.type", refused, "",
         "nobody is asked who they are here; put a proxy that authenticates in front"},
        {"livy.server.auth.*", ignored, "", no_auth},
        {"livy.impersonation.enabled", refused, "", "everything runs as the server's own user here",
         "false"},
        {"livy.superusers", refused, "",
         "nobody is asked who they are here, so nobody can be more than others"},
        {"livy.server.access-control.enabled", refused, "",
         "whoever reaches this server may do everything", "false"},
        {"livy.server.access-control.allowed-users", refused, "",
         "whoever reaches this server may do everything", "*"},
        {"livy.server.access-control.modify-users", refused, "",
         "whoever reaches this server may do everything"},
        {"livy.server.access-control.view-users", refused, "",
         "whoever reaches this server may do everything"},
        {"livy.server.access_control.users", refused, "",
         "whoever reaches this server may do everything"},
        {"livy.server.launch.kerberos.*", ignored, "", no_kinit},
    };
}

std::vector<LivyKey> session_rows() {
    return {
        {"livy.server.session.timeout-check", mapped, "session-idle-timeout", "false: never"},
        {"livy.server.session.timeout-check.skip-busy", ignored, "", "busy sessions are not idle"},
        {"livy.server.session.timeout", mapped, "session-idle-timeout", ""},
        {"livy.server.session.state-retain.sec", mapped, "session-retention batch-retention",
         "a number alone is milliseconds, whatever the key says", "", &livy_seconds},
        {"livy.server.session.max-creation", mapped, "max-sessions",
         "Livy counts drivers that it started", "", &livy_number},
        {"livy.server.session.ttl-check", ignored, "", "the ttl of a request always counts"},
        {"livy.server.session.ttl", ignored, "", "sessions without a ttl of their own have none"},
        {"livy.server.session.allow-custom-classpath", ignored, "",
         "the backend says which properties a request may set"},
        {"livy.server.heartbeat-watchdog.interval", ignored, "", "nothing is looked for in turns"},
        {"livy.cache-log.size", ignored, "",
         "whole logs are kept; --max-log-bytes limits one answer"},
        {"livy.server.session.manage.*", ignored, "", no_pool},
        {"livy.server.session.wait.queue.size", ignored, "", no_pool},
        {"livy.server.session.keepalive.time", ignored, "", no_pool},
        {"livy.server.session.shutdown.timeout", ignored, "", no_pool},
        {"livy.server.recovery.zk-state-store.*", ignored, "", no_zookeeper},
        {"livy.server.recovery.*", ignored, "", durable},
        {"livy.server.zookeeper.*", ignored, "", no_zookeeper},
        {"livy.server.zk.*", ignored, "", no_zookeeper},
        {"livy.server.hdfs.*", ignored, "", durable},
        {"livy.server.yarn.*", ignored, "", own_clusters},
        {"livy.server.kubernetes.*", ignored, "", own_clusters},
        {"livy.server.thrift.*", ignored, "", no_thrift},
    };
}

std::vector<LivyKey> driver_rows() {
    return {
        {"livy.rsc.sql.num-rows", mapped, "sql-rows", "", "", &livy_number},
        {"livy.rsc.server.idle-timeout", mapped, "host-vanished-after", "", "", &livy_seconds},
        {"livy.rsc.server.connect.timeout", ignored, "",
         "a session that does not come up ends with its driver"},
        {"livy.rsc.retained-statements", ignored, "", "all statements are kept"},
        {"livy.rsc.job-cancel.*", ignored, "", "code is interrupted at once"},
        {"livy.rsc.proxy-user", refused, "", "everything runs as the server's own user here"},
        {"livy.rsc.rpc.sasl.qop", refused, "", "connections of agents are not encrypted", "auth"},
        {"livy.rsc.*", ignored, "", own_agent},
        {"livy.pyspark.archives", ignored, "", own_agent},
        {"livy.sparkr.package", ignored, "", own_agent},
        {"livy.client.http.*", ignored, "", "for clients"},
    };
}

}  // namespace

const std::vector<LivyKey>& livy_keys() {
    static const std::vector<LivyKey> table = [] {
        std::vector<LivyKey> all;
        for (const auto& rows :
             {spark_rows(), http_rows(), security_rows(), session_rows(), driver_rows()}) {
            all.insert(all.end(), rows.begin(), rows.end());
        }
        return all;
    }();
    return table;
}

const LivyKey* find_livy_key(std::string_view key) {
    const auto fits = [key](const LivyKey& row) {
        std::string_view pattern = row.key;
        if (!pattern.ends_with('*')) {
            return pattern == key;
        }
        pattern.remove_suffix(1);
        return key.starts_with(pattern);
    };
    const auto found = std::ranges::find_if(livy_keys(), fits);
    return found == livy_keys().end() ? nullptr : &*found;
}

const std::vector<LivySpelling>& livy_spellings() {
    static const std::vector<LivySpelling> table{
        {"livy.spark.deployMode", "livy.spark.deploy-mode"},
        {"livy.spark.scalaVersion", "livy.spark.scala-version"},
        {"livy.repl.enableHiveContext", "livy.repl.enable-hive-context"},
        {"livy.server.csrf_protection.enabled", "livy.server.csrf-protection.enabled"},
        {"livy.server.access_control.enabled", "livy.server.access-control.enabled"},
        {"livy.server.auth.kerberos.name_rules", "livy.server.auth.kerberos.name-rules"},
        {"livy.server.launch.kerberos.refresh_interval",
         "livy.server.launch.kerberos.refresh-interval"},
        {"livy.server.launch.kerberos.kinit_fail_threshold",
         "livy.server.launch.kerberos.kinit-fail-threshold"},
        {"livy.server.yarn.app-leakage.check_timeout",
         "livy.server.yarn.app-leakage.check-timeout"},
        {"livy.server.yarn.app-leakage.check_interval",
         "livy.server.yarn.app-leakage.check-interval"},
    };
    return table;
}

std::string_view current_spelling(std::string_view key) {
    const auto found = std::ranges::find(livy_spellings(), key, &LivySpelling::old);
    return found == livy_spellings().end() ? key : found->current;
}

}  // namespace server
