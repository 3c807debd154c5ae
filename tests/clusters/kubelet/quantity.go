// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

var suffixes = []struct {
	name   string
	factor float64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50},
	{"m", 1e-3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15},
}

// quantity reads Kubernetes' "500m", "1433Mi", "1e3" in thousandths.
func quantity(text string) (int64, error) {
	factor, digits := 1.0, text
	for _, suffix := range suffixes {
		if strings.HasSuffix(text, suffix.name) {
			factor, digits = suffix.factor, strings.TrimSuffix(text, suffix.name)
			break
		}
	}
	value, err := strconv.ParseFloat(digits, 64)
	if err != nil || value < 0 {
		return 0, fmt.Errorf("%q is not a quantity", text)
	}
	return int64(math.Ceil(value * factor * 1000)), nil
}

type resources map[string]int64

func (r resources) add(other resources, sign int64) {
	for name, amount := range other {
		r[name] += sign * amount
	}
}

// podRequests is what a scheduler counts: the sum of the containers, or the largest of the init
// containers where that is more.
func podRequests(spec *podSpec) resources {
	sum := resources{"pods": 1000}
	for _, one := range spec.Containers {
		sum.add(requests(&one), 1)
	}
	for _, one := range spec.InitContainers {
		for name, amount := range requests(&one) {
			sum[name] = max(sum[name], amount)
		}
	}
	return sum
}

func requests(one *container) resources {
	asked := resources{}
	for name, text := range one.Resources.Requests {
		if amount, err := quantity(text); err == nil {
			asked[name] = amount
		}
	}
	return asked
}
