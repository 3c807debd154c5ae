// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LIVY_LOG_HPP
#define SPARKHOST_SRC_REST_LIVY_LOG_HPP

#include <sparkhost/backend.hpp>
#include <sparkhost/batch.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::rest {

/// Which lines of a batch's log a client wants, as Livy's ?from&size says it.
struct LogWindow {
    std::int64_t from{-1};   ///< negative: the last `size` lines
    std::int64_t size{100};  ///< negative: all
};

struct LogView {
    std::int64_t from{0};
    std::int64_t total{0};
    std::vector<std::string> lines{};
};

/// The lines that follow the driver's output: Livy's marker, then why the batch failed.
std::vector<std::string> log_suffix(const BatchRecord& record);

/// Lays Livy's view of a log ("stdout: ", the driver's lines, "\nstderr: ", the reason) over the
/// driver's output, which may come in several pages. What is longer than `max_bytes` is cut at
/// the end; `from`, `total` and the number of lines given always agree, so a client can go on.
///
/// Use: while next() asks for a page, read it and add() it; then take the view.
class LogAssembly {
public:
    LogAssembly(LogWindow window, std::vector<std::string> suffix, std::size_t max_bytes);

    struct Read {
        std::int64_t offset{0};  ///< negative: from the end
        std::size_t limit{0};
    };
    std::optional<Read> next() const;
    void add(LogPage page);
    LogView take();

private:
    void settle(std::int64_t output_lines);

    LogWindow window_;
    std::vector<std::string> suffix_;
    std::size_t room_;
    bool settled_{false};  ///< how many lines there are is known
    bool cut_{false};
    std::int64_t output_{0};  ///< lines of the driver when they were counted
    std::int64_t next_{0};    ///< first and
    std::int64_t end_{0};     ///< end of the driver's lines still wanted
    LogView view_{};
};

/// The `log` of a batch object: the last ten lines, from what the record keeps of its end.
std::vector<std::string> kept_log(const BatchRecord& record);

inline constexpr std::int64_t object_log_lines = 10;

}  // namespace sparkhost::detail::rest

#endif
