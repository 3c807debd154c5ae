// SPDX-License-Identifier: Apache-2.0
#include "hop.hpp"
#include "rest/livy_answers.hpp"
#include "rest/livy_batch.hpp"
#include "rest/livy_json.hpp"
#include "rest/livy_request.hpp"
#include "rest/livy_session.hpp"
#include "rest/lookup.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"

#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace sparkhost::detail::rest {

namespace livy {

// What batches and sessions differ in; the routes are the same, as in Livy.

template <class Record>
struct Listed {
    std::vector<Record> records{};
    std::int64_t total{0};
};

struct Batches {
    using Record = BatchRecord;
    using Create = CreateBatch;
    static constexpr const char* path = "/batches";
    static Awaitable<Record> find(Host* host, std::string id) {
        return find_batch(host, std::move(id));
    }
    static Awaitable<Record> find_named(Host* host, std::string name) {
        return host->find(std::move(name));
    }
    static Awaitable<Observed<Record>> observe(StatePtr state, std::string id, std::string match,
                                               Target target) {
        return observe_batch(std::move(state), std::move(id), std::move(match), std::move(target));
    }
    static Awaitable<void> erase(Host* host, BatchId id) { return host->erase(id); }
    static Awaitable<Listed<Record>> list(Host* host, ListWindow window) {
        BatchQuery query;
        query.offset = window.offset;
        query.limit = window.limit;
        auto page = co_await host->list(std::move(query));
        if (!page) {
            co_return page.error();
        }
        Listed<Record> listed;
        listed.records = std::move(page->batches);
        listed.total = page->total;
        co_return listed;
    }
    static std::string json(LivyBatch batch, LivyLevel level) {
        return livy_batch_json(batch, level);
    }
    static Result<Create> read(std::string_view body) { return read_create_batch(body); }
    static Result<BatchSpec> spec(Create create) { return std::move(create.spec); }
    static BatchSpec& part(BatchSpec& spec) { return spec; }
    static Awaitable<Record> create(Host* host, BatchSpec spec) {
        return host->submit(std::move(spec));
    }
};

/// In whole seconds, rounded up.
Result<void> set_times(const CreateSession& create, SessionSpec& spec) {
    if (create.heartbeat_timeout.value_or(0) > 0) {
        spec.heartbeat_timeout = std::chrono::seconds(*create.heartbeat_timeout);
    }
    if (!create.ttl.empty()) {
        const auto ttl = parse_duration(create.ttl);
        if (!ttl) {
            return ttl.error();
        }
        spec.ttl = std::chrono::ceil<std::chrono::seconds>(*ttl);
    }
    if (!create.idle_timeout.empty()) {
        const auto idle = parse_duration(create.idle_timeout);
        if (!idle) {
            return idle.error();
        }
        spec.idle_timeout = std::chrono::ceil<std::chrono::seconds>(*idle);
    }
    return ok();
}

struct SessionObjects {
    using Record = SessionRecord;
    using Create = CreateSession;
    static constexpr const char* path = "/sessions";
    static Awaitable<Record> find(Host* host, std::string id) {
        return find_session(host, std::move(id));
    }
    static Awaitable<Record> find_named(Host* host, std::string name) {
        return host->sessions().find(std::move(name));
    }
    static Awaitable<Observed<Record>> observe(StatePtr state, std::string id, std::string match,
                                               Target target) {
        return observe_session(std::move(state), std::move(id), std::move(match),
                               std::move(target));
    }
    static Awaitable<void> erase(Host* host, SessionId id) { return host->sessions().erase(id); }
    static Awaitable<Listed<Record>> list(Host* host, ListWindow window) {
        SessionQuery query;
        query.offset = window.offset;
        query.limit = window.limit;
        auto page = co_await host->sessions().list(std::move(query));
        if (!page) {
            co_return page.error();
        }
        Listed<Record> listed;
        listed.records = std::move(page->sessions);
        listed.total = page->total;
        co_return listed;
    }
    static std::string json(LivySession session, LivyLevel level) {
        return livy_session_json(std::move(session), level);
    }
    static Result<Create> read(std::string_view body) { return read_create_session(body); }
    static Result<SessionSpec> spec(Create create) {
        SessionSpec spec;
        if (auto set = set_times(create, spec); !set) {
            return set.error();
        }
        spec.kind = std::move(create.kind);
        spec.spec = std::move(create.spec);
        return spec;
    }
    static BatchSpec& part(SessionSpec& spec) { return spec.spec; }
    static Awaitable<Record> create(Host* host, SessionSpec spec) {
        return host->sessions().open(std::move(spec));
    }
};

asio::awaitable<Answer> get_version(Call call) {
    co_return make_response(http::status::ok, json_type,
                            livy_version_json(call.state->options.livy_level));
}

template <class Objects>
asio::awaitable<Answer> list(Call call) {
    const auto window = parse_list_window(call.target, call.state->options.max_page);
    if (!window) {
        co_return error_response(Dialect::livy, window.error());
    }
    Host* host = call.state->host;
    auto page = co_await Objects::list(host, *window);
    if (!page) {
        co_return error_response(Dialect::livy, page.error());
    }
    livy_json::ListText text(window->from, page->total);
    for (std::size_t i = 0; i < page->records.size(); ++i) {
        auto shown = co_await with_log(host, std::move(page->records[i]));
        text.add(Objects::json(std::move(shown), call.state->options.livy_level));
        if ((i + 1) % items_at_a_time == 0) {
            co_await let_others_run();
        }
    }
    co_return make_response(http::status::ok, json_type, std::move(text).finish());
}

template <class Objects>
asio::awaitable<std::string> show(const sparkhost::rest::RouterState* state,
                                  typename Objects::Record record) {
    auto shown = co_await with_log(state->host, std::move(record));
    co_return Objects::json(std::move(shown), state->options.livy_level);
}

template <class Objects>
asio::awaitable<std::string> show_state(const sparkhost::rest::RouterState*,
                                        typename Objects::Record record) {
    co_return livy_state_json(record.id.value, to_string(record.state()));
}

template <class Objects>
asio::awaitable<Answer> get_shown(Call call, Show<typename Objects::Record> make) {
    std::string if_none_match(call.request[http::field::if_none_match]);
    auto observed = co_await Objects::observe(call.state, call.id, std::move(if_none_match),
                                              std::move(call.target));
    if (!observed) {
        co_return livy_failed(observed.error(), call);
    }
    co_return co_await answer_observed(call.state.get(), std::move(*observed), make);
}

template <class Objects>
asio::awaitable<Answer> get_one(Call call) {
    return get_shown<Objects>(std::move(call), &show<Objects>);
}

template <class Objects>
asio::awaitable<Answer> get_state(Call call) {
    return get_shown<Objects>(std::move(call), &show_state<Objects>);
}

template <class Objects>
asio::awaitable<Answer> get_log(Call call) {
    const auto request = parse_log_window(call);
    if (!request) {
        co_return error_response(Dialect::livy, request.error());
    }
    auto found = co_await Objects::find(call.state->host, call.id);
    if (!found) {
        co_return livy_failed(found.error(), call);
    }
    const std::int64_t id = found->id.value;
    auto view = co_await read_log_view(call.state->host, std::move(*found), *request);
    if (!view) {
        co_return livy_failed(view.error(), call);
    }
    co_return make_response(http::status::ok, json_type, livy_log_json(id, *view));
}

template <class Objects>
asio::awaitable<Answer> remove(Call call) {
    auto found = co_await Objects::find(call.state->host, call.id);
    if (!found) {
        co_return livy_failed(found.error(), call);
    }
    auto erased = co_await Objects::erase(call.state->host, found->id);
    if (!erased) {
        co_return livy_failed(erased.error(), call);
    }
    co_return message_response(http::status::ok, "deleted");
}

template <class Objects>
Awaitable<std::int64_t> holder_of(Host* host, std::string name) {
    auto found = co_await Objects::find_named(host, std::move(name));
    co_return found ? Result<std::int64_t>(found->id.value) : Result<std::int64_t>(found.error());
}

template <class Objects>
asio::awaitable<Answer> create(Call call) {
    if (auto refused = livy_refused_encoding(call.request)) {
        co_return std::move(*refused);
    }
    auto body = Objects::read(call.request.body());
    if (!body) {
        co_return string_response(http::status::bad_request, body.error().detail);
    }
    if (body->has_empty_name) {
        co_return livy_rejected("Invalid session name: ");
    }
    auto spec = Objects::spec(std::move(*body));
    if (!spec) {
        co_return livy_rejected(spec.error().detail);
    }
    if (auto taken = take_from_call(Objects::part(*spec), call); !taken) {
        co_return livy_not_read(taken.error());
    }
    Host* host = call.state->host;
    const std::string name = Objects::part(*spec).name;
    auto made = co_await Objects::create(host, std::move(*spec));
    if (!made) {
        co_return co_await livy_not_created(made.error(), name, holder_of<Objects>(host, name));
    }
    const std::int64_t id = made->id.value;
    const std::int64_t version = made->version;
    const std::string backend = backend_name(*made);
    auto text = co_await show<Objects>(call.state.get(), std::move(*made));
    auto response = make_response(http::status::created, json_type, std::move(text));
    response.set(backend_header, backend);
    response.set(http::field::location,
                 call.state->options.prefix + Objects::path + "/" + std::to_string(id));
    set_etag(response, version);
    co_return response;
}

// Livy lists the methods of a path in this order in its Allow headers.
constexpr std::array table{
    Route{http::verb::get, "version", &get_version, Dialect::livy},
    Route{http::verb::post, "batches", &create<Batches>, Dialect::livy},
    Route{http::verb::get, "batches", &list<Batches>, Dialect::livy},
    Route{http::verb::delete_, "batches/{}", &remove<Batches>, Dialect::livy},
    Route{http::verb::get, "batches/{}", &get_one<Batches>, Dialect::livy},
    Route{http::verb::get, "batches/{}/state", &get_state<Batches>, Dialect::livy},
    Route{http::verb::get, "batches/{}/log", &get_log<Batches>, Dialect::livy},
    Route{http::verb::post, "sessions", &create<SessionObjects>, Dialect::livy},
    Route{http::verb::get, "sessions", &list<SessionObjects>, Dialect::livy},
    Route{http::verb::delete_, "sessions/{}", &remove<SessionObjects>, Dialect::livy},
    Route{http::verb::get, "sessions/{}", &get_one<SessionObjects>, Dialect::livy},
    Route{http::verb::get, "sessions/{}/state", &get_state<SessionObjects>, Dialect::livy},
    Route{http::verb::get, "sessions/{}/log", &get_log<SessionObjects>, Dialect::livy},
};

}  // namespace livy

std::span<const Route> livy_routes() {
    return livy::table;
}

}  // namespace sparkhost::detail::rest
