package specgo

import (
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/wardledger/ward/sdk/wire"
)

// Package returns the name of the package for a contract, by the name in its spec: without "-", and such that it can be
// imported and shadows nothing that Go has by itself.
func Package(contract string) string {
	name := strings.ReplaceAll(contract, "-", "")
	if token.IsKeyword(name) || slices.Contains(taken, name) {
		name += "contract"
	}
	return name
}

// taken is what a package can't or shouldn't be called: what Go means something else by (as a folder or as a package), the names that
// every file knows, and those that a contract's file has.
var taken = []string{
	"main", "internal", "vendor", "testdata", "documentation", "builtin", "cmd", "std", "all", "sdk", "init",
	"any", "bool", "byte", "comparable", "complex64", "complex128", "error", "float32", "float64", "int", "int8", "int16", "int32", "int64", "rune",
	"string", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "true", "false", "iota", "nil",
	"append", "cap", "clear", "close", "complex", "copy", "delete", "imag", "len", "make", "max", "min", "new", "panic", "print", "println", "real", "recover",
}

// validPackage reports whether a Go file can begin with "package name", and another import it: none is called init.
func validPackage(name string) bool { return token.IsIdentifier(name) && name != "_" && name != "init" }

// names gives each thing in a scope a name of its own.
type names map[string]bool

func (n names) take(name string) string {
	free := name
	for i := 2; n[free]; i++ {
		free = name + strconv.Itoa(i)
		if c := name[len(name)-1]; '0' <= c && c <= '9' {
			free = name + "_" + strconv.Itoa(i) // A12 looks like the twelfth of its kind
		}
	}
	n[free] = true
	return free
}

// camel makes an exported Go name of one in snake_case.
func camel(name string) string { return join(name, true) }

// fieldName is camel for a field, and whether the wire gives it back its name by itself.
func fieldName(name string) (goName string, same bool) {
	for _, initials := range []bool{true, false} {
		goName = join(name, initials)
		if wire.FieldName(goName) == name {
			return goName, true
		}
	}
	return camel(name), false
}

func join(name string, initials bool) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		switch {
		case word == "":
		case initials && slices.Contains(initialisms, word):
			b.WriteString(strings.ToUpper(word))
		default:
			b.WriteString(exported(word))
		}
	}
	return b.String()
}

// exported is a name with its first letter in upper case.
func exported(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// initialisms are the words that Go writes in upper case, of those that contracts may use.
var initialisms = []string{"api", "cbor", "cpu", "dns", "http", "https", "id", "io", "ip", "json", "tcp", "tls", "ttl", "udp", "ui", "uid", "uri", "url", "utf8", "uuid"}
