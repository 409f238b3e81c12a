// Command tambo-hub is the hub: it takes sealed packages from kiosks, matches
// them, and sends documents down. The same program is the keeper's: its commands
// reach a running hub through a socket in the hub's folder, and work on the
// folder itself when none runs. It never prints a private key or a document
// number.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tambo/cmd/tambo-hub/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
