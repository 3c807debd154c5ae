// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"
)

// The node: it places pods on itself, as there is no scheduler, and runs them.
type node struct {
	api         *apiClient
	name, ip    string
	port        int
	folder      string
	images      images
	environment []string // for every container
	service     string   // the API server as containers reach it
	names       *names

	mutex    sync.Mutex
	room     capacity
	pods     map[string]*pod       // by uid
	pending  map[string]*podObject // by uid: those that do not fit
	placed   map[string]bool       // by uid: binding is under way
	lastIP   int
	releases map[string]bool
}

func heartbeat() []condition {
	return []condition{{Type: "Ready", Status: "True", Reason: "KubeletReady",
		Message: "kubelet is posting ready status", LastTransitionTime: now()}}
}

func (n *node) register() error {
	amounts := map[string]string{}
	for name, amount := range n.room.total {
		amounts[name] = fmt.Sprintf("%dm", amount)
	}
	status := map[string]any{
		"capacity": amounts, "allocatable": amounts, "conditions": heartbeat(),
		"addresses":       []map[string]string{{"type": "InternalIP", "address": n.ip}, {"type": "Hostname", "address": n.name}},
		"daemonEndpoints": map[string]any{"kubeletEndpoint": map[string]int{"Port": n.port}},
		"nodeInfo": map[string]string{"kubeletVersion": "v1.36.3", "operatingSystem": "linux", "architecture": "amd64",
			"containerRuntimeVersion": "process://1.0.0", "machineID": n.name, "systemUUID": n.name, "bootID": n.name,
			"kernelVersion": "processes", "osImage": "processes of the machine", "kubeProxyVersion": ""},
	}
	object := map[string]any{"apiVersion": "v1", "kind": "Node", "status": status,
		"metadata": map[string]any{"name": n.name, "labels": n.room.labels}}
	ctx := context.Background()
	err := n.api.persist(ctx, "registering the node", func() error { return n.api.post("/api/v1/nodes", object, nil) })
	if err != nil && !hasCode(err, 409) {
		return err
	}
	path := "/api/v1/nodes/" + n.name
	if err := n.api.persist(ctx, "the node's status", func() error {
		return n.api.patch(path+"/status", map[string]any{"status": status})
	}); err != nil {
		return err
	}
	return n.api.persist(ctx, "the node's taints", func() error {
		return n.api.patch(path, map[string]any{"spec": map[string]any{"taints": nil}})
	})
}

func (n *node) beat() {
	for {
		time.Sleep(10 * time.Second)
		err := n.api.patch("/api/v1/nodes/"+n.name+"/status", map[string]any{"status": map[string]any{"conditions": heartbeat()}})
		if err != nil {
			log.Printf("heartbeat: %v", err)
		}
	}
}

// event writes an Event about a pod. Nobody waits for it, and nothing depends on it.
func (n *node) event(about *podObject, kind, reason, message string) {
	moment := time.Now().UTC()
	component := "kubelet"
	if reason == "Scheduled" || reason == "FailedScheduling" {
		component = "default-scheduler"
	}
	space := about.Metadata.Namespace
	body := map[string]any{"apiVersion": "v1", "kind": "Event",
		"metadata":       map[string]string{"name": fmt.Sprintf("%s.%x", about.Metadata.Name, moment.UnixNano()), "namespace": space},
		"involvedObject": map[string]string{"apiVersion": "v1", "kind": "Pod", "name": about.Metadata.Name, "namespace": space, "uid": about.Metadata.UID},
		"type":           kind, "reason": reason, "message": message, "count": 1,
		"source":             map[string]string{"component": component, "host": n.name},
		"reportingComponent": component, "firstTimestamp": moment.Truncate(time.Second), "lastTimestamp": moment.Truncate(time.Second)}
	if err := n.api.post("/api/v1/namespaces/"+space+"/events", body, nil); err != nil && !hasCode(err, 403) {
		log.Printf("event %s of %s: %v", reason, about.Metadata.Name, err)
	}
}

// ---- what the API server says -----------------------------------------------------------------

func (n *node) replacePods(items []json.RawMessage) {
	there := map[string]bool{}
	for _, item := range items {
		if object := readPod(item); object != nil {
			there[object.Metadata.UID] = true
			n.seePod(object)
		}
	}
	n.mutex.Lock()
	var gone []string
	for uid := range n.pods {
		if !there[uid] {
			gone = append(gone, uid)
		}
	}
	for uid := range n.pending {
		if !there[uid] {
			gone = append(gone, uid)
		}
	}
	n.mutex.Unlock()
	for _, uid := range gone {
		n.losePod(uid)
	}
}

func readPod(text json.RawMessage) *podObject {
	object := &podObject{}
	if err := json.Unmarshal(text, object); err != nil {
		log.Printf("a pod that cannot be read: %v", err)
		return nil
	}
	return object
}

func (n *node) podEvent(event watchEvent) {
	object := readPod(event.Object)
	switch {
	case object == nil:
	case event.Type == "DELETED":
		n.losePod(object.Metadata.UID)
	default:
		n.seePod(object)
	}
}

func (n *node) seePod(object *podObject) {
	deleting := object.Metadata.DeletionTimestamp != nil
	switch {
	case object.Spec.NodeName == "" && (deleting || object.Status.Phase != "Pending"):
		n.forgetPending(object.Metadata.UID)
	case object.Spec.NodeName == "":
		n.place(object)
	case object.Spec.NodeName == n.name:
		n.keep(object, deleting)
	}
}

