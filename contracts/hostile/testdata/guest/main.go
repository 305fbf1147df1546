//go:build wasip1

// A hostile contract in plain Go. Its method is the way in which it misbehaves.
package main

import (
	"os"
	"strings"
	"sync"
	"time"
	"unsafe"
)

//go:wasmimport ward method
//go:noescape
func hostMethod(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward set
//go:noescape
func hostSet(collection, key, value string)

//go:wasmimport ward emit
//go:noescape
func hostEmit(name, attributes string)

//go:wasmimport ward ret
//go:noescape
func hostRet(result string)

//go:wasmimport ward fail
//go:noescape
func hostFail(code uint32, reason string)

//go:wasmimport ward log
//go:noescape
func hostLog(line string)

var buffer [64]byte

//go:wasmexport ward_call
func call() {
	n := hostMethod(unsafe.Pointer(&buffer[0]), uint32(len(buffer)))
	switch string(buffer[:n]) {
	case "panic":
		panic("because I can")
	case "panic_with_rubbish":
		panic("\xff\xfe\x1b[2J")
	case "panic_at_length":
		panic(strings.Repeat("x", 1<<20))
	case "divide":
		println(1 / (len(os.Args)))
	case "nil":
		var p *[1 << 20]byte
		println(p[n])
	case "recurse":
		println(recurse(1))
	case "allocate":
		for keep := [][]byte(nil); ; keep = append(keep, make([]byte, 1<<20)) {
			hold = keep
		}
	case "goroutines":
		for {
			go func() { select {} }()
		}
	case "deadlock":
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	case "exit":
		os.Exit(0)
	case "sleep":
		for {
			time.Sleep(time.Hour)
		}
	case "print":
		for {
			println(strings.Repeat("x", 1000))
		}
	case "log":
		for {
			hostLog(strings.Repeat("x", 100_000))
		}
	case "write":
		for {
			hostSet("rows", "k", strings.Repeat("x", 60_000))
		}
	case "emit_big":
		hostEmit("big", "\xa1\x61k\x59\x20\x00"+strings.Repeat("x", 0x2000))
	case "defer_past_fail":
		defer func() {
			recover()
			hostSet("rows", "after", "fail")
			hostRet("\xf5")
		}()
		hostSet("rows", "before", "fail")
		hostFail(9, "I quit")
		hostSet("rows", "past", "fail")
	case "forge_panic_line":
		println("panic: it was \xff somebody else")
		unreachable()
	case "honest":
		hostRet("\xf5")
	}
}

var hold [][]byte

func unreachable() {
	var f func()
	f()
}

func recurse(n int) int {
	if n == 0 {
		return 0
	}
	return recurse(n+1) + n
}

func main() {}
