// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/resource_managers.hpp"

#include "backends/yarn/manager_machine.hpp"
#include "http/places.hpp"
#include "http/url.hpp"
#include "waiter.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sparkhost::detail::yarn {

namespace {

using End = ManagerOutcome::End;

constexpr std::string_view cluster = "/ws/v1/cluster";

std::string told(const ManagerOutcome& outcome, const std::string& what) {
    return outcome.words + ": " + what;
}

/// Why there is no answer.
std::string silence_words(const ManagerOutcome& outcome) {
    switch (outcome.end) {
        case End::changed:
            return "the active ResourceManager has changed meanwhile: " + outcome.words;
        case End::unclear:
            return "the ResourceManager may have heard it, or not: " + outcome.words;
        default:
            return "no ResourceManager is active: " + outcome.words;
    }
}

/// What to do about a refusal that is none of the request's faults.
std::string advice(int status) {
    switch (status) {
        case 401:
            return " (it wants a login; only simple authentication, user.name, is supported)";
        case 403:
            return " (the user may not do this, or yarn.webapp.enable-rest-app-submissions is "
                   "false there)";
        default:
            return "";
    }
}

std::string refusal_words(const ManagerOutcome& outcome) {
    return told(outcome, failure_of(outcome.status, outcome.body) + advice(outcome.status));
}

Error silence(const ManagerOutcome& outcome) {
    return Error(Errc::backend_failed, silence_words(outcome));
}

bool is_accepted(int status) {
    return status == 200 || status == 202;
}

/// It will be no better the next time.
bool is_refused(int status) {
    return status / 100 == 4 && status != 404 && status != 408 && status != 429;
}

/// Two submissions of an id have met: it is there.
bool is_duplicate(const ManagerOutcome& outcome) {
    return outcome.body.find("Cannot add a duplicate") != std::string::npos ||
           outcome.body.find("already present") != std::string::npos;
}

RmReply submit_reply(const ManagerOutcome& outcome) {
    using Verdict = RmReply::Verdict;
    if (outcome.end != End::answered) {
        return {Verdict::unclear, silence_words(outcome)};
    }
    if (is_accepted(outcome.status)) {
        return {Verdict::done, {}};
    }
    const bool refused = is_refused(outcome.status) && !is_duplicate(outcome);
    return {refused ? Verdict::refused : Verdict::unclear, refusal_words(outcome)};
}

RmReply kill_reply(const ManagerOutcome& outcome) {
    using Verdict = RmReply::Verdict;
    if (outcome.end != End::answered) {
        return {Verdict::unclear, silence_words(outcome)};
    }
    if (is_accepted(outcome.status)) {
        return {Verdict::done, {}};
    }
    if (is_not_found(outcome.status, outcome.body)) {
        return {Verdict::absent, refusal_words(outcome)};
    }
    return {is_refused(outcome.status) ? Verdict::refused : Verdict::unclear,
            refusal_words(outcome)};
}

AppLook app_look(const ManagerOutcome& outcome, const std::string& id) {
    AppLook look;
    if (outcome.end != End::answered) {
        look.words = silence_words(outcome);
        return look;
    }
    if (outcome.status != 200) {
        const bool absent = is_not_found(outcome.status, outcome.body);
        look.verdict = absent ? AppLook::Verdict::absent : AppLook::Verdict::unknown;
        look.words = refusal_words(outcome);
        return look;
    }
    auto sight = read_application(outcome.body);
    if (!sight || sight->id != id) {
        look.words = told(outcome, sight ? "the answer is about another application, " + sight->id
                                         : sight.error().text());
        return look;
    }
    look.verdict = AppLook::Verdict::found;
    look.sight = std::move(*sight);
    return look;
}

/// Who wants to know which one is active while that is being asked waits for the answer.
struct InfoOnItsWay {
    std::vector<std::shared_ptr<Waiter>> waiting{};
    std::optional<http::Response> response{};
};

/// However the asking ends: nobody waits for it any longer.
class AskingForAll {
public:
    explicit AskingForAll(std::shared_ptr<InfoOnItsWay>& place)
        : place_(place), own_(std::make_shared<InfoOnItsWay>()) {
        place_ = own_;
    }
    ~AskingForAll() {
        place_.reset();
        for (const auto& each : own_->waiting) {
            each->wake(WakeReason::changed);
        }
    }
    AskingForAll(const AskingForAll&) = delete;
    AskingForAll& operator=(const AskingForAll&) = delete;

