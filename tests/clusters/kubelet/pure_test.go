// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestQuantitiesAreReadInThousandths(t *testing.T) {
	for text, wanted := range map[string]int64{"1": 1000, "500m": 500, "1433Mi": 1433 << 20 * 1000,
		"2Gi": 2 << 30 * 1000, "1e3": 1000000, "0.1": 100, "64k": 64000000} {
		if got, err := quantity(text); err != nil || got != wanted {
			t.Errorf("%s: %d %v, not %d", text, got, err, wanted)
		}
	}
	for _, text := range []string{"", "abc", "-1", "1Qi"} {
		if _, err := quantity(text); err == nil {
			t.Errorf("%q was taken for a quantity", text)
		}
	}
}

func asking(cpu, memory string) container {
	var one container
	one.Resources.Requests = map[string]string{"cpu": cpu, "memory": memory}
	return one
}

func TestAPodAsksForItsContainersOrItsLargestInitContainer(t *testing.T) {
	spec := &podSpec{Containers: []container{asking("1", "1Gi"), asking("500m", "1Gi")},
		InitContainers: []container{asking("2", "1Gi"), asking("100m", "1Gi")}}
	got := podRequests(spec)
	if got["cpu"] != 2000 || got["memory"] != 2<<30*1000 || got["pods"] != 1000 {
		t.Error(got)
	}
}

func TestAPodThatDoesNotFitIsDeclinedInTheSchedulersWords(t *testing.T) {
	room := &capacity{labels: map[string]string{"zone": "a"}, used: resources{"cpu": 500},
		total: resources{"cpu": 2000, "memory": 1 << 30 * 1000, "pods": 10000}}
	cases := []struct {
		spec podSpec
		why  string
	}{
		{podSpec{Containers: []container{asking("1500m", "1Gi")}}, ""},
		{podSpec{Containers: []container{asking("1600m", "1Mi")}}, "0/1 nodes are available: 1 Insufficient cpu. "},
		{podSpec{Containers: []container{asking("2", "2Gi")}}, "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. "},
		{podSpec{NodeSelector: map[string]string{"zone": "a"}}, ""},
		{podSpec{NodeSelector: map[string]string{"zone": "b"}}, "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. "},
	}
	for _, one := range cases {
		if why := room.unfit(&one.spec); !strings.HasPrefix(why, one.why) || (why == "") != (one.why == "") {
			t.Errorf("%q, not %q", why, one.why)
		}
	}
}

func TestImagesThatAreUnknownOrHaveNoNameAreRefused(t *testing.T) {
	known := images{"sparkhost-test/spark:stub": "/stub"}
	for name, reason := range map[string]string{"sparkhost-test/spark:stub": "",
		"sparkhost-test/spark:9": "ErrImagePull", "registry:5000/x/y": "ErrImagePull",
		"Not An Image": "InvalidImageName", "UPPER": "InvalidImageName", "": "InvalidImageName"} {
		refused := known.refusal(name)
		if refused == nil && reason != "" || refused != nil && refused.Reason != reason {
			t.Errorf("%q: %v, not %q", name, refused, reason)
		}
	}
	if got := backOff("x", known.refusal("x")); got.Reason != "ImagePullBackOff" {
		t.Error(got)
	}
}

func TestReferencesAreExpandedByWhatIsDefinedBefore(t *testing.T) {
	defined := []string{"A=1", "B=2", "A=3"}
	for text, wanted := range map[string]string{"$(A)$(B)": "32", "$$(A)": "$(A)", "$(C)": "$(C)", "$A": "$A", "a$": "a$"} {
		if got := expand(text, defined); got != wanted {
			t.Errorf("%s: %s, not %s", text, got, wanted)
		}
	}
}

func samplePod() *podObject {
	made := &podObject{}
	made.Metadata = meta{Name: "p", Namespace: "jobs", UID: "u", Labels: map[string]string{"a/b": "c"}}
	return made
}

