package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tambo/kiosk"
	"tambo/kiosk/gallery"
	"tambo/kiosk/gallery/synthetic"
	"tambo/kiosk/iris"
	"tambo/kiosk/specimen/eye"
)

// irisBenchReport is the object that "iris bench --json" prints. Absolute
// times are the machine's; what counts are the ratios within compare_per_s.
type irisBenchReport struct {
	ExtractMS    float64            `json:"extract_ms_median"`
	FeedbackMS   float64            `json:"feedback_ms_median"`
	ComparePerS  map[string]float64 `json:"compare_per_s"`
	Search1MMS   float64            `json:"search_1m_ms"`
	GalleryBytes uint64             `json:"gallery_bytes_1m"`

	sieve map[string]float64 // codes a second passed over with early rejection
	// medians of processor time, which a busy machine disturbs less
	extractCPU, feedbackCPU float64
}

// benchSearched is what one gallery size took.
type benchSearched struct {
	codes, threads, fetched int
	ms, aslantMS            float64 // medians of 20, with one look and with two
	cpuMS                   float64 // processor time of one, all threads, mean of 20
	bytes                   uint64
}

// irisBench runs "iris bench": generated eyes are read, and one of them is
// searched among codes of people who do not exist, on two threads, by a
// gallery that fetches templates.
func irisBench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("iris bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	asJSON := fs.Bool("json", false, "print one JSON object")
	codes := fs.Int("codes", 1_000_000, "search codes in the gallery")
	linear := fs.Bool("linear", false, "search a tenth and a hundredth of them too, and show time and memory for each")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 0 || *codes < 1000 || *codes > 20_000_000 {
		return errors.New("iris bench: give --json or --linear and, if wanted, --codes N, 1000 to 20000000")
	}
	var rep irisBenchReport
	decoded, templates, err := benchExtract(ctx, &rep)
	if err != nil {
		return err
	}
	source := synthetic.New(1)
	sample := make([]iris.SearchCode, 4096)
	for i := range sample {
		sample[i] = source.Code(uint64(i))
	}
	probe := decoded.SearchCodes()[0]
	rep.ComparePerS = gallery.MeasureCompare(&probe, sample, 400*time.Millisecond)
	rep.sieve = gallery.MeasureSieve(&probe, sample, 400*time.Millisecond)
	if !*asJSON {
		rep.print(stdout)
	}
	sizes := []int{*codes}
	if *linear {
		sizes = []int{*codes / 100, *codes / 10, *codes}
	}
	var last benchSearched
	for _, n := range sizes {
		if last, err = benchSearch(ctx, n, source, templates); err != nil {
			return err
		}
		if !*asJSON {
			last.print(stdout)
		}
	}
	rep.Search1MMS, rep.GalleryBytes = last.ms, last.bytes
	if *asJSON {
		return json.NewEncoder(stdout).Encode(rep)
	}
	return nil
}

func (r *irisBenchReport) print(w io.Writer) {
	fmt.Fprintf(w, "engine %s: extraction %.1f ms (%.1f of processor time), feedback %.1f ms (%.1f) (medians)\n",
		iris.EngineVersion, r.ExtractMS, r.extractCPU, r.FeedbackMS, r.feedbackCPU)
	for _, k := range []string{"reference", "portable", "avx2", "avx512"} {
		if v, ok := r.ComparePerS[k]; ok {
			fmt.Fprintf(w, "comparing, %-9s %6.2f million a second and core, %5.2f × reference", k, v/1e6, v/r.ComparePerS["reference"])
			if s, ok := r.sieve[k]; ok {
				fmt.Fprintf(w, "; rejecting early %6.2f", s/1e6)
			}
			fmt.Fprintln(w)
		}
	}
}

func (s *benchSearched) print(w io.Writer) {
	fmt.Fprintf(w, "one eye among %8d: %7.2f ms on %d threads (%.2f ms of processor time), %5.0f ns a code; %6.1f MB, %4.0f bytes a code; %d compared in full; %.2f ms with a second look for heads held aslant\n",
		s.codes, s.ms, s.threads, s.cpuMS, s.ms*1e6/float64(s.codes), float64(s.bytes)/1e6, float64(s.bytes)/float64(s.codes), s.fetched, s.aslantMS)
}

