// Command tambo-devsim is a virtual iris camera and a virtual document scanner,
// served over USB/IP on loopback for training, demonstration and tests. It is
// never part of an enrolment: the kiosk reaches it only under an agreement marked
// training.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tambo/cmd/tambo-devsim/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
