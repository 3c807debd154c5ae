// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_RECORD_CACHE_HPP
#define SPARKHOST_SRC_CORE_RECORD_CACHE_HPP

#include <sparkhost/batch.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

namespace sparkhost::detail {

/// The records used last, so that clients who poll do not cost a read each. Holds nothing but
/// what is durable; the host is the store's only writer, so it is never stale.
class RecordCache {
public:
    explicit RecordCache(std::size_t capacity) : capacity_(capacity) {}

    std::shared_ptr<const BatchRecord> find(BatchId id) {
        const auto found = index_.find(id.value);
        if (found == index_.end()) {
            return nullptr;
        }
        order_.splice(order_.begin(), order_, found->second);
        return *found->second;
    }

    void put(std::shared_ptr<const BatchRecord> record) {
        if (capacity_ == 0) {
            return;
        }
        erase(record->id);
        order_.push_front(std::move(record));
        index_[order_.front()->id.value] = order_.begin();
        if (order_.size() > capacity_) {
            index_.erase(order_.back()->id.value);
            order_.pop_back();
        }
    }

    void erase(BatchId id) {
        const auto found = index_.find(id.value);
        if (found != index_.end()) {
            order_.erase(found->second);
            index_.erase(found);
        }
    }

    void clear() {
        order_.clear();
        index_.clear();
    }

private:
    std::size_t capacity_;
    std::list<std::shared_ptr<const BatchRecord>> order_;
    std::unordered_map<std::int64_t, std::list<std::shared_ptr<const BatchRecord>>::iterator>
        index_;
};

}  // namespace sparkhost::detail

#endif
