// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"time"
)

// The part of Kubernetes' objects that running Spark's pods needs.

type meta struct {
	Name                       string            `json:"name,omitempty"`
	GenerateName               string            `json:"generateName,omitempty"`
	Namespace                  string            `json:"namespace,omitempty"`
	UID                        string            `json:"uid,omitempty"`
	ResourceVersion            string            `json:"resourceVersion,omitempty"`
	Labels                     map[string]string `json:"labels,omitempty"`
	Annotations                map[string]string `json:"annotations,omitempty"`
	DeletionTimestamp          *time.Time        `json:"deletionTimestamp,omitempty"`
	DeletionGracePeriodSeconds *int64            `json:"deletionGracePeriodSeconds,omitempty"`
}

type podObject struct {
	Metadata meta    `json:"metadata"`
	Spec     podSpec `json:"spec"`
	Status   struct {
		Phase string `json:"phase"`
		PodIP string `json:"podIP"`
	} `json:"status"`
}

type podSpec struct {
	NodeName              string            `json:"nodeName"`
	SchedulerName         string            `json:"schedulerName"`
	ServiceAccountName    string            `json:"serviceAccountName"`
	NodeSelector          map[string]string `json:"nodeSelector"`
	SchedulingGates       []json.RawMessage `json:"schedulingGates"`
	ActiveDeadlineSeconds *int64            `json:"activeDeadlineSeconds"`
	InitContainers        []container       `json:"initContainers"`
	Containers            []container       `json:"containers"`
	Volumes               []volume          `json:"volumes"`
}

type container struct {
	Name       string   `json:"name"`
	Image      string   `json:"image"`
	Command    []string `json:"command"`
	Args       []string `json:"args"`
	WorkingDir string   `json:"workingDir"`
	Env        []envVar `json:"env"`
	EnvFrom    []struct {
		Prefix       string     `json:"prefix"`
		ConfigMapRef *sourceRef `json:"configMapRef"`
		SecretRef    *sourceRef `json:"secretRef"`
	} `json:"envFrom"`
	VolumeMounts []volumeMount `json:"volumeMounts"`
	Resources    struct {
		Requests map[string]string `json:"requests"`
		Limits   map[string]string `json:"limits"`
	} `json:"resources"`
}

type sourceRef struct {
	Name     string `json:"name"`
	Key      string `json:"key"`
	Optional bool   `json:"optional"`
}

type fieldRef struct {
	FieldPath string `json:"fieldPath"`
}

type resourceFieldRef struct {
	ContainerName string `json:"containerName"`
	Resource      string `json:"resource"`
}

type envVar struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	ValueFrom *struct {
		FieldRef         *fieldRef         `json:"fieldRef"`
		ResourceFieldRef *resourceFieldRef `json:"resourceFieldRef"`
		ConfigMapKeyRef  *sourceRef        `json:"configMapKeyRef"`
		SecretKeyRef     *sourceRef        `json:"secretKeyRef"`
	} `json:"valueFrom"`
}

type volumeMount struct {
	Name      string `json:"name"`
	MountPath string `json:"mountPath"`
	SubPath   string `json:"subPath"`
	ReadOnly  bool   `json:"readOnly"`
}

type keyToPath struct {
	Key  string `json:"key"`
	Path string `json:"path"`
	Mode *int   `json:"mode"`
}

type keyedSource struct {
	Name       string      `json:"name"`
	SecretName string      `json:"secretName"`
	Items      []keyToPath `json:"items"`
	Optional   bool        `json:"optional"`
	Mode       *int        `json:"defaultMode"`
}

type downwardItems struct {
	Items []struct {
		Path     string    `json:"path"`
		FieldRef *fieldRef `json:"fieldRef"`
	} `json:"items"`
}

type projection struct {
	ConfigMap           *keyedSource   `json:"configMap"`
	Secret              *keyedSource   `json:"secret"`
	DownwardAPI         *downwardItems `json:"downwardAPI"`
	ServiceAccountToken *struct {
		Audience          string `json:"audience"`
		ExpirationSeconds *int64 `json:"expirationSeconds"`
		Path              string `json:"path"`
	} `json:"serviceAccountToken"`
}

type volume struct {
	Name        string         `json:"name"`
	ConfigMap   *keyedSource   `json:"configMap"`
	Secret      *keyedSource   `json:"secret"`
	DownwardAPI *downwardItems `json:"downwardAPI"`
	EmptyDir    *struct{}      `json:"emptyDir"`
	HostPath    *struct {
		Path string `json:"path"`
	} `json:"hostPath"`
	Projected *struct {
		Sources []projection `json:"sources"`
		Mode    *int         `json:"defaultMode"`
	} `json:"projected"`
}

type serviceObject struct {
	Metadata meta `json:"metadata"`
	Spec     struct {
		Selector map[string]string `json:"selector"`
	} `json:"spec"`
}

// ---- what is reported --------------------------------------------------------------------------

type condition struct {
	Type               string    `json:"type"`
	Status             string    `json:"status"`
	Reason             string    `json:"reason,omitempty"`
	Message            string    `json:"message,omitempty"`
	LastTransitionTime time.Time `json:"lastTransitionTime"`
}

type containerState struct {
	Waiting    *waiting    `json:"waiting,omitempty"`
	Running    *running    `json:"running,omitempty"`
	Terminated *terminated `json:"terminated,omitempty"`
}

type waiting struct {
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
}

type running struct {
	StartedAt time.Time `json:"startedAt"`
}

type terminated struct {
	ExitCode    int       `json:"exitCode"`
	Reason      string    `json:"reason"`
	Message     string    `json:"message,omitempty"`
	StartedAt   time.Time `json:"startedAt"`
	FinishedAt  time.Time `json:"finishedAt"`
	ContainerID string    `json:"containerID,omitempty"`
}

type containerStatus struct {
	Name         string         `json:"name"`
	Image        string         `json:"image"`
	ImageID      string         `json:"imageID"`
	ContainerID  string         `json:"containerID,omitempty"`
	Ready        bool           `json:"ready"`
	Started      bool           `json:"started"`
	RestartCount int            `json:"restartCount"`
	State        containerState `json:"state"`
	LastState    struct{}       `json:"lastState"`
}

type podIP struct {
	IP string `json:"ip"`
}

type podStatus struct {
	Phase                 string            `json:"phase"`
	Reason                string            `json:"reason,omitempty"`
	Message               string            `json:"message,omitempty"`
	HostIP                string            `json:"hostIP"`
	HostIPs               []podIP           `json:"hostIPs"`
	PodIP                 string            `json:"podIP"`
	PodIPs                []podIP           `json:"podIPs"`
	StartTime             time.Time         `json:"startTime"`
	Conditions            []condition       `json:"conditions"`
	InitContainerStatuses []containerStatus `json:"initContainerStatuses,omitempty"`
	ContainerStatuses     []containerStatus `json:"containerStatuses"`
}
