// SPDX-License-Identifier: Apache-2.0
#include "run_a_batch.hpp"

#include <sparkhost/rest/router.hpp>
#include <sparkhost/storages/memory.hpp>

int main() {
    auto mount = [](sparkhost::Host& host) { const sparkhost::rest::Router router(host); };
    return run_a_batch(sparkhost::make_memory_storage(), mount);
}
