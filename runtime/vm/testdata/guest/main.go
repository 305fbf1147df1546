//go:build wasip1

// A contract in plain Go without any SDK, for the tests of runtime/vm: each method
// does one thing that the tests ask about.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"sort"
	"time"
	"unsafe"
)

//go:wasmimport ward method
//go:noescape
func hostMethod(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward get
//go:noescape
func hostGet(collection, key string, out unsafe.Pointer, size uint32) int32

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

var buffer [256]byte

// initTime and initRandom are what a package sees while it is initialized.
var (
	initTime   = time.Now()
	initRandom = random()
)

func random() string {
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	return fmt.Sprintf("%x", b)
}

// ret returns a text of less than 256 bytes.
func ret(s string) {
	head := []byte{0x60 + byte(len(s))}
	if len(s) >= 24 {
		head = []byte{0x78, byte(len(s))}
	}
	hostRet(string(head) + s)
}

//go:wasmexport ward_call
func call() {
	n := hostMethod(unsafe.Pointer(&buffer[0]), uint32(len(buffer)))
	method := string(buffer[:n])
	do, ok := methods[method]
	if !ok {
		hostFail(1, "no method "+method)
	}
	do()
}

//go:wasmexport ward_spec
func spec() { hostRet("\x01") }

var methods = map[string]func(){
	"nothing": func() {},
	"count": func() {
		n := hostGet("counts", "n", unsafe.Pointer(&buffer[0]), uint32(len(buffer)))
		next := byte(0)
		if n == 1 {
			next = buffer[0] + 1
		}
		hostSet("counts", "n", string([]byte{next}))
		hostEmit("counted", string([]byte{0xa1, 0x61, 'n', next & 15}))
		ret(fmt.Sprint(next))
	},
	"panic":     func() { panic(fmt.Sprint("a reason with a number: ", 42)) },
	"nil":       func() { var p *int; *p = 1 },
	"index":     func() { fmt.Println(buffer[len(os.Args)+300]) },
	"exit":      func() { os.Exit(3) },
	"exit_zero": func() { os.Exit(0) },
	"recover": func() {
		defer func() { ret(fmt.Sprint("recovered: ", recover())) }()
		panic("all is well")
	},
	"after_fail": func() {
		defer hostSet("after", "fail", "deferred")
		hostFail(7, "no")
		hostSet("after", "fail", "ran on")
	},
	"recurse":  func() { recurse(1) },
	"allocate": func() { allocate() },
	"deadlock": func() { <-make(chan int) },
	"print":    func() { fmt.Println("to stdout"); fmt.Fprint(os.Stderr, "to ", "stderr"); println("; more") },
	"now":      func() { ret(fmt.Sprint(time.Now().Unix(), " ", initTime.Unix())) },
	"random":   func() { ret(fmt.Sprint(random(), " ", initRandom, " ", mathrand.Uint64() != 0)) },
	"sleep": func() {
		start := time.Now()
		time.Sleep(90 * time.Minute)
		after := make(chan string, 1)
		go func() { time.Sleep(time.Second); after <- "; a goroutine too" }()
		ret(fmt.Sprint("slept ", time.Since(start).Round(time.Second), <-after))
	},
	"world": func() {
		_, open := os.Open("/etc/passwd")
		_, create := os.Create("x")
		_, dir := os.Getwd()
		in, read := io.ReadAll(os.Stdin)
		ret(fmt.Sprint(len(os.Args), len(os.Environ()), open != nil, create != nil, dir != nil, len(in), read))
	},
	"map_order": func() {
		order, m := "", make(map[int]bool)
		for i := range 100 {
			m[i] = true
		}
		for k := range m {
			order += fmt.Sprint(k, " ")
		}
		ret(fmt.Sprintf("%x", sha256.Sum256([]byte(order))))
	},
	"work": func() {
		x := [32]byte{1}
		var words []string
		for i := range 200 {
			x = sha256.Sum256(x[:])
			words = append(words, fmt.Sprintf("%x", x[:i%8+1]))
		}
		sort.Strings(words)
		hostSet("work", words[0], words[len(words)-1])
		hostEmit("worked", "\xa0")
		ret(words[100])
	},
	"error": func() { ret(errors.Join(errors.New("one"), errors.New("two")).Error()) },
}

var sink []byte

func recurse(n int) int { return recurse(n+1) + n }

func allocate() {
	var keep [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = byte(i)
		}
		keep = append(keep, b)
		sink = keep[len(keep)/2]
	}
}

func main() {}