    void heard(const http::Response& response) { own_->response = response; }

private:
    std::shared_ptr<InfoOnItsWay>& place_;
    std::shared_ptr<InfoOnItsWay> own_;
};

}  // namespace

struct ResourceManagers::Impl {
    Impl(boost::asio::any_io_executor executor, Options given)
        : options(std::move(given)),
          places(std::make_shared<http::Places>(std::move(executor), options.http, options.urls)),
          infos(places->size()) {}

    http::Request request(std::string method, std::string target, std::string_view user) const;
    http::Request info_request() const;
    static boost::asio::awaitable<ManagerOutcome> ask(std::shared_ptr<Impl> self,
                                                      http::Request request, Inquiry inquiry);
    static Awaitable<http::Response> send(std::shared_ptr<Impl> self, std::size_t which,
                                          http::Request request);
    static Awaitable<http::Response> info(std::shared_ptr<Impl> self, std::size_t which);

    Options options;
    std::shared_ptr<http::Places> places;
    std::vector<std::shared_ptr<InfoOnItsWay>> infos;  ///< of each place; none: nobody asks
};

http::Request ResourceManagers::Impl::request(std::string method, std::string target,
                                              std::string_view user) const {
    http::Request made;
    made.method = std::move(method);
    made.target = std::string(cluster) + std::move(target);
    if (!user.empty()) {
        made.target += made.target.find('?') == std::string::npos ? '?' : '&';
        made.target += "user.name=" + http::percent_encoded(user);
    }
    made.headers.push_back({"Accept", "application/json"});
    made.deadline = options.request_deadline;
    made.repeatable = made.method == "GET";
    if (!made.repeatable) {
        made.headers.push_back({"Content-Type", "application/json"});
    }
    return made;
}

http::Request ResourceManagers::Impl::info_request() const {
    return request("GET", "/info", options.user);
}

Awaitable<http::Response> ResourceManagers::Impl::send(std::shared_ptr<Impl> self,
                                                       std::size_t which, http::Request request) {
    const http::Place& place = self->places->at(which);
    co_return co_await place.client->send(std::move(request));
}

/// One that is on its way already will do: it says since when that one has been active.
Awaitable<http::Response> ResourceManagers::Impl::info(std::shared_ptr<Impl> self,
                                                       std::size_t which) {
    if (const auto others = self->infos[which]) {
        auto waiter = std::make_shared<Waiter>();
        others->waiting.push_back(waiter);
        const WakeReason reason = co_await Waiter::wait(std::move(waiter));
        if (reason == WakeReason::cancelled) {
            co_return Error(Errc::indeterminate, "it was cancelled");
        }
        if (others->response) {
            co_return *others->response;
        }
        co_return co_await send(self, which, self->info_request());
    }
    AskingForAll asking(self->infos[which]);
    Result<http::Response> response = co_await send(self, which, self->info_request());
    if (response) {
        asking.heard(*response);
    }
    co_return response;
}

boost::asio::awaitable<ManagerOutcome> ResourceManagers::Impl::ask(std::shared_ptr<Impl> self,
                                                                   http::Request request,
                                                                   Inquiry inquiry) {
    const std::size_t size = self->places->size();
    const std::size_t first = self->places->first();
    std::vector<std::string> urls;
    for (std::size_t i = 0; i < size; ++i) {
        urls.push_back(self->places->at((first + i) % size).url);
    }
    ManagerMachine machine(std::move(urls), inquiry);
    while (machine.step() != ManagerMachine::Step::over) {
        const std::size_t which = (first + machine.which()) % size;
        Awaitable<http::Response> asking;
        switch (machine.step()) {
            case ManagerMachine::Step::info:
                asking = info(self, which);
                break;
            case ManagerMachine::Step::proof:
                asking = send(self, which, self->info_request());
                break;
            default:
                asking = send(self, which, request);
        }
        Result<http::Response> response = co_await std::move(asking);
        machine.heard(response);
    }
    ManagerOutcome outcome = machine.outcome();
    if (outcome.end == End::answered) {
        self->places->was_right((first + outcome.which) % size);
    }
    co_return outcome;
}

