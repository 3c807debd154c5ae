// SPDX-License-Identifier: Apache-2.0

// A kubelet for tests: it registers a node and runs pods as processes of this machine, so that
// real Spark drivers and executors run on a real API server. Images are names of programs; there
// are no limits of memory or CPU, no probes, no restarts. Each pod has an address of its own in
// the loopback network.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const usage = `usage: kubelet pki -folder FOLDER -ip ADDRESS
       kubelet run OPTION…`

func main() {
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var err error
	switch command {
	case "sandbox":
		os.Exit(runSandbox())
	case "pki":
		err = pkiCommand(os.Args[2:])
	case "run":
		err = runCommand(os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubelet:", err)
		os.Exit(1)
	}
}

func pkiCommand(arguments []string) error {
	options := flag.NewFlagSet("pki", flag.ExitOnError)
	folder := options.String("folder", "", "where the files go")
	ip := options.String("ip", "", "the node's address")
	_ = options.Parse(arguments)
	address := net.ParseIP(*ip)
	if *folder == "" || address == nil {
		return errors.New("pki needs -folder and -ip")
	}
	return makePKI(*folder, address)
}

type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(text string) error {
	*l = append(*l, text)
	return nil
}

func runCommand(arguments []string) error {
	options := flag.NewFlagSet("run", flag.ExitOnError)
	server := options.String("api", "", "address of the API server")
	pki := options.String("pki", "", "folder with ca.crt, kubelet.crt, kubelet.key")
	folder := options.String("folder", "", "folder for pods")
	name := options.String("name", "node-1", "the node's name")
	ip := options.String("ip", "127.64.255.1", "the node's address; pods have others of its network 127.X.0.0/16")
	port := options.Int("port", 10250, "port for logs")
	cpu := options.String("cpu", "64", "what the node offers")
	memory := options.String("memory", "256Gi", "what the node offers")
	pods := options.String("pods", "20000", "what the node offers")
	known := images{}
	options.Var(known, "image", "NAME=PROGRAM: an image and its entry point; may be repeated")
	var variables list
	options.Var(&variables, "env", "NAME=VALUE for every container; may be repeated")
	_ = options.Parse(arguments)

	total := resources{}
	for resource, text := range map[string]string{"cpu": *cpu, "memory": *memory, "pods": *pods} {
		amount, err := quantity(text)
		if err != nil {
			return fmt.Errorf("-%s: %w", resource, err)
		}
		total[resource] = amount
	}
	api, err := newAPIClient(*server, filepath.Join(*pki, "ca.crt"), filepath.Join(*pki, "kubelet.crt"), filepath.Join(*pki, "kubelet.key"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*folder, 0o755); err != nil {
		return err
	}
	this := &node{api: api, name: *name, ip: *ip, port: *port, folder: *folder, images: known,
		environment: variables,
		room: capacity{total: total, used: resources{}, labels: map[string]string{
			"kubernetes.io/hostname": *name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
		pods: map[string]*pod{}, pending: map[string]*podObject{}, placed: map[string]bool{}, releases: map[string]bool{}}
	front := "127.0.0.1"
	this.service = *server
	if this.openFront(strings.TrimSuffix(*ip, ".1")+".2", *server) {
		front = strings.TrimSuffix(*ip, ".1") + ".2"
		this.service = "https://" + front + ":443"
	}
	if this.names, err = newNames(filepath.Join(*folder, "hosts"), front); err != nil {
		return err
	}
	return this.serve(*pki)
}

func (n *node) serve(pki string) error {
	pem, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", n.ip, n.port))
	if err != nil {
		return err
	}
	if err := n.register(); err != nil {
		return err
	}
	go n.beat()
	go n.api.follow("services", n.replaceServices, n.serviceEvent)
	go n.api.follow("pods", n.replacePods, n.podEvent)
	routes := http.NewServeMux()
	routes.HandleFunc("/containerLogs/", n.serveLog)
	routes.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(answer, "ok") })
	log.Printf("node %s on %s", n.name, listener.Addr())
	server := &http.Server{Handler: routes,
		TLSConfig: &tls.Config{ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}}
	return server.ServeTLS(listener, filepath.Join(pki, "kubelet.crt"), filepath.Join(pki, "kubelet.key"))
}
