// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
)

// What the first process of a container is told through a pipe, so that nothing of it is to be
// seen in a list of processes.
type sandboxOrder struct {
	Root        string // an empty folder that becomes the root
	Hostname    string
	WorkingDir  string
	Binds       []bind
	Arguments   []string
	Environment []string
}

const (
	orderDescriptor   = 3
	problemDescriptor = 4
	openPath          = 0x200000 // O_PATH
)

// runSandbox is the first process of a container: it builds the container's view of the file
// system, starts the program, hands on signals, buries orphans, and ends as the program ends. All
// that is left of the container dies with it, for it is process 1 of a namespace of its own.
func runSandbox() int {
	problems := os.NewFile(problemDescriptor, "problems")
	syscall.CloseOnExec(problemDescriptor)
	var order sandboxOrder
	pipe := os.NewFile(orderDescriptor, "order")
	err := json.NewDecoder(pipe).Decode(&order)
	_ = pipe.Close()
	if err == nil {
		err = enter(&order)
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	pid := 0
	if err == nil {
		pid, err = start(&order)
	}
	if err != nil {
		fmt.Fprint(problems, err)
		return 128
	}
	_ = problems.Close() // tells the kubelet that the program runs
	go func() {
		for one := range signals {
			_ = syscall.Kill(pid, one.(syscall.Signal))
		}
	}()
	return bury(pid)
}

func start(order *sandboxOrder) (int, error) {
	program, err := findProgram(order.Arguments[0], order.Environment)
	if err != nil {
		return 0, err
	}
	return syscall.ForkExec(program, order.Arguments, &syscall.ProcAttr{
		Dir: order.WorkingDir, Env: order.Environment, Files: []uintptr{0, 1, 2}})
}

func findProgram(name string, environment []string) (string, error) {
	if strings.Contains(name, "/") {
		if _, err := os.Stat(name); err != nil {
			return "", fmt.Errorf("exec: %q: %w", name, errors.Unwrap(err))
		}
		return name, nil
	}
	path := ""
	for _, variable := range environment {
		if value, found := strings.CutPrefix(variable, "PATH="); found {
			path = value
		}
	}
	for _, folder := range filepath.SplitList(path) {
		file := filepath.Join(folder, name)
		if about, err := os.Stat(file); err == nil && !about.IsDir() && about.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("exec: %q: executable file not found in $PATH", name)
}

func bury(program int) int {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 128
		}
		if pid != program {
			continue
		}
		if status.Signaled() {
			return 128 + int(status.Signal())
		}
		if status.Exited() {
			return status.ExitStatus()
		}
	}
}

// ---- the file system ---------------------------------------------------------------------------

// A root that shows the machine's, with the container's volumes in it. Folders for mount points
// that the machine lacks exist in memory only: where one is needed, its nearest existing parent is
// replaced by a folder in memory that shows what was there.
type view struct {
	own map[string]bool // folders in which others may be made
}

func enter(order *sandboxOrder) error {
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := syscall.Sethostname([]byte(order.Hostname)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	sort.SliceStable(order.Binds, func(i, j int) bool { return len(order.Binds[i].To) < len(order.Binds[j].To) })
	sources := make([]int, len(order.Binds))
	for i, one := range order.Binds {
		descriptor, err := syscall.Open(one.From, openPath|syscall.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", one.From, err)
		}
		sources[i] = descriptor
	}
	root := &view{own: map[string]bool{"/": true}}
	if err := root.build(order.Root); err != nil {
		return err
	}
	for i, one := range order.Binds {
		if err := root.bind(sources[i], one); err != nil {
			return fmt.Errorf("mounting %s: %w", one.To, err)
		}
		_ = syscall.Close(sources[i])
	}
	return os.MkdirAll(order.WorkingDir, 0o755)
}

func (v *view) build(root string) error {
	if err := mirror("/", root); err != nil {
		return err
	}
	// shows the container's processes; where that is not allowed, the machine's will do
	_ = syscall.Mount("proc", filepath.Join(root, "proc"), "proc", 0, "")
	if err := syscall.Chroot(root); err != nil {
		return fmt.Errorf("changing the root: %w", err)
	}
	return os.Chdir("/")
}

// mirror puts a folder in memory on `to` that shows what `from` has.
func mirror(from, to string) error {
	descriptor, err := syscall.Open(from, openPath|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	defer syscall.Close(descriptor)
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", to, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("a folder in memory on %s: %w", to, err)
	}
	for _, entry := range entries {
		if err := show(fmt.Sprintf("/proc/self/fd/%d/%s", descriptor, entry.Name()),
			filepath.Join(to, entry.Name()), entry); err != nil {
			return fmt.Errorf("showing %s: %w", filepath.Join(from, entry.Name()), err)
		}
	}
	return nil
}

func show(from, to string, entry os.DirEntry) error {
	switch {
	case entry.Type()&os.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case entry.IsDir():
		if err := os.Mkdir(to, 0o755); err != nil {
			return err
		}
	default:
		if err := os.WriteFile(to, nil, 0o644); err != nil {
			return err
		}
	}
	return syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, "")
}

func (v *view) bind(source int, one bind) error {
	var about syscall.Stat_t
	if err := syscall.Fstat(source, &about); err != nil {
		return err
	}
	isFolder := about.Mode&syscall.S_IFMT == syscall.S_IFDIR
	target, err := v.mountPoint(one.To, isFolder)
	if err != nil {
		return err
	}
	if err := syscall.Mount(fmt.Sprintf("/proc/self/fd/%d", source), target, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
		return err
	}
	if one.ReadOnly {
		// without the right to (in a user namespace) it stays writable
		_ = syscall.Mount("", target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	}
	v.own[target] = isFolder
	return nil
}

// mountPoint gives the path to mount on, made where it is missing.
func (v *view) mountPoint(path string, isFolder bool) (string, error) {
	if found, err := filepath.EvalSymlinks(path); err == nil {
		return found, nil
	}
	parent, rest := filepath.Dir(path), []string{filepath.Base(path)}
	for {
		if found, err := filepath.EvalSymlinks(parent); err == nil {
			parent = found
			break
		}
		rest = append([]string{filepath.Base(parent)}, rest...)
		parent = filepath.Dir(parent)
	}
	if !v.own[parent] {
		if err := mirror(parent, parent); err != nil {
			return "", err
		}
		v.own[parent] = true
	}
	for i, name := range rest {
		parent = filepath.Join(parent, name)
		if i == len(rest)-1 && !isFolder {
			return parent, os.WriteFile(parent, nil, 0o644)
		}
		if err := os.Mkdir(parent, 0o755); err != nil {
			return "", err
		}
		v.own[parent] = true
	}
	return parent, nil
}
