package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRequestsAndAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ctl")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("socket mode %v, %v", st.Mode(), err)
	}
	var asked []string
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, l, func(_ context.Context, words []string) ([]string, error) {
			asked = append(asked, strings.Join(words, "|"))
			switch words[0] {
			case "list":
				return []string{"ok", "error not", "two\nlines", strings.Repeat("x", 9000)}, nil
			case "person":
				return nil, errors.New("nobody called\nthat")
			}
			return nil, nil
		})
	}()
	c, err := Dial(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := Listen(path); err == nil {
		t.Error("a socket that is served was taken over")
	}
	out, err := c.List(ctx) // answers that look like the protocol's own words
	if err != nil || len(out) != 4 || out[0] != "ok" || out[1] != "error not" || out[2] != "two lines" || len(out[3]) > maxLine {
		t.Errorf("list: %.40q, %v", out, err)
	}
	if err := c.Person(ctx, "x"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "nobody called that") {
		t.Errorf("person: %v", err)
	}
	for _, err := range []error{c.Visit(ctx, 2), c.Page(ctx, "a"), c.Scene(ctx, "blank"), c.Plug(ctx, "camera"),
		c.Unplug(ctx, "scanner"), c.Fault(ctx, "camera", "drop=0.1 seed=2"), c.Quit(ctx)} {
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Do(ctx, "two\nlines"); err == nil {
		t.Error("a request of two lines was sent")
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
	want := "list person|x visit|2 page|a scene|blank plug|camera unplug|scanner fault|camera|drop=0.1|seed=2 quit"
	if got := strings.Join(asked, " "); got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	if _, err := c.List(context.Background()); err == nil {
		t.Error("an answer after the end")
	}
}

func TestListenReplacesOnlyDeadSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ctl")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	l, err := Listen(path)
	if err != nil {
		t.Fatalf("over a dead socket: %v", err)
	}
	l.Close()
	os.Remove(path)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil {
		t.Error("a file was replaced")
	}
	if b, _ := os.ReadFile(path); string(b) != "precious" {
		t.Error("the file is gone")
	}
}
