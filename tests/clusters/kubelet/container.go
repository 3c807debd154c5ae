// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// A container that runs as processes of this machine.
type process struct {
	command *exec.Cmd
	logged  chan struct{} // closed when its output has been written

	mutex sync.Mutex
	ended bool
}

// launch starts the first process of a container and waits until the program itself runs.
func launch(order *sandboxOrder, logFile string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var pipes [3][2]*os.File // output, order, problems
	for i := range pipes {
		if pipes[i][0], pipes[i][1], err = os.Pipe(); err != nil {
			return nil, err
		}
	}
	output, orders, problems := pipes[0], pipes[1], pipes[2]
	command := exec.Command(self, "sandbox")
	command.Env = []string{}
	command.Stdout, command.Stderr = output[1], output[1]
	command.ExtraFiles = []*os.File{orders[0], problems[1]}
	command.SysProcAttr = sandboxAttributes()
	err = command.Start()
	for _, file := range []*os.File{output[1], orders[0], problems[1]} {
		_ = file.Close()
	}
	if err != nil {
		return nil, err
	}
	started := &process{command: command, logged: make(chan struct{})}
	go func() {
		defer close(started.logged)
		_ = writeLog(output[0], logFile)
	}()
	_ = json.NewEncoder(orders[1]).Encode(order)
	_ = orders[1].Close()
	problem, _ := io.ReadAll(problems[0])
	_ = problems[0].Close()
	if len(problem) > 0 {
		started.wait()
		return nil, errors.New(string(problem))
	}
	return started, nil
}

// Namespaces of its own; without root, those of a user of its own as well. Should the kubelet die,
// so do its containers.
func sandboxAttributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attributes
}

// writeLog writes each line with the moment at which it came, until the output's end.
func writeLog(output io.ReadCloser, path string) error {
	defer output.Close()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewReaderSize(output, 1<<16)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			if line[len(line)-1] != '\n' {
				line += "\n"
			}
			if _, err := file.WriteString(time.Now().UTC().Format(logTime) + " " + line); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

const logTime = "2006-01-02T15:04:05.000000000Z07:00"

// wait gives the exit code as a container runtime tells it: 128 and the signal where there was one.
func (p *process) wait() int {
	_ = p.command.Wait()
	p.mutex.Lock()
	p.ended = true
	p.mutex.Unlock()
	<-p.logged
	status := p.command.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// signal reaches the program by way of the first process; SIGKILL ends all of the container.
func (p *process) signal(one syscall.Signal) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.ended {
		_ = p.command.Process.Signal(one)
	}
}
