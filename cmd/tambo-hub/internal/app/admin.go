package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"tambo/sync/hub"
	"tambo/sync/hub/embedded"
)

// maxOrder bounds an order: an agreement or an entry with two irises.
const maxOrder = 8 << 20

// Whoever can reach the socket is the keeper: it lies in the hub's folder, which
// only the owner may enter, and has mode 0600.

// socketPath returns a path for the socket that a socket address can hold (108
// bytes): a long folder is named by an open descriptor.
func socketPath(dir string) (path string, done func(), err error) {
	path = filepath.Join(dir, "admin.sock")
	if len(path) < 100 {
		return path, func() {}, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/admin.sock", d.Fd()), func() { d.Close() }, nil
}

// answer is what the socket gives back.
type answer struct {
	Error    string          `json:"error,omitempty"`
	Argument bool            `json:"argument,omitempty"` // the error is the keeper's to mend
	Result   json.RawMessage `json:"result,omitempty"`
}

// listenAdmin serves orders on the hub's socket. The store is open, so that no
// other hub owns a socket that is there.
func listenAdmin(dir string, h *hub.Hub) (io.Closer, error) {
	path, done, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the path may be by descriptor
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var o hub.Order
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o)
		a := answer{}
		if err == nil {
			a = carryOut(r.Context(), h, o)
		} else {
			a.Error = err.Error()
		}
		json.NewEncoder(w).Encode(a)
	})}
	go s.Serve(l)
	return s, nil
}

func carryOut(ctx context.Context, h *hub.Hub, o hub.Order) answer {
	result, err := h.Do(ctx, o)
	if err != nil {
		return answer{Error: err.Error(), Argument: errors.Is(err, hub.ErrArgument)}
	}
	b, err := json.Marshal(result)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: b}
}

// ask carries out an order: at the running hub if there is one, which sees the
// change at once, otherwise on the folder.
func ask[R any](ctx context.Context, dir, name string, args any) (result R, err error) {
	o := hub.Order{Name: name}
	if o.Args, err = json.Marshal(args); err != nil {
		return result, err
	}
	var a answer
	for attempt := 0; ; attempt++ {
		a, err = askSocket(ctx, dir, o)
		if err == nil || !errors.Is(err, errNoSocket) {
			break
		}
		a, err = askFolder(ctx, dir, o)
		if !errors.Is(err, embedded.ErrInUse) || attempt == 5 {
			break // else: a hub is just starting or stopping
		}
	}
	if err != nil {
		return result, err
	}
	if a.Error != "" {
		return result, errors.New(a.Error)
	}
	return result, json.Unmarshal(a.Result, &result)
}

var errNoSocket = errors.New("no hub is running here")

func askSocket(ctx context.Context, dir string, o hub.Order) (a answer, err error) {
	path, done, err := socketPath(dir)
	if err != nil {
		return a, err
	}
	defer done()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return a, fmt.Errorf("%w: %w", errNoSocket, err)
	}
	defer conn.Close()
	body, err := json.Marshal(o)
	if err != nil {
		return a, err
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://hub/order", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return a, fmt.Errorf("the hub did not answer (whether it did what was asked is not known): %w", err)
	}
	defer resp.Body.Close()
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

func askFolder(ctx context.Context, dir string, o hub.Order) (answer, error) {
	h, store, err := open(ctx, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return answer{}, err
	}
	defer store.Close()
	return carryOut(ctx, h, o), nil
}
