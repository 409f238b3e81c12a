package devicetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"slices"
	"testing"
	"time"

	"tambo/devices"
)

// ScannerRig is a document scanner under test with hands on it: the suite lays a
// chart of its own on the glass, finds it again on the page, and pulls the
// cable. All fields are needed but where it says so.
type ScannerRig struct {
	// Open opens the scanner. The suite closes what it opened.
	Open func(ctx context.Context) (devices.DocumentScanner, error)
	// Lay puts an image on the glass, nil for nothing. It was made for that dpi.
	Lay func(page image.Image, dpi int)
	// At is where the top left corner of what Lay laid comes to lie, 1/300 inch.
	At image.Point
	// DPI is a resolution that the scanner has, low enough for quick pages.
	DPI int
	// Slow makes a page take several seconds, or not.
	Slow func(on bool)
	// Unplug and Plug pull the cable and put it back.
	Unplug, Plug func()
	// Virtual is what Info must say.
	Virtual bool
	// Faults are what else can be done to it; may be empty.
	Faults []ScannerFault
	// Leaks counts what is still open or claimed; may be nil.
	Leaks func() int
}

// ScannerFault is one way in which a scanner fails.
type ScannerFault struct {
	Name         string
	Strike, Heal func()
	// Act is what meets the fault, a scan where nil.
	Act func(ctx context.Context, d devices.DocumentScanner) error
	// Within is the deadline of Act, 10 s where 0.
	Within time.Duration
	// Want lists the errors that are right, nil for none at all.
	Want []error
	// Gone says that the handle is of no use afterwards: it must say ErrGone.
	Gone bool
}

// Scanner holds a [devices.DocumentScanner] to its contract. make is called for
// each part, and makes a healthy scanner that is plugged in. Parts run at the
// same time, each with its own rig; what make starts must end with its t.
func Scanner(t *testing.T, make func(t *testing.T) *ScannerRig) {
	type part struct {
		name string
		f    func(t *testing.T, r *ScannerRig)
	}
	parts := []part{
		{"Info", scannerInfo}, {"Capabilities", scannerCapabilities}, {"Page", scannerPage}, {"Refusals", scannerRefusals},
		{"Progress", scannerProgress}, {"Cancel", scannerCancel}, {"Deadline", scannerDeadline}, {"Busy", scannerBusy},
		{"Unplug", scannerUnplug}, {"Close", scannerClose},
	}
	for i, f := range make(t).Faults {
		parts = append(parts, part{"Fault/" + f.Name, func(t *testing.T, r *ScannerRig) { scannerFault(t, r, r.Faults[i]) }})
	}
	before := settled(math.MaxInt)
	t.Run("Scanner", func(t *testing.T) {
		for _, p := range parts {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				r := make(t)
				r.Lay(chart(r.DPI), r.DPI)
				p.f(t, r)
				if r.Leaks != nil {
					if n := r.Leaks(); n != 0 {
						t.Errorf("%d handles or claims left open", n)
					}
				}
			})
		}
	})
	if n := settled(before); n > before {
		var stacks bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("%d goroutines, %d before:\n%s", n, before, stacks.Bytes())
	}
}

// settled counts goroutines when they are at most so many and no longer become
// fewer, or after three seconds.
func settled(most int) int {
	n := runtime.NumGoroutine()
	for range 60 {
		time.Sleep(50 * time.Millisecond)
		last := n
		if n = runtime.NumGoroutine(); n == last && n <= most {
			break
		}
	}
	return n
}

