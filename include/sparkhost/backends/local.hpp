// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BACKENDS_LOCAL_HPP
#define SPARKHOST_BACKENDS_LOCAL_HPP

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost {

enum class ClassDataArchive {
    automatic,  ///< made in the background after the first launch, used when valid
    off
};

struct LocalBackendOptions {
    // --- behaviour ---
    /// The backend's name. Default: "local".
    std::string name{"local"};

    /// Folder for the applications' tickets, output and files; made if it is missing (0700).
    /// Must be on a local file system and belong to one host only. Required.
    std::string work_dir{};

    /// Spark installation. Empty: $SPARK_HOME of `environment`, then the pyspark that `python`
    /// can import.
    std::string spark_home{};
    /// Java installation. Empty: $JAVA_HOME of `environment`, then `java` in its PATH.
    std::string java_home{};
    /// Interpreter for Python applications (PYSPARK_PYTHON). Empty: python3 in `environment`'s
    /// PATH.
    std::string python{};

    /// spark.master of every application. Default: "local[*]". May be a spark:// URL (client mode).
    std::string master{"local[*]"};

    /// Spark properties for every application; a request's own properties win.
    std::map<std::string, std::string> conf{};

    /// Properties a request must not set; a trailing '*' matches any rest.
    std::vector<std::string> refused_conf{"spark.launcher.*", "spark.submit.deployMode",
                                          "spark.remote"};

    /// Environment of the applications, complete: nothing is inherited from the host. Empty:
    /// HOME, USER, LOGNAME, LANG, LC_ALL, TZ, PATH, TMPDIR, JAVA_HOME and SPARK_HOME as the host
    /// process has them when make_local_backend is called.
    std::map<std::string, std::string> environment{};

    /// Between SIGTERM and SIGKILL when an application is killed. Must be between 0 and 24 h.
    /// Default: 10 s.
    std::chrono::milliseconds kill_grace{std::chrono::seconds{10}};

    /// Supervisor program. Empty: the one carried inside the library, run from memory.
    std::string supervisor{};

    // --- performance ---
    ClassDataArchive class_data_archive{ClassDataArchive::automatic};
    /// Where archives are kept; may be shared by hosts. Empty: `<work_dir>/archives`.
    std::string archive_dir{};
};

/// Runs each application as a local process tree under a supervisor of its own, which outlives
/// the host. Throws std::invalid_argument when an option breaks its rule.
std::unique_ptr<Backend> make_local_backend(boost::asio::any_io_executor executor,
                                            LocalBackendOptions options);

}  // namespace sparkhost

#endif
