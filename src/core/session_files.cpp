// SPDX-License-Identifier: Apache-2.0

// What a running session's agent is asked beside statements, and the files that are kept for it.

#include "core/host_impl.hpp"
#include "core/secret.hpp"
#include "core/site_rules.hpp"

#include <filesystem>
#include <fstream>
#include <utility>

namespace sparkhost {

namespace session_files {

namespace fs = std::filesystem;

bool is_file_name(const std::string& name) {
    constexpr std::size_t longest = 255;
    return !name.empty() && name.size() <= longest && name != "." && name != ".." &&
           name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

Error is_starting(SessionId id) {
    return Error(Errc::invalid_state, "session " + std::to_string(id.value) + " is starting");
}

/// The new folder and the one that holds it are their owner's alone.
Result<void> write_file(const fs::path& path, std::string_view content) {
    const auto folder = path.parent_path();
    fs::create_directories(folder);
    fs::permissions(folder, fs::perms::owner_all);
    fs::permissions(folder.parent_path(), fs::perms::owner_all);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) {
        fs::remove_all(folder);
        return Error(Errc::backend_failed, "cannot write " + path.string());
    }
    return ok();
}

}  // namespace session_files

/// The conversation with its agent, if there is one.
boost::asio::awaitable<Result<std::shared_ptr<Conversation>>> HostImpl::agent_of(SessionId id) {
    auto record = co_await find_session(id);
    if (!record) {
        co_return record.error();
    }
    const auto session = find_active(id);
    auto talk = session ? session->session->talk : nullptr;
    if (!talk) {
        co_return Error(Errc::invalid_state,
                        "no agent of session " + std::to_string(id.value) + " is connected");
    }
    co_return talk;
}

boost::asio::awaitable<Result<Completion>> HostImpl::complete(
    SessionId id, Conversation::CompletionRequest request) {
    auto agent = co_await agent_of(id);
    if (!agent) {
        co_return agent.error();
    }
    const TaskGuard guard(*this);
    if (request.kind.empty()) {
        request.kind = find_active(id)->session->part.spec.kind;
    }
    auto talk = *agent;
    auto call = [&] { return talk->complete(std::move(request)); };
    co_return co_await guarded<Completion>(call, Errc::backend_failed);
}

boost::asio::awaitable<Result<void>> HostImpl::add_file(SessionId id, SessionFile file) {
    auto agent = co_await agent_of(id);
    if (!agent) {
        co_return agent.error();
    }
    const auto session = find_active(id);
    auto allowed =
        detail::check_session_file(options, backend_of(*session), file.uri, files_folder(*session));
    if (!allowed) {
        co_return allowed.error();
    }
    if (!session->session->part.facts) {
        co_return session_files::is_starting(id);
    }
    const TaskGuard guard(*this);
    auto talk = *agent;
    auto call = [&] { return talk->add(std::move(file)); };
    co_return co_await guarded<void>(call, Errc::backend_failed);
}

std::string HostImpl::files_folder(const ActiveApplication& session) const {
    namespace fs = std::filesystem;
    return (fs::absolute(options.agent_folder) / "files" / std::to_string(session.key.id)).string();
}

boost::asio::awaitable<Result<std::string>> HostImpl::keep_file(SessionId id, std::string name,
                                                                std::string_view content) {
    namespace fs = std::filesystem;
    if (!session_files::is_file_name(name)) {
        co_return Error(Errc::invalid_argument, "must be the name of a file, without a folder",
                        "filename");
    }
    auto record = co_await find_session(id);
    if (!record) {
        co_return record.error();
    }
    const TaskGuard guard(*this);
    const auto session = find_active(id);
    if (!session || session->record.has_ended() || session->record.kill_requested) {
        co_return Error(Errc::invalid_state, "session " + std::to_string(id.value) + " has ended");
    }
    if (!backend_of(*session).shares_files) {
        co_return Error(Errc::not_supported,
                        "the driver of session " + std::to_string(id.value) +
                            " does not see the files of this host: put the file where it can be "
                            "read from the cluster, and give its URI");
    }
    if (!session->session->part.facts) {
        co_return session_files::is_starting(id);  // who is not started is not released
    }
    // Files of one name may come more than once, and each is known by its name.
    const auto path = fs::path(files_folder(*session)) / detail::make_secret().substr(0, 16) / name;
    auto write = [path, content] { return session_files::write_file(path, content); };
    SessionLife& life = *session->session;
    ++life.preparing;
    auto written = co_await detail::run_blocking(blocking, std::move(write));
    --life.preparing;
    wrap_up(session);
    if (!written) {
        co_return written.error();
    }
    co_return path.string();
}

/// Its driver is gone, or never was.
boost::asio::awaitable<Result<void>> HostImpl::remove_files(ActivePtr session) {
    auto remove = [folder = files_folder(*session)]() -> Result<void> {
        std::error_code problem;
        std::filesystem::remove_all(folder, problem);
        if (problem) {
            return Error(Errc::backend_failed,
                         "cannot remove " + folder + ": " + problem.message());
        }
        return ok();
    };
    co_return co_await detail::run_blocking(blocking, std::move(remove));
}

}  // namespace sparkhost
