// SPDX-License-Identifier: Apache-2.0
// Prints the objects of every case of matrix.json, a JSON object {"case", "objects"} a line:
// print_objects MATRIX SPARK_VERSION NAMESPACE
#include "matrix_case.hpp"

#include <boost/json/serialize.hpp>

#include <exception>
#include <iostream>

int main(int count, char** arguments) {
    using namespace sparkhost::detail::kubernetes;
    try {
        if (count != 4) {
            std::cerr << "print_objects MATRIX SPARK_VERSION NAMESPACE\n";
            return 2;
        }
        int number = 0;
        const json::value matrix = read_json(arguments[1]);
        for (const auto& each : matrix.at("cases").as_array()) {
            DriverInput input = input_of(each.as_object(), arguments[2]);
            input.default_namespace = arguments[3];
            input.identity.ticket = "spark-0f4c1a2b-case-" + std::to_string(++number) + "-1";
            DriverObjects objects = make_driver_objects(input).value();
            json::array list{objects.config_map, objects.pod, objects.service};
            if (!objects.secret.empty()) {
                list.push_back(objects.secret);
            }
            for (const auto& claim : objects.claims) {
                list.push_back(claim);
            }
            std::cout << json::serialize(json::object{{"case", each.at("name")}, {"objects", list}})
                      << "\n";
        }
        return 0;
    } catch (const std::exception& failure) {
        std::cerr << failure.what() << "\n";
        return 1;
    }
}
