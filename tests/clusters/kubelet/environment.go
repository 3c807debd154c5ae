// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"regexp"
	"sort"
	"strings"
)

// keyed is a ConfigMap or a Secret, decoded.
type keyed struct {
	kind string // "configmap" or "secret", as messages write it
	name string
	data map[string][]byte
}

// Gives a ConfigMap or Secret of the pod's namespace; an error with code 404 when there is none.
type lookUp func(kind, name string) (*keyed, error)

// What the downward API knows of a pod.
type podFacts struct {
	pod        *podObject
	node       string
	nodeIP, ip string
}

func (f *podFacts) field(path string) (string, error) {
	metadata := &f.pod.Metadata
	if name, found := subscript(path, "metadata.labels"); found {
		return metadata.Labels[name], nil
	}
	if name, found := subscript(path, "metadata.annotations"); found {
		return metadata.Annotations[name], nil
	}
	known := map[string]string{
		"metadata.name": metadata.Name, "metadata.namespace": metadata.Namespace,
		"metadata.uid": metadata.UID, "spec.nodeName": f.node,
		"spec.serviceAccountName": f.pod.Spec.ServiceAccountName,
		"status.podIP":            f.ip, "status.podIPs": f.ip,
		"status.hostIP": f.nodeIP, "status.hostIPs": f.nodeIP,
	}
	if value, found := known[path]; found {
		return value, nil
	}
	return "", fmt.Errorf("unsupported fieldPath: %s", path)
}

// subscript reads the key of metadata.labels['key'].
func subscript(path, of string) (string, bool) {
	key, found := strings.CutPrefix(path, of+"['")
	if !found {
		return "", false
	}
	return strings.CutSuffix(key, "']")
}

func resourceField(one *container, name string) (string, error) {
	for prefix, amounts := range map[string]map[string]string{
		"limits.": one.Resources.Limits, "requests.": one.Resources.Requests} {
		resource, found := strings.CutPrefix(name, prefix)
		if !found {
			continue
		}
		amount, err := quantity(amounts[resource])
		if err != nil {
			return "0", nil
		}
		return fmt.Sprint((amount + 999) / 1000), nil
	}
	return "", fmt.Errorf("unsupported resource: %s", name)
}

// environment is what a container's process gets, in order; `base` comes first.
func environment(one *container, facts *podFacts, look lookUp, base []string) ([]string, error) {
	values := append([]string(nil), base...)
	for _, from := range one.EnvFrom {
		for kind, ref := range map[string]*sourceRef{"configmap": from.ConfigMapRef, "secret": from.SecretRef} {
			if ref == nil {
				continue
			}
			all, err := wholeSource(look, kind, ref)
			if err != nil {
				return nil, err
			}
			for _, key := range sortedKeys(all) {
				values = append(values, from.Prefix+key+"="+string(all[key]))
			}
		}
	}
	for _, variable := range one.Env {
		value, found, err := valueOf(one, &variable, facts, look, values)
		if err != nil {
			return nil, err
		}
		if found {
			values = append(values, variable.Name+"="+value)
		}
	}
	return values, nil
}

func valueOf(one *container, variable *envVar, facts *podFacts, look lookUp, before []string) (string, bool, error) {
	from := variable.ValueFrom
	switch {
	case from == nil:
		return expand(variable.Value, before), true, nil
	case from.FieldRef != nil:
		value, err := facts.field(from.FieldRef.FieldPath)
		return value, true, err
	case from.ResourceFieldRef != nil:
		value, err := resourceField(one, from.ResourceFieldRef.Resource)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		return oneKey(look, "configmap", from.ConfigMapKeyRef, facts.pod.Metadata.Namespace)
	case from.SecretKeyRef != nil:
		return oneKey(look, "secret", from.SecretKeyRef, facts.pod.Metadata.Namespace)
	}
	return "", true, nil
}

func wholeSource(look lookUp, kind string, ref *sourceRef) (map[string][]byte, error) {
	source, err := look(kind, ref.Name)
	if hasCode(err, 404) && ref.Optional {
		return nil, nil
	}
	if err != nil {
		return nil, missing(kind, ref.Name, err)
	}
	return source.data, nil
}

func oneKey(look lookUp, kind string, ref *sourceRef, namespace string) (string, bool, error) {
	all, err := wholeSource(look, kind, ref)
	if err != nil {
		return "", false, err
	}
	value, found := all[ref.Key]
	if !found && !ref.Optional {
		titles := map[string]string{"configmap": "ConfigMap", "secret": "Secret"}
		return "", false, fmt.Errorf("couldn't find key %s in %s %s/%s", ref.Key, titles[kind], namespace, ref.Name)
	}
	return string(value), found, nil
}

func missing(kind, name string, err error) error {
	if hasCode(err, 404) {
		return fmt.Errorf("%s %q not found", kind, name)
	}
	return err
}

var reference = regexp.MustCompile(`\$(\$|\([A-Za-z_.-][A-Za-z0-9_.-]*\))`)

// expand replaces $(NAME) by what has been defined so far; $$ is one $; what is unknown stays.
func expand(text string, defined []string) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		if found == "$$" {
			return "$"
		}
		name := found[2 : len(found)-1]
		for i := len(defined) - 1; i >= 0; i-- {
			if value, ok := strings.CutPrefix(defined[i], name+"="); ok {
				return value
			}
		}
		return found
	})
}

// baseEnvironment is what every container has: little of our own, so that nothing of the machine
// leaks into drivers.
func baseEnvironment(pod *podObject, server string, extra []string) []string {
	host, port := hostAndPort(server)
	base := []string{"PATH=" + os.Getenv("PATH"), "HOME=/root", "LANG=C.UTF-8", "HOSTNAME=" + pod.Metadata.Name,
		"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port,
		"KUBERNETES_SERVICE_PORT_HTTPS=" + port}
	return append(base, extra...)
}

func hostAndPort(server string) (string, string) {
	address := strings.TrimPrefix(server, "https://")
	colon := strings.LastIndex(address, ":")
	return address[:colon], address[colon+1:]
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