func fixed(sources ...*keyed) lookUp {
	return func(kind, name string) (*keyed, error) {
		for _, one := range sources {
			if one.kind == kind && one.name == name {
				return one, nil
			}
		}
		return nil, &apiError{Code: 404, Reason: "NotFound"}
	}
}

func TestVariablesComeFromFieldsConfigMapsAndSecrets(t *testing.T) {
	var one container
	decode(t, `{"env":[{"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
		{"name":"LABEL","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['a/b']"}}},
		{"name":"C","valueFrom":{"configMapKeyRef":{"name":"m","key":"k"}}},
		{"name":"S","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
		{"name":"NONE","valueFrom":{"secretKeyRef":{"name":"s","key":"x","optional":true}}},
		{"name":"URL","value":"http://$(IP)/"}],
		"envFrom":[{"prefix":"P_","configMapRef":{"name":"m"}}]}`, &one)
	look := fixed(&keyed{"configmap", "m", map[string][]byte{"k": []byte("v")}},
		&keyed{"secret", "s", map[string][]byte{"k": []byte("w")}})
	got, err := environment(&one, &podFacts{pod: samplePod(), ip: "127.64.0.1"}, look, []string{"BASE=1"})
	wanted := []string{"BASE=1", "P_k=v", "IP=127.64.0.1", "LABEL=c", "C=v", "S=w", "URL=http://127.64.0.1/"}
	if err != nil || !reflect.DeepEqual(got, wanted) {
		t.Error(got, err)
	}
}

func TestAMissingKeyIsNamed(t *testing.T) {
	for text, wanted := range map[string]string{
		`{"env":[{"name":"C","valueFrom":{"configMapKeyRef":{"name":"m","key":"x"}}}]}`: `couldn't find key x in ConfigMap jobs/m`,
		`{"env":[{"name":"C","valueFrom":{"secretKeyRef":{"name":"n","key":"x"}}}]}`:    `secret "n" not found`,
	} {
		var one container
		decode(t, text, &one)
		_, err := environment(&one, &podFacts{pod: samplePod()}, fixed(&keyed{"configmap", "m", nil}), nil)
		if err == nil || err.Error() != wanted {
			t.Errorf("%v, not %s", err, wanted)
		}
	}
}

func TestVolumesHoldWhatTheirSourcesSay(t *testing.T) {
	var one volume
	decode(t, `{"name":"v","projected":{"defaultMode":288,"sources":[
		{"configMap":{"name":"m","items":[{"key":"k","path":"sub/k","mode":256}]}},
		{"secret":{"name":"s"}},{"serviceAccountToken":{"path":"token"}},
		{"downwardAPI":{"items":[{"path":"ns","fieldRef":{"fieldPath":"metadata.namespace"}}]}}]}}`, &one)
	look := fixed(&keyed{"configmap", "m", map[string][]byte{"k": []byte("v"), "l": nil}},
		&keyed{"secret", "s", map[string][]byte{"t": []byte("w")}})
	token := func(string, *int64) ([]byte, error) { return []byte("jwt"), nil }
	files, err := volumeFiles(&one, &podFacts{pod: samplePod()}, look, token)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := writeVolume(folder, files); err != nil {
		t.Fatal(err)
	}
	for path, wanted := range map[string]string{"sub/k": "v", "t": "w", "token": "jwt", "ns": "jobs"} {
		if got, err := os.ReadFile(filepath.Join(folder, path)); string(got) != wanted || err != nil {
			t.Errorf("%s: %q %v, not %q", path, got, err, wanted)
		}
	}
	if about, _ := os.Stat(filepath.Join(folder, "sub/k")); about.Mode() != 0o400 {
		t.Error(about.Mode())
	}
}

