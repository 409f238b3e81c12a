package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"tambo/sync/hub"
	"tambo/sync/hub/embedded"
)

func initHub(ctx context.Context, e *env, args []string) error {
	var training bool
	dir, _, err := e.flags("init", args, func(fs *flag.FlagSet) {
		fs.BoolVar(&training, "training", false, "a training hub: it signs a training agreement, and takes nothing else")
	})
	if err != nil {
		return err
	}
	now := time.Now()
	keys, err := hub.GenerateKeys(now)
	if err != nil {
		return err
	}
	store, err := embedded.Open(dir)
	if err != nil {
		return err
	}
	defer store.Close()
	// Keys first: a store without them can be begun again, one whose agreement
	// was signed by lost keys cannot.
	if err := embedded.WriteKeys(dir, keys); err != nil {
		if keys, err = halfway(ctx, dir, store, err); err != nil {
			return err
		}
	}
	if err := hub.Init(ctx, store, keys, training, now); err != nil {
		return err
	}
	fmt.Fprintln(e.out, keys.VerifierKey())
	if !training {
		fmt.Fprintln(e.err, "next: tambo-hub agreement put --dir", dir, "FILE")
	}
	return nil
}

// halfway continues an init that died after it wrote its keys.
func halfway(ctx context.Context, dir string, s hub.Store, why error) (*hub.Keys, error) {
	keys, err := embedded.ReadKeys(dir)
	if err != nil {
		return nil, why
	}
	if _, err := hub.New(ctx, hub.Config{Store: s, Keys: keys}); !errors.Is(err, hub.ErrNotInit) {
		return nil, hub.ErrInit
	}
	return keys, nil
}

// open opens the hub of a folder. The caller closes the store.
func open(ctx context.Context, dir string, log *slog.Logger) (*hub.Hub, *embedded.Store, error) {
	keys, err := embedded.ReadKeys(dir)
	if err != nil {
		return nil, nil, err
	}
	store, err := embedded.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	h, err := hub.New(ctx, hub.Config{Store: store, Keys: keys, Log: log})
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return h, store, nil
}

func serve(ctx context.Context, e *env, args []string) error {
	var listen, portFile string
	dir, _, err := e.flags("serve", args, func(fs *flag.FlagSet) {
		fs.StringVar(&listen, "listen", "127.0.0.1:8443", "address to listen on; port 0 takes any")
		fs.StringVar(&portFile, "port-file", "", "write the address (host:port) there once it listens")
	})
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(e.err, nil))
	h, store, err := open(ctx, dir, log)
	if err != nil {
		return err
	}
	defer store.Close()
	server, err := h.Server()
	if err != nil {
		return err
	}
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	socket, err := listenAdmin(dir, h)
	if err != nil {
		return err
	}
	defer socket.Close()
	if portFile != "" {
		if err := embedded.WriteFile(portFile, []byte(l.Addr().String()+"\n")); err != nil {
			return err
		}
	}
	fmt.Fprintf(e.out, "listening on https://%s\n", l.Addr())
	return attend(ctx, h, server, l)
}

// attend serves and matches until ctx ends or one of them fails.
func attend(ctx context.Context, h *hub.Hub, server *http.Server, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	go func() { failed <- h.Run(ctx) }()
	go func() { failed <- server.ServeTLS(l, "", "") }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		failed <- nil // one of two has ended
	}
	cancel()
	bounded, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if server.Shutdown(bounded) != nil {
		server.Close()
	}
	for range 2 {
		if e := <-failed; err == nil {
			err = e
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
