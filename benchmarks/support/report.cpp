// SPDX-License-Identifier: Apache-2.0
#include "support/report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>

namespace sparkhost::bench {

namespace {

bool is_met(const Figure& figure) {
    return (!figure.at_least || figure.value >= *figure.at_least) &&
           (!figure.at_most || figure.value <= *figure.at_most);
}

std::string goal_text(const Figure& figure) {
    std::array<char, 48> text{};
    if (figure.at_least) {
        std::snprintf(text.data(), text.size(), ">= %.6g", *figure.at_least);
    } else if (figure.at_most) {
        std::snprintf(text.data(), text.size(), "<= %.6g", *figure.at_most);
    }
    return text.data();
}

}  // namespace

double Samples::percentile_ms(double share) {
    if (seconds_.empty()) {
        return 0;
    }
    if (!std::exchange(sorted_, true)) {
        std::sort(seconds_.begin(), seconds_.end());
    }
    const auto index = static_cast<std::size_t>(share * static_cast<double>(seconds_.size() - 1));
    return seconds_[index] * 1e3;
}

Report::Report(std::string name, int argc, char** argv) : name_(std::move(name)) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--quick") {
            quick_ = true;
        } else if (argument == "--json" && i + 1 < argc) {
            json_file_ = argv[++i];
        } else {
            std::fprintf(stderr, "usage: %s [--quick] [--json FILE]\n", name_.c_str());
            std::exit(2);
        }
    }
}

void Report::progress(const std::string& text) const {
    std::fprintf(stderr, "%s: %s\n", name_.c_str(), text.c_str());
}

void Report::add(Figure figure) {
    figures_.push_back(std::move(figure));
}

int Report::finish() const {
    std::printf("\n%-52s %12s %-7s %-12s %-7s %s\n", name_.c_str(), "figure", "unit", "goal", "",
                "ratio");
    boost::json::array rows;
    for (const auto& figure : figures_) {
        const bool has_goal = figure.at_least || figure.at_most;
        const char* verdict = !has_goal ? "" : is_met(figure) ? "met" : "MISSED";
        std::printf("%-52s %12.4g %-7s %-12s %-7s ", figure.what.c_str(), figure.value,
                    figure.unit.c_str(), goal_text(figure).c_str(), verdict);
        if (figure.ratio > 0) {
            std::printf("%.3g x %s", figure.ratio, figure.baseline.c_str());
        }
        std::printf("\n");
        boost::json::object row{
            {"what", figure.what}, {"value", figure.value}, {"unit", figure.unit}};
        if (has_goal) {
            row.emplace("goal", goal_text(figure));
            row.emplace("met", is_met(figure));
        }
        if (figure.ratio > 0) {
            row.emplace("baseline", figure.baseline);
            row.emplace("ratio", figure.ratio);
        }
        rows.emplace_back(std::move(row));
    }
    if (!json_file_.empty()) {
        std::ofstream file(json_file_);
        file << boost::json::serialize(boost::json::object{{"benchmark", name_}, {"figures", rows}})
             << '\n';
        if (!file.flush()) {
            std::fprintf(stderr, "%s: cannot write %s\n", name_.c_str(), json_file_.c_str());
            return 1;
        }
    }
    return 0;
}

}  // namespace sparkhost::bench
