// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A file of a volume.
type volumeFile struct {
	path string
	data []byte
	mode os.FileMode
}

func modeOr(mode *int, otherwise os.FileMode) os.FileMode {
	if mode == nil {
		return otherwise
	}
	return os.FileMode(*mode) & os.ModePerm
}

// project gives the files that a ConfigMap or Secret stands for: all keys, or those that are named.
func project(source *keyed, items []keyToPath, optional bool, mode os.FileMode) ([]volumeFile, error) {
	var files []volumeFile
	if len(items) == 0 {
		for _, key := range sortedKeys(source.data) {
			files = append(files, volumeFile{key, source.data[key], mode})
		}
		return files, nil
	}
	for _, item := range items {
		data, found := source.data[item.Key]
		if !found && optional {
			continue
		}
		if !found {
			return nil, fmt.Errorf("%s references non-existent %s key: %s", source.kind, keyWord[source.kind], item.Key)
		}
		if !filepath.IsLocal(item.Path) {
			return nil, fmt.Errorf("%q leads out of the volume", item.Path)
		}
		files = append(files, volumeFile{item.Path, data, modeOr(item.Mode, mode)})
	}
	return files, nil
}

var keyWord = map[string]string{"configmap": "config", "secret": "secret"}

func keyedFiles(look lookUp, kind, name string, from *keyedSource, mode os.FileMode) ([]volumeFile, error) {
	source, err := look(kind, name)
	if hasCode(err, 404) && from.Optional {
		return nil, nil
	}
	if err != nil {
		return nil, missing(kind, name, err)
	}
	return project(source, from.Items, from.Optional, mode)
}

func downwardFiles(facts *podFacts, items *downwardItems, mode os.FileMode) ([]volumeFile, error) {
	var files []volumeFile
	for _, item := range items.Items {
		if item.FieldRef == nil || !filepath.IsLocal(item.Path) {
			return nil, fmt.Errorf("unsupported downward API item %q", item.Path)
		}
		value, err := facts.field(item.FieldRef.FieldPath)
		if err != nil {
			return nil, err
		}
		files = append(files, volumeFile{item.Path, []byte(value), mode})
	}
	return files, nil
}

// A token for the pod's service account.
type tokenRequest func(audience string, seconds *int64) ([]byte, error)

// volumeFiles gives the files of a volume that is made of objects.
func volumeFiles(one *volume, facts *podFacts, look lookUp, token tokenRequest) ([]volumeFile, error) {
	switch {
	case one.ConfigMap != nil:
		return keyedFiles(look, "configmap", one.ConfigMap.Name, one.ConfigMap, modeOr(one.ConfigMap.Mode, 0o644))
	case one.Secret != nil:
		return keyedFiles(look, "secret", one.Secret.SecretName, one.Secret, modeOr(one.Secret.Mode, 0o644))
	case one.DownwardAPI != nil:
		return downwardFiles(facts, one.DownwardAPI, 0o644)
	case one.Projected != nil:
		var files []volumeFile
		for _, source := range one.Projected.Sources {
			more, err := projectionFiles(&source, facts, look, token, modeOr(one.Projected.Mode, 0o644))
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		}
		return files, nil
	}
	return nil, nil
}

func projectionFiles(source *projection, facts *podFacts, look lookUp, token tokenRequest, mode os.FileMode) ([]volumeFile, error) {
	switch {
	case source.ConfigMap != nil:
		return keyedFiles(look, "configmap", source.ConfigMap.Name, source.ConfigMap, mode)
	case source.Secret != nil:
		return keyedFiles(look, "secret", source.Secret.Name, source.Secret, mode)
	case source.DownwardAPI != nil:
		return downwardFiles(facts, source.DownwardAPI, mode)
	case source.ServiceAccountToken != nil:
		wanted := source.ServiceAccountToken
		text, err := token(wanted.Audience, wanted.ExpirationSeconds)
		if err != nil {
			return nil, err
		}
		return []volumeFile{{wanted.Path, text, 0o600}}, nil
	}
	return nil, nil
}

// writeVolume makes the folder of a volume and gives its path.
func writeVolume(folder string, files []volumeFile) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		path := filepath.Join(folder, file.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, file.data, file.mode); err != nil {
			return err
		}
		// the umask has had its say in WriteFile
		if err := os.Chmod(path, file.mode); err != nil {
			return err
		}
	}
	return nil
}

// A place of the machine that a container sees under another path.
type bind struct {
	From     string
	To       string
	ReadOnly bool
}

func binds(one *container, volumes map[string]string) ([]bind, error) {
	var all []bind
	for _, mount := range one.VolumeMounts {
		from, found := volumes[mount.Name]
		if !found {
			return nil, fmt.Errorf("volume %q is of a kind that this kubelet does not know", mount.Name)
		}
		if mount.SubPath != "" {
			if !filepath.IsLocal(mount.SubPath) {
				return nil, fmt.Errorf("subPath %q leads out of the volume", mount.SubPath)
			}
			from = filepath.Join(from, mount.SubPath)
			if _, err := os.Stat(from); err != nil {
				if err := os.MkdirAll(from, 0o755); err != nil {
					return nil, err
				}
			}
		}
		to := filepath.Clean(mount.MountPath)
		if !strings.HasPrefix(to, "/") {
			to = "/" + to
		}
		all = append(all, bind{from, to, mount.ReadOnly})
	}
	return all, nil
}
