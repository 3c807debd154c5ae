// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_PROCESS_HPP
#define SPARKHOST_EXAMPLES_SERVER_PROCESS_HPP

#include <string>

namespace server {

/// Makes the folder where it is missing, for its owner alone: what is in it is the output of
/// whoever submits batches. Throws std::runtime_error.
void make_data_dir(const std::string& dir);

/// As the first process of a container, goes on in a child and stays behind as its init: takes
/// the exit statuses of orphans, which supervisors are, hands signals on, and ends as the child
/// does. Does nothing elsewhere. Call it before any thread exists.
void leave_init_behind();

/// Allows as many descriptors as the system lets this process have: each client takes one, and
/// the usual 1024 are soon used up.
void raise_descriptor_limit();

}  // namespace server

#endif
