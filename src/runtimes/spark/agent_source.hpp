// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_RUNTIMES_SPARK_AGENT_SOURCE_HPP
#define SPARKHOST_SRC_RUNTIMES_SPARK_AGENT_SOURCE_HPP

#include <array>
#include <string_view>

namespace sparkhost::detail {

std::string_view agent_module_agent();
std::string_view agent_module_completion();
std::string_view agent_module_files();
std::string_view agent_module_java();
std::string_view agent_module_jobs();
std::string_view agent_module_magics();
std::string_view agent_module_output();
std::string_view agent_module_processes();
std::string_view agent_module_python();
std::string_view agent_module_r();
std::string_view agent_module_scala();
std::string_view agent_module_sql();
std::string_view agent_module_text();
std::string_view agent_helper_scala();
std::string_view agent_helper_scala_text();
std::string_view agent_r_program();

/// A file of the agent, as the build has carried it in.
struct AgentFile {
    std::string_view name;
    std::string_view (*content)();
};

/// The agent's program, and the modules that it looks for beside it.
inline constexpr std::string_view agent_program = "sparkhost_agent.py";
inline constexpr std::array agent_files{
    AgentFile{agent_program, &agent_module_agent},
    AgentFile{"sparkhost_completion.py", &agent_module_completion},
    AgentFile{"sparkhost_files.py", &agent_module_files},
    AgentFile{"sparkhost_java.py", &agent_module_java},
    AgentFile{"sparkhost_jobs.py", &agent_module_jobs},
    AgentFile{"sparkhost_magics.py", &agent_module_magics},
    AgentFile{"sparkhost_output.py", &agent_module_output},
    AgentFile{"sparkhost_processes.py", &agent_module_processes},
    AgentFile{"sparkhost_python.py", &agent_module_python},
    AgentFile{"sparkhost_r.R", &agent_r_program},
    AgentFile{"sparkhost_r.py", &agent_module_r},
    AgentFile{"sparkhost_scala.py", &agent_module_scala},
    AgentFile{"sparkhost_scala.scala", &agent_helper_scala},
    AgentFile{"sparkhost_scala_text.scala", &agent_helper_scala_text},
    AgentFile{"sparkhost_sql.py", &agent_module_sql},
    AgentFile{"sparkhost_text.py", &agent_module_text},
};

}  // namespace sparkhost::detail

#endif