ResourceManagers::ResourceManagers(boost::asio::any_io_executor executor, Options options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options))) {}

ResourceManagers::~ResourceManagers() = default;

Awaitable<ManagerInfo> ResourceManagers::active(Self self) {
    ManagerOutcome outcome = co_await Impl::ask(self->impl_, http::Request(), Inquiry::none);
    if (outcome.end != End::answered) {
        co_return silence(outcome);
    }
    co_return std::move(outcome.info);
}

Awaitable<std::string> ResourceManagers::new_application(Self self, std::string user) {
    http::Request request = self->impl_->request("POST", "/apps/new-application", user);
    const ManagerOutcome outcome =
        co_await Impl::ask(self->impl_, std::move(request), Inquiry::changes);
    if (outcome.end != End::answered) {
        co_return silence(outcome);
    }
    if (outcome.status != 200) {
        co_return Error(Errc::backend_failed, refusal_words(outcome));
    }
    auto id = read_new_application(outcome.body);
    if (!id) {
        co_return Error(Errc::backend_failed, told(outcome, id.error().text()));
    }
    co_return std::move(*id);
}

boost::asio::awaitable<RmReply> ResourceManagers::submit(Self self, std::string user,
                                                         std::string body) {
    http::Request request = self->impl_->request("POST", "/apps", user);
    request.body = std::move(body);
    const ManagerOutcome outcome =
        co_await Impl::ask(self->impl_, std::move(request), Inquiry::changes);
    co_return submit_reply(outcome);
}

boost::asio::awaitable<AppLook> ResourceManagers::application(Self self, std::string id) {
    http::Request request = self->impl_->request(
        "GET", "/apps/" + http::percent_encoded(id) + "?deSelects=resourceRequests",
        self->impl_->options.user);
    const ManagerOutcome outcome =
        co_await Impl::ask(self->impl_, std::move(request), Inquiry::facts);
    co_return app_look(outcome, id);
}

boost::asio::awaitable<RmReply> ResourceManagers::kill(Self self, std::string user,
                                                       std::string id) {
    http::Request request =
        self->impl_->request("PUT", "/apps/" + http::percent_encoded(id) + "/state", user);
    request.body = R"({"state":"KILLED","diagnostics":"killed by sparkhost"})";
    const ManagerOutcome outcome =
        co_await Impl::ask(self->impl_, std::move(request), Inquiry::changes);
    co_return kill_reply(outcome);
}

Awaitable<std::vector<AppSight>> ResourceManagers::list(Self self, std::string tag, Listed which) {
    const std::string states = which == Listed::active ? "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"
                                                       : "FINISHED,FAILED,KILLED";
    http::Request request =
        self->impl_->request("GET",
                             "/apps?applicationTags=" + http::percent_encoded(tag) +
                                 "&states=" + states + "&deSelects=resourceRequests",
                             self->impl_->options.user);
    const ManagerOutcome outcome =
        co_await Impl::ask(self->impl_, std::move(request), Inquiry::lists);
    if (outcome.end != End::answered) {
        co_return silence(outcome);
    }
    if (outcome.status != 200) {
        co_return Error(Errc::backend_failed, refusal_words(outcome));
    }
    auto sights = read_applications(outcome.body);
    if (!sights) {
        co_return Error(Errc::backend_failed, told(outcome, sights.error().text()));
    }
    co_return std::move(*sights);
}

}  // namespace sparkhost::detail::yarn
