// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_RESOURCE_MANAGERS_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_RESOURCE_MANAGERS_HPP

#include "backends/yarn/rm_answer.hpp"
#include "http/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::yarn {

/// What asking about one application has come to.
struct AppLook {
    enum class Verdict {
        found,
        absent,  ///< an active ResourceManager, the same before and after, does not know it
        unknown  ///< nobody could say; `words` has why
    };
    Verdict verdict{Verdict::unknown};
    AppSight sight{};
    std::string words{};
};

/// What a submission or a kill has come to.
struct RmReply {
    enum class Verdict {
        done,
        refused,  ///< for good: the request is wrong, or not allowed
        absent,   ///< (kill) an active ResourceManager does not know it
        unclear   ///< it may have been taken, or nobody was there: ask again
    };
    Verdict verdict{Verdict::unclear};
    std::string words{};
};

enum class Listed {
    active,
    over  ///< as many as the ResourceManager remembers (max-completed-applications)
};

/// The ResourceManagers of a cluster, of which one is active. For one strand. Nothing is asked of,
/// or posted to, one that is not ACTIVE: while it recovers it denies applications that exist, and
/// a known id posted to it ends it.
class ResourceManagers {
public:
    struct Options {
        std::vector<std::string> urls{};
        /// Who reads (where there are ACLs, others than the owner see less). Empty: nobody, which
        /// not every cluster answers.
        std::string user{};
        std::chrono::milliseconds request_deadline{};
        http::ClientOptions http{};  ///< but for the URL
    };
    /// Throws std::invalid_argument: a URL is wrong.
    ResourceManagers(boost::asio::any_io_executor executor, Options options);
    ~ResourceManagers();

    using Self = std::shared_ptr<ResourceManagers>;
    // Each asks one after the other until it finds the one that is active.

    /// Errors: backend_failed – none is active; `detail` says what each one says.
    static Awaitable<ManagerInfo> active(Self self);
    /// Errors: as active.
    static Awaitable<std::string> new_application(Self self, std::string user);
    /// A 202: it has been heard, and is not yet stored.
    static boost::asio::awaitable<RmReply> submit(Self self, std::string user, std::string body);
    static boost::asio::awaitable<AppLook> application(Self self, std::string id);
    static boost::asio::awaitable<RmReply> kill(Self self, std::string user, std::string id);
    /// Those with this tag. Errors: as active, also when it has changed meanwhile.
    static Awaitable<std::vector<AppSight>> list(Self self, std::string tag, Listed which);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sparkhost::detail::yarn

#endif
