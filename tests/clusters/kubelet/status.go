// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"
)

// Where a pod's containers stand, and what became of the pod as a whole.
type podState struct {
	containers map[string]containerState
	reason     string // why the pod was ended as a whole, such as Evicted
	message    string
	started    time.Time
	nodeIP, ip string
}

// now is a moment as Kubernetes writes it: to the second.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func containerID(pod *podObject, name string) string {
	return "process://" + pod.Metadata.UID + "/" + name
}

// phase follows Kubernetes' rules for pods that are never restarted.
func phase(spec *podSpec, state *podState) string {
	if state.reason != "" {
		return "Failed"
	}
	for _, one := range spec.InitContainers {
		if ended := state.containers[one.Name].Terminated; ended != nil && ended.ExitCode != 0 {
			return "Failed"
		}
	}
	begun, ended, failed := false, true, false
	for _, one := range spec.Containers {
		stands := state.containers[one.Name]
		begun = begun || stands.Running != nil || stands.Terminated != nil
		ended = ended && stands.Terminated != nil
		failed = failed || stands.Terminated != nil && stands.Terminated.ExitCode != 0
	}
	switch {
	case ended && failed:
		return "Failed"
	case ended:
		return "Succeeded"
	case begun:
		return "Running"
	}
	return "Pending"
}

func containerStatuses(pod *podObject, list []container, state *podState, creating string) []containerStatus {
	var all []containerStatus
	for _, one := range list {
		stands, known := state.containers[one.Name]
		if !known {
			stands = containerState{Waiting: &waiting{Reason: creating}}
		}
		status := containerStatus{Name: one.Name, Image: one.Image, State: stands,
			Ready: stands.Running != nil, Started: stands.Running != nil}
		if stands.Waiting == nil {
			status.ImageID = "process://" + one.Image
			status.ContainerID = containerID(pod, one.Name)
		}
		all = append(all, status)
	}
	return all
}

// buildStatus is the status as it is reported; `before` are the conditions reported last.
func buildStatus(pod *podObject, state *podState, before []condition) podStatus {
	status := podStatus{Phase: phase(&pod.Spec, state), Reason: state.reason, Message: state.message,
		HostIP: state.nodeIP, HostIPs: []podIP{{state.nodeIP}}, PodIP: state.ip,
		PodIPs: []podIP{{state.ip}}, StartTime: state.started}
	initialized := len(pod.Spec.InitContainers) == 0
	creating := "ContainerCreating"
	if !initialized {
		initialized = true
		for _, one := range pod.Spec.InitContainers {
			ended := state.containers[one.Name].Terminated
			initialized = initialized && ended != nil && ended.ExitCode == 0
		}
		creating = "PodInitializing"
	}
	status.InitContainerStatuses = containerStatuses(pod, pod.Spec.InitContainers, state, "PodInitializing")
	status.ContainerStatuses = containerStatuses(pod, pod.Spec.Containers, state, creating)
	status.Conditions = conditions(&status, initialized, before)
	return status
}

func conditions(status *podStatus, initialized bool, before []condition) []condition {
	over := status.Phase == "Succeeded" || status.Phase == "Failed"
	var unready []string
	for _, one := range status.ContainerStatuses {
		if !one.Ready {
			unready = append(unready, one.Name)
		}
	}
	reason, message := "", ""
	switch {
	case status.Phase == "Succeeded":
		reason = "PodCompleted"
	case status.Phase == "Failed":
		reason = "PodFailed"
	case len(unready) > 0:
		reason = "ContainersNotReady"
		message = fmt.Sprintf("containers with unready status: [%s]", strings.Join(unready, " "))
	}
	ready := condition{Status: truth(len(unready) == 0 && !over), Reason: reason, Message: message}
	all := []condition{
		{Type: "PodReadyToStartContainers", Status: truth(!over)},
		{Type: "Initialized", Status: truth(initialized)},
		{Type: "Ready", Status: ready.Status, Reason: ready.Reason, Message: ready.Message},
		{Type: "ContainersReady", Status: ready.Status, Reason: ready.Reason, Message: ready.Message},
		{Type: "PodScheduled", Status: "True"},
	}
	for i := range all {
		all[i].LastTransitionTime = now()
		for _, old := range before {
			if old.Type == all[i].Type && old.Status == all[i].Status {
				all[i].LastTransitionTime = old.LastTransitionTime
			}
		}
	}
	return all
}

func truth(holds bool) string {
	if holds {
		return "True"
	}
	return "False"
}
