// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TWIN_MUTANTS_HPP
#define SPARKHOST_TESTS_UNIT_TWIN_MUTANTS_HPP

// Faults that a host could have, each as small as can be, so that the twin can be seen to find
// them. What the host would do wrong is done for it by what stands between it and its plug-ins.

#include "twin.hpp"

namespace sparkhost::twin {

/// The ticket becomes durable only with what is stored next: its application has been submitted by
/// then.
Mutation submits_before_persisting_the_ticket();

/// What is stored with the phase `reserved` has no ticket.
Mutation forgets_to_persist_the_ticket();

/// Who asks for something new is answered at once; it becomes durable with what is stored next.
Mutation acknowledges_before_the_commit();

/// A ticket that an earlier host has reserved is not submitted: a new one is made.
Mutation mints_a_new_token_at_recovery();

/// A kill is taken for done while a submit of the same ticket is on its way to the cluster.
Mutation kill_ignores_an_inflight_submit();

}  // namespace sparkhost::twin

#endif
