# SPDX-License-Identifier: Apache-2.0
# Shared by the commands of this folder; sourced, never run.
# shellcheck shell=bash

set -euo pipefail
umask 022
export LC_ALL=C.UTF-8
unset CDPATH PYTHONPATH PYTHONHOME

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sparkhost
mkdir -p "$cache/logs"

jobs=${SPARKHOST_JOBS:-$(nproc)}

# Object files are found again from any checkout: paths are taken relative to the root.
export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache}
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# Seconds that a step may take without anything being said of it.
quick=2

# report WHAT COMMAND…: runs the command with its output in a log file. Says nothing when it is
# quick; says what it is and how long so far while it is not; shows the log's end when it fails.
report() {
    local what=$1 log ticker ticks started=$SECONDS status=0
    shift
    log=$cache/logs/$(printf '%s' "$what" | tr -c 'A-Za-z0-9.\n' '-').$$.log
    exec {ticks}<> <(:)
    (
        said=0
        while kill -0 $$ 2>/dev/null; do
            # waits without a process of its own, so nothing is left behind when it is ended
            read -rt "$((said ? 20 : quick))" -u "$ticks" || true
            now=$((SECONDS - started))
            if ((said)); then say "   $what: $now s …"; else say "-- $what …"; fi
            said=1
        done
    ) &
    ticker=$!
    "$@" >"$log" 2>&1 </dev/null {ticks}<&- || status=$?
    kill -KILL "$ticker" 2>/dev/null || true  # by force: it must not run the caller's traps
    wait "$ticker" 2>/dev/null || true
    exec {ticks}<&-
    if ((status)); then
        say "-- $what: failed after $((SECONDS - started)) s; the end of $log:"
        tail -n 60 "$log" >&2
        return "$status"
    fi
    if ((SECONDS - started > quick)); then say "-- $what: done in $((SECONDS - started)) s"; fi
    rm -f "$log"
}

# locked FILE COMMAND…: runs the command while holding a lock, so that two runs do not collide.
# The lock is not handed on to what the command starts in the background.
locked() {
    local lock=$1 fd status=0
    shift
    mkdir -p "$(dirname "$lock")"
    exec {fd}>"$lock"
    if ! flock -n "$fd"; then
        say "-- waiting for another run that holds $lock"
        flock "$fd"
    fi
    "$@" || status=$?
    exec {fd}>&-
    return "$status"
}

# ---- system packages -------------------------------------------------------------------------

packages_build=(
    ca-certificates ccache cmake g++ ninja-build
    libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libboost-program-options1.81-dev
    libsqlitecpp-dev libsqlite3-dev libssl-dev libspdlog-dev prometheus-cpp-dev librestinio-dev
    libyaml-cpp-dev libzip-dev
    openjdk-17-jdk-headless
)
packages_java=(openjdk-17-jdk-headless)
packages_spark=("${packages_java[@]}" python3 python3-venv)
packages_test=("${packages_spark[@]}" git libboost-test1.81-dev clang libclang-rt-14-dev maven
    r-base-core)
packages_clusters=("${packages_java[@]}" gzip maven python3)
packages_clients=(curl python3 python3-venv)
packages_format=(clang-format)
packages_tidy=(clang-tidy)

check_debian() {
    local id='' version=''
    if [[ -r /etc/os-release ]]; then
        id=$(. /etc/os-release && printf '%s' "${ID:-}")
        version=$(. /etc/os-release && printf '%s' "${VERSION_ID:-}")
    fi
    [[ $id == debian && $version == 12 ]]
}

