// SPDX-License-Identifier: Apache-2.0
#include "matrix_case.hpp"

#include "backends/common/properties_file.hpp"
#include "backends/kubernetes/driver_pod.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <regex>
#include <set>
#include <string>

// Our objects against those that spark-submit sent for the same settings (spark_submit/record.py).
// Every difference is one of the table below, each of which must occur.

namespace sparkhost::detail::kubernetes {

namespace {

struct Difference {
    const char* where;  ///< pattern of the path
    const char* why;
};

// docs/kubernetes_objects.md has the same list for people: keep them alike.
const Difference allowed_differences[] = {
    {R"(.*/metadata/labels/sparkhost\.io/.*|Service/metadata/labels/spark-app-selector|)"
     R"(ConfigMap/metadata/labels/spark-app-selector|Service/spec/selector/sparkhost\.io/.*|)"
     R"(ConfigMap/PROPERTIES/spark\.kubernetes\.executor\.label\.sparkhost\.io/.*)",
     "every object says whose it is, executors too: nothing else is adopted or removed"},
    {R"(Pod/metadata/finalizers/.*)", "the end of the driver is not lost while the host is away"},
    {R"(.*/metadata/name|ConfigMap/PROPERTIES/spark\.(driver\.host|kubernetes\.driver\.pod\.name)|)"
     R"(.*/volumes/spark-conf-volume-driver/configMap/name|.*/persistentVolumeClaim/claimName|)"
     R"(PersistentVolumeClaim[^/]*/.*)",
     "names come from store, batch and attempt: the same submission twice is one driver"},
    {R"(.*/metadata/namespace)", "stands in each object, too, not only in the request's path"},
    {R"(.*/metadata/ownerReferences/.*)",
     "set when the pod's uid is known; the ConfigMap comes before the pod, and is released by "
     "name"},
    {R"(.*/env/SPARK_LOCAL_DIRS/value|.*/volumeMounts/spark-local-dir-[12]/mountPath)",
     "named after the application, not after a UUID of its own; Spark 4.3 shuffles "
     "spark.local.dir"},
    {R"(.*/env/SPARK_USER/value)", "the request's user, not the user that the server runs as"},
    {R"(ConfigMap/PROPERTIES/spark\.kubernetes\.submission\.waitAppCompletion)",
     "only spark-submit reads it"},
    {R"(ConfigMap/PROPERTIES/spark\.kubernetes\.driver\.podTemplate.*)",
     "the template has been used; its path is nobody's business"},
    {R"(Pod/spec/containers/[^/]*/name)",
     "Spark's container is always called spark-kubernetes-driver: its state and log are looked up "
     "by that name"},
    {R"(.*/env/[^/]*#2/.*)",
     "a variable of the template that Spark sets, too, is replaced, not given twice"},
    {R"(Pod/spec/containers/.*/ports/blockmanager/containerPort)",
     "the port that the driver is told to use (spark.driver.blockManager.port), where Spark "
     "writes spark.blockManager.port"},
    {R"(Pod/spec/containers/[^/]*/volumeMounts/[^/]*/(subPath|subPathExpr))",
     "an empty path is left out"},
    {R"(Pod/metadata/labels/app|Service/spec/selector/app)",
     "{{APP_ID}} in a label counts with Spark 3.5, too"},
    {R"(Service/spec/publishNotReadyAddresses)", "Spark 4.3 writes the API server's default"},
    {R"(NetworkPolicy/.*)",
     "Spark 4.3 lets only its own pods reach executors; a rule of the namespace belongs to the "
     "cluster's operator, and would need one more right"},
};

using Flat = std::map<std::string, std::string>;

/// Entries of lists are named after their "name" or "key", doubled ones with "#2" behind it.
void flatten(const json::value& value, const std::string& path, Flat& flat) {
    if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            flatten(member, path + "/" + std::string(key), flat);
        }
        if (object->empty()) {
            flat[path] = "{}";
        }
    } else if (const auto* array = value.if_array()) {
        std::map<std::string, int> seen;
        for (std::size_t i = 0; i < array->size(); ++i) {
            const auto* entry = (*array)[i].if_object();
            std::string name = entry != nullptr ? text_in(*entry, "name") : std::string();
            name = name.empty() && entry != nullptr ? text_in(*entry, "key") : name;
            name = name.empty() ? std::to_string(i) : name;
            if (entry != nullptr && entry->contains("args")) {
                name = "SPARK";
            }
            const int times = ++seen[name];
            flatten((*array)[i], path + "/" + name + (times > 1 ? "#2" : ""), flat);
        }
    } else {
        flat[path] = value.is_string() ? std::string(value.as_string()) : json::serialize(value);
    }
}

