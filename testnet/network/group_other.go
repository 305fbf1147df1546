//go:build !unix && !windows

package network

import "os/exec"

// ownGroup does nothing: this system knows no groups of processes.
func ownGroup(*exec.Cmd) {}
