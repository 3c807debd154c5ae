// SPDX-License-Identifier: Apache-2.0
#include "support/fault_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

namespace sparkhost::test {

namespace {

constexpr std::size_t sector = 512;

/// A write, or a change of size if there is no data.
struct Change {
    std::size_t offset;
    std::optional<std::string> data;
};

void apply_change(const Change& change, std::string& content) {
    if (!change.data) {
        content.resize(change.offset);
        return;
    }
    content.resize(std::max(content.size(), change.offset + change.data->size()));
    content.replace(change.offset, change.data->size(), *change.data);
}

struct Shadow {
    std::string durable;
    std::vector<Change> pending;
};

}  // namespace

struct FaultVfs::State {
    sqlite3_vfs vfs{};
    sqlite3_vfs* real{};
    std::string name;
    mutable std::mutex mutex;
    std::map<std::string, Shadow> files;
    Plan plan;
    std::size_t counted{0};
    std::size_t syncs{0};
    bool happened{false};
    bool really{true};
    bool dropped{false};
    std::chrono::microseconds delay{0};
    std::function<void()> hook;

    /// SQLITE_OK, or the code to fail with.
    int next(Op op) {
        std::lock_guard lock(mutex);
        if (!(plan.ops & bit(op)) || counted++ < plan.after || (happened && !plan.repeat))
            return SQLITE_OK;
        happened = true;
        return plan.code;
    }

    void note(const std::string& path, Change change) {
        std::lock_guard lock(mutex);
        files[path].pending.push_back(std::move(change));
    }
};

namespace {

using State = FaultVfs::State;
using Op = FaultVfs::Op;

struct FaultFile {
    sqlite3_file base;
    State* state;
    std::string* path;  // null: a temporary file
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

FaultFile& ours(sqlite3_file* file) {
    return *reinterpret_cast<FaultFile*>(file);
}
State& ours(sqlite3_vfs* vfs) {
    return *static_cast<State*>(vfs->pAppData);
}

int vfs_close(sqlite3_file* file) {
    auto& self = ours(file);
    delete self.path;
    self.path = nullptr;
    return self.real()->pMethods->xClose(self.real());
}

int vfs_read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
    auto& self = ours(file);
    if (auto code = self.state->next(Op::read))
        return code;
    return self.real()->pMethods->xRead(self.real(), data, size, offset);
}

int vfs_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    auto& self = ours(file);
    auto failure = self.state->next(Op::write);
    if (failure)
        size /= 2;  // the disk took a part of it
    auto code = self.real()->pMethods->xWrite(self.real(), data, size, offset);
    if (self.path)
        self.state->note(*self.path, {static_cast<std::size_t>(offset),
                                      std::string(static_cast<const char*>(data),
                                                  static_cast<std::size_t>(size))});
    return failure ? failure : code;
}

int vfs_truncate(sqlite3_file* file, sqlite3_int64 size) {
    auto& self = ours(file);
    if (auto code = self.state->next(Op::truncate))
        return code;
    if (self.path)
        self.state->note(*self.path, {static_cast<std::size_t>(size), std::nullopt});
    return self.real()->pMethods->xTruncate(self.real(), size);
}

int vfs_sync(sqlite3_file* file, int flags) {
    auto& self = ours(file);
    auto& state = *self.state;
    std::function<void()> hook;
    std::chrono::microseconds delay;
    bool really = true;
    bool dropped = false;
    {
        std::lock_guard lock(state.mutex);
        ++state.syncs;
        hook = state.hook;
        delay = state.delay;
        really = state.really;
        dropped = state.dropped;
    }
    if (hook)
        hook();
    if (dropped)
        return SQLITE_OK;
    if (delay.count() > 0)
        std::this_thread::sleep_for(delay);
    auto failure = state.next(Op::sync);
    auto code = really && !failure ? self.real()->pMethods->xSync(self.real(), flags) : SQLITE_OK;
    std::lock_guard lock(state.mutex);
    if (self.path) {
        auto& shadow = state.files[*self.path];
        if (!failure)
            for (auto& change : shadow.pending)
                apply_change(change, shadow.durable);
        shadow.pending.clear();
    }
    return failure ? failure : code;
}

template <auto Member, class... Args>
int forward(sqlite3_file* file, Args... args) {
    auto* real = ours(file).real();
    return (real->pMethods->*Member)(real, args...);
}

void vfs_shm_barrier(sqlite3_file* file) {
    auto* real = ours(file).real();
    real->pMethods->xShmBarrier(real);
}

// Version 2: shared memory, but no memory-mapped files, which would go around us.
const sqlite3_io_methods methods{
    2,
    vfs_close,
    vfs_read,
    vfs_write,
    vfs_truncate,
    vfs_sync,
    forward<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    forward<&sqlite3_io_methods::xLock, int>,
    forward<&sqlite3_io_methods::xUnlock, int>,
    forward<&sqlite3_io_methods::xCheckReservedLock, int*>,
    forward<&sqlite3_io_methods::xFileControl, int, void*>,
    forward<&sqlite3_io_methods::xSectorSize>,
    forward<&sqlite3_io_methods::xDeviceCharacteristics>,
    forward<&sqlite3_io_methods::xShmMap, int, int, int, void volatile**>,
    forward<&sqlite3_io_methods::xShmLock, int, int, int>,
    vfs_shm_barrier,
    forward<&sqlite3_io_methods::xShmUnmap, int>,
    nullptr,
    nullptr};

std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int vfs_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    auto& state = ours(vfs);
    auto& self = ours(file);
    self.base.pMethods = nullptr;
    self.state = &state;
    self.path = nullptr;
    if (auto code = state.next(Op::open))
        return code;
    auto code = state.real->xOpen(state.real, path, self.real(), flags, out_flags);
    if (code != SQLITE_OK)
        return code;
    self.base.pMethods = &methods;
    if (path) {
        self.path = new std::string(path);
        std::lock_guard lock(state.mutex);
        if (!state.files.count(path))
            state.files[path].durable = content_of(path);
    }
    return SQLITE_OK;
}

