// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_FAULTY_STORAGE_HPP
#define SPARKHOST_TESTING_FAULTY_STORAGE_HPP

#include <sparkhost/storage.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace sparkhost::testing {

/// A storage that hands every call to another one: derive from it and override what differs.
/// The inner one is shared, so that it can outlive a host ("crash") and be given to the next.
/// Objects: the wrapper must outlive the operations it started, as with every Storage.
class StorageWrapper : public Storage {
public:
    explicit StorageWrapper(std::shared_ptr<Storage> inner);

    Awaitable<StoreInfo> open(StorageContext context) override;
    Awaitable<CommitResult> commit(Transaction transaction) override;
    Awaitable<Record> find(RecordKey key) override;
    Awaitable<RecordKey> find_unique(std::string scope, std::string value) override;
    Awaitable<Page> list(Query query) override;
    Awaitable<std::vector<StoredEvent>> read_events(EventQuery query) override;
    Awaitable<std::int64_t> prune(PruneRequest request) override;
    Awaitable<void> probe() override;
    StorageStats stats() const override;

    Storage& inner() noexcept { return *inner_; }

protected:
    std::shared_ptr<Storage> inner_;
};

/// How an operation fails.
enum class StorageFault {
    failed,                 ///< Errc::storage_failed, nothing written
    indeterminate_written,  ///< written, yet answered Errc::indeterminate; poisons until open()
    indeterminate_lost      ///< not written, answered Errc::indeterminate; poisons until open()
};

/// When to fail.
struct FaultPlan {
    std::size_t after{0};  ///< so many counted operations succeed first. Default: 0
    StorageFault fault{StorageFault::failed};
    bool repeat{false};        ///< true: all later ones fail too, until heal(). Default: one
    bool commits_only{false};  ///< true: only commits are counted and fail. Default: everything
};

/// The levers of a faulty storage, shared between it and the test.
/// Thread safety: safe. Lifetime: let go of held commits before their executor goes away.
class StorageFaults {
public:
    enum class Hold { before_writing, after_writing };

    StorageFaults();
    ~StorageFaults();

    /// Arms a fault; replaces an earlier plan. An indeterminate fault that meets a reading
    /// operation answers indeterminate and poisons just the same. A probe fails as a commit would
    /// while the plan is on, but is not counted.
    void plan(FaultPlan plan);
    /// Drops the plan. A poisoned storage stays so until open() has succeeded.
    void heal();
    /// Whether the planned fault has happened: the end of a fail_after_n loop is `!happened()`.
    bool happened() const;
    /// Operations counted since plan(), the failing one included.
    std::size_t operations() const;

    /// From now on commits stop at this point until let_go(). A commit held after_writing has
    /// been written but its caller does not know yet.
    void hold_commits(Hold point = Hold::before_writing);
    /// Lets the held ones and all later ones pass.
    void let_go();
    /// Lets exactly the oldest held one pass; holds on to the others. False: none was held.
    bool let_one_go();
    std::size_t held() const;
    /// Completes when at least `count` commits are held.
    boost::asio::awaitable<void> until_held(std::size_t count);

    struct State;  ///< private to the library
    const std::shared_ptr<State>& state() const noexcept { return state_; }

private:
    std::shared_ptr<State> state_;
};

/// A storage that fails when told to. `inner` does the work.
///
///     auto faults = std::make_shared<StorageFaults>();
///     auto storage = make_faulty_storage(make_memory_storage(), faults);
///     faults->plan({.after = n});   // the operation after n good ones answers storage_failed
std::unique_ptr<Storage> make_faulty_storage(std::shared_ptr<Storage> inner,
                                             std::shared_ptr<StorageFaults> faults);

}  // namespace sparkhost::testing

#endif