# install_packages NAME…: installs what is missing; asks nobody when nothing is.
install_packages() {
    local missing=() name states as_root=()
    if ! command -v dpkg-query >/dev/null || ! check_debian; then
        say "-- not Debian 12: packages are not installed; on Debian they are called: $*"
        return 0
    fi
    states=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for name in "$@"; do
        grep -qx "$name installed" <<<"$states" || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "missing packages: ${missing[*]}; install them as root"
        as_root=(sudo)
        sudo -v || fail "missing packages: ${missing[*]}; install them as root"
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive)
    local get=("${as_root[@]}" apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    # mends what stands in the way of a second try: an installation that was interrupted, a list
    # of packages that is missing or out of date
    report "installing ${#missing[@]} packages" bash -c '
        "$@" && exit 0
        '"${as_root[*]}"' dpkg --configure -a && "${@:1:'"${#get[@]}"'}" update && exec "$@"' \
        _ "${get[@]}" install --no-install-recommends "${missing[@]}"
}

# ---- Python environments ---------------------------------------------------------------------

venvs=$cache/venvs

# make_venv FOLDER REQUIREMENTS CHECK [OPTION…]: a virtual environment with the pinned packages;
# the options are pip's. Its stamp is written last, so one that was interrupted, or has other
# pins, is made again.
make_venv() {
    local folder=$1 requirements=$2 check=$3 python=/usr/bin/python3 wanted
    shift 3
    wanted=$("$python" -V; grep -v '^#' "$requirements")
    [[ -f $folder/.complete && $(<"$folder/.complete") == "$wanted" ]] && return 0
    report "virtual environment $(basename "$folder")" \
        build_venv "$folder" "$requirements" "$check" "$python" "$@" || return
    printf '%s\n' "$wanted" >"$folder/.complete.new" &&
        mv "$folder/.complete.new" "$folder/.complete"
}

build_venv() (
    # a chain, not `set -e`: bash forgets that inside a condition
    folder=$1 requirements=$2 check=$3 python=$4
    shift 4
    export PYTHONNOUSERSITE=1 PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
    export PYTHONDONTWRITEBYTECODE=1
    # pyspark is a source distribution of some 400 MB that pip unpacks and repacks
    export TMPDIR=$venvs/.building
    trap 'rm -rf "$TMPDIR"' EXIT
    rm -rf "$folder" "$TMPDIR" && mkdir -p "$TMPDIR" && "$python" -m venv "$folder" &&
        "$folder/bin/python" -m pip install setuptools==68.2.2 wheel==0.42.0 &&
        "$folder/bin/python" -m pip install --no-cache-dir --no-build-isolation --no-compile \
            "$@" -r "$requirements" &&
        "$folder/bin/python" -c "$check"
)

pyspark_home() { printf '%s\n' "$1"/lib/python3.*/site-packages/pyspark; }

setup_pyspark() {
    local line=$1
    make_venv "$venvs/pyspark-$line" "$root/tools/requirements/pyspark-$line.txt" \
        'import glob, os, pyspark
assert glob.glob(os.path.join(os.path.dirname(pyspark.__file__), "jars", "spark-core_*.jar"))'
}

setup_tools_venv() {
    make_venv "$venvs/tools" "$root/tools/requirements/tools.txt" 'import httpx, pytest'
}

# ---- Livy's Java classes ---------------------------------------------------------------------

livy_jars=$cache/livy-0.7.1-incubating

# The newest that are on Maven Central: binary jobs in Java need them, and so does Livy's client.
setup_livy_jars() {
    (cd "$livy_jars" 2>/dev/null && sha256sum --check --status "$root/tools/requirements/livy.sha256") ||
        report "Livy's Java classes" fetch_livy_jars
}

fetch_livy_jars() (
    new=$livy_jars.new
    rm -rf "$new" && mkdir -p "$new" || exit
    while read -r _ jar; do
        name=${jar%-0.7.1-incubating.jar}
        mvn -B -q -Dmaven.repo.local="$new/repository" -Dtransitive=false \
            org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get \
            -Dartifact="org.apache.livy:$name:0.7.1-incubating" &&
            cp "$new/repository/org/apache/livy/$name/0.7.1-incubating/$jar" "$new/" || exit
    done <"$root/tools/requirements/livy.sha256"
    cd "$new" && sha256sum --check --quiet "$root/tools/requirements/livy.sha256" &&
        rm -rf repository "$livy_jars" && mv "$new" "$livy_jars"
)

# The clients that the tests run as they are: see tests/clients.
setup_clients() {
    make_venv "$venvs/sparkmagic" "$root/tools/requirements/sparkmagic.txt" \
        'import httpx, pytest, sparkmagic.kernels.pysparkkernel.pysparkkernel' --no-deps &&
        make_venv "$venvs/airflow" "$root/tools/requirements/airflow.txt" \
            'import os, tempfile
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp()  # it writes its settings there
import airflow.providers.apache.livy.operators.livy, httpx, pytest'
}

# Debian's Java 17 where it is there, so that every machine runs the same.
own_java() {
    local java
    java=/usr/lib/jvm/java-17-openjdk-$(dpkg --print-architecture 2>/dev/null || uname -m)
    if [[ ! -x $java/bin/java ]]; then
        java=${JAVA_HOME:-$(readlink -f "$(command -v java || true)" | sed 's|/bin/java$||')}
    fi
    printf '%s\n' "$java"
}

# What the tests are told.
export_paths() {
    JAVA_HOME=$(own_java)
    export JAVA_HOME
    SPARKHOST_TEST_SPARK35=$(pyspark_home "$venvs/pyspark-3.5")
    SPARKHOST_TEST_SPARK4=$(pyspark_home "$venvs/pyspark-4")
    export SPARKHOST_TEST_SPARK35 SPARKHOST_TEST_SPARK4
    export SPARKHOST_TEST_PYTHON35=$venvs/pyspark-3.5/bin/python
    export SPARKHOST_TEST_PYTHON4=$venvs/pyspark-4/bin/python
    export SPARKHOST_TOOLS_PYTHON=$venvs/tools/bin/python
    # what tests make of Spark once: class-data archives, compiled classes
    export SPARKHOST_TEST_CACHE=$cache/tests
    export SPARKHOST_TEST_LIVY_JARS=$livy_jars
    export SPARKHOST_SPARKMAGIC_PYTHON=$venvs/sparkmagic/bin/python
    export SPARKHOST_AIRFLOW_PYTHON=$venvs/airflow/bin/python
}

# What test clusters are made of, or built with: see tools/clusters_build.sh.
setup_clusters() (
    source "$root/tools/clusters_build.sh"
    mkdir -p "$clusters" && find_go && locked "$clusters/hadoop.lock" setup_hadoop
)

# setup GROUP…: build (the libraries and the server), java, spark (with the project's PySpark of
# Spark 3.5), test (with all of them), clusters and clients (that the tests run), format, tidy.
setup() {
    locked "$cache/setup.lock" setup_locked "$@"
}

setup_locked() {
    local group packages=()
    for group in "$@"; do
        local -n list=packages_$group
        packages+=("${list[@]}")
    done
    install_packages "${packages[@]}" || return
    for group in "$@"; do
        case $group in
            spark) setup_pyspark 3.5 || return ;;
            clusters) setup_clusters || return ;;
            clients) setup_clients || return ;;
            test)
                setup_pyspark 3.5 && setup_pyspark 4 && setup_tools_venv && setup_livy_jars ||
                    return ;;
        esac
    done
}

# ---- building --------------------------------------------------------------------------------

# build PRESET [TARGET…]: configures where needed and builds into build/PRESET.
build() {
    locked "$root/build/.$1.lock" build_locked "$@"
}

build_locked() {
    local preset=$1 folder=$root/build/$1
    shift
    if [[ ! -f $folder/build.ninja ]]; then
        report "configuring $preset" \
            cmake -S "$root" --preset "$preset" -B "$folder" || return
    fi
    report "building $preset" cmake --build "$folder" -j "$jobs" ${1:+--target "$@"}
}
