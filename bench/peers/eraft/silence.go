package main

import (
	"fmt"

	"../load"
)

// silence drops what etcd/raft would log, and ends the process where it would panic.
type silence struct{}

func (silence) Debug(...interface{})            {}
func (silence) Debugf(string, ...interface{})   {}
func (silence) Info(...interface{})             {}
func (silence) Infof(string, ...interface{})    {}
func (silence) Warning(...interface{})          {}
func (silence) Warningf(string, ...interface{}) {}
func (silence) Error(...interface{})            {}
func (silence) Errorf(string, ...interface{})   {}

func (silence) Fatal(words ...interface{}) { load.Fail(fmt.Sprint(words...)) }
func (silence) Panic(words ...interface{}) { load.Fail(fmt.Sprint(words...)) }

func (silence) Fatalf(format string, words ...interface{}) { load.Fail(fmt.Sprintf(format, words...)) }
func (silence) Panicf(format string, words ...interface{}) { load.Fail(fmt.Sprintf(format, words...)) }