// keep runs a pod that is new here, and ends one that is to be deleted.
func (n *node) keep(object *podObject, deleting bool) {
	uid := object.Metadata.UID
	n.mutex.Lock()
	known, found := n.pods[uid]
	if !found {
		known = newPod(n, object, n.nextIP())
		n.pods[uid] = known
		if !n.placed[uid] { // bound by someone else, or in an earlier life of this program
			n.room.used.add(podRequests(&object.Spec), 1)
		}
		delete(n.placed, uid)
		delete(n.pending, uid)
	}
	n.mutex.Unlock()
	if !found {
		n.begin(known)
	}
	if deleting {
		grace := time.Duration(0)
		if seconds := object.Metadata.DeletionGracePeriodSeconds; seconds != nil {
			grace = time.Duration(*seconds) * time.Second
		}
		go known.leave(grace)
	}
}

func (n *node) begin(one *pod) {
	if err := os.MkdirAll(one.folder, 0o755); err != nil {
		log.Fatal(err)
	}
	n.names.addPod(one)
	switch one.object.Status.Phase {
	case "Pending":
		go one.run()
	case "Running": // this program has been restarted: the processes are gone
		one.mutex.Lock()
		one.giveUpContainers()
		one.mutex.Unlock()
		go one.bequeath()
	default:
		n.release(one)
		close(one.done)
	}
}

// losePod ends at once what belongs to an object that is gone.
func (n *node) losePod(uid string) {
	n.forgetPending(uid)
	n.mutex.Lock()
	lost := n.pods[uid]
	delete(n.pods, uid)
	n.mutex.Unlock()
	if lost == nil {
		return
	}
	n.names.removePod(uid)
	go func() {
		lost.kill(0)
		<-lost.done
		_ = os.RemoveAll(lost.folder)
	}()
}

// Addresses of pods: two bytes of the node's own loopback network.
func (n *node) nextIP() string {
	n.lastIP++
	if low := n.lastIP & 255; low == 0 || low == 255 {
		n.lastIP += 2 - low&1
	}
	prefix := n.ip[:strings.LastIndex(n.ip[:strings.LastIndex(n.ip, ".")], ".")]
	return fmt.Sprintf("%s.%d.%d", prefix, n.lastIP>>8&255, n.lastIP&255)
}

func (n *node) replaceServices(items []json.RawMessage) {
	for _, item := range items {
		n.serviceEvent(watchEvent{Type: "ADDED", Object: item})
	}
}

func (n *node) serviceEvent(event watchEvent) {
	var object serviceObject
	if json.Unmarshal(event.Object, &object) != nil {
		return
	}
	if event.Type == "DELETED" {
		n.names.removeService(object.Metadata.UID)
	} else {
		n.names.addService(object)
	}
}

// ---- placing -----------------------------------------------------------------------------------

func (n *node) place(object *podObject) {
	if len(object.Spec.SchedulingGates) > 0 || object.Spec.SchedulerName != "" && object.Spec.SchedulerName != "default-scheduler" {
		return
	}
	uid := object.Metadata.UID
	n.mutex.Lock()
	if n.placed[uid] {
		n.mutex.Unlock()
		return
	}
	why := n.room.unfit(&object.Spec)
	_, waits := n.pending[uid]
	if why == "" {
		n.placed[uid] = true
		n.room.used.add(podRequests(&object.Spec), 1)
		delete(n.pending, uid)
	} else {
		n.pending[uid] = object
	}
	n.mutex.Unlock()
	if why == "" {
		go n.bind(object)
	} else if !waits {
		go n.decline(object, why)
	}
}

func (n *node) bind(object *podObject) {
	metadata := &object.Metadata
	body := map[string]any{"apiVersion": "v1", "kind": "Binding",
		"metadata": map[string]string{"name": metadata.Name, "uid": metadata.UID},
		"target":   map[string]string{"apiVersion": "v1", "kind": "Node", "name": n.name}}
	err := n.api.persist(context.Background(), "binding "+metadata.Name, func() error {
		return n.api.post("/api/v1/namespaces/"+metadata.Namespace+"/pods/"+metadata.Name+"/binding", body, nil)
	})
	if err == nil {
		n.event(object, "Normal", "Scheduled", fmt.Sprintf("Successfully assigned %s/%s to %s", metadata.Namespace, metadata.Name, n.name))
		return
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.placed[metadata.UID] && n.pods[metadata.UID] == nil {
		delete(n.placed, metadata.UID)
		n.room.used.add(podRequests(&object.Spec), -1)
	}
}

func (n *node) decline(object *podObject, why string) {
	metadata := &object.Metadata
	body := map[string]any{"metadata": map[string]string{"uid": metadata.UID},
		"status": map[string]any{"conditions": []condition{{Type: "PodScheduled", Status: "False",
			Reason: "Unschedulable", Message: why, LastTransitionTime: now()}}}}
	err := n.api.patch("/api/v1/namespaces/"+metadata.Namespace+"/pods/"+metadata.Name+"/status", body)
	if err != nil && !hasCode(err, 404) && !hasCode(err, 409) {
		log.Printf("status of %s: %v", metadata.Name, err)
	}
	n.event(object, "Warning", "FailedScheduling", why)
}

// forgetPending drops a pod that waits for its place, or whose binding failed.
func (n *node) forgetPending(uid string) {
	n.mutex.Lock()
	delete(n.pending, uid)
	n.mutex.Unlock()
}

// release gives back what a pod took; those that wait are tried again.
func (n *node) release(one *pod) {
	n.mutex.Lock()
	if n.releases[one.object.Metadata.UID] {
		n.mutex.Unlock()
		return
	}
	n.releases[one.object.Metadata.UID] = true
	n.room.used.add(podRequests(&one.object.Spec), -1)
	waiting := make([]*podObject, 0, len(n.pending))
	for _, object := range n.pending {
		waiting = append(waiting, object)
	}
	n.mutex.Unlock()
	for _, object := range waiting {
		n.place(object)
	}
}
