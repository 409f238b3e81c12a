package courier

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tambo/sync/hub"
	"tambo/sync/hub/embedded"
	"tambo/sync/wire"
)

// proxy forwards to a hub and cuts every connection after a number of bytes, in
// either direction.
type proxy struct {
	l    net.Listener
	to   atomic.Value // string
	left atomic.Int64 // bytes until the next cut; negative: none
	cuts atomic.Int64
	wg   sync.WaitGroup
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l}
	p.to.Store(to)
	p.left.Store(-1)
	p.wg.Go(p.accept)
	t.Cleanup(func() { l.Close(); p.left.Store(0); p.wg.Wait() })
	return p
}

func (p *proxy) accept() {
	for {
		a, err := p.l.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", p.to.Load().(string))
		if err != nil {
			a.Close()
			continue
		}
		p.wg.Go(func() { p.pipe(a, b) })
		p.wg.Go(func() { p.pipe(b, a) })
	}
}

func (p *proxy) pipe(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			pass := n
			if p.left.Load() >= 0 {
				left := p.left.Add(int64(-n))
				if left < 0 { // the cut falls within these bytes
					pass = max(0, n+int(left))
					p.cuts.Add(1)
				}
			}
			if _, werr := to.Write(buf[:pass]); werr != nil || pass < n {
				for _, c := range []net.Conn{from, to} {
					c.(*net.TCPConn).SetLinger(0)
				}
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// TestCuts cuts the road at random bytes, hundreds of times, and wants one
// record of each package and the same receipts as ever.
func TestCuts(t *testing.T) {
	want := int64(200)
	if testing.Short() {
		want = 60
	}
	if long {
		want = 5000
	}
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	p := newProxy(t, w.addr)
	v.id.Hub = "https://" + p.l.Addr().String()
	rng := rand.New(rand.NewPCG(1, 2))
	var items []*fakeItem
	var bytes, payload int64
	causes := map[Cause]int{}
	for p.cuts.Load() < want {
		size := 50_000 + rng.IntN(200_000)
		it := v.seal(packed{hit: rng.IntN(4) == 0, bytes: map[string]int{"evidence": 5000 + rng.IntN(20_000), "record": 2000, "image-1": size, "image-2": 100}})
		for _, part := range it.Parts {
			payload += part.Size
		}
		items = append(items, it)
		for it.State != "purged" {
			p.left.Store(int64(rng.IntN(size/2 + 10_000)))
			r, err := c.Round(t.Context())
			bytes += r.Bytes
			var e *Error
			if errors.As(err, &e) {
				causes[e.Cause]++
				if e.Cause != CauseCut {
					t.Log(err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if rng.IntN(25) == 0 {
				w.halt()
				w.start()
				p.to.Store(w.addr)
			}
		}
	}
	p.left.Store(-1)
	w.delivered(items...)
	t.Logf("%d cuts over %d packages; %d bytes acknowledged of %d; the road said %v", p.cuts.Load(), len(items), bytes, payload, causes)
	for _, c := range []Cause{CauseImpostor, CauseReceipt, CauseAnswer, CauseVault, CausePackage} {
		if causes[c] > 0 {
			t.Errorf("%d cuts were taken for %q", causes[c], c)
		}
	}
}

// hubChild names the environment variable by which the test binary becomes a hub
// that can be killed.
const hubChild = "TAMBO_TEST_HUB"

func TestMain(m *testing.M) {
	if dir := os.Getenv(hubChild); dir != "" {
		if err := serveChild(dir, os.Getenv("TAMBO_TEST_LISTEN")); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serveChild(dir, listen string) error {
	keys, err := embedded.ReadKeys(dir)
	if err != nil {
		return err
	}
	s, err := embedded.Open(dir)
	if err != nil {
		return err
	}
	h, err := hub.New(context.Background(), hub.Config{Store: s, Keys: keys})
	if err != nil {
		return err
	}
	server, err := h.Server()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	go h.Run(context.Background())
	go func() { // ends with its parent
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if _, err := os.Stdout.WriteString("up\n"); err != nil {
		return err
	}
	return server.ServeTLS(l, "", "")
}

// child is a hub in a process of its own.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

func startChild(t testing.TB, dir, listen string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), hubChild+"="+dir, "TAMBO_TEST_LISTEN="+listen)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 3)); err != nil {
		cmd.Wait()
		t.Fatalf("the hub did not come up: %v: %s", err, stderr.String())
	}
	return &child{cmd, in}
}

func (c *child) kill() {
	c.cmd.Process.Signal(syscall.SIGKILL)
	c.cmd.Wait()
	c.stdin.Close()
}

// TestKill kills the hub (kill -9) at random moments while a kiosk delivers, and
// wants one record of each package, the same receipts, and every match made.
func TestKill(t *testing.T) {
	kills := 25
	if testing.Short() {
		kills = 10
	}
	if long {
		kills = 600
	}
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	w.halt()
	listen := w.addr
	rng := rand.New(rand.NewPCG(3, 4))
	var items []*fakeItem
	done := 0
	for done < kills {
		for range 3 {
			items = append(items, v.seal(packed{hit: rng.IntN(3) == 0}))
		}
		for !allPurged(items) {
			h := startChild(t, w.dir, listen)
			ctx, cancel := context.WithCancel(t.Context())
			over := make(chan struct{})
			go func() {
				defer close(over)
				for ctx.Err() == nil && !allPurged(items) {
					c.Round(ctx)
				}
			}()
			wait := time.Duration(rng.IntN(120)) * time.Millisecond
			select {
			case <-over:
			case <-time.After(wait):
			}
			h.kill()
			done++
			cancel()
			<-over
		}
	}
	w.start()
	w.settle()
	w.delivered(items...)
	matched := 0
	for _, p := range order[[]hub.PackageInfo](w, "packages", nil) {
		if p.Match != nil {
			matched++
		}
	}
	if matched != len(items) {
		t.Errorf("%d of %d packages were matched", matched, len(items))
	}
	left, _ := filepath.Glob(filepath.Join(w.dir, "parts", "*", "*", "*.part"))
	if len(left) > 0 {
		t.Errorf("%d uploads are left over", len(left))
	}
	t.Logf("%d kills over %d packages", done, len(items))
}

func allPurged(items []*fakeItem) bool {
	for _, it := range items {
		if it.state() != "purged" {
			return false
		}
	}
	return true
}

// TestHangingConnection: a connection that died without a word still holds an
// upload at the hub; the kiosk that comes back on another goes on at once, from
// what had come.
func TestHangingConnection(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	it := v.seal(packed{})
	r, err := c.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var a wire.PackageAnswer
	if err := r.call(t.Context(), "POST", wire.RoutePackages, "", wire.TypeManifest, it.manifest, &a); err != nil {
		t.Fatal(err)
	}
	m := a.Missing[0]
	part, _ := partOf(&it.Item, m.Part)
	if err := r.create(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	half, rest := io.Pipe()
	go rest.Write(it.parts[m.Part][:part.Size/2]) // and then nothing
	defer rest.Close()
	go r.patch(t.Context(), m.Upload, half, 0, part.Size)
	path := filepath.Join(w.dir, "parts", "lima-1", part.Digest[:2], part.Digest+".part")
	for range 500 {
		if st, err := os.Stat(path); err == nil && st.Size() > 1000 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	start := time.Now()
	rep := round(t, New(c.c))
	t.Logf("delivered %d bytes in %v", rep.Bytes, time.Since(start).Round(time.Millisecond))
	w.delivered(it)
	var all int64
	for _, p := range it.Parts {
		all += p.Size
	}
	if rep.Bytes >= all {
		t.Error("what had come was sent again")
	}
}
