// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAULT_VFS_HPP
#define SPARKHOST_TESTS_SUPPORT_FAULT_VFS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

namespace sparkhost::test {

/// What a power cut leaves of what has been written but not synced.
enum class Unsynced {
    lost,  ///< nothing of it
    kept,  ///< all of it
    torn   ///< some writes, and of some only the first sectors
};

/// An SQLite VFS over the system's own one that fails, dawdles, and remembers what would be on
/// the disk if the power were cut.
///
/// A sync that fails loses what was to be synced, as Linux does: programs still read it from
/// the page cache, yet a later sync that succeeds does not bring it to the disk.
/// Thread safety: safe. It must outlive the connections that use it.
class FaultVfs {
public:
    enum class Op { read, write, sync, truncate, open, remove };
    using Ops = unsigned;  ///< bits: 1 << Op
    static constexpr Ops bit(Op op) { return 1U << static_cast<unsigned>(op); }
    static constexpr Ops changes = 1U << 1 | 1U << 2 | 1U << 3;

    struct Plan {
        Ops ops{0};            ///< which operations are counted and fail
        std::size_t after{0};  ///< so many succeed first
        int code{0};           ///< extended SQLite result code to fail with
        bool repeat{false};    ///< all later ones fail too
    };

    /// Contents by path.
    using Disk = std::map<std::string, std::string>;

    FaultVfs();
    ~FaultVfs();
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;

    /// For SqliteStorageOptions::vfs.
    const std::string& name() const;

    void plan(Plan plan);
    void heal();
    bool happened() const;
    std::size_t syncs() const;  ///< so far, failed ones included

    /// Every sync takes so much longer.
    void delay_syncs(std::chrono::microseconds delay);
    /// Syncs reach the real disk (default), or only count: faster.
    void sync_really(bool really);

    /// Syncs succeed and do nothing: what is written stays unsynced, as with `synchronous=OFF`,
    /// where SQLite does not ask for them.
    void drop_syncs(bool drop);

    /// What is on the disk if the power is cut now.
    Disk cut_power(Unsynced unsynced, std::uint32_t seed = 0) const;
    /// Called just before each sync takes effect, on the thread that syncs: the moments at which
    /// a power cut hurts. It may call cut_power().
    void on_sync(std::function<void()> hook);

    struct State;

private:
    std::shared_ptr<State> state_;
};

/// Writes a disk's files, by their last path component, into a folder.
void restore(const FaultVfs::Disk& disk, const std::string& folder);

}  // namespace sparkhost::test

#endif
