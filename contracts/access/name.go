package main

import (
	"strings"

	"github.com/wardledger/ward/sdk"
)

// Bounds of names, in bytes unless said otherwise.
const (
	// maxSegments and maxSegment bound a path: site, building, floor, wing, room, thing
	// and a little more. A check looks at one prefix for each segment.
	maxSegments = 8
	maxSegment  = 32
	// maxPath leaves room for two addresses and numbers in a storage key of 256.
	maxPath = 96
	// maxRelations is how many relations one grant names; who needs more has two.
	maxRelations = 16
	maxRelation  = 32
	// maxReason is a sentence or two.
	maxReason = 200
)

const anyBelow = "/*"

// addressLength is that of a printed address, with which every object's name starts.
var addressLength = len(sdk.Address{}.String())

// A pattern is what a grant or forbid is for: an object's name, or one that ends in
// "/*" for all objects below, at any depth, but not the name before the "/*" itself.
// The namespace is the address that it starts with.
func parsePattern(s string) (namespace sdk.Address, err error) {
	return parseName(s, true)
}

// parseObject reads the name of an object.
func parseObject(s string) (namespace sdk.Address, err error) {
	return parseName(s, false)
}

func parseName(s string, prefix bool) (sdk.Address, error) {
	if len(s) > addressLength+1+maxPath+len(anyBelow) {
		return sdk.Address{}, errValue.Because("object is %d bytes, limit %d", len(s), addressLength+1+maxPath)
	}
	head, path, found := strings.Cut(s, "/")
	if !found {
		return sdk.Address{}, errValue.Because("object is %q: it must be an address, / and a path", s)
	}
	namespace, err := sdk.ParseAddress(head)
	if err != nil {
		return namespace, errValue.Because("object is %q: %s", s, err)
	}
	if prefix {
		if path == "*" {
			return namespace, nil // all that this address ever registers
		}
		path = strings.TrimSuffix(path, anyBelow)
	}
	return namespace, checkPath(path)
}

// checkPath accepts segments of lower-case letters, digits and . _ - with / between
// them, each starting with a letter or digit, so that no path has two spellings.
func checkPath(path string) error {
	if path == "" || len(path) > maxPath {
		return errValue.Because("the path is %d bytes, must be 1 to %d", len(path), maxPath)
	}
	segments := strings.Split(path, "/")
	if len(segments) > maxSegments {
		return errValue.Because("the path %q has %d parts, limit %d", path, len(segments), maxSegments)
	}
	for _, s := range segments {
		if s == "" || len(s) > maxSegment {
			return errValue.Because("the path %q has a part of %d bytes, must be 1 to %d", path, len(s), maxSegment)
		}
		for i := range len(s) {
			c := s[i]
			plain := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
			if !plain && (i == 0 || c != '.' && c != '_' && c != '-') {
				return errValue.Because("the path %q has the part %q: lower-case letters and digits are allowed, and . _ - after the first", path, s)
			}
		}
	}
	return nil
}

// isPrefix reports whether a valid pattern stands for many objects.
func isPrefix(pattern string) bool { return strings.HasSuffix(pattern, anyBelow) }

// covers reports whether every object that the inner pattern stands for is one of the
// outer's.
func covers(outer, inner string) bool {
	if !isPrefix(outer) {
		return outer == inner
	}
	return strings.HasPrefix(inner, outer[:len(outer)-1]) // with its slash: "x/a/*" is not about "x/ab"
}

// patterns lists what covers an object: its name, then the prefixes, the longest first.
func patterns(object string) []string {
	list := []string{object}
	for i := len(object) - 1; i >= addressLength; i-- {
		if object[i] == '/' {
			list = append(list, object[:i]+anyBelow)
		}
	}
	return list
}

// checkRelations accepts a list of names and returns it sorted, without repetitions.
func checkRelations(list []string, some bool) ([]string, error) {
	if some && len(list) == 0 {
		return nil, errValue.Because("relations: at least one is needed")
	}
	if len(list) > maxRelations {
		return nil, errValue.Because("%d relations, limit %d", len(list), maxRelations)
	}
	sorted := make([]string, 0, len(list))
	for _, r := range list {
		if err := checkRelation(r); err != nil {
			return nil, err
		}
		i := len(sorted)
		for i > 0 && sorted[i-1] > r {
			i--
		}
		if i > 0 && sorted[i-1] == r {
			return nil, errValue.Because("relation %q is there twice", r)
		}
		sorted = append(sorted, "")
		copy(sorted[i+1:], sorted[i:])
		sorted[i] = r
	}
	return sorted, nil
}

func checkRelation(r string) error {
	if r == "" || len(r) > maxRelation {
		return errValue.Because("relation %q is %d bytes, must be 1 to %d", r, len(r), maxRelation)
	}
	for i := range len(r) {
		c := r[i]
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return errValue.Because("relation %q: a lower-case letter, then lower-case letters, digits and _ are allowed", r)
		}
	}
	return nil
}

func has(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

func checkReason(s string) error {
	if len(s) > maxReason {
		return errValue.Because("reason is %d bytes, limit %d", len(s), maxReason)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return errValue.Because("reason is %q: control characters are not allowed", s)
		}
	}
	return nil
}
