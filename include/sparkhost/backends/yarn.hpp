// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BACKENDS_YARN_HPP
#define SPARKHOST_BACKENDS_YARN_HPP

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost {

struct YarnBackendOptions {
    // --- the cluster ---
    /// The backend's name. Default: "yarn".
    std::string name{"yarn"};
    /// The ResourceManagers' web addresses, "http://host:8088": the one that is ACTIVE is asked.
    /// Required.
    std::vector<std::string> resource_managers{};
    /// The log server's (JobHistoryServer's) web address, "http://host:19888", for logs that
    /// NodeManagers have handed over (yarn.log-aggregation-enable). Empty: none.
    std::string log_server{};
    /// Folder with the cluster's Hadoop configuration: its *.xml files go to each application,
    /// which finds the ResourceManager and the file system by them. Empty: `conf` has what is
    /// needed
    /// ("spark.hadoop.yarn.resourcemanager.scheduler.address" …).
    std::string hadoop_conf_dir{};
    /// Who applications are submitted as (simple authentication), unless a request names a
    /// `proxy_user`. Empty: the user this process runs as.
    std::string user{};

    // --- where files are handed over ---
    /// Folder for the files of each application, as the cluster names it: "hdfs://namenode:8020/…"
    /// or "file:///…" (a folder that the host and all nodes share); each application has one of
    /// its own in it. "{user}" in it is who the application is submitted as. Required.
    std::string staging{};
    /// The NameNodes' web addresses, "http://host:9870", for hdfs: URIs; the one that is active is
    /// asked.
    std::vector<std::string> webhdfs{};

    // --- what drivers are made of ---
    /// Folder of a Spark installation on every node; nothing is handed over then. Either this or
    /// `spark_archive`.
    std::string spark_home{};
    /// URI (hdfs: or file:) of an archive with Spark's jars at its top, as spark.yarn.archive.
    std::string spark_archive{};
    /// URIs of pyspark.zip and py4j-*-src.zip, for Python with `spark_archive`.
    std::vector<std::string> pyspark_archives{};
    /// URI (hdfs: or file:) of this version's `work_dir`/sparkhost-guard-….jar, put there by hand
    /// and readable for all who submit. Empty: handed over with each application, some 30 KB.
    std::string guard_jar{};
    /// java of the nodes ("/usr/lib/jvm/java-17"). Empty: their JAVA_HOME.
    std::string java_home{};
    /// Interpreter for Python applications on the nodes (PYSPARK_PYTHON). Empty: python3.
    std::string python{};
    /// Queue for requests that name none. Empty: YARN's default queue.
    std::string queue{};
    /// Environment of the drivers. Names that begin with SPARKHOST_ are the backend's. No secrets:
    /// it stands in a script on the node.
    std::map<std::string, std::string> environment{};
    /// Spark properties for every application; a request's own properties win.
    std::map<std::string, std::string> conf{};
    /// Properties a request must not set; a trailing '*' matches any rest. What the backend decides
    /// is refused in any case (docs/yarn.md).
    std::vector<std::string> refused_conf{"spark.launcher.*", "spark.remote"};

    // --- how it goes on ---
    /// Folder for claims, tickets and logs; made if it is missing (0700). An absolute path on a
    /// local file system with hard links, for one host only. Required.
    std::string work_dir{};
    /// How long a driver tries to reach the host before it gives up. 1 s to 24 h. Default: 10 min
    std::chrono::seconds guard_patience{std::chrono::minutes{10}};
    /// An application that no active ResourceManager has known for so long counts as lost. At least
    /// 1 s. Default: 2 min
    std::chrono::milliseconds lost_after{std::chrono::minutes{2}};
    /// How long the end of a log is tried to be fetched before it is kept as it is. Not negative.
    /// Default: 2 min
    std::chrono::milliseconds log_patience{std::chrono::minutes{2}};

    // --- performance ---
    /// Between two lists of applications (YARN has no watch): the first while something changes, up
    /// to the second while nothing does. At least 10 ms. Default: 1 s and 10 s
    std::chrono::milliseconds shortest_interval{std::chrono::seconds{1}};
    std::chrono::milliseconds longest_interval{std::chrono::seconds{10}};
    /// Requests to a ResourceManager at the same time. 1 to 1000. Default: 16
    std::size_t max_requests{16};
    /// For each request. 1 s to 10 min. Default: 30 s
    std::chrono::milliseconds request_deadline{std::chrono::seconds{30}};
};

/// Runs each application as the ApplicationMaster of a YARN application (cluster mode), submitted
/// by the ResourceManager's REST API: no JVM starts on the host. Its drivers dial the host's agent
/// endpoint: HostOptions::agent_address must be a TCP address that the nodes reach. Throws
/// std::invalid_argument when an option breaks its rule.
std::unique_ptr<Backend> make_yarn_backend(boost::asio::any_io_executor executor,
                                           YarnBackendOptions options);

}  // namespace sparkhost

#endif
