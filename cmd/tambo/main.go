// Command tambo is the kiosk: a window on the session service, with real devices
// and the road to the hub. It never links a software device or a generator of
// specimens, and opens a bus of virtual devices under a training agreement only.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tambo/cmd/tambo/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
