// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A pod that is bound to this node, from then until its object is gone.
type pod struct {
	node   *node
	object *podObject
	folder string
	ip     string

	mutex      sync.Mutex
	state      podState
	conditions []condition
	processes  map[string]*process
	kills      map[string]string // container -> why it was killed, where that is said
	leaving    bool
	stop       context.Context // over when the pod is to end
	cancel     context.CancelFunc
	done       chan struct{} // closed when nothing of it runs any more

	reporting sync.Mutex // reports keep their order
}

// What tests write on pods that shall come to grief: seconds after the start.
const (
	oomAnnotation   = "sparkhost-test/oom-kill-after"
	evictAnnotation = "sparkhost-test/evict-after"
)

func newPod(on *node, object *podObject, ip string) *pod {
	stop, cancel := context.WithCancel(context.Background())
	made := &pod{node: on, object: object, ip: ip, stop: stop, cancel: cancel,
		folder:    filepath.Join(on.folder, "pods", object.Metadata.UID),
		processes: map[string]*process{}, kills: map[string]string{}, done: make(chan struct{})}
	made.state = podState{containers: map[string]containerState{}, started: now(), nodeIP: on.ip, ip: ip}
	return made
}

func (p *pod) path() string {
	return "/api/v1/namespaces/" + p.object.Metadata.Namespace + "/pods/" + p.object.Metadata.Name
}

func (p *pod) facts() *podFacts {
	return &podFacts{pod: p.object, node: p.node.name, nodeIP: p.node.ip, ip: p.ip}
}

// run is the pod's life.
func (p *pod) run() {
	defer p.bequeath()
	p.report()
	if !p.pullImages() {
		return
	}
	volumes, mounted := p.mountVolumes()
	if !mounted {
		return
	}
	for _, one := range p.object.Spec.InitContainers {
		if code := p.runContainer(one, volumes); code != 0 {
			return
		}
	}
	defer p.afterSome()()
	var all sync.WaitGroup
	for _, one := range p.object.Spec.Containers {
		all.Add(1)
		go func() {
			defer all.Done()
			p.runContainer(one, volumes)
		}()
	}
	all.Wait()
}

// bequeath reports how the pod ended; where its object was to be deleted it goes now, or stays for
// as long as someone's finalizer keeps it.
func (p *pod) bequeath() {
	p.mutex.Lock()
	if p.leaving {
		p.giveUpContainers()
	}
	p.mutex.Unlock()
	p.report()
	p.node.release(p)
	close(p.done)
	p.mutex.Lock()
	leaving := p.leaving
	p.mutex.Unlock()
	if leaving {
		p.remove()
	}
}

// Containers that never ran, or of which nothing is known, when their pod ends; mutex held.
func (p *pod) giveUpContainers() {
	lists := [][]container{p.object.Spec.InitContainers, p.object.Spec.Containers}
	for _, list := range lists {
		for _, one := range list {
			if p.state.containers[one.Name].Terminated == nil {
				p.state.containers[one.Name] = containerState{Terminated: &terminated{ExitCode: 137,
					Reason:    "ContainerStatusUnknown",
					Message:   "The container could not be located when the pod was terminated",
					StartedAt: now(), FinishedAt: now()}}
			}
		}
	}
}

func (p *pod) remove() {
	body := map[string]any{"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0,
		"preconditions": map[string]string{"uid": p.object.Metadata.UID}}
	err := p.node.api.persist(context.Background(), "deleting "+p.object.Metadata.Name, func() error {
		return p.node.api.call(http.MethodDelete, p.path(), jsonBody, body, nil)
	})
	if err != nil && !hasCode(err, 404) && !hasCode(err, 409) {
		log.Printf("deleting %s: %v", p.object.Metadata.Name, err)
	}
}

// report tells the API server where the pod stands; it insists.
func (p *pod) report() {
	p.reporting.Lock()
	defer p.reporting.Unlock()
	p.mutex.Lock()
	status := buildStatus(p.object, &p.state, p.conditions)
	p.conditions = status.Conditions
	p.mutex.Unlock()
	body := map[string]any{"metadata": map[string]string{"uid": p.object.Metadata.UID}, "status": status}
	err := p.node.api.persist(context.Background(), "status of "+p.object.Metadata.Name,
		func() error { return p.node.api.patch(p.path()+"/status", body) })
	if err != nil && !hasCode(err, 404) && !hasCode(err, 409) {
		log.Printf("status of %s: %v", p.object.Metadata.Name, err)
	}
}

func (p *pod) set(name string, state containerState) {
	p.mutex.Lock()
	p.state.containers[name] = state
	p.mutex.Unlock()
}

// pause waits for a second try; false when the pod is to end instead.
func (p *pod) pause(wait *time.Duration) bool {
	select {
	case <-p.stop.Done():
		return false
	case <-time.After(*wait):
		*wait = min(2**wait, time.Second)
		return true
	}
}

// ---- images and volumes ------------------------------------------------------------------------

