# SPDX-License-Identifier: Apache-2.0
# The programs of test clusters: what tools/clusters builds, and how. Sourced after lib.sh.
# shellcheck shell=bash

clusters=$cache/clusters
# the Go that builds them, where the machine has none that is new enough: a Go module itself
go_wanted=1.26.0
go_module=golang.org/toolchain@v0.0.1-go1.26.0.linux-$(dpkg --print-architecture 2>/dev/null || echo amd64)
go_sum=h1:1p2G5COR51f8Q3EQ4HLJQDDL2ytLEqfL/yTawB0Jr8w=
kubernetes_version=v1.36.3

go_is_new_enough() {
    local version
    version=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) &&
        [[ $(printf '%s\n' "go$go_wanted" "$version" | sort -V | head -1) == "go$go_wanted" ]]
}

# find_go: sets `go` to a Go that is new enough.
find_go() {
    go=$(command -v go || true)
    if [[ $go ]] && go_is_new_enough "$go"; then return; fi
    go=$clusters/go-$go_wanted/bin/go
    if [[ -x $go ]]; then return; fi
    [[ $(command -v go) ]] || install_packages golang-go || return
    report "Go $go_wanted" fetch_go
}

# By any Go that knows modules, Debian's, too. It compares the checksum with the public database's.
fetch_go() (
    new=$clusters/go.new
    rm -rf "$new" && mkdir -p "$new/module" && cd "$new/module" && printf 'module toolchain\n' >go.mod || exit
    export GOTOOLCHAIN=local GOPATH=$new/path GOMODCACHE=$new/modules GOCACHE=$new/cache GOFLAGS=-modcacherw
    about=$(go mod download -json "$go_module") || exit
    [[ $go_module != *amd64 || $about == *"\"Sum\": \"$go_sum\""* ]] || { echo "another checksum: $about"; exit 1; }
    tree=$new/modules/$go_module
    # as the go command does: what a module may not contain has other names in it
    chmod +x "$tree"/bin/* "$tree"/pkg/tool/*/* || exit
    find "$tree" -name _go.mod | while read -r file; do
        cp "$file" "${file%_go.mod}go.mod" || exit
    done
    "$tree/bin/go" version && mv "$tree" "$clusters/go-$go_wanted" && rm -rf "$new"
)

sources_hash() { # of a Go module in tests/clusters, and of what it is built with
    (cd "$root/tests/clusters/$1" && { printf '%s\n' "$go_wanted" "$kubernetes_version"
        sha256sum -- *.go go.*; } | sha256sum | cut -c1-16)
}

# go_program NAME [LINKER FLAG]: a program of a Go module of tests/clusters, compressed in the
# cache under the hash of its sources. The build's own caches (3 GB) live as long as it does.
go_program() {
    local name=$1 file
    file=$clusters/$name-$(sources_hash "$name").gz
    if [[ ! -f $file ]]; then
        find_go || return
        report "building $name" build_go_program "$file" "$@" || return
        find "$clusters" -maxdepth 1 -name "$name-*.gz" -mtime +30 -delete
    fi
    touch -c "$file"
}

build_go_program() (
    file=$1 name=$2 flags=${3:-}
    scratch=$clusters/building-$name
    rm -rf "$scratch" && mkdir -p "$scratch" || exit
    trap 'rm -rf "$scratch"' EXIT
    export GOPATH=$scratch/path GOMODCACHE=$scratch/modules GOCACHE=$scratch/cache TMPDIR=$scratch
    export GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS='-modcacherw -buildvcs=false -mod=readonly'
    cd "$root/tests/clusters/$name" &&
        "$go" build -p "$jobs" -trimpath -ldflags "-s -w $flags" -o "$scratch/$name" . &&
        gzip -1 <"$scratch/$name" >"$file.new" || exit
    if compgen -G '*_test.go' >/dev/null; then
        "$go" test -c -trimpath -ldflags '-s -w' -o "$scratch/$name.test" . &&
            gzip -1 <"$scratch/$name.test" >"${file%.gz}.test.gz" || exit
    fi
    mv "$file.new" "$file"
)

# unpack NAME: the program itself, for as long as the machine keeps its temporary files.
unpack() {
    local target=$kubernetes_programs/$1
    [[ -x $target ]] || {
        gzip -dc <"$clusters/$1-$(sources_hash "$1").gz" >"$target.new" &&
            chmod +x "$target.new" && mv "$target.new" "$target"
    }
}

kubernetes_programs=

build_kubernetes() {
    mkdir -p "$clusters"
    kubernetes_programs=${TMPDIR:-/tmp}/sparkhost-clusters-$EUID/programs-$(sources_hash controlplane)-$(sources_hash kubelet)
    # what is there is used without waiting for whoever builds something else
    [[ -x $kubernetes_programs/controlplane && -x $kubernetes_programs/kubelet ]] ||
        locked "$clusters/lock" build_kubernetes_locked || fail "the cluster's programs cannot be built"
}

build_kubernetes_locked() {
    local version=k8s.io/component-base/version
    go_program kubelet || return
    go_program controlplane "-X $version.gitVersion=$kubernetes_version -X $version.gitMajor=1 -X $version.gitMinor=36" ||
        return
    mkdir -p -m 700 "${kubernetes_programs%/*}" && mkdir -p "$kubernetes_programs" &&
        unpack kubelet && unpack controlplane
}

# test_kubelet: the kubelet's own tests, as they were built with it.
test_kubelet() {
    local scratch status=0
    scratch=$(mktemp -d)
    gzip -dc <"$clusters/kubelet-$(sources_hash kubelet).test.gz" >"$scratch/kubelet.test" &&
        chmod +x "$scratch/kubelet.test" && "$scratch/kubelet.test" -test.timeout 5m || status=$?
    rm -rf "$scratch"
    return "$status"
}

# ---- Hadoop's daemons: YARN, HDFS ------------------------------------------------------------

hadoop_locks=$root/tools/requirements/hadoop.sha256
hadoop_jars=$clusters/hadoop-$(sha256sum <"$hadoop_locks" | cut -c1-16)

# setup_hadoop: their jars, from Maven Central.
setup_hadoop() {
    if [[ ! -d $hadoop_jars ]]; then
        report "Hadoop's jars" fetch_hadoop || return
        find "$clusters" -maxdepth 1 -name 'hadoop-*' -mtime +30 ! -path "$hadoop_jars" -exec rm -rf {} +
    fi
    touch "$hadoop_jars"
}

fetch_hadoop() (
    new=$clusters/hadoop.new
    rm -rf "$new" && mkdir -p "$new" || exit
    for attempt in 1 2 3; do  # what has come stays in the repository
        mvn -B -q -Dmaven.repo.local="$new/repository" -f "$root/tests/clusters/yarn/pom.xml" \
            org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$new/jars" && break
        ((attempt < 3)) || exit
    done
    cd "$new/jars" && sha256sum --check --quiet "$hadoop_locks" &&
        mv "$new/jars" "$hadoop_jars" && rm -rf "$new"
)
