// SPDX-License-Identifier: Apache-2.0

// The control plane of the Kubernetes test cluster as one program: etcd, kube-apiserver and
// kube-controller-manager of the releases that go.mod names. Which of them runs is said by the
// first argument; the others are the component's own.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func component(command func() *cobra.Command) func([]string) int {
	return func(arguments []string) int {
		os.Args = append(os.Args[:1], arguments...)
		return cli.Run(command())
	}
}

func main() {
	components := map[string]func([]string) int{
		"etcd":                    runEtcd,
		"kube-apiserver":          component(apiserver.NewAPIServerCommand),
		"kube-controller-manager": component(controllers.NewControllerManagerCommand),
	}
	if len(os.Args) > 1 {
		if run, known := components[os.Args[1]]; known {
			os.Exit(run(os.Args[2:]))
		}
	}
	fmt.Fprintln(os.Stderr, "usage: controlplane etcd|kube-apiserver|kube-controller-manager [OPTION…]")
	os.Exit(2)
}