// pullImages is false when the pod ends before every image is there.
func (p *pod) pullImages() bool {
	all := append(append([]container(nil), p.object.Spec.InitContainers...), p.object.Spec.Containers...)
	for _, one := range all {
		refused := p.node.images.refusal(one.Image)
		if refused == nil {
			p.node.event(p.object, "Normal", "Pulled", fmt.Sprintf("Container image %q already present on machine", one.Image))
			continue
		}
		p.refuse(one, refused)
		return false
	}
	return true
}

// An image that cannot be had stays so, told as a kubelet tells it: in turns.
func (p *pod) refuse(one container, refused *waiting) {
	wait := 500 * time.Millisecond
	for {
		for _, shown := range []*waiting{refused, backOff(one.Image, refused)} {
			p.set(one.Name, containerState{Waiting: shown})
			p.report()
			switch shown.Reason {
			case "ErrImagePull":
				p.node.event(p.object, "Normal", "Pulling", fmt.Sprintf("Pulling image %q", one.Image))
				p.node.event(p.object, "Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", one.Image, shown.Message))
				p.node.event(p.object, "Warning", "Failed", "Error: ErrImagePull")
			case "ImagePullBackOff":
				p.node.event(p.object, "Normal", "BackOff", fmt.Sprintf("Back-off pulling image %q", one.Image))
			default:
				p.node.event(p.object, "Warning", "InspectFailed", shown.Message)
				<-p.stop.Done()
				return
			}
			if !p.pause(&wait) {
				return
			}
		}
	}
}

func (p *pod) mountVolumes() (map[string]string, bool) {
	folders := map[string]string{}
	for _, one := range p.object.Spec.Volumes {
		folder, mounted := p.mountVolume(&one)
		if !mounted {
			return nil, false
		}
		if folder != "" {
			folders[one.Name] = folder
		}
	}
	return folders, true
}

// mountVolume tries until it can, as a kubelet does: the ConfigMap may be on its way.
func (p *pod) mountVolume(one *volume) (string, bool) {
	if one.HostPath != nil {
		return one.HostPath.Path, true
	}
	folder := filepath.Join(p.folder, "volumes", one.Name)
	wait, told := 50*time.Millisecond, ""
	for {
		files, err := volumeFiles(one, p.facts(), p.lookUp, p.token)
		if err == nil {
			err = writeVolume(folder, files)
		}
		if err == nil {
			return folder, true
		}
		if text := fmt.Sprintf("MountVolume.SetUp failed for volume %q : %v", one.Name, err); text != told {
			told = text
			p.node.event(p.object, "Warning", "FailedMount", text)
		}
		if !p.pause(&wait) {
			return "", false
		}
	}
}

func (p *pod) lookUp(kind, name string) (*keyed, error) {
	found := &keyed{kind: kind, name: name, data: map[string][]byte{}}
	var object struct {
		Data       map[string]string `json:"data"`
		BinaryData map[string]string `json:"binaryData"`
	}
	path := "/api/v1/namespaces/" + p.object.Metadata.Namespace + "/" + kind + "s/" + name
	if err := p.node.api.get(path, &object); err != nil {
		return nil, err
	}
	encoded := object.BinaryData
	if kind == "secret" {
		encoded = object.Data
	} else {
		for key, text := range object.Data {
			found.data[key] = []byte(text)
		}
	}
	for key, text := range encoded {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		found.data[key] = data
	}
	return found, nil
}

func (p *pod) token(audience string, seconds *int64) ([]byte, error) {
	spec := map[string]any{"boundObjectRef": map[string]string{"kind": "Pod", "apiVersion": "v1",
		"name": p.object.Metadata.Name, "uid": p.object.Metadata.UID}}
	if audience != "" {
		spec["audiences"] = []string{audience}
	}
	if seconds != nil {
		spec["expirationSeconds"] = *seconds
	}
	var answer struct {
		Status struct {
			Token string `json:"token"`
		} `json:"status"`
	}
	err := p.node.api.post("/api/v1/namespaces/"+p.object.Metadata.Namespace+"/serviceaccounts/"+
		p.object.Spec.ServiceAccountName+"/token",
		map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}, &answer)
	return []byte(answer.Status.Token), err
}

// ---- containers --------------------------------------------------------------------------------

// runContainer gives the exit code; one that is not 0 when it could not be run.
func (p *pod) runContainer(one container, volumes map[string]string) int {
	order, going := p.order(&one, volumes)
	if !going {
		return 137
	}
	begun := now()
	p.node.event(p.object, "Normal", "Created", "Created container: "+one.Name)
	p.mutex.Lock()
	if p.stop.Err() != nil {
		p.mutex.Unlock()
		return 137
	}
	started, err := launch(order, p.logFile(one.Name))
	if err != nil {
		p.mutex.Unlock()
		p.node.event(p.object, "Warning", "Failed", "Error: "+err.Error())
		p.end(one.Name, terminated{ExitCode: 128, Reason: "StartError", StartedAt: begun,
			Message: "failed to create containerd task: " + err.Error()})
		return 128
	}
	p.processes[one.Name] = started
	p.state.containers[one.Name] = containerState{Running: &running{StartedAt: begun}}
	p.mutex.Unlock()
	p.node.event(p.object, "Normal", "Started", "Started container "+one.Name)
	p.report()
	code := started.wait()
	ended := terminated{ExitCode: code, Reason: "Completed", StartedAt: begun}
	p.mutex.Lock()
	if code != 0 {
		ended.Reason = "Error"
	}
	if why := p.kills[one.Name]; why != "" {
		ended.Reason = why
	}
	delete(p.processes, one.Name)
	p.mutex.Unlock()
	p.end(one.Name, ended)
	return code
}

