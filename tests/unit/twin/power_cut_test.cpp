// SPDX-License-Identifier: Apache-2.0

// The twin on a real SQLite store: the power is cut at every sync, with what had been written and
// not synced lost, kept or torn. The cluster lives on.

#include "support/fault_vfs.hpp"
#include "support/temp_dir.hpp"
#include "twin.hpp"

#include <sparkhost/storages/sqlite.hpp>

#include <boost/test/unit_test.hpp>

namespace sparkhost::twin {

namespace power_cut_test {

struct Cut {
    std::size_t at{never};  ///< number of the sync of the first host
    test::Unsynced unsynced{test::Unsynced::lost};
    std::uint32_t seed{0};
};

/// A disk that can lose its power, and the disk after that.
class Disks {
public:
    Disks(Cut cut, bool drops_syncs) : cut_(cut) {
        vfs_.sync_really(false);
        vfs_.drop_syncs(drops_syncs);
        after_.sync_really(false);
    }

    void set_up(Twin& twin) {
        twin.store = open(before_folder_, vfs_);
        twin.host_died = [this, &twin] {
            if (disk_.empty()) {
                disk_ = vfs_.cut_power(test::Unsynced::kept);  // it was killed, no power was cut
            }
            test::restore(disk_, after_folder_.path().string());
            twin.store = open(after_folder_, after_);
        };
        vfs_.on_sync([this, &twin] {
            if (syncs_++ == cut_.at) {
                disk_ = vfs_.cut_power(cut_.unsynced, cut_.seed);
                twin.course()->die("the power is cut");
            }
        });
    }
    void finish() { vfs_.on_sync({}); }
    std::size_t syncs() const { return syncs_; }

private:
    static std::shared_ptr<Storage> open(const test::TempDir& folder, const test::FaultVfs& vfs) {
        SqliteStorageOptions options;
        options.path = (folder / "jobs.db").string();
        options.vfs = vfs.name();
        return make_sqlite_storage(options);
    }

    Cut cut_;
    test::FaultVfs vfs_;
    test::FaultVfs after_;
    test::TempDir before_folder_;
    test::TempDir after_folder_;
    test::FaultVfs::Disk disk_{};
    std::size_t syncs_{0};
};

struct Aftermath {
    std::size_t syncs{0};
    std::vector<Violation> violations{};
};

Aftermath run_with(Cut cut, bool drops_syncs) {
    Disks disks(cut, drops_syncs);
    Scenario scenario;
    scenario.name = "two batches and a kill on a disk that loses its power";
    scenario.steps = {submits(spec_of("", "key")), submits(spec_of("", "key")),
                      submits(spec_of("nightly")), kills(BatchId{1})};
    scenario.configure = [](HostOptions& options) { options.max_running = 1; };
    scenario.set_up = [&](Twin& twin) { disks.set_up(twin); };
    scenario.check = [&](Twin&) { disks.finish(); };
    Aftermath outcome;
    outcome.violations = run(scenario, {}).violations;
    outcome.syncs = disks.syncs();
    for (auto& violation : outcome.violations) {
        violation.text = "power cut at sync " + std::to_string(cut.at) + ", " +
                         std::to_string(static_cast<int>(cut.unsynced)) + ", seed " +
                         std::to_string(cut.seed) + ": " + violation.text;
    }
    return outcome;
}

std::vector<Cut> cuts_at(std::size_t sync) {
    std::vector<Cut> cuts{{sync, test::Unsynced::lost}, {sync, test::Unsynced::kept}};
    for (std::uint32_t seed = 0; seed < 3; ++seed) {
        cuts.push_back({sync, test::Unsynced::torn, seed});
    }
    return cuts;
}

BOOST_AUTO_TEST_SUITE(twin_power_cut)

BOOST_AUTO_TEST_CASE(a_power_cut_at_any_sync_loses_and_doubles_nothing) {
    const auto undisturbed = run_with({}, false);
    BOOST_TEST(undisturbed.violations.empty());
    BOOST_TEST(undisturbed.syncs > 10u);
    std::size_t tried = 1;
    for (std::size_t sync = 0; sync < undisturbed.syncs; ++sync) {
        for (const auto& cut : cuts_at(sync)) {
            ++tried;
            for (const auto& violation : run_with(cut, false).violations) {
                BOOST_ERROR(violation.text);
            }
        }
    }
    BOOST_TEST_MESSAGE("twin: " << tried << " schedules of: power cut");
}

BOOST_AUTO_TEST_CASE(a_store_that_does_not_sync_loses_what_was_acknowledged) {
    bool lost = false;
    for (std::size_t sync = 0; sync < 60 && !lost; ++sync) {
        for (const auto& violation : run_with({sync, test::Unsynced::lost}, true).violations) {
            lost = lost || violation.fault == Fault::lost;
        }
    }
    BOOST_TEST(lost, "nothing was found to be lost with synchronous=OFF");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace power_cut_test

}  // namespace sparkhost::twin
