package ippusb

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tambo/devices/usb"
)

func open(t *testing.T, d *fakeDevice, n int, q Quirks) *Transport {
	t.Helper()
	var ports []Port
	for i := range n {
		ports = append(ports, Port{Number: i, In: 0x81 + uint8(i), Out: 1 + uint8(i)})
	}
	tr, err := Open(t.Context(), d, ports, Options{Quirks: q, Drain: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error("close:", err)
		}
	})
	return tr
}

// TestMain looks for goroutines that outlive every transport of the tests.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if f := flag.Lookup("test.fuzz"); f != nil && f.Value.String() != "" {
		os.Exit(code) // the fuzzing engine has goroutines of its own
	}
	for k := 0; runtime.NumGoroutine() > before && k < 200; k++ {
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before && code == 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines left, %d before\n", n, before)
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

func get(ctx context.Context, tr *Transport, path string) (string, error) {
	resp, err := tr.Do(ctx, Request{Method: "GET", Path: path, Limit: 1 << 20, Idle: 400 * time.Millisecond})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func fixed(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// echo answers with the path it was asked for.
func echo(i *fakeIface, req string) { i.send(fixed(strings.Fields(req)[1])) }

func TestExchanges(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 9000)
	d := newFake(func(i *fakeIface, req string) {
		switch path := strings.Fields(req)[1]; path {
		case "/chunked":
			i.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n")
			i.send(fmt.Sprintf("%x;ext=1\r\n%s\r\n0\r\nTrailer: x\r\n\r\n", len(long), long))
		case "/long":
			i.send(fixed(long))
		case "/interim":
			i.send("HTTP/1.1 100 Continue\r\n\r\n" + fixed("after"))
		case "/empty":
			i.send("HTTP/1.1 204 No Content\r\n\r\n")
		case "/split":
			for _, b := range []byte(fixed("split")) {
				i.send(string(b))
			}
		case "/zlp":
			i.mu.Lock()
			i.zlps = 3
			i.mu.Unlock()
			i.send(fixed("zlp"))
		default:
			echo(i, req)
		}
	})
	tr := open(t, d, 1, Quirks{})
	for path, want := range map[string]string{"/chunked": "four" + long, "/long": long, "/interim": "after",
		"/empty": "", "/split": "split", "/zlp": "zlp", "/x": "/x"} {
		got, err := get(t.Context(), tr, path)
		if err != nil || got != want {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
	}
	if d.resets != 0 {
		t.Errorf("%d resets of a pipe that was never out of step", d.resets)
	}
}

// After each of these answers the next exchange on the same pipe must see its
// own answer and nothing of the bad one.
func TestRubbishThenInStep(t *testing.T) {
	bad := map[string]struct {
		answer string
		want   error
	}{
		"no http":         {"rubbish rubbish\r\n\r\n", ErrProtocol},
		"binary":          {"\x00\xff\xfe\x01\r\n\r\n", ErrProtocol},
		"bad chunk":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx", ErrProtocol},
		"negative length": {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", ErrProtocol},
		"two lengths":     {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", ErrProtocol},
		"no length":       {"HTTP/1.1 200 OK\r\n\r\nhello", ErrProtocol},
		"too short":       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello", ErrProtocol},
		"second answer":   {fixed("one") + fixed("two"), ErrProtocol},
		"too long":        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", usb.ErrTimeout},
		"silence":         {"", usb.ErrTimeout},
		"half head":       {"HTTP/1.1 200 OK\r\nConte", usb.ErrTimeout},
		"endless head":    {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 60000), ErrTooLarge},
		"body too large":  {fixed(strings.Repeat("x", 2<<20)), ErrTooLarge},
		"status 7":        {"HTTP/1.1 007 Bond\r\n\r\n", ErrProtocol},
	}
	for _, soft := range []bool{true, false} {
		for name, c := range bad {
			t.Run(fmt.Sprintf("%s/soft=%v", name, soft), func(t *testing.T) {
				t.Parallel()
				d := newFake(func(i *fakeIface, req string) {
					if strings.Contains(req, "/bad") {
						i.send(c.answer)
						return
					}
					echo(i, req)
				})
				d.noSoft = !soft
				tr := open(t, d, 1, Quirks{})
				ask := get
				if c.want != usb.ErrTimeout {
					ask = getSlow
				}
				if _, err := ask(t.Context(), tr, "/bad"); !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				for range 2 {
					got, err := getSlow(t.Context(), tr, "/good")
					if err != nil || got != "/good" {
						t.Fatalf("afterwards: %q, %v", got, err)
					}
				}
			})
		}
	}
}

// getSlow allows for the draining of the answer before, and for a slow machine.
func getSlow(ctx context.Context, tr *Transport, path string) (string, error) {
	resp, err := tr.Do(ctx, Request{Method: "GET", Path: path, Limit: 1 << 20, Idle: 5 * time.Second})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func TestStallIsCleared(t *testing.T) {
	d := newFake(func(i *fakeIface, req string) {
		if strings.Contains(req, "/stall") {
			i.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhal")
			i.halt()
			return
		}
		echo(i, req)
	})
	tr := open(t, d, 1, Quirks{})
	if _, err := get(t.Context(), tr, "/stall"); !errors.Is(err, usb.ErrStall) {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), tr, "/after"); err != nil || got != "/after" {
		t.Fatalf("%q, %v", got, err)
	}
}

// The caller goes away in the middle of a body that goes on: the rest must be
// drained, without a reset, and not be taken for the next answer.
func TestCancelDrains(t *testing.T) {
	goOn := make(chan struct{})
	d := newFake(func(i *fakeIface, req string) {
		if strings.Contains(req, "/page") {
			i.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
			<-goOn
			i.send("6\r\nsecond\r\n0\r\n\r\n")
			return
		}
		echo(i, req)
	})
	tr := open(t, d, 1, Quirks{})
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := tr.Do(ctx, Request{Method: "GET", Path: "/page", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	if n, err := resp.Body.Read(p); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	cancel()
	if _, err := resp.Body.Read(p); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	resp.Body.Close()
	time.Sleep(100 * time.Millisecond) // less than the time to drain
	close(goOn)
	if got, err := get(t.Context(), tr, "/next"); err != nil || got != "/next" {
		t.Fatalf("%q, %v", got, err)
	}
	if d.resets != 0 {
		t.Error("reset although the answer could be drained")
	}
}

func TestOneConnectionEach(t *testing.T) {
	var mu sync.Mutex
	busy := map[*fakeIface]int{}
	var most, both int
	d := newFake(func(i *fakeIface, req string) {
		mu.Lock()
		busy[i]++
		most = max(most, busy[i])
		if len(busy) == 2 {
			both++
		}
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		mu.Lock()
		if busy[i]--; busy[i] == 0 {
			delete(busy, i)
		}
		mu.Unlock()
		echo(i, req)
	})
	tr := open(t, d, 2, Quirks{})
	var wg sync.WaitGroup
	for k := range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			path := fmt.Sprintf("/%d", k)
			if got, err := get(t.Context(), tr, path); err != nil || got != path {
				t.Errorf("%s: %q, %v", path, got, err)
			}
		}()
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d requests at once on one pipe", most)
	}
	if both == 0 {
		t.Error("two interfaces were never in use at once")
	}
}

func TestUnplug(t *testing.T) {
	d := newFake(nil)
	d.handle = func(i *fakeIface, _ string) {
		i.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		time.Sleep(20 * time.Millisecond)
		d.unplug()
	}
	tr := open(t, d, 2, Quirks{})
	for range 3 {
		if _, err := get(t.Context(), tr, "/x"); !errors.Is(err, usb.ErrGone) {
			t.Fatal(err)
		}
	}
}

func TestCloseDuringExchange(t *testing.T) {
	d := newFake(func(*fakeIface, string) {})
	tr := open(t, d, 1, Quirks{})
	done := make(chan error, 1)
	go func() { _, err := get(t.Context(), tr, "/silent"); done <- err }()
	time.Sleep(20 * time.Millisecond)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Fatal("an exchange survived the close")
	}
	if _, err := get(t.Context(), tr, "/x"); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if n := d.claimed[0].released; n != 1 {
		t.Fatalf("released %d times", n)
	}
	if d.resets == 0 {
		t.Error("the pipe was left out of step")
	}
}

// A device that leaves out the empty packet after a full last one: the answer
// is got at when the transfer is taken back.
func TestMissingZeroPacket(t *testing.T) {
	d := newFake(echo)
	tr := open(t, d, 1, Quirks{})
	d.claimed[0].noShort = true
	resp, err := tr.Do(t.Context(), Request{Method: "GET", Path: "/late", Limit: 100, Idle: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "/late" {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestQuirks(t *testing.T) {
	var seen string
	var at []time.Time
	d := newFake(func(i *fakeIface, req string) { seen = req; at = append(at, time.Now()); echo(i, req) })
	const delay = 60 * time.Millisecond
	start := time.Now()
	tr := open(t, d, 3, Quirks{InitReset: ResetHard, InitDelay: delay, RequestDelay: delay, SendZLP: true,
		MaxInterfaces: 1, Connection: "close"})
	for range 2 {
		if _, err := get(t.Context(), tr, "/"); err != nil {
			t.Fatal(err)
		}
	}
	switch {
	case d.hard != 1:
		t.Error("no initial reset")
	case tr.Connections() != 1 || len(d.claimed) != 1:
		t.Error("more interfaces than allowed")
	case !d.claimed[0].lastZLP:
		t.Error("no zero-length packet")
	case !strings.Contains(seen, "\r\nConnection: close\r\n") || !strings.Contains(seen, "\r\nHost: localhost\r\n"):
		t.Errorf("header %q", seen)
	case at[0].Sub(start) < delay || at[1].Sub(at[0]) < delay:
		t.Error("no delay")
	}
	soft := newFake(echo)
	open(t, soft, 2, Quirks{InitReset: ResetSoft})
	if soft.resets != 2 {
		t.Errorf("%d soft resets", soft.resets)
	}
}

func TestClaimBusy(t *testing.T) {
	d := newFake(echo)
	d.busy[0] = true
	if tr := open(t, d, 2, Quirks{}); tr.Connections() != 1 {
		t.Error("an interface that is free was not used")
	}
	d.busy[1] = true
	if _, err := Open(t.Context(), d, []Port{{Number: 0}, {Number: 1}}, Options{}); !errors.Is(err, usb.ErrBusy) {
		t.Error(err)
	}
	if _, err := Open(t.Context(), d, nil, Options{}); !errors.Is(err, usb.ErrNotFound) {
		t.Error(err)
	}
}

// The descriptors of a multifunction device as printers have them: legacy
// printing in setting 0, HTTP in setting 1, a second HTTP interface, a scanner
// of the maker's own.
func TestPorts(t *testing.T) {
	raw, err := hex.DecodeString(strings.Join(strings.Fields(`
		09 02 6c 00 03 01 00 c0 01
		09 04 00 00 02 07 01 02 00  07 05 01 02 00 02 00  07 05 81 02 00 02 00
		09 04 00 01 02 07 01 04 00  07 05 01 02 00 02 00  07 05 81 02 00 02 00
		09 04 05 00 03 07 01 04 00  07 05 83 03 08 00 04  07 05 02 02 00 02 00  07 05 82 02 00 02 00
		09 04 06 00 01 ff ff ff 00  07 05 84 02 00 02 00`), ""))
	if err != nil {
		t.Fatal(err)
	}
	raw[2] = byte(len(raw))
	got := Ports(usb.DeviceInfo{Config: raw})
	want := []Port{{Number: 0, Alt: 1, In: 0x81, Out: 1}, {Number: 5, Alt: 0, In: 0x82, Out: 2}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Ports(usb.DeviceInfo{Config: raw[:40]}); len(got) != 0 {
		t.Errorf("from a cut descriptor: %+v", got)
	}
}

// FuzzAnswer feeds the answer parser with what a device may send: no panic, no
// more bytes than allowed, and the transport usable afterwards.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{fixed("hello"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nLocation: /eSCL/ScanJobs/1\r\n\r\n",
		"HTTP/1.0 503 Busy\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n", "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		const limit = 1000
		c := newConn(nil, &onceIface{data: answer}, Port{}, Quirks{})
		c.ctx = t.Context()
		x := newExchange(nil, c, Request{Method: "GET", Limit: limit})
		resp, err := readHead(c, "GET")
		if err != nil || unbounded(resp) {
			return
		}
		n := make(chan int)
		go func() {
			total := 0
			for d := range x.data {
				total += len(d)
			}
			n <- total
		}()
		_ = x.body(resp.Body)
		close(x.data)
		if got := <-n; got > limit {
			t.Errorf("%d bytes of at most %d", got, limit)
		}
	})
}

// onceIface has data in its pipe and is then unplugged.
type onceIface struct {
	fakeIface
	data []byte
}

func (i *onceIface) Read(_ context.Context, _ uint8, p []byte) (int, error) {
	if len(i.data) == 0 {
		return 0, usb.ErrGone
	}
	n := copy(p[:min(len(p), 512)], i.data)
	i.data = i.data[n:]
	return n, nil
}

// A device that sends without end is cut off: the caller has its error, little is
// kept, and the pipe works again when the device does.
func TestEndless(t *testing.T) {
	const limit = 1 << 20
	const head = "HTTP/1.1 200 OK\r\n"
	chunk := "8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n"
	for name, c := range map[string]struct{ first, again string }{
		"chunks":         {head + "Transfer-Encoding: chunked\r\n\r\n", chunk},
		"four gigabytes": {head + "Content-Length: 4294967296\r\n\r\n", chunk},
		"header":         {head, "X-Again: and again\r\n"},
		"one field":      {head + "X: ", "y"},
		"status line":    {"HTTP/1.1 200 ", "O"},
		"interim":        {"", "HTTP/1.1 100 Continue\r\n\r\n"},
		"extension":      {head + "Transfer-Encoding: chunked\r\n\r\n5;", "ext;"},
		"trailer":        {head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "X-Again: and again\r\n"},
		"empty lines":    {"", "\r\n"},
		"another answer": {head + "Content-Length: 5\r\n\r\nhello", fixed("more")},
	} {
		for _, deaf := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/deaf=%v", name, deaf), func(t *testing.T) {
				t.Parallel()
				var pipe atomic.Pointer[fakeIface]
				d := newFake(func(i *fakeIface, req string) {
					if strings.Contains(req, "/bad") {
						pipe.Store(i)
						i.send(c.first)
						i.babble(c.again, deaf)
						return
					}
					echo(i, req)
				})
				tr := open(t, d, 1, Quirks{})
				got, err := getSlow(t.Context(), tr, "/bad")
				if err == nil && (name != "another answer" || got != "hello") || len(got) > limit {
					t.Fatalf("%d bytes were taken for whole, %v", len(got), err)
				}
				i := pipe.Load()
				i.mu.Lock()
				sent := i.sent
				i.mu.Unlock()
				if sent > 4*limit && !deaf { // a deaf device's are read and dropped
					t.Errorf("%d bytes were read before the error, at most %d are asked for", sent, limit)
				}
				time.Sleep(50 * time.Millisecond)
				i.babble("", false)
				for range 2 {
					got, err := getSlow(t.Context(), tr, "/good")
					if err != nil || got != "/good" {
						t.Fatalf("afterwards: %q, %v", got, err)
					}
				}
			})
		}
	}
}