// benchExtract reads generated eyes, 640×480; the first template read is the
// probe and the others are what the gallery's store hands out.
func benchExtract(ctx context.Context, rep *irisBenchReport) (*iris.Decoded, []kiosk.Template, error) {
	engine := iris.New()
	var extract, feedback spans
	var templates []kiosk.Template
	for n := range 24 {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		img := eye.Draw(eye.NewPerson(uint64(7000+n)), kiosk.EyeRight, eye.Ordinary(), 0, 0)
		t, err := benchOne(engine, img, &extract, &feedback)
		if err == nil {
			templates = append(templates, t)
		}
	}
	if len(templates) < 2 {
		return nil, nil, errors.New("iris bench: the engine read fewer than two of its generated eyes")
	}
	rep.ExtractMS, rep.FeedbackMS = middle(extract.wall), middle(feedback.wall)
	rep.extractCPU, rep.feedbackCPU = middle(extract.cpu), middle(feedback.cpu)
	d, err := iris.Decode(templates[0])
	return d, templates, err
}

func benchOne(engine *iris.Engine, img *image.Gray, extract, feedback *spans) (kiosk.Template, error) {
	var r iris.Result
	var err error
	for range 3 {
		extract.add(func() { r, err = engine.Process(img, kiosk.EyeRight) })
		feedback.add(func() { engine.Feedback(img) })
	}
	return r.Template, err
}

// spans are how long something took, in milliseconds, by the clock and of a
// processor.
type spans struct{ wall, cpu []float64 }

func (s *spans) add(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, spent := time.Now(), spentMS(unix.RUSAGE_THREAD)
	f()
	s.cpu = append(s.cpu, spentMS(unix.RUSAGE_THREAD)-spent)
	s.wall = append(s.wall, sinceMS(start))
}

// spentMS is the processor time of this thread or process so far.
func spentMS(who int) float64 {
	var u unix.Rusage
	if unix.Getrusage(who, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

func sinceMS(start time.Time) float64 { return float64(time.Since(start).Nanoseconds()) / 1e6 }

func middle(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// benchStore hands out a few templates in turn: real ones, so that comparing
// them costs what it costs.
type benchStore struct {
	templates []kiosk.Template
	asked     chan struct{} // one for each request
}

func (s *benchStore) Templates(_ context.Context, id gallery.ID) ([]kiosk.Template, error) {
	n, err := strconv.Atoi(string(id))
	if err != nil {
		return nil, err
	}
	select {
	case s.asked <- struct{}{}:
	default:
	}
	return s.templates[n%len(s.templates) : n%len(s.templates)+1], nil
}

func benchSearch(ctx context.Context, codes int, source *synthetic.Source, templates []kiosk.Template) (benchSearched, error) {
	out := benchSearched{codes: codes, threads: min(2, runtime.GOMAXPROCS(0))}
	before := resident()
	store := &benchStore{templates[1:], make(chan struct{}, 1<<16)}
	g := gallery.NewFetching(store)
	for n := range codes {
		if n%4096 == 0 && ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err := g.AddCodes(gallery.ID(fmt.Sprintf("%010d", n)), kiosk.EyeRight, []iris.SearchCode{source.Code(uint64(n))}); err != nil {
			return out, err
		}
	}
	if after := resident(); after > before {
		out.bytes = after - before
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(out.threads))
	opt := gallery.Options{MaxFMR: 1e-3}
	var err error
	if out.ms, out.cpuMS, out.fetched, err = timeSearch(ctx, g, store, templates[0], opt); err != nil {
		return out, err
	}
	opt.Aslant = true
	out.aslantMS, _, _, err = timeSearch(ctx, g, store, templates[0], opt)
	return out, err
}

// timeSearch searches for an eye that is not there, and returns the median time, the
// processor time and how many templates were fetched the last time.
func timeSearch(ctx context.Context, g *gallery.Gallery, store *benchStore, probe kiosk.Template, o gallery.Options) (ms, cpuMS float64, fetched int, err error) {
	var times []float64
	const searches = 20
	for range searches {
		for len(store.asked) > 0 {
			<-store.asked
		}
		start, spent := time.Now(), spentMS(unix.RUSAGE_SELF)
		a, err := g.Search(ctx, gallery.Probe{Templates: []kiosk.Template{probe}}, o)
		times = append(times, sinceMS(start))
		cpuMS += (spentMS(unix.RUSAGE_SELF) - spent) / searches
		if err != nil {
			return 0, 0, 0, err
		}
		if !a.Complete || a.Compared != g.Len() || len(a.Candidates) != 0 {
			return 0, 0, 0, fmt.Errorf("iris bench: search compared %d of %d and found %d, none was there", a.Compared, g.Len(), len(a.Candidates))
		}
	}
	return middle(times), cpuMS, len(store.asked), nil
}

// resident returns the bytes that the process holds in memory after a
// collection: what the system says, or where it does not say what the runtime
// does.
func resident() uint64 {
	debug.FreeOSMemory() // twice: pools let go at the second collection
	debug.FreeOSMemory()
	if b, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
				if kb, err := strconv.ParseUint(f[1], 10, 64); err == nil {
					return kb << 10
				}
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}
