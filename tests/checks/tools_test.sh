#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the commands in tools/ rely on: reporting, locking, environments that heal.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
source "$(dirname -- "${BASH_SOURCE[0]}")/../../tools/lib.sh"

failures=0
expect() {
    local what=$1
    shift
    if ! "$@"; then
        say "FAILED: $what"
        failures=$((failures + 1))
    fi
}

a_quick_step_says_nothing() {
    local quick=3600  # nothing is slow
    [[ -z $(report 'a quick step' printf 'chatter\n' 2>&1) ]]
}

a_failed_step_shows_its_output_and_its_status() {
    local shown status=0
    shown=$(report 'a bad step' bash -c 'echo the reason; exit 7' 2>&1) || status=$?
    [[ $status == 7 && $shown == *'the reason'* && $shown == *'failed after'* ]]
}

a_step_leaves_no_process_behind() {
    report 'a step' true
    [[ -z $(jobs -rp) ]]
}

the_lock_is_free_again_after_a_failure() {
    ! locked "$scratch/lock" false && locked "$scratch/lock" true
}

the_lock_is_exclusive() {
    locked "$scratch/lock" bash -c '! flock -n "$0" true' "$scratch/lock"
}

# An environment "builds" by writing a file; what else it does is pip's business.
build_venv() {
    mkdir -p "$1" && printf 'built\n' >>"$scratch/builds"
    [[ ! -e $scratch/break ]]
}
builds() { wc -l <"$scratch/builds"; }

an_environment_is_built_once() {
    printf 'thing==1\n' >"$scratch/pins"
    make_venv "$venvs/x" "$scratch/pins" '' && make_venv "$venvs/x" "$scratch/pins" '' &&
        [[ $(builds) == 1 ]]
}

an_environment_is_built_again_for_other_pins() {
    printf 'thing==2\n' >"$scratch/pins"
    make_venv "$venvs/x" "$scratch/pins" '' && [[ $(builds) == 2 ]]
}

an_interrupted_environment_is_built_again() {
    rm "$venvs/x/.complete"
    make_venv "$venvs/x" "$scratch/pins" '' && [[ $(builds) == 3 ]]
}

a_failed_environment_is_not_taken_for_complete() {
    rm "$venvs/x/.complete"
    touch "$scratch/break"
    ! make_venv "$venvs/x" "$scratch/pins" '' 2>/dev/null && [[ ! -e $venvs/x/.complete ]]
}

an_unknown_benchmark_is_an_error() {
    ! "$root/tools/bench" no_such_benchmark 2>/dev/null
}

an_unknown_test_option_is_an_error() {
    ! "$root/tools/test" --no-such-option 2>/dev/null
}

for name in a_quick_step_says_nothing a_failed_step_shows_its_output_and_its_status \
    a_step_leaves_no_process_behind the_lock_is_free_again_after_a_failure \
    the_lock_is_exclusive an_environment_is_built_once \
    an_environment_is_built_again_for_other_pins an_interrupted_environment_is_built_again \
    a_failed_environment_is_not_taken_for_complete an_unknown_benchmark_is_an_error \
    an_unknown_test_option_is_an_error; do
    expect "$name" "$name"
done
say "$failures failures"
exit "$((failures > 0))"
