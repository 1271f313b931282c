// eraft measures etcd/raft: all nodes in this process, channels between them,
// each with etcd's own write-ahead log (or only in memory), and clients that
// hand their commands to the leader.
package main

import (
	"fmt"
	"io/ioutil"
	"os"
	"time"

	"../load"

	"go.etcd.io/etcd/raft"
)

func main() {
	settings := load.Parse()
	dir, err := ioutil.TempDir("", "eraft")
	load.Must(err)
	defer os.RemoveAll(dir)

	raft.SetLogger(silence{})
	nodes := startNodes(settings, dir)
	leader := awaitLeader(nodes)
	// The first entries of the term are committed before anybody is measured.
	time.Sleep(200 * time.Millisecond)
	newClient := func(int) load.Client {
		answered := make(chan struct{}, 1)
		return func(key string) error {
			command := make([]byte, settings.Size)
			copy(command[ticketLength:], key)
			leader.proposals <- proposal{command, answered}
			<-answered
			return nil
		}
	}
	line := load.Measure(settings, newClient, func() {})
	line.Print("etcd/raft")
}

func startNodes(settings load.Settings, dir string) []*node {
	links := make(map[uint64]*node, settings.Nodes)
	nodes := make([]*node, settings.Nodes)
	ids := make([]uint64, settings.Nodes)
	for at := range ids {
		ids[at] = uint64(at + 1)
	}
	for at, id := range ids {
		place := ""
		if !settings.Memory {
			place = fmt.Sprintf("%s/%d", dir, id)
		}
		nodes[at] = newNode(id, ids, links, place)
		links[id] = nodes[at]
	}
	for _, node := range nodes {
		go node.run()
	}
	return nodes
}

func awaitLeader(nodes []*node) *node {
	for {
		for _, node := range nodes {
			if node.leads() {
				return node
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}
