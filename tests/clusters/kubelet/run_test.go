// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test program is the first process of containers, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sandbox" {
		os.Exit(runSandbox())
	}
	os.Exit(m.Run())
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// An API server that takes everything down and knows some ConfigMaps.
type clerk struct {
	mutex      sync.Mutex
	configMaps map[string]string // path -> body
	statuses   []podStatus
	events     []string
	deletions  int
	changed    chan struct{}
}

func (c *clerk) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	text, _ := io.ReadAll(request.Body)
	switch {
	case request.Method == http.MethodDelete:
		c.deletions++
	case strings.HasSuffix(request.URL.Path, "/status"):
		var body struct {
			Status podStatus `json:"status"`
		}
		_ = json.Unmarshal(text, &body)
		c.statuses = append(c.statuses, body.Status)
	case strings.HasSuffix(request.URL.Path, "/events"):
		var body struct {
			Reason string `json:"reason"`
		}
		_ = json.Unmarshal(text, &body)
		c.events = append(c.events, body.Reason)
	case request.Method == http.MethodGet:
		found, known := c.configMaps[request.URL.Path]
		if !known {
			answer.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(answer, `{"code":404,"reason":"NotFound"}`)
		}
		_, _ = io.WriteString(answer, found)
	}
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// until waits for something that the clerk has been told.
func (c *clerk) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		c.mutex.Lock()
		found := holds()
		c.mutex.Unlock()
		if found {
			return
		}
		select {
		case <-c.changed:
		case <-deadline:
			t.Fatalf("%s: never; %+v %v", what, c.statuses, c.events)
		}
	}
}

func (c *clerk) last() podStatus {
	if len(c.statuses) == 0 {
		return podStatus{}
	}
	return c.statuses[len(c.statuses)-1]
}

// runPod runs a pod of this description, whose image is a shell.
func runPod(t *testing.T, text string) (*pod, *clerk) {
	t.Helper()
	told := &clerk{configMaps: map[string]string{}, changed: make(chan struct{}, 1)}
	server := httptest.NewServer(told)
	t.Cleanup(server.Close)
	folder := t.TempDir()
	hosts, err := newNames(filepath.Join(folder, "hosts"), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	object := samplePod()
	decode(t, text, object)
	object.Status.Phase = "Pending"
	this := &node{api: &apiClient{base: server.URL, plain: server.Client(), stream: server.Client()},
		name: "n", ip: "127.64.255.1", service: "https://127.0.0.1:1", folder: folder, names: hosts,
		images: images{"shell": "/bin/sh"}, room: capacity{used: resources{}},
		pods: map[string]*pod{}, pending: map[string]*podObject{}, placed: map[string]bool{}, releases: map[string]bool{}}
	object.Spec.NodeName = "n"
	this.keep(object, false)
	made := this.pods["u"]
	t.Cleanup(func() {
		made.kill(0)
		<-made.done
	})
	return made, told
}

func (p *pod) log(container string) string {
	text, _ := os.ReadFile(p.logFile(container))
	return string(text)
}

func TestAPodRunsItsContainersInOrderAndSucceeds(t *testing.T) {
	one, told := runPod(t, `{"spec":{
		"initContainers":[{"name":"i","image":"shell","args":["-c","echo made > /shared/file"],"volumeMounts":[{"name":"e","mountPath":"/shared"}]}],
		"containers":[{"name":"c","image":"shell","args":["-c","cat /no/such/folder/deep/file; hostname; echo $KUBERNETES_SERVICE_PORT"],
			"volumeMounts":[{"name":"e","mountPath":"/no/such/folder/deep"}]}],
		"volumes":[{"name":"e","emptyDir":{}}]}}`)
	<-one.done
	if got := told.last(); got.Phase != "Succeeded" || got.ContainerStatuses[0].State.Terminated.Reason != "Completed" {
		t.Errorf("%+v", got)
	}
	for _, wanted := range []string{" made\n", " p\n", " 1\n"} {
		if !strings.Contains(one.log("c"), wanted) {
			t.Errorf("%q is not in %q", wanted, one.log("c"))
		}
	}
	if _, err := os.Stat("/no/such"); err == nil {
		t.Error("a mount point was made on the machine itself")
	}
}

func TestExitCodesAndReasonsAreTold(t *testing.T) {
	for script, wanted := range map[string]int{"exit 3": 3, "kill -9 $$$$": 137, "kill -15 $$$$": 143} {
		one, told := runPod(t, `{"spec":{"containers":[{"name":"c","image":"shell","args":["-c","`+script+`"]}]}}`)
		<-one.done
		if got := told.last().ContainerStatuses[0].State.Terminated; got.ExitCode != wanted || got.Reason != "Error" {
			t.Errorf("%s: %+v", script, got)
		}
	}
}

func TestAProgramThatDoesNotExistIsAStartError(t *testing.T) {
	one, told := runPod(t, `{"spec":{"containers":[{"name":"c","image":"shell","command":["no-such-program"]}]}}`)
	<-one.done
	got := told.last().ContainerStatuses[0].State.Terminated
	if got.ExitCode != 128 || got.Reason != "StartError" || !strings.Contains(got.Message, "no-such-program") {
		t.Errorf("%+v", got)
	}
}

func TestAPodThatIsDeletedGetsSIGTERMAndItsObjectGoes(t *testing.T) {
	one, told := runPod(t, `{"spec":{"containers":[{"name":"c","image":"shell","args":["-c","trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done"]}]}}`)
	told.until(t, "running", func() bool { return told.last().Phase == "Running" })
	waitFor(t, func() bool { return strings.Contains(one.log("c"), "up") })
	one.leave(time.Minute)
	told.until(t, "the object's deletion", func() bool { return told.deletions == 1 })
	if got := told.last(); got.Phase != "Failed" || got.ContainerStatuses[0].State.Terminated.ExitCode != 5 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(one.log("c"), "bye") {
		t.Error(one.log("c"))
	}
}

func TestWhatIgnoresSIGTERMIsKilledWithAllThatItStarted(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "pid")
	one, told := runPod(t, `{"spec":{"containers":[{"name":"c","image":"shell","args":["-c",
		"trap '' TERM; setsid sleep 1000 & echo up > `+marker+`; sleep 1000"]}]}}`)
	waitFor(t, func() bool { _, err := os.Stat(marker); return err == nil })
	one.leave(50 * time.Millisecond)
	told.until(t, "the object's deletion", func() bool { return told.deletions == 1 })
	if got := told.last().ContainerStatuses[0].State.Terminated; got.ExitCode != 137 {
		t.Errorf("%+v", got)
	}
}