func (p *pod) end(name string, how terminated) {
	how.FinishedAt = now()
	how.ContainerID = containerID(p.object, name)
	p.set(name, containerState{Terminated: &how})
	p.mutex.Lock()
	over := phase(&p.object.Spec, &p.state)
	p.mutex.Unlock()
	if over == "Running" || over == "Pending" { // the end of all is reported once, by bequeath
		p.report()
	}
}

// order puts together what the container's first process is told; it waits for what is missing.
func (p *pod) order(one *container, volumes map[string]string) (*sandboxOrder, bool) {
	wait, told := 100*time.Millisecond, ""
	for {
		made, err := p.tryOrder(one, volumes)
		if err == nil {
			return made, true
		}
		if err.Error() != told {
			told = err.Error()
			p.node.event(p.object, "Warning", "Failed", "Error: "+told)
			p.set(one.Name, containerState{Waiting: &waiting{"CreateContainerConfigError", told}})
			p.report()
		}
		if !p.pause(&wait) {
			return nil, false
		}
	}
}

func (p *pod) tryOrder(one *container, volumes map[string]string) (*sandboxOrder, error) {
	base := baseEnvironment(p.object, p.node.service, p.node.environment)
	variables, err := environment(one, p.facts(), p.lookUp, base)
	if err != nil {
		return nil, err
	}
	arguments := append([]string(nil), one.Command...)
	if len(arguments) == 0 {
		arguments = []string{p.node.images[one.Image]}
	}
	arguments = append(arguments, one.Args...)
	for i := range arguments {
		arguments[i] = expand(arguments[i], variables)
	}
	mounts, err := binds(one, volumes)
	if err != nil {
		return nil, err
	}
	root, work := filepath.Join(p.folder, "roots", one.Name), one.WorkingDir
	if work == "" {
		work = filepath.Join(p.folder, "work", one.Name)
		if err := os.MkdirAll(work, 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	mounts = append(mounts, bind{From: p.node.names.path, To: "/etc/hosts"})
	return &sandboxOrder{Root: root, Hostname: p.object.Metadata.Name, WorkingDir: work, Binds: mounts,
		Arguments: arguments, Environment: variables}, nil
}

func (p *pod) logFile(container string) string { return filepath.Join(p.folder, container+".log") }

// ---- ends --------------------------------------------------------------------------------------

// afterSome starts the clocks of what shall befall the pod; its result stops them.
func (p *pod) afterSome() func() {
	var clocks []*time.Timer
	after := func(text string, what func()) {
		if seconds, err := strconv.ParseFloat(text, 64); err == nil {
			clocks = append(clocks, time.AfterFunc(time.Duration(seconds*float64(time.Second)), what))
		}
	}
	after(p.object.Metadata.Annotations[oomAnnotation], p.outOfMemory)
	after(p.object.Metadata.Annotations[evictAnnotation], func() {
		p.evict("Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi.")
	})
	if limit := p.object.Spec.ActiveDeadlineSeconds; limit != nil {
		after(fmt.Sprint(*limit), func() {
			p.evict("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
		})
	}
	return func() {
		for _, clock := range clocks {
			clock.Stop()
		}
	}
}

func (p *pod) outOfMemory() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.object.Spec.Containers) == 0 {
		return
	}
	name := p.object.Spec.Containers[0].Name
	if process := p.processes[name]; process != nil {
		p.kills[name] = "OOMKilled"
		process.signal(syscall.SIGKILL)
	}
}

func (p *pod) evict(reason, message string) {
	p.node.event(p.object, "Warning", reason, message)
	p.mutex.Lock()
	p.state.reason, p.state.message = reason, message
	p.mutex.Unlock()
	p.kill(0)
}

// leave ends the pod because its object is to be deleted.
func (p *pod) leave(grace time.Duration) {
	p.mutex.Lock()
	first := !p.leaving
	p.leaving = true
	p.mutex.Unlock()
	select {
	case <-p.done:
		if first {
			p.remove()
		}
	default:
		if first {
			for _, one := range p.object.Spec.Containers {
				p.node.event(p.object, "Normal", "Killing", "Stopping container "+one.Name)
			}
		}
		p.kill(grace)
	}
}

// kill asks what runs to end, and ends it after the grace period.
func (p *pod) kill(grace time.Duration) {
	p.cancel()
	if grace > 0 {
		p.signal(syscall.SIGTERM)
		select {
		case <-p.done:
			return
		case <-time.After(grace):
		}
	}
	p.signal(syscall.SIGKILL)
}

func (p *pod) signal(one syscall.Signal) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, process := range p.processes {
		process.signal(one)
	}
}
