// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_PROCESS_HPP
#define SPARKHOST_EXAMPLES_SERVER_PROCESS_HPP

#include <chrono>
#include <cstddef>
#include <string>

namespace server {

/// Makes the folder where it is missing, for its owner alone: what is in it is the output of
/// whoever submits batches. Throws std::runtime_error.
void make_data_dir(const std::string& dir);

/// As the first process of a container, goes on in a child and stays behind as its init: takes
/// the exit statuses of orphans, which supervisors are, hands signals on, and ends as the child
/// does. Does nothing elsewhere. Call it before any thread exists.
void leave_init_behind();

/// What cannot be written, for a limit on the size of files or a log that nobody reads any more, is
/// an error of that write, and not the end of the server. (Drivers begin with the defaults.)
void survive_failed_writes();

/// Allows as many descriptors as the system lets this process have: each client takes one, and
/// the usual 1024 are soon used up.
void raise_descriptor_limit();

std::size_t descriptor_limit();

/// Ends the process with status 1, and a line on stderr, when it is still there after so long: a
/// disk that does not answer must not keep it. Nothing that was accepted is lost by it.
void end_within(std::chrono::milliseconds time);
void cancel_end();  ///< it may stay

}  // namespace server

#endif