Flat flat_recording(const json::array& objects) {
    Flat flat;
    for (const auto& each : objects) {
        json::object object = each.as_object();
        if (auto* data = object.if_contains("data")) {
            flatten(data->as_object().at("spark.properties"), "ConfigMap/PROPERTIES", flat);
            data->as_object().erase("spark.properties");
        }
        const std::string kind = text_in(object, "kind");
        flatten(object, kind, flat);
    }
    return flat;
}

std::string with_words(std::string text, const DriverInput& input) {
    for (auto [from, to] : {std::pair{input.application_id, "APP_ID"},
                            {input.api_url, "API_SERVER"},
                            {std::to_string(input.submit_time), "TIME"}}) {
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from)) {
            text.replace(at, from.size(), to);
        }
    }
    return text;
}

Flat flat_objects(const DriverObjects& objects, const DriverInput& input) {
    Flat flat;
    json::object config_map = objects.config_map;
    auto& data = config_map.at("data").as_object();
    BOOST_TEST_REQUIRE(data.contains("spark.properties"));
    auto properties = parse_properties(data.at("spark.properties").as_string());
    BOOST_TEST_REQUIRE(properties.has_value());
    for (const auto& [key, value] : *properties) {
        flat["ConfigMap/PROPERTIES/" + key] = value;
    }
    data.erase("spark.properties");
    flatten(config_map, "ConfigMap", flat);
    flatten(objects.pod, "Pod", flat);
    flatten(objects.service, "Service", flat);
    for (const auto& claim : objects.claims) {
        flatten(claim, "PersistentVolumeClaim", flat);
    }
    for (auto& [path, value] : flat) {
        value = with_words(value, input);
    }
    return flat;
}

std::string value_at(const Flat& flat, const std::string& path) {
    const auto found = flat.find(path);
    return found == flat.end() ? "(nothing)" : found->second;
}

/// Reports what differs and stands in no row; marks the rows that were needed.
void compare(const Flat& ours, const Flat& sparks, std::set<const Difference*>& used) {
    std::set<std::string> paths;
    for (const auto* flat : {&ours, &sparks}) {
        for (const auto& each : *flat) {
            paths.insert(each.first);
        }
    }
    for (const auto& path : paths) {
        if (value_at(ours, path) == value_at(sparks, path)) {
            continue;
        }
        const Difference* reason = nullptr;
        for (const auto& row : allowed_differences) {
            if (reason == nullptr && std::regex_match(path, std::regex(row.where))) {
                reason = &row;
            }
        }
        BOOST_TEST((reason != nullptr), path << ": ours is " << value_at(ours, path)
                                             << ", Spark's is " << value_at(sparks, path));
        used.insert(reason);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_driver_golden)

BOOST_AUTO_TEST_CASE(objects_are_those_of_spark_submit_but_for_what_the_table_explains) {
    const json::value matrix = read_json(SPARKHOST_SPARK_SUBMIT_DIR "/matrix.json");
    std::set<const Difference*> used;
    for (const char* recording : {"spark-3.5.json", "spark-4.json"}) {
        const json::value recorded =
            read_json(std::string(SPARKHOST_SPARK_SUBMIT_DIR "/") + recording);
        const std::string version(recorded.at("spark").as_string());
        for (const auto& each : matrix.at("cases").as_array()) {
            const std::string name(each.at("name").as_string());
            BOOST_TEST_CONTEXT(version << " " << name) {
                const auto* sparks = recorded.at("cases").as_object().if_contains(name);
                BOOST_TEST_REQUIRE(sparks != nullptr, "record it: spark_submit/record.py");
                const DriverInput input = input_of(each.as_object(), version);
                auto objects = make_driver_objects(input);
                BOOST_TEST_REQUIRE(objects.has_value(), objects.error().text());
                compare(flat_objects(*objects, input), flat_recording(sparks->as_array()), used);
            }
        }
    }
    for (const auto& row : allowed_differences) {
        BOOST_TEST(used.contains(&row), "no longer needed: " << row.where);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
