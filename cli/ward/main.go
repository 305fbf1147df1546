// Command ward runs, inspects and talks to Ward chains. See "ward help".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/wardledger/ward/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // whoever asks a second time is not asked to wait
	os.Exit(cli.Run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}
