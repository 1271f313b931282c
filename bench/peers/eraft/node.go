package main

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"../load"

	"go.etcd.io/etcd/raft"
	"go.etcd.io/etcd/raft/raftpb"
	"go.etcd.io/etcd/wal"
	"go.etcd.io/etcd/wal/walpb"
	"go.uber.org/zap"
)

const (
	tickInterval = 100 * time.Millisecond
	// As many as may wait for a node; more than there are clients, so that nobody blocks.
	queueLength = 1 << 16
	// As many are taken in before the disk is written: what came during a flush is the next batch.
	batchMax = 4096
	// A command begins with the number under which its client waits; the key follows.
	ticketLength = 8
)

type proposal struct {
	command  []byte
	answered chan<- struct{}
}

// A node is one goroutine: only `leading` is read by others.
type node struct {
	protocol  *raft.RawNode
	memory    *raft.MemoryStorage
	disk      *wal.WAL // nil without durability
	links     map[uint64]*node
	messages  chan raftpb.Message
	proposals chan proposal
	values    map[string][]byte
	// Proposals in the order in which they were made, which is the order in which they commit.
	waiting    []proposal
	nextTicket uint64
	leading    int32
}

func newNode(id uint64, ids []uint64, links map[uint64]*node, place string) *node {
	// As after a snapshot of an empty state, so that every node knows the others from the start.
	origin := raftpb.SnapshotMetadata{Index: 1, Term: 1, ConfState: raftpb.ConfState{Voters: ids}}
	memory := raft.NewMemoryStorage()
	load.Must(memory.ApplySnapshot(raftpb.Snapshot{Metadata: origin}))
	created := &node{
		memory:    memory,
		links:     links,
		messages:  make(chan raftpb.Message, queueLength),
		proposals: make(chan proposal, queueLength),
		values:    map[string][]byte{},
	}
	if place != "" {
		disk, err := wal.Create(zap.NewNop(), place, nil)
		load.Must(err)
		load.Must(disk.SaveSnapshot(walpb.Snapshot{Index: origin.Index, Term: origin.Term}))
		created.disk = disk
	}
	protocol, err := raft.NewRawNode(&raft.Config{
		ID:              id,
		Storage:         memory,
		Applied:         origin.Index,
		ElectionTick:    10,
		HeartbeatTick:   1,
		MaxSizePerMsg:   1 << 20,
		MaxInflightMsgs: 256,
	})
	load.Must(err)
	created.protocol = protocol
	return created
}

func (n *node) leads() bool { return atomic.LoadInt32(&n.leading) == 1 }

func (n *node) run() {
	ticks := time.NewTicker(tickInterval).C
	for {
		select {
		case <-ticks:
			n.protocol.Tick()
		case message := <-n.messages:
			n.step(message)
		case one := <-n.proposals:
			n.propose(one)
		}
		n.takeWhatWaits()
		for n.protocol.HasReady() {
			n.settle(n.protocol.Ready())
		}
	}
}

// takeWhatWaits makes one batch of all that came while the last one was written.
func (n *node) takeWhatWaits() {
	for taken := 0; taken < batchMax; taken++ {
		select {
		case message := <-n.messages:
			n.step(message)
		case one := <-n.proposals:
			n.propose(one)
		default:
			return
		}
	}
}

func (n *node) step(message raftpb.Message) {
	// A refusal is part of the protocol (an answer of a node that is not known, say).
	_ = n.protocol.Step(message)
}

func (n *node) propose(one proposal) {
	binary.LittleEndian.PutUint64(one.command, n.nextTicket)
	n.nextTicket++
	n.waiting = append(n.waiting, one)
	load.Must(n.protocol.Propose(one.command))
}

// settle does what the protocol wishes. A leader may send while it writes,
// for it counts its own copy only at Advance; a follower's answer says that it is flushed.
func (n *node) settle(ready raft.Ready) {
	if ready.SoftState != nil {
		n.noteRole(ready.SoftState.RaftState)
	}
	isLeader := n.leads()
	if isLeader {
		n.send(ready.Messages)
	}
	if n.disk != nil {
		load.Must(n.disk.Save(ready.HardState, ready.Entries))
	}
	if !raft.IsEmptyHardState(ready.HardState) {
		load.Must(n.memory.SetHardState(ready.HardState))
	}
	load.Must(n.memory.Append(ready.Entries))
	if !isLeader {
		n.send(ready.Messages)
	}
	for at := range ready.CommittedEntries {
		n.apply(ready.CommittedEntries[at].Data)
	}
	n.protocol.Advance(ready)
}

func (n *node) noteRole(role raft.StateType) {
	if role == raft.StateLeader {
		atomic.StoreInt32(&n.leading, 1)
		return
	}
	if n.leads() {
		load.Fail("it lost its leader")
	}
}

func (n *node) send(messages []raftpb.Message) {
	for _, message := range messages {
		n.links[message.To].messages <- message
	}
}

func (n *node) apply(command []byte) {
	if len(command) == 0 {
		return // the entry with which a term begins
	}
	n.values[string(command[ticketLength:ticketLength+load.KeyLength])] = command
	if len(n.waiting) == 0 {
		return // a follower: nobody waits here
	}
	ticket := binary.LittleEndian.Uint64(command)
	if ticket != n.nextTicket-uint64(len(n.waiting)) {
		load.Fail("it committed out of order")
	}
	n.waiting[0].answered <- struct{}{}
	n.waiting = n.waiting[1:]
}
