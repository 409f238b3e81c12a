// Command tambo-diag is the kiosk without its window: the walk, and the
// commands of technicians and evaluators. It never opens anything that the person
// at the keyboard could not open at the kiosk.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tambo/cmd/tambo-diag/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