func TestAPodWaitsForItsConfigMap(t *testing.T) {
	one, told := runPod(t, `{"spec":{"containers":[{"name":"c","image":"shell","args":["-c","cat /conf/k"],"volumeMounts":[{"name":"v","mountPath":"/conf"}]}],
		"volumes":[{"name":"v","configMap":{"name":"m","items":[{"key":"k","path":"k"}]}}]}}`)
	told.until(t, "FailedMount", func() bool { return contains(told.events, "FailedMount") })
	if got := told.last(); got.Phase != "Pending" || got.ContainerStatuses[0].State.Waiting.Reason != "ContainerCreating" {
		t.Errorf("%+v", got)
	}
	told.mutex.Lock()
	told.configMaps["/api/v1/namespaces/jobs/configmaps/m"] = `{"data":{"k":"value"}}`
	told.mutex.Unlock()
	<-one.done
	if !strings.Contains(one.log("c"), " value\n") {
		t.Error(one.log("c"))
	}
}

func TestAPodThatNeverRanFailsWhenItIsDeleted(t *testing.T) {
	one, told := runPod(t, `{"spec":{"containers":[{"name":"c","image":"unknown"}]}}`)
	told.until(t, "back-off", func() bool {
		stands := told.last().ContainerStatuses
		return len(stands) == 1 && stands[0].State.Waiting != nil && stands[0].State.Waiting.Reason == "ImagePullBackOff"
	})
	one.leave(time.Minute)
	told.until(t, "the object's deletion", func() bool { return told.deletions == 1 })
	if got := told.last(); got.Phase != "Failed" || got.ContainerStatuses[0].State.Terminated.Reason != "ContainerStatusUnknown" {
		t.Errorf("%+v", got)
	}
}

func TestMemoryRunsOutWhereTheTestSaysSo(t *testing.T) {
	one, told := runPod(t, `{"metadata":{"annotations":{"`+oomAnnotation+`":"0.1"}},"spec":{"containers":[{"name":"c","image":"shell","args":["-c","sleep 1000"]}]}}`)
	<-one.done
	if got := told.last().ContainerStatuses[0].State.Terminated; got.Reason != "OOMKilled" || got.ExitCode != 137 {
		t.Errorf("%+v", got)
	}
}

func TestAPodIsEvictedWhereTheTestSaysSo(t *testing.T) {
	one, told := runPod(t, `{"metadata":{"annotations":{"`+evictAnnotation+`":"0.1"}},"spec":{"containers":[{"name":"c","image":"shell","args":["-c","sleep 1000"]}]}}`)
	<-one.done
	if got := told.last(); got.Phase != "Failed" || got.Reason != "Evicted" {
		t.Errorf("%+v", got)
	}
}

func TestAReaderWhoFollowsGetsAllAndThenTheEnd(t *testing.T) {
	one, told := runPod(t, `{"spec":{"containers":[{"name":"c","image":"shell","args":["-c","read go < /gate/fifo; echo one; echo two"],
		"volumeMounts":[{"name":"g","mountPath":"/gate"}]}],"volumes":[{"name":"g","hostPath":{"path":"`+gate(t)+`"}}]}}`)
	told.until(t, "running", func() bool { return told.last().Phase == "Running" })
	server := httptest.NewServer(http.HandlerFunc(one.node.serveLog))
	defer server.Close()
	answer, err := http.Get(server.URL + "/containerLogs/jobs/p/c?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	fifo := filepath.Join(one.object.Spec.Volumes[0].HostPath.Path, "fifo")
	if err := os.WriteFile(fifo, []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(answer.Body); string(text) != "one\ntwo\n" || err != nil {
		t.Errorf("%q %v", text, err)
	}
}

func gate(t *testing.T) string {
	folder := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(folder, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func contains(list []string, wanted string) bool {
	for _, one := range list {
		if one == wanted {
			return true
		}
	}
	return false
}

func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatal("never")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
