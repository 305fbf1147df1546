package network

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a console's Ctrl-C from the process.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