int vfs_delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    auto& state = ours(vfs);
    if (auto code = state.next(Op::remove))
        return code;
    auto code = state.real->xDelete(state.real, path, sync_folder);
    std::lock_guard lock(state.mutex);
    if (code == SQLITE_OK)
        state.files.erase(path);
    return code;
}

int vfs_access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
    auto* real = ours(vfs).real;
    return real->xAccess(real, path, flags, result);
}

int vfs_full_path(sqlite3_vfs* vfs, const char* path, int size, char* result) {
    auto* real = ours(vfs).real;
    return real->xFullPathname(real, path, size, result);
}

}  // namespace

FaultVfs::FaultVfs() : state_(std::make_shared<State>()) {
    static std::atomic<int> number{0};
    state_->name = "fault-" + std::to_string(++number);
    state_->real = sqlite3_vfs_find(nullptr);
    auto& vfs = state_->vfs;
    vfs = *state_->real;  // dynamic libraries, randomness, time: as they are
    vfs.pNext = nullptr;
    vfs.zName = state_->name.c_str();
    vfs.pAppData = state_.get();
    vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + state_->real->szOsFile;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    vfs.xAccess = vfs_access;
    vfs.xFullPathname = vfs_full_path;
    sqlite3_vfs_register(&vfs, 0);
}

FaultVfs::~FaultVfs() {
    sqlite3_vfs_unregister(&state_->vfs);
}

const std::string& FaultVfs::name() const {
    return state_->name;
}

void FaultVfs::plan(Plan plan) {
    std::lock_guard lock(state_->mutex);
    state_->plan = plan;
    state_->counted = 0;
    state_->happened = false;
}

void FaultVfs::heal() {
    std::lock_guard lock(state_->mutex);
    state_->plan = {};
}

bool FaultVfs::happened() const {
    std::lock_guard lock(state_->mutex);
    return state_->happened;
}

std::size_t FaultVfs::syncs() const {
    std::lock_guard lock(state_->mutex);
    return state_->syncs;
}

void FaultVfs::delay_syncs(std::chrono::microseconds delay) {
    std::lock_guard lock(state_->mutex);
    state_->delay = delay;
}

void FaultVfs::sync_really(bool really) {
    std::lock_guard lock(state_->mutex);
    state_->really = really;
}

void FaultVfs::drop_syncs(bool drop) {
    std::lock_guard lock(state_->mutex);
    state_->dropped = drop;
}

void FaultVfs::on_sync(std::function<void()> hook) {
    std::lock_guard lock(state_->mutex);
    state_->hook = std::move(hook);
}

FaultVfs::Disk FaultVfs::cut_power(Unsynced unsynced, std::uint32_t seed) const {
    std::mt19937 random(seed);
    std::lock_guard lock(state_->mutex);
    Disk disk;
    for (auto& [path, shadow] : state_->files) {
        auto content = shadow.durable;
        for (auto change : shadow.pending) {
            if (unsynced == Unsynced::lost || (unsynced == Unsynced::torn && random() % 3 == 0))
                continue;
            if (unsynced == Unsynced::torn && change.data && random() % 3 == 0)
                change.data->resize(change.data->size() / 2 / sector * sector);
            apply_change(change, content);
        }
        disk.emplace(path, std::move(content));
    }
    return disk;
}

void restore(const FaultVfs::Disk& disk, const std::string& folder) {
    for (auto& [path, content] : disk)
        std::ofstream(folder + path.substr(path.rfind('/')), std::ios::binary) << content;
}

}  // namespace sparkhost::test