func TestAVolumeWhoseSourceLacksSomethingSaysWhat(t *testing.T) {
	for text, wanted := range map[string]string{
		`{"name":"v","configMap":{"name":"m","items":[{"key":"spark.properties","path":"p"}]}}`: `configmap references non-existent config key: spark.properties`,
		`{"name":"v","configMap":{"name":"none"}}`:                                              `configmap "none" not found`,
		`{"name":"v","secret":{"secretName":"none"}}`:                                           `secret "none" not found`,
		`{"name":"v","configMap":{"name":"m","items":[{"key":"k","path":"../p"}]}}`:             `"../p" leads out of the volume`,
	} {
		var one volume
		decode(t, text, &one)
		_, err := volumeFiles(&one, &podFacts{pod: samplePod()}, fixed(&keyed{"configmap", "m", map[string][]byte{"k": nil}}), nil)
		if err == nil || err.Error() != wanted {
			t.Errorf("%v, not %s", err, wanted)
		}
	}
}

func TestThePhaseFollowsTheContainers(t *testing.T) {
	runs := containerState{Running: &running{}}
	good := containerState{Terminated: &terminated{}}
	bad := containerState{Terminated: &terminated{ExitCode: 3}}
	spec := &podSpec{InitContainers: []container{{Name: "i"}}, Containers: []container{{Name: "a"}, {Name: "b"}}}
	for _, one := range []struct {
		states map[string]containerState
		wanted string
	}{
		{nil, "Pending"},
		{map[string]containerState{"i": runs}, "Pending"},
		{map[string]containerState{"i": bad}, "Failed"},
		{map[string]containerState{"i": good, "a": runs}, "Running"},
		{map[string]containerState{"i": good, "a": bad, "b": runs}, "Running"},
		{map[string]containerState{"i": good, "a": good, "b": good}, "Succeeded"},
		{map[string]containerState{"i": good, "a": bad, "b": good}, "Failed"},
	} {
		if got := phase(spec, &podState{containers: one.states}); got != one.wanted {
			t.Errorf("%v: %s, not %s", one.states, got, one.wanted)
		}
	}
	if got := phase(spec, &podState{reason: "Evicted"}); got != "Failed" {
		t.Error(got)
	}
}

func TestAConditionKeepsItsMomentWhileItHolds(t *testing.T) {
	old := time.Now().Add(-time.Hour)
	object := samplePod()
	object.Spec.Containers = []container{{Name: "a"}}
	status := buildStatus(object, &podState{containers: map[string]containerState{"a": {Running: &running{}}}},
		[]condition{{Type: "Initialized", Status: "True", LastTransitionTime: old}, {Type: "Ready", Status: "False", LastTransitionTime: old}})
	for _, one := range status.Conditions {
		if kept := one.LastTransitionTime.Equal(old); kept != (one.Type == "Initialized") {
			t.Error(one)
		}
	}
}

func TestALogIsCutAsTheReaderWants(t *testing.T) {
	line := "2026-01-01T00:00:02.000000000Z text\n"
	for query, wanted := range map[string]string{"": "text\n", "timestamps=true": line, "limitBytes=3": "tex",
		"sinceTime=2026-01-01T00:00:02Z": "text\n", "sinceTime=2026-01-01T00:00:03Z": "", "sinceSeconds=1": ""} {
		values, _ := url.ParseQuery(query)
		wish, err := readWish(values, time.Date(2026, 1, 1, 0, 0, 4, 0, time.UTC))
		if got, _ := wish.render(line); got != wanted || err != nil {
			t.Errorf("%s: %q %v, not %q", query, got, err, wanted)
		}
	}
	for _, query := range []string{"tailLines=x", "limitBytes=0", "sinceTime=yesterday", "sinceSeconds=x", "previous=true"} {
		values, _ := url.ParseQuery(query)
		if _, err := readWish(values, time.Now()); err == nil {
			t.Errorf("%s was taken", query)
		}
	}
}

func TestAServiceMeansThePodsThatItsSelectorNames(t *testing.T) {
	service := &serviceObject{Metadata: meta{Namespace: "jobs"}}
	if selects(service, samplePod()) {
		t.Error("without a selector it means none")
	}
	service.Spec.Selector = map[string]string{"a/b": "c"}
	if !selects(service, samplePod()) {
		t.Error("its selector names the pod")
	}
	service.Metadata.Namespace = "other"
	if selects(service, samplePod()) {
		t.Error("the pod is in another namespace")
	}
}
