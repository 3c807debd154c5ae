// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"sort"
	"strings"
)

// What a pod's home offers, and what is taken of it.
type capacity struct {
	labels map[string]string
	total  resources
	used   resources
}

// unfit says why a pod cannot be placed, in the words of Kubernetes' scheduler; nothing when it can.
func (c *capacity) unfit(spec *podSpec) string {
	for key, value := range spec.NodeSelector {
		if c.labels[key] != value {
			return refused([]string{"1 node(s) didn't match Pod's node affinity/selector"},
				"1 Preemption is not helpful for scheduling")
		}
	}
	var short []string
	for name, amount := range podRequests(spec) {
		if amount == 0 || c.used[name]+amount <= c.total[name] {
			continue
		}
		if name == "pods" {
			short = append(short, "1 Too many pods")
		} else {
			short = append(short, "1 Insufficient "+name)
		}
	}
	if len(short) == 0 {
		return ""
	}
	sort.Strings(short)
	return refused(short, "1 No preemption victims found for incoming pod")
}

func refused(reasons []string, preemption string) string {
	return fmt.Sprintf("0/1 nodes are available: %s. preemption: 0/1 nodes are available: %s.",
		strings.Join(reasons, ", "), preemption)
}
