// hraft measures hashicorp/raft: all nodes in this process on its in-memory
// transport, each with its log in boltdb (or only in memory), and clients that
// call Apply on the leader.
package main

import (
	"fmt"
	"io"
	"io/ioutil"
	"os"
	"time"

	"../load"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb"
)

const applyTimeout = 10 * time.Second

func main() {
	settings := load.Parse()
	dir, err := ioutil.TempDir("", "hraft")
	load.Must(err)
	defer os.RemoveAll(dir)

	leader := awaitLeader(startNodes(settings, dir))
	newClient := func(int) load.Client {
		return func(key string) error {
			command := make([]byte, settings.Size)
			copy(command, key)
			return leader.Apply(command, applyTimeout).Error()
		}
	}
	line := load.Measure(settings, newClient, func() {})
	line.Print("hashicorp/raft")
}

func startNodes(settings load.Settings, dir string) []*raft.Raft {
	transports, members := connect(settings.Nodes)
	nodes := make([]*raft.Raft, settings.Nodes)
	for at, transport := range transports {
		options := raft.DefaultConfig()
		options.LocalID = members.Servers[at].ID
		options.LogOutput = ioutil.Discard
		options.MaxAppendEntries = 1024
		// No snapshot within a measurement: its cost is not what is compared.
		options.SnapshotThreshold = 1 << 40
		logs, votes := openStore(settings.Memory, fmt.Sprintf("%s/%d", dir, at))
		snapshots := raft.NewInmemSnapshotStore()
		load.Must(raft.BootstrapCluster(options, logs, votes, snapshots, transport, members))
		node, err := raft.NewRaft(options, values{}, logs, votes, snapshots, transport)
		load.Must(err)
		nodes[at] = node
	}
	return nodes
}

// connect makes a transport a node and links each with all others.
func connect(count int) (transports []*raft.InmemTransport, members raft.Configuration) {
	for at := 0; at < count; at++ {
		address, transport := raft.NewInmemTransport(raft.ServerAddress(fmt.Sprint("node-", at)))
		for _, other := range transports {
			other.Connect(address, transport)
			transport.Connect(other.LocalAddr(), other)
		}
		transports = append(transports, transport)
		members.Servers = append(members.Servers, raft.Server{ID: raft.ServerID(address), Address: address})
	}
	return transports, members
}

func openStore(inMemory bool, path string) (raft.LogStore, raft.StableStore) {
	if inMemory {
		store := raft.NewInmemStore()
		return store, store
	}
	store, err := raftboltdb.NewBoltStore(path)
	load.Must(err)
	return store, store
}

func awaitLeader(nodes []*raft.Raft) *raft.Raft {
	for {
		for _, node := range nodes {
			if node.State() == raft.Leader {
				return node
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// values is the state machine: the last command of each key.
type values map[string][]byte

func (v values) Apply(entry *raft.Log) interface{} {
	v[string(entry.Data[:load.KeyLength])] = entry.Data
	return nil
}

func (values) Snapshot() (raft.FSMSnapshot, error) { return nothing{}, nil }
func (values) Restore(io.ReadCloser) error         { return nil }

// nothing is the snapshot that is never taken.
type nothing struct{}

func (nothing) Persist(sink raft.SnapshotSink) error { return sink.Close() }
func (nothing) Release()                             {}
