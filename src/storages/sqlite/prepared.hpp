// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_PREPARED_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_PREPARED_HPP

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <concepts>
#include <cstdint>
#include <string>

namespace sparkhost::detail::sqlite {

/// A statement prepared once and used many times. It never stays active after a call, so it
/// neither holds a snapshot nor a stale error. Throws SQLite::Exception.
class Prepared {
public:
    Prepared(SQLite::Database& database, const char* sql) : statement_(database, sql) {}

    /// Runs it for its effect; gives the number of rows changed.
    template <class... Args>
    int run(const Args&... args) {
        Rewind rewind{statement_};
        bind(args...);
        return statement_.exec();
    }

    /// Calls `on_row` for each row; its columns are read with int64() and text().
    template <class OnRow, class... Args>
    void each(OnRow on_row, const Args&... args) {
        Rewind rewind{statement_};
        bind(args...);
        while (statement_.executeStep())
            on_row();
    }

    std::int64_t int64(int column) const { return statement_.getColumn(column).getInt64(); }
    std::string text(int column) const { return statement_.getColumn(column).getString(); }

private:
    struct Rewind {
        SQLite::Statement& statement;
        ~Rewind() { statement.tryReset(); }
    };

    template <class... Args>
    void bind(const Args&... args) {
        int index = 0;
        (bind_one(++index, args), ...);
    }
    void bind_one(int index, std::integral auto value) {
        statement_.bind(index, static_cast<std::int64_t>(value));
    }
    void bind_one(int index, const std::string& value) { statement_.bindNoCopy(index, value); }

    SQLite::Statement statement_;
};

}  // namespace sparkhost::detail::sqlite

#endif
