// etcdload measures puts over the etcd v3 API, against the servers given. It
// starts none: what it measures may be any server that speaks that API.
package main

import (
	"context"
	"flag"
	"strings"
	"time"

	"../load"

	"go.etcd.io/etcd/clientv3"
)

const (
	dialTimeout = 5 * time.Second
	callTimeout = 10 * time.Second
)

func main() {
	endpoints := flag.String("endpoints", "127.0.0.1:2379", "servers, with commas between them")
	connections := flag.Int("connections", 8, "connections that the clients share")
	settings := load.Parse()
	servers := strings.Split(*endpoints, ",")
	settings.Nodes = len(servers)

	shared := make([]*clientv3.Client, *connections)
	for at := range shared {
		connection, err := clientv3.New(clientv3.Config{Endpoints: servers, DialTimeout: dialTimeout})
		load.Must(err)
		shared[at] = connection
	}
	// As in the other programs, the size counts the key too.
	value := strings.Repeat("v", settings.Size-load.KeyLength)
	newClient := func(id int) load.Client {
		connection := shared[id%len(shared)]
		return func(key string) error {
			ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
			defer cancel()
			_, err := connection.Put(ctx, key, value)
			return err
		}
	}
	var termBefore uint64
	line := load.Measure(settings, newClient, func() { termBefore = termOf(shared[0], servers[0]) })
	// Each election raises the term.
	line.Elections = termOf(shared[0], servers[0]) - termBefore
	line.Print("etcd")
}

func termOf(connection *clientv3.Client, server string) uint64 {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	status, err := connection.Status(ctx, server)
	load.Must(err)
	return status.RaftTerm
}
