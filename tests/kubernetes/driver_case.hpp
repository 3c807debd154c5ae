// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_KUBERNETES_DRIVER_CASE_HPP
#define SPARKHOST_TESTS_KUBERNETES_DRIVER_CASE_HPP

// What the tests of driver objects start from.

#include "backends/kubernetes/driver_objects.hpp"

namespace sparkhost::detail::kubernetes {

inline DriverInput plain_driver_input() {
    DriverInput input;
    input.options.image = "spark:test";
    input.options.work_dir = "/var/lib/sparkhost";
    input.options.spark_version = "3.5.9";
    input.api_url = "https://api.example:6443";
    input.default_namespace = "jobs";
    input.namespaces = {"jobs", "team-blue"};
    input.identity = {"0f4c1a2b-0000-4000-8000-000000000000", "spark-0f4c1a2b-batch-7-1",
                      "00112233445566ff"};
    input.application_id = "spark-0123456789abcdef0123456789abcdef";
    input.submit_time = 1790000000000;
    input.spec.file = "local:///opt/app/main.py";
    return input;
}

}  // namespace sparkhost::detail::kubernetes

#endif
