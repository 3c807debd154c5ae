// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// One member that never syncs to disk: what it keeps survives its own death, not the machine's.
func etcdConfig(folder, clients, peers string) (*embed.Config, error) {
	client, err := url.Parse(clients)
	if err != nil {
		return nil, fmt.Errorf("-clients: %w", err)
	}
	peer, err := url.Parse(peers)
	if err != nil {
		return nil, fmt.Errorf("-peers: %w", err)
	}
	config := embed.NewConfig()
	config.Dir = folder
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.UnsafeNoFsync = true
	config.LogLevel = "warn"
	return config, nil
}

func runEtcd(arguments []string) int {
	options := flag.NewFlagSet("etcd", flag.ExitOnError)
	folder := options.String("folder", "", "where it keeps what it is told")
	clients := options.String("clients", "", "address for the API server")
	peers := options.String("peers", "", "address for other members, of which there are none")
	_ = options.Parse(arguments)
	config, err := etcdConfig(*folder, *clients, *peers)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	server, err := embed.StartEtcd(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-stop:
		return 0
	case err = <-server.Err():
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}
