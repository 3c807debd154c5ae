// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_RUNTIMES_SPARK_AGENT_SOURCE_HPP
#define SPARKHOST_SRC_RUNTIMES_SPARK_AGENT_SOURCE_HPP

#include <array>
#include <string_view>

namespace sparkhost::detail {

std::string_view agent_module_agent();
std::string_view agent_module_python();
std::string_view agent_module_sql();
std::string_view agent_module_text();

/// A file of the agent, as the build has carried it in.
struct AgentFile {
    std::string_view name;
    std::string_view (*content)();
};

/// The agent's program, and the modules that it looks for beside it.
inline constexpr std::string_view agent_program = "sparkhost_agent.py";
inline constexpr std::array agent_files{
    AgentFile{agent_program, &agent_module_agent},
    AgentFile{"sparkhost_python.py", &agent_module_python},
    AgentFile{"sparkhost_sql.py", &agent_module_sql},
    AgentFile{"sparkhost_text.py", &agent_module_text},
};

}  // namespace sparkhost::detail

#endif
