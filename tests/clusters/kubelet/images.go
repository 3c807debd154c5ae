// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"
)

// Images are names of programs that stand for an image's entry point.
type images map[string]string

func (i images) String() string { return fmt.Sprint(map[string]string(i)) }

// Set reads NAME=PROGRAM; the flag may be repeated.
func (i images) Set(text string) error {
	name, program, found := strings.Cut(text, "=")
	if !found || name == "" || program == "" {
		return fmt.Errorf("%q is not NAME=PROGRAM", text)
	}
	i[name] = program
	return nil
}

var imageName = regexp.MustCompile(
	`^[a-z0-9]+([._:/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)

// Why an image cannot be had; nothing when it can.
func (i images) refusal(name string) *waiting {
	if !imageName.MatchString(name) {
		return &waiting{Reason: "InvalidImageName",
			Message: fmt.Sprintf("Failed to apply default image tag %q: couldn't parse image name %q: invalid reference format", name, name)}
	}
	if _, known := i[name]; known {
		return nil
	}
	return &waiting{Reason: "ErrImagePull",
		Message: fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: %s: not found", name, name, name)}
}

// What a refusal looks like between two tries.
func backOff(name string, refused *waiting) *waiting {
	if refused.Reason != "ErrImagePull" {
		return refused
	}
	return &waiting{Reason: "ImagePullBackOff",
		Message: fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", name, refused.Message)}
}
