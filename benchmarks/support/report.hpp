// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BENCHMARKS_SUPPORT_REPORT_HPP
#define SPARKHOST_BENCHMARKS_SUPPORT_REPORT_HPP

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::bench {

/// Durations of single operations.
class Samples {
public:
    void add(std::chrono::steady_clock::duration took) {
        seconds_.push_back(std::chrono::duration<double>(took).count());
    }
    void add_all(const Samples& other) {
        seconds_.insert(seconds_.end(), other.seconds_.begin(), other.seconds_.end());
    }
    std::size_t count() const { return seconds_.size(); }
    /// Milliseconds below which this share of the samples lies; 0 without samples.
    double percentile_ms(double share);

private:
    std::vector<double> seconds_{};
    bool sorted_{false};
};

/// One line of a report.
struct Figure {
    std::string what{};
    double value{0};
    std::string unit{};
    /// The goal of the product, where there is one: at least (rates) or at most (times, sizes).
    std::optional<double> at_least{};
    std::optional<double> at_most{};
    /// What it is measured against, in the same run.
    std::string baseline{};
    double ratio{0};  ///< value / baseline; 0: none
};

/// Collects figures, prints them as a table, and writes them as JSON where --json FILE asks for it.
class Report {
public:
    /// Reads `--json FILE` and `--quick`; anything else ends the program with a message.
    Report(std::string name, int argc, char** argv);

    bool quick() const { return quick_; }  ///< a short run, to see that the benchmark works
    void progress(const std::string& text) const;
    void add(Figure figure);
    /// Prints the table. 0; a missed goal is reported, not an error.
    int finish() const;

private:
    std::string name_;
    std::string json_file_{};
    bool quick_{false};
    std::vector<Figure> figures_{};
};

}  // namespace sparkhost::bench

#endif
