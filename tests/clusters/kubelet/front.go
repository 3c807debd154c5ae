// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"log"
	"net"
)

// The service `kubernetes` of the cluster: an address of its own whose port 443 leads to the API
// server, as drivers expect it. Where that port may not be listened on, there is none.
func (n *node) openFront(address, server string) bool {
	listener, err := net.Listen("tcp", address+":443")
	if err != nil {
		log.Printf("no service address for the API server: %v", err)
		return false
	}
	host, port := hostAndPort(server)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(connection, net.JoinHostPort(host, port))
		}
	}()
	return true
}

func relay(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	<-done
}
