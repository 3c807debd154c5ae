// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/log_shelf.hpp"
#include "backends/standalone/secrets.hpp"
#include "backends/standalone/standalone_state.hpp"

#include "backends/common/posix_file.hpp"
#include "guard/guard_jar.hpp"
#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cctype>
#include <exception>
#include <memory>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

/// What opening finds in `work_dir`.
struct Shelf {
    std::string key{};
    std::string guard_jar{};
    std::string token{};
    std::map<std::string, TicketFacts> table{};
};

/// As java.net.URI takes it.
std::string uri_path(const std::string& path) {
    std::string encoded;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 ||
            std::string_view("/-_.~").find(c) != std::string_view::npos) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += "0123456789ABCDEF"[byte >> 4U];
            encoded += "0123456789ABCDEF"[byte & 0xfU];
        }
    }
    return encoded;
}

Result<std::string> place_guard_jar(const StandaloneBackendOptions& options) {
    if (!options.guard_jar.empty()) {
        return options.guard_jar.starts_with('/') ? "file:" + options.guard_jar : options.guard_jar;
    }
    const std::string_view jar = detail::guard_jar();
    const std::string path = options.work_dir + "/sparkhost-guard-" + short_hash(jar) + ".jar";
    auto there = read_whole_file(path);
    if (!there || *there != jar) {
        if (auto written = write_file_durably(path, jar); !written) {
            return written.error();
        }
    }
    return "file:" + uri_path(path);
}

/// A claim that was granted just before a crash may stand in the book alone.
Result<TicketFacts> read_ticket(const StandaloneState& state, const std::string& ticket) {
    auto facts = state.tickets.read(ticket);
    if (!facts) {
        return facts;
    }
    auto entry = state.claims.read(ticket);
    if (!entry) {
        return entry.error();
    }
    if (entry->holder != ClaimEntry::Holder::nobody && !facts->claimed) {
        apply(*facts,
              JournalLine{JournalLine::What::claimed, state.now(), entry->driver, std::string()});
    }
    if (entry->killed && entry->holder == ClaimEntry::Holder::nobody && !facts->end &&
        !facts->kill_requested) {
        facts->kill_requested = true;  // a kill that died between the claim and its journal
    }
    return facts;
}

Result<std::shared_ptr<Shelf>> look_at_shelf(StandaloneState& state) {
    const auto& options = state.options;
    auto shelf = std::make_shared<Shelf>();
    for (const auto& made : {make_folder(options.work_dir), state.tickets.open(),
                             state.claims.open(), make_folder(options.work_dir + "/logs")}) {
        if (!made) {
            return made.error();
        }
    }
    auto key = load_or_make_key(options.work_dir + "/key");
    auto jar = key ? place_guard_jar(options) : key;
    auto tickets = state.tickets.list();
    if (!jar || !tickets) {
        return jar ? tickets.error() : jar.error();
    }
    shelf->key = std::move(*key);
    shelf->guard_jar = std::move(*jar);
    if (!options.jws_key_file.empty()) {
        auto jws_key = load_jws_key(options.jws_key_file);
        if (!jws_key) {
            return jws_key.error();
        }
        shelf->token = make_jws(*jws_key, R"({"sub":"sparkhost"})");
    }
    for (const auto& ticket : *tickets) {
        auto facts = read_ticket(state, ticket);
        if (!facts) {
            return facts.error();
        }
        if (facts->store == state.context.store_uuid) {
            shelf->table.emplace(ticket, std::move(*facts));
        }
    }
    return shelf;
}

Result<void> make_masters(StandaloneState& state, asio::any_io_executor strand, std::string token) {
    const auto& given = state.options;
    Masters::Options options;
    options.rest_urls = given.rest_urls;
    options.web_urls = given.web_urls;
    if (options.rest_urls.empty()) {
        options.rest_urls = master_urls(given.master, 6066).value();
    }
    if (options.web_urls.empty()) {
        options.web_urls = master_urls(given.master, 8080).value();
    }
    options.request_deadline = given.request_deadline;
    options.http.max_connections = given.max_requests;
    options.http.bearer_token = std::move(token);
    options.http.blocking_executor = state.context.blocking_executor;
    options.http.log = state.context.log;
    try {
        state.masters = std::make_shared<Masters>(std::move(strand), std::move(options));
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed, "StandaloneBackendOptions: a master's URL is wrong: " +
                                               std::string(failure.what()));
    }
    return ok();
}

asio::awaitable<void> greet_masters(std::shared_ptr<StandaloneState> state) {
    const std::string cluster = state->options.master;
    Result<ClusterView> view = co_await Masters::look(state->masters);
    if (!view) {
        state->log(LogLevel::error,
                   view.error().detail + "; what is meant for " + cluster + " waits until one is");
        co_return;
    }
    state->log(LogLevel::info, "the standalone cluster " + cluster + " has " +
                                   std::to_string(view->workers.size()) + " workers");
}

}  // namespace

Awaitable<void> open_backend(std::shared_ptr<StandaloneState> state, BackendContext context) {
    state->context = std::move(context);
    auto look = [state] { return look_at_shelf(*state); };
    Result<std::shared_ptr<Shelf>> found =
        co_await run_blocking(state->context.blocking_executor, std::move(look));
    if (!found) {
        co_return Error(Errc::backend_failed, found.error().text());
    }
    state->key = std::move((*found)->key);
    state->guard_jar = std::move((*found)->guard_jar);
    state->table = std::move((*found)->table);
    auto strand = co_await asio::this_coro::executor;
    auto made = make_masters(*state, strand, std::move((*found)->token));
    if (!made) {
        co_return made;
    }
    state->logs = std::make_shared<LogShelf>(state->options.work_dir);
    state->judge = make_judge(state);
    if (state->context.take_claims) {
        state->context.take_claims(state->judge);
    }
    co_await greet_masters(state);
    co_return ok();
}

}  // namespace sparkhost::detail::standalone
