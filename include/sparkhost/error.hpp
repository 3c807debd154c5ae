// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_ERROR_HPP
#define SPARKHOST_ERROR_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace sparkhost {

/// What went wrong, as a caller can act on it. Compare codes, never texts.
enum class Errc {
    not_found = 1,     ///< no such batch, record or log; `detail` names it
    already_exists,    ///< the name or idempotency key is taken by another request
    conflict,          ///< a compare-and-set lost: the record has changed since it was read
    invalid_argument,  ///< the request breaks a rule; `field` says where, `detail` which rule
    invalid_state,     ///< the operation does not fit the object's present state
    rejected,          ///< a limit is reached (queue full); try again later
    not_supported,     ///< the plug-in does not have this ability
    backend_failed,    ///< the backend could not do it; `detail` has its words
    storage_failed,    ///< nothing was written: disk full, read-only, locked, corrupt …
    indeterminate,     ///< a commit may or may not be durable; reopen the store and read
    expired,           ///< what was asked for has been pruned
    timed_out,         ///< the deadline passed
    stopped            ///< the host is stopping or has stopped
};

}  // namespace sparkhost

// before anything compares an Errc with an error code
template <>
struct boost::system::is_error_code_enum<sparkhost::Errc> : std::true_type {};

namespace sparkhost {

/// The category of Errc. Its id is fixed, so codes compare equal across shared libraries.
inline const boost::system::error_category& error_category() noexcept {
    class Category final : public boost::system::error_category {
    public:
        Category() : boost::system::error_category(0x8d5f2c3ab1e94e07ULL) {}
        const char* name() const noexcept override { return "sparkhost"; }
        std::string message(int code) const override {
            switch (static_cast<Errc>(code)) {
                case Errc::not_found:
                    return "not found";
                case Errc::already_exists:
                    return "already exists";
                case Errc::conflict:
                    return "changed by someone else; read it again and retry";
                case Errc::invalid_argument:
                    return "invalid argument";
                case Errc::invalid_state:
                    return "not possible in the present state";
                case Errc::rejected:
                    return "a limit is reached; try again later";
                case Errc::not_supported:
                    return "not supported by this plug-in";
                case Errc::backend_failed:
                    return "the backend failed";
                case Errc::storage_failed:
                    return "the storage failed; nothing was written";
                case Errc::indeterminate:
                    return "the storage failed while committing; whether the change was written is "
                           "not known yet";
                case Errc::expired:
                    return "no longer kept";
                case Errc::timed_out:
                    return "timed out";
                case Errc::stopped:
                    return "the host is stopping";
            }
            return "unknown sparkhost error";
        }
    };
    static const Category category;
    return category;
}

inline boost::system::error_code make_error_code(Errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

/// An error code with words for people and logs. `detail` may contain user data.
struct Error {
    boost::system::error_code code{};
    std::string detail{};
    /// Path of the offending input field, e.g. "conf.spark.master"; may be empty.
    std::string field{};

    Error() = default;
    Error(Errc errc) : code(make_error_code(errc)) {}  // NOLINT: converting
    Error(boost::system::error_code error, std::string text = {})
        : code(error), detail(std::move(text)) {}
    Error(Errc errc, std::string text, std::string path = {})
        : code(make_error_code(errc)), detail(std::move(text)), field(std::move(path)) {}

    bool is(Errc errc) const noexcept { return code == make_error_code(errc); }

    /// "field: detail", or the code's own message where there is no detail.
    std::string text() const {
        std::string words = detail.empty() ? code.message() : detail;
        return field.empty() ? words : field + ": " + words;
    }
};

/// What Result::value() throws.
class Exception : public boost::system::system_error {
public:
    explicit Exception(Error error)
        : boost::system::system_error(error.code, error.text()), error_(std::move(error)) {}
    const Error& error() const noexcept { return error_; }

private:
    Error error_;
};

[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
    throw Exception(error);
}

/// A value or an Error. `value()` throws Exception; `error()` gives the Error.
template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
public:
    using boost::system::result<T, Error>::result;
    Result() requires(!std::is_void_v<T>) : boost::system::result<T, Error>(T{}) {}
    Result() requires(std::is_void_v<T>)
        : boost::system::result<T, Error>(boost::system::in_place_value) {}
    Result(Errc errc) : boost::system::result<T, Error>(Error(errc)) {}  // NOLINT: converting
};

/// Success without a value: `co_return ok();`
inline Result<void> ok() {
    return Result<void>();
}

/// Every operation that can take time. Lazy: it starts when awaited.
template <class T>
using Awaitable = boost::asio::awaitable<Result<T>>;

}  // namespace sparkhost

#endif
