// Package load is what the Go peers have in common: closed-loop clients that
// warm up and are then measured, and the one line of JSON that
// tells what they saw.
package load

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"
)

const (
	keyCount = 10000
	// firstCalls show what a program waits that has just started.
	firstCalls = 100
	// KeyLength is how many bytes a key has, as text.
	KeyLength = 8
)

// Settings are the flags that every peer takes.
type Settings struct {
	Nodes, Clients, Size int
	Seconds, WarmUp      float64
	Memory               bool
	Announce             bool
}

// Parse reads the flags; a peer defines flags of its own before it calls this.
func Parse() Settings {
	var settings Settings
	flag.IntVar(&settings.Nodes, "nodes", 3, "nodes of the cluster")
	flag.IntVar(&settings.Clients, "clients", 64, "closed-loop clients")
	flag.IntVar(&settings.Size, "size", 128, "bytes of a command, key included")
	flag.Float64Var(&settings.Seconds, "seconds", 5, "length of the measured window")
	flag.Float64Var(&settings.WarmUp, "warmup", 1, "seconds under load before the window")
	flag.BoolVar(&settings.Memory, "memory", false, "keep the log in memory, not on disk")
	flag.BoolVar(&settings.Announce, "announce", false, "print a line before the window and one after it, and wait for a line of input each time")
	flag.Parse()
	return settings
}

// Client makes one call with the key given, and returns once it is acknowledged.
type Client func(key string) error

// Line is what a peer prints.
type Line struct {
	Peer             string  `json:"peer"`
	Durable          bool    `json:"durable"`
	Nodes            int     `json:"nodes"`
	Clients          int     `json:"clients"`
	Size             int     `json:"size"`
	CommitsPerSecond float64 `json:"commitsPerSecond"`
	P50              float64 `json:"p50ms"`
	P99              float64 `json:"p99ms"`
	FirstHundredP50  float64 `json:"firstHundredP50ms"`
	Elections        uint64  `json:"elections"`
}

// Fail gives up with one line: a peer that lost its leader has no figures to tell.
func Fail(reason interface{}) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}

// Must is for what cannot go wrong on a machine in order.
func Must(err error) {
	if err != nil {
		Fail(err)
	}
}

// Measure warms up, runs all clients for the window, and tells what came of it.
// Before the window `mark` is called, for what has to be compared afterwards.
func Measure(settings Settings, newClient func(id int) Client, mark func()) Line {
	clients := make([]Client, settings.Clients)
	for id := range clients {
		clients[id] = newClient(id)
	}
	keys := make([]string, keyCount)
	for number := range keys {
		keys[number] = fmt.Sprintf("%0*d", KeyLength, number)
	}
	first, _ := runFor(clients, keys, time.Duration(settings.WarmUp*float64(time.Second)))
	mark()
	input := bufio.NewReader(os.Stdin)
	settings.announce("window begins", input)
	latencies, elapsed := runFor(clients, keys, time.Duration(settings.Seconds*float64(time.Second)))
	settings.announce("window ends", input)
	if len(latencies) == 0 {
		Fail("it answered no call within the measured window")
	}
	// With several clients, the first hundred calls of the first client.
	if len(first) > firstCalls {
		first = first[:firstCalls]
	}
	return Line{
		Durable:          !settings.Memory,
		Nodes:            settings.Nodes,
		Clients:          settings.Clients,
		Size:             settings.Size,
		CommitsPerSecond: float64(int(float64(len(latencies)) / elapsed.Seconds())),
		P50:              at(latencies, 0.5),
		P99:              at(latencies, 0.99),
		FirstHundredP50:  at(first, 0.5),
	}
}

// at returns the latency, in milliseconds, that a share of the calls did not exceed.
func at(latencies []time.Duration, share float64) float64 {
	if len(latencies) == 0 {
		return 0
	}
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	latency := latencies[int(share*float64(len(latencies)-1))]
	return float64(latency.Microseconds()) / 1000
}

// announce waits until the starter of this program has seen to what it reads at
// the bounds of the window. No call is under way meanwhile.
func (settings Settings) announce(moment string, input *bufio.Reader) {
	if !settings.Announce {
		return
	}
	fmt.Println(moment)
	if _, err := input.ReadString('\n'); err != nil {
		Fail("nobody answered: " + moment)
	}
}

// runFor lets each client call again and again until the time is over, and
// returns all latencies together with the time until the last answer.
func runFor(clients []Client, keys []string, window time.Duration) ([]time.Duration, time.Duration) {
	perClient := make([][]time.Duration, len(clients))
	start := time.Now()
	deadline := start.Add(window)
	var running sync.WaitGroup
	running.Add(len(clients))
	for id := range clients {
		go func(id int) {
			defer running.Done()
			var latencies []time.Duration
			dice := uint32(id)*2654435761 + 1
			for began := time.Now(); began.Before(deadline); {
				dice ^= dice << 13
				dice ^= dice >> 17
				dice ^= dice << 5
				if err := clients[id](keys[dice%keyCount]); err != nil {
					Fail(err)
				}
				now := time.Now()
				latencies = append(latencies, now.Sub(began))
				began = now
			}
			perClient[id] = latencies
		}(id)
	}
	running.Wait()
	elapsed := time.Since(start)
	var all []time.Duration
	for _, latencies := range perClient {
		all = append(all, latencies...)
	}
	return all, elapsed
}

// Print writes the line, as the last one on standard output.
func (line Line) Print(peer string) {
	line.Peer = peer
	Must(json.NewEncoder(os.Stdout).Encode(line))
}
