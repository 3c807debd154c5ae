// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"sync"
)

// The cluster's names: a file that containers see as /etc/hosts. Lines are only added, to the same
// file, so that containers which run already see them. A headless service stands for the first of
// its pods, which for Spark's drivers is the only one.
type names struct {
	path string

	mutex    sync.Mutex
	written  map[string]bool
	services map[string]serviceObject
	pods     map[string]*pod // by uid
}

func newNames(path, server string) (*names, error) {
	machine, err := os.ReadFile("/etc/hosts")
	if err != nil {
		machine = []byte("127.0.0.1 localhost\n")
	}
	if len(machine) > 0 && machine[len(machine)-1] != '\n' {
		machine = append(machine, '\n')
	}
	machine = append(machine, server+" kubernetes.default.svc kubernetes.default.svc.cluster.local kubernetes.default kubernetes\n"...)
	made := &names{path: path, written: map[string]bool{}, services: map[string]serviceObject{}, pods: map[string]*pod{}}
	return made, os.WriteFile(path, machine, 0o644)
}

func (n *names) addPod(one *pod) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.pods[one.object.Metadata.UID] = one
	n.write(one.ip + " " + one.object.Metadata.Name)
	for _, service := range n.services {
		n.join(&service, one)
	}
}

func (n *names) removePod(uid string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	delete(n.pods, uid)
}

func (n *names) addService(service serviceObject) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.services[service.Metadata.UID] = service
	for _, one := range n.pods {
		n.join(&service, one)
	}
}

func (n *names) removeService(uid string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	delete(n.services, uid)
}

// join is called with the mutex held.
func (n *names) join(service *serviceObject, one *pod) {
	if selects(service, one.object) {
		name, space := service.Metadata.Name, service.Metadata.Namespace
		n.write(fmt.Sprintf("%s %s.%s.svc %s.%s.svc.cluster.local %s.%s %s", one.ip, name, space, name, space, name, space, name))
	}
}

func selects(service *serviceObject, object *podObject) bool {
	if len(service.Spec.Selector) == 0 || service.Metadata.Namespace != object.Metadata.Namespace {
		return false
	}
	for key, value := range service.Spec.Selector {
		if object.Metadata.Labels[key] != value {
			return false
		}
	}
	return true
}

func (n *names) write(line string) {
	if n.written[line] {
		return
	}
	n.written[line] = true
	file, err := os.OpenFile(n.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer file.Close()
	_, _ = file.WriteString(line + "\n")
}