func soon(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func openScanner(t *testing.T, r *ScannerRig) devices.DocumentScanner {
	t.Helper()
	d, err := r.Open(soon(t, 20*time.Second))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func scannerInfo(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	defer d.Close()
	i := d.Info()
	if i.Kind != devices.KindDocumentScanner || i.Name == "" || i.Port == "" || i.Driver == "" {
		t.Errorf("info %+v", i)
	}
	if i.Virtual != r.Virtual {
		t.Errorf("virtual is %v on a bus that says %v", i.Virtual, r.Virtual)
	}
}

func scannerCapabilities(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	defer d.Close()
	c, err := d.Capabilities(soon(t, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Resolutions) == 0 || !slices.IsSorted(c.Resolutions) || !slices.Contains(c.Resolutions, r.DPI) ||
		!c.Colour && !c.Grey || c.MaxWidth <= 0 || c.MaxHeight <= 0 || len(c.Sources) == 0 || len(c.DocumentTypes) == 0 {
		t.Errorf("capabilities %+v", c)
	}
}

func scannerPage(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	defer d.Close()
	for _, colour := range []bool{false, true} {
		p, err := d.Scan(soon(t, 20*time.Second), devices.ScanOptions{Resolution: r.DPI, Colour: colour}, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkPage(t, r, p)
		if _, grey := p.Image.(*image.Gray); grey == colour {
			t.Errorf("colour=%v gave %T", colour, p.Image)
		}
		if p.MIME == "" || len(p.Encoded) == 0 || time.Since(p.At) > time.Minute || time.Since(p.At) < 0 {
			t.Errorf("page %q, %d bytes, at %v", p.MIME, len(p.Encoded), p.At)
		}
	}
	r.Lay(nil, r.DPI)
	p, err := d.Scan(soon(t, 20*time.Second), devices.ScanOptions{Resolution: r.DPI}, nil)
	if err != nil {
		t.Fatalf("an empty glass is a page too: %v", err)
	}
	if lo, hi := span(p.Image); hi-lo > 16 {
		t.Errorf("an empty glass has grey from %d to %d", lo, hi)
	}
}

func scannerRefusals(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	defer d.Close()
	for _, opt := range []devices.ScanOptions{{Resolution: 77}, {Resolution: -300}, {Source: "ceiling"}} {
		if _, err := d.Scan(soon(t, 20*time.Second), opt, nil); !errors.Is(err, devices.ErrUnsupported) {
			t.Errorf("%+v: %v", opt, err)
		}
	}
	mustScan(t, r, d)
}

func scannerProgress(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	defer d.Close()
	var seen []int64
	p, err := d.Scan(soon(t, 20*time.Second), devices.ScanOptions{Resolution: r.DPI}, func(n int64) { seen = append(seen, n) })
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(seen); i++ {
		if seen[i] <= seen[i-1] {
			t.Fatalf("progress goes from %d to %d", seen[i-1], seen[i])
		}
	}
	if len(seen) < 3 || seen[len(seen)-1] != int64(len(p.Encoded)) {
		t.Errorf("%d calls of progress, the last %v of %d bytes", len(seen), seen[max(0, len(seen)-1):], len(p.Encoded))
	}
}

// scannerCancel gives up in the middle of a page, several times, at different
// moments; the next page must be whole and its own.
func scannerCancel(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	defer d.Close()
	for _, after := range []int64{0, 1, 16 << 10} {
		r.Slow(true)
		ctx, cancel := context.WithCancel(t.Context())
		if after == 0 {
			cancel()
		}
		start := time.Now()
		var at time.Time
		p, err := d.Scan(ctx, devices.ScanOptions{Resolution: r.DPI}, func(n int64) {
			if n >= after && at.IsZero() {
				at = time.Now()
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) || p.Image != nil || p.Encoded != nil {
			t.Fatalf("cancelled after %d bytes: %v, page %v", after, err, p.Image != nil)
		}
		if at.IsZero() {
			at = start
		}
		if d := time.Since(at); d > 5*time.Second { // the page itself takes longer
			t.Errorf("cancelling took %v", d)
		}
		r.Slow(false)
		mustScan(t, r, d)
	}
}

func scannerDeadline(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	defer d.Close()
	r.Slow(true)
	p, err := d.Scan(soon(t, 500*time.Millisecond), devices.ScanOptions{Resolution: r.DPI}, nil)
	if !errors.Is(err, devices.ErrStalled) || p.Image != nil {
		t.Fatalf("%v, page %v", err, p.Image != nil)
	}
	r.Slow(false)
	mustScan(t, r, d)
}

func scannerBusy(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	defer d.Close()
	r.Slow(true)
	started := make(chan struct{})
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		first := true
		_, err := d.Scan(ctx, devices.ScanOptions{Resolution: r.DPI}, func(int64) {
			if first {
				first = false
				close(started)
			}
		})
		done <- err
	}()
	select {
	case <-started:
	case err := <-done:
		t.Fatalf("the first scan: %v", err)
	}
	if _, err := d.Scan(soon(t, 5*time.Second), devices.ScanOptions{Resolution: r.DPI}, nil); !errors.Is(err, devices.ErrBusy) {
		t.Errorf("two scans at once: %v", err)
	}
	if e, err := r.Open(soon(t, 5*time.Second)); !errors.Is(err, devices.ErrBusy) {
		if err == nil {
			e.Close()
		}
		t.Errorf("opened twice: %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	r.Slow(false)
	mustScan(t, r, d)
}

// scannerUnplug pulls the cable between pages and in the middle of one. The
// handle says gone for good; a new one works.
func scannerUnplug(t *testing.T, r *ScannerRig) {
	for _, middle := range []bool{false, true} {
		d := openScanner(t, r)
		r.Slow(middle)
		if !middle {
			r.Unplug()
		}
		pulled := make(chan struct{})
		once := false
		_, err := d.Scan(soon(t, 20*time.Second), devices.ScanOptions{Resolution: r.DPI}, func(int64) {
			if middle && !once {
				once = true
				go func() { r.Unplug(); close(pulled) }()
			}
		})
		if !errors.Is(err, devices.ErrGone) {
			t.Fatalf("middle=%v: %v", middle, err)
		}
		if middle {
			<-pulled
		}
		if _, err := d.Scan(soon(t, 5*time.Second), devices.ScanOptions{}, nil); !errors.Is(err, devices.ErrGone) {
			t.Errorf("afterwards: %v", err)
		}
		if _, err := d.Capabilities(soon(t, 5*time.Second)); !errors.Is(err, devices.ErrGone) {
			t.Errorf("afterwards: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if _, err := r.Open(soon(t, 5*time.Second)); !errors.Is(err, devices.ErrGone) {
			t.Errorf("open of an empty port: %v", err)
		}
		r.Slow(false)
		r.Plug()
		e := openScanner(t, r)
		mustScan(t, r, e)
		e.Close()
	}
}

func scannerClose(t *testing.T, r *ScannerRig) {
	d := openScanner(t, r)
	r.Slow(true)
	done := make(chan error, 1)
	started := make(chan struct{}, 1000)
	go func() {
		_, err := d.Scan(context.Background(), devices.ScanOptions{Resolution: r.DPI}, func(int64) { started <- struct{}{} })
		done <- err
	}()
	select {
	case <-started:
	case err := <-done:
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := <-done; err == nil {
		t.Error("a scan survived the close")
	}
	if _, err := d.Scan(soon(t, time.Second), devices.ScanOptions{}, nil); !errors.Is(err, devices.ErrGone) {
		t.Errorf("scan after close: %v", err)
	}
	r.Slow(false)
	e := openScanner(t, r)
	defer e.Close()
	mustScan(t, r, e)
}

func scannerFault(t *testing.T, r *ScannerRig, f ScannerFault) {
	d := openScanner(t, r)
	if f.Act == nil {
		f.Act = func(ctx context.Context, d devices.DocumentScanner) error {
			p, err := d.Scan(ctx, devices.ScanOptions{Resolution: r.DPI}, nil)
			if err == nil {
				checkPage(t, r, p)
			} else if p.Image != nil || p.Encoded != nil {
				t.Error("a page came with an error")
			}
			return err
		}
	}
	if f.Within == 0 {
		f.Within = 10 * time.Second
	}
	f.Strike()
	err := f.Act(soon(t, f.Within), d)
	f.Heal()
	if !slices.ContainsFunc(f.Want, func(w error) bool { return errors.Is(err, w) }) && !(err == nil && len(f.Want) == 0) {
		t.Errorf("got %v, want one of %q", err, f.Want)
	}
	var typed *devices.Error
	if err != nil && (!errors.As(err, &typed) || typed.Device == "" || typed.Op == "") {
		t.Errorf("%v does not say which device and what it did", err)
	}
	if f.Gone {
		if _, err := d.Scan(soon(t, 5*time.Second), devices.ScanOptions{}, nil); !errors.Is(err, devices.ErrGone) {
			t.Errorf("afterwards: %v", err)
		}
		d.Close()
		r.Plug()
		d = openScanner(t, r)
	}
	mustScan(t, r, d)
	d.Close()
}

// mustScan scans a page and compares it with what lies on the glass.
func mustScan(t *testing.T, r *ScannerRig, d devices.DocumentScanner) {
	t.Helper()
	p, err := d.Scan(soon(t, 30*time.Second), devices.ScanOptions{Resolution: r.DPI}, nil)
	if err != nil {
		t.Fatalf("a healthy scanner: %v", err)
	}
	checkPage(t, r, p)
}

// The chart: blocks of known grey under noise, so that it does not compress
// away and a page takes many transfers.
const (
	chartBlock           = 40 // pixels
	chartCols, chartRows = 8, 10
)

func blockGrey(x, y int) uint8 { return uint8(60 + (x*37+y*61)%130) }

func chart(dpi int) image.Image {
	m := image.NewGray(image.Rect(0, 0, chartCols*chartBlock, chartRows*chartBlock))
	dice := rand.New(rand.NewPCG(uint64(dpi), 1))
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			m.SetGray(x, y, color.Gray{Y: blockGrey(x/chartBlock, y/chartBlock) + uint8(dice.IntN(81)) - 40})
		}
	}
	return m
}

// checkPage looks for the chart where it was laid.
func checkPage(t *testing.T, r *ScannerRig, p devices.Page) {
	t.Helper()
	if err := findChart(p, r.At, r.DPI); err != nil {
		t.Error(err)
	}
}

func findChart(p devices.Page, at image.Point, dpi int) error {
	if p.Image == nil || p.Resolution != dpi {
		return fmt.Errorf("page of %d dpi, asked for %d", p.Resolution, dpi)
	}
	at = at.Mul(dpi).Div(300)
	for row := range chartRows {
		for col := range chartCols {
			sum, n := 0, 0
			for y := range chartBlock {
				for x := range chartBlock {
					q := at.Add(image.Pt(col*chartBlock+x, row*chartBlock+y))
					if !q.In(p.Image.Bounds()) {
						return fmt.Errorf("page of %v does not reach to %v", p.Image.Bounds(), q)
					}
					sum += int(color.GrayModel.Convert(p.Image.At(q.X, q.Y)).(color.Gray).Y)
					n++
				}
			}
			if got, want := sum/n, int(blockGrey(col, row)); got < want-10 || got > want+10 {
				return fmt.Errorf("block %d,%d of the page has grey %d, laid was %d", col, row, got, want)
			}
		}
	}
	return nil
}

func span(m image.Image) (lo, hi uint8) {
	lo = 255
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			v := color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi
}
