package technician

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tambo/cmd/internal/tend"
	"tambo/devices"
	"tambo/devices/discover"
	"tambo/kiosk/health"
)

// captureTime is how long the eye model is looked for.
const captureTime = 20 * time.Second

// captured is the result of a test capture as JSON.
type captured struct {
	Port    string              `json:"port"`
	Passed  bool                `json:"passed"`
	Verdict string              `json:"verdict"`
	Do      string              `json:"do,omitempty"`
	Eyes    *health.TargetFacts `json:"eyes,omitempty"`
	Page    *health.PageFacts   `json:"page,omitempty"`
	Saved   []string            `json:"saved,omitempty"`
}

// capture tests a camera by the eye model, or the scanner by its page. Pictures
// are saved only of these, straightened and cut at their marks.
func capture(ctx context.Context, o *options, _ []string, f *deviceFlags) error {
	m, end, err := o.meter()
	if err != nil {
		return err
	}
	defer end()
	var c captured
	var pictures map[string]*image.Gray
	if f.scanner {
		c, pictures, err = capturePage(ctx, m, f)
	} else {
		c, pictures, err = captureEyes(ctx, m, f)
	}
	if err != nil {
		return err
	}
	part := health.PartCamera
	if f.scanner {
		part = health.PartScanner
	}
	judgeCapture(ctx, o, m, part, &c)
	if f.out != "" {
		for name, img := range pictures {
			path := strings.TrimSuffix(f.out, filepath.Ext(f.out)) + name + ".png"
			if err := writePNG(path, img); err != nil {
				return err
			}
			c.Saved = append(c.Saved, path)
		}
	}
	if o.json {
		if err := o.print(c); err != nil {
			return err
		}
	} else {
		o.line("%s %s", c.Verdict, c.Do)
		if t := c.Eyes; t != nil && t.Found {
			o.line("sharp %d %% (needs %d) · white %d (%d to %d) · evenly lit %d %% (needs %d)", t.Sharp, health.SharpFloor, t.White, health.WhiteFloor, health.WhiteTop, t.Even, health.EvenFloor)
		}
		if g := c.Page; g != nil && g.Found {
			o.line("sharp %d %% (needs %d) · white %d (needs %d) · length %.2f %% (within %.1f) · skew %.1f° (within %.0f)", g.Sharp, health.ScanSharpFloor, g.White, health.ScanWhiteFloor, g.Scale, health.ScaleLimit, g.Skew, health.SkewLimit)
		}
		for _, s := range c.Saved {
			o.line("saved %s", s)
		}
	}
	if !c.Passed {
		return errors.New("the test was not passed")
	}
	return nil
}

// judgeCapture makes a verdict of what was seen of one part.
func judgeCapture(ctx context.Context, o *options, m *tend.Meter, part health.Part, c *captured) {
	r := health.Judge((&tend.Kiosk{Devices: m.Discovery, Meter: m}).Facts(ctx))
	for _, x := range r.Findings {
		if x.Part == part && x.Port == c.Port && x.Weight >= health.Care {
			c.Passed = false
			c.Verdict, c.Do = o.say.Verdict(x, time.Now())
			return
		}
	}
	switch {
	case c.Passed:
		c.Verdict = "Passed."
	case part == health.PartScanner:
		c.Verdict = o.say.Say("diag.noPage")
	default:
		c.Verdict = o.say.Say("diag.noModel")
	}
}

func captureEyes(ctx context.Context, m *tend.Meter, f *deviceFlags) (captured, map[string]*image.Gray, error) {
	limit := captureTime
	if f.length > 0 {
		limit = f.length
	}
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	var best tend.Look
	looks := 0
	info, err := m.Watch(ctx, health.PartCamera, f.port, func(l tend.Look) {
		looks++
		if l.Facts.Found && (l.Passed() || !best.Facts.Found || l.Facts.Sharp > best.Facts.Sharp) {
			best = l
		}
		if best.Passed() && looks >= 8 { // enough frames for a rate
			stop()
		}
	})
	c := captured{Port: info.Port, Passed: best.Passed(), Eyes: &best.Facts}
	pictures := map[string]*image.Gray{}
	if best.Left != nil {
		pictures["-left"] = best.Left.Picture
	}
	if best.Right != nil {
		pictures["-right"] = best.Right.Picture
	}
	return c, pictures, err
}

func capturePage(ctx context.Context, m *tend.Meter, f *deviceFlags) (captured, map[string]*image.Gray, error) {
	s, err := m.OpenScanner(ctx)
	if err != nil {
		return captured{}, nil, err
	}
	defer s.Close()
	facts, img, err := m.Calibrate(ctx, s, f.dpi)
	c := captured{Port: s.Info().Port, Page: &facts, Passed: facts.Found}
	if errors.Is(err, tend.ErrNoPage) {
		return c, nil, nil
	}
	if err != nil {
		return c, nil, err
	}
	return c, map[string]*image.Gray{"-page": img}, nil
}

func writePNG(path string, img image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(f, img); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// second is a line of watch.
type second struct {
	At      time.Time           `json:"at"`
	Event   string              `json:"event,omitempty"`  // plugged or unplugged
	Camera  health.Part         `json:"camera,omitempty"` // "camera" is the iris camera
	Rate    float64             `json:"rate"`
	Stats   devices.StreamStats `json:"stats"`
	Late    int64               `json:"late"`  // milliseconds from a frame's end to its being taken, the longest of late
	Level   float64             `json:"level"` // mean grey level of the frames
	Eyes    *health.TargetFacts `json:"eyes,omitempty"`
	Trouble string              `json:"trouble,omitempty"`
}

// String is the line: the rate as a bar against its floor, and what is counted.
func (s second) String() string {
	at := s.At.Format("15:04:05")
	switch {
	case s.Event != "":
		return at + "  " + s.Event
	case s.Trouble != "":
		return at + "  " + s.Trouble
	}
	name, eyes := "iris", "no eye model"
	if s.Camera == health.PartFace {
		name, eyes = "face", ""
	}
	if s.Eyes != nil {
		eyes = fmt.Sprintf("sharp %d %%, white %d", s.Eyes.Sharp, s.Eyes.White)
	}
	return fmt.Sprintf("%s  %s %5.1f frames a second %s  lost %d  not taken %d  bus errors %d  late %d ms  level %3.0f  %s", at, name, s.Rate, bar(s.Rate, health.RateFloor(s.Camera), 30),
		s.Stats.Damaged, s.Stats.Dropped, s.Stats.BusErrors, s.Late, s.Level, eyes)
}

// cameras are the parts that --camera names.
var cameras = map[string][]health.Part{"iris": {health.PartCamera}, "face": {health.PartFace}, "both": {health.PartCamera, health.PartFace}}

// watch shows the cameras and the bus live, a line a second each, until stopped.
func watch(ctx context.Context, o *options, _ []string, f *deviceFlags) error {
	if f.camera == "" {
		f.camera = "both"
	}
	m, end, err := o.meter()
	if err != nil {
		return err
	}
	defer end()
	if f.length > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, f.length)
		defer stop()
	}
	var mu sync.Mutex
	say := func(s second) {
		mu.Lock()
		defer mu.Unlock()
		if o.json {
			json.NewEncoder(o.out).Encode(s) // a line each; a reader that went away ends ctx
			return
		}
		o.line("%s", s)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for e := range m.Discovery.Watch(ctx) {
			switch e.Kind {
			case discover.Arrived:
				say(second{At: e.At, Event: "plugged in: " + e.Device.String()})
			case discover.Left:
				say(second{At: e.At, Event: "unplugged: " + e.Device.String()})
			case discover.Trouble:
				say(second{At: e.At, Trouble: e.Err.Error()})
			}
		}
	})
	var gone, there atomic.Int32 // cameras that are not there, and such as are or were
	for _, part := range cameras[f.camera] {
		wg.Go(func() {
			absent := false
			follow(ctx, m, part, f.port, func(l tend.Look) {
				there.Add(1)
				s := second{At: time.Now(), Camera: part, Rate: l.Rate, Stats: l.Stats, Late: l.Latency.Milliseconds(), Level: l.Level}
				if l.Facts.Found {
					s.Eyes = &l.Facts
				}
				say(s)
			}, func(err error) {
				if f.camera == "both" && (part == health.PartFace || f.port != "") && errors.Is(err, devices.ErrGone) {
					// Not every kiosk has one, nor both at a port; and what goes is said.
					if f.port == "" || absent || gone.Add(1) < 2 || there.Load() > 0 {
						absent = true
						return
					}
					absent = true
				}
				say(second{At: time.Now(), Camera: part, Trouble: err.Error()})
			})
		})
	}
	return nil
}

// bar draws a figure against its floor: a mark stands where the floor is.
func bar(v, floor, top float64) string {
	const width = 20
	b := []rune(strings.Repeat("·", width))
	for i := range int(min(v/top, 1) * width) {
		b[i] = '█'
	}
	if i := int(floor / top * width); i < width && v < floor {
		b[i] = '|'
	}
	return string(b)
}

// follow streams from a camera until ctx ends, and opens it again when it went
// or stalled. each gets a look a second.
func follow(ctx context.Context, m *tend.Meter, part health.Part, port string, each func(tend.Look), trouble func(error)) {
	said := ""
	for ctx.Err() == nil {
		var last time.Time
		_, err := m.Watch(ctx, part, port, func(l tend.Look) {
			said = ""
			if l.Rate > 0 && time.Since(last) >= time.Second { // a rate that is not known yet is not none
				last = time.Now()
				each(l)
			}
		})
		if err != nil && ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			trouble(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// soaked is the report of a soak.
type soaked struct {
	Began    time.Time   `json:"began"`
	Took     string      `json:"took"`
	Camera   health.Part `json:"camera"`
	Verdict  string      `json:"verdict"`
	Frames   uint64      `json:"frames"`
	Lost     uint64      `json:"lost"`
	NotTaken uint64      `json:"notTaken"`
	Errors   uint64      `json:"busErrors"`
	Rate     float64     `json:"rate"`     // over the whole time
	Slowest  float64     `json:"slowest"`  // two seconds
	Troubles int         `json:"troubles"` // times that the stream broke
	Last     string      `json:"lastTrouble,omitempty"`
	// Memory of this program in megabytes, a tenth into the soak and at its end.
	MemoryBegan float64 `json:"memoryBegan"`
	MemoryEnd   float64 `json:"memoryEnd"`
	Minutes     []point `json:"minutes"`
}

// point is a minute of a soak.
type point struct {
	Rate float64 `json:"rate"`
	Lost uint64  `json:"lost"`
}

// soak streams for hours and reports.
func soak(ctx context.Context, o *options, _ []string, f *deviceFlags) error {
	switch {
	case f.length == 0:
		return wrongUse("--for is missing: how long, as 8h")
	case f.camera == "both":
		return wrongUse("one camera at a time: --camera iris, or --camera face")
	case f.camera == "":
		f.camera = "iris"
	}
	m, end, err := o.meter()
	if err != nil {
		return err
	}
	defer end()
	r := soaked{Began: time.Now(), Camera: cameras[f.camera][0], Slowest: -1, Minutes: []point{}}
	sctx, stop := context.WithTimeout(ctx, f.length)
	defer stop()
	var total, before, minute devices.StreamStats // of streams that ended; of the present one; at the last full minute
	next := r.Began.Add(time.Minute)
	sum := func() devices.StreamStats {
		return devices.StreamStats{Frames: total.Frames + before.Frames, Damaged: total.Damaged + before.Damaged, Dropped: total.Dropped + before.Dropped, BusErrors: total.BusErrors + before.BusErrors}
	}
	var last time.Time
	follow(sctx, m, r.Camera, f.port, func(l tend.Look) {
		// A rate begins anew after a pause; two seconds without a frame were the slowest.
		if gap := time.Since(last); !last.IsZero() && gap > time.Second+2*time.Second {
			r.Slowest = 0
		}
		last = time.Now()
		if l.Stats.Frames < before.Frames { // another stream began
			total, before = sum(), devices.StreamStats{}
		}
		before = l.Stats
		if l.Rate > 0 && (r.Slowest < 0 || l.Rate < r.Slowest) && time.Since(r.Began) > 3*time.Second {
			r.Slowest = l.Rate
		}
		if r.MemoryBegan == 0 && time.Since(r.Began) > f.length/10 {
			r.MemoryBegan = memory()
		}
		if now := time.Now(); !now.Before(next) {
			s := sum()
			r.Minutes = append(r.Minutes, point{Rate: float64(s.Frames-minute.Frames) / 60, Lost: s.Damaged + s.BusErrors - minute.Damaged - minute.BusErrors})
			minute, next = s, next.Add(time.Minute)
			fmt.Fprintf(o.err, "%s: %d frames, %d lost\n", now.Sub(r.Began).Round(time.Minute), s.Frames, s.Damaged+s.BusErrors)
		}
	}, func(err error) {
		r.Troubles++
		r.Last = err.Error()
	})
	s := sum()
	r.Took, r.Frames, r.Lost, r.NotTaken, r.Errors = time.Since(r.Began).Round(time.Second).String(), s.Frames, s.Damaged, s.Dropped, s.BusErrors
	r.Rate, r.MemoryEnd = float64(s.Frames)/time.Since(r.Began).Seconds(), memory()
	return report(ctx, o, m, f, &r)
}

// memory is what this program's heap and stacks take, in megabytes.
func memory() float64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64((s.HeapAlloc+s.StackInuse)/1e4) / 100
}

func report(ctx context.Context, o *options, m *tend.Meter, f *deviceFlags, r *soaked) error {
	passed := r.Frames > 0 && r.Lost+r.Errors == 0 && r.Troubles == 0
	r.Verdict = "Passed."
	if !passed {
		r.Verdict = "Not passed."
		for _, x := range health.Judge((&tend.Kiosk{Devices: m.Discovery, Meter: m}).Facts(ctx)).Findings {
			if x.Part == r.Camera {
				what, do := o.say.Verdict(x, time.Now())
				r.Verdict = what + " " + do
				break
			}
		}
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := os.WriteFile(f.out, append(b, '\n'), 0o644); err != nil {
			return err
		}
	}
	if o.json {
		o.line("%s", b)
	} else {
		o.line("%s", r.Verdict)
		o.line("%s: %d frames, %.1f a second (slowest two seconds %.1f, needs %.0f), %d lost, %d not taken, %d bus errors, %d breaks", r.Took, r.Frames, r.Rate, r.Slowest, health.RateFloor(r.Camera), r.Lost, r.NotTaken, r.Errors, r.Troubles)
		o.line("memory %.1f MB a tenth into it, %.1f MB at the end", r.MemoryBegan, r.MemoryEnd)
		if r.Last != "" {
			o.line("last trouble: %s", r.Last)
		}
	}
	if !passed {
		return errors.New("the soak was not passed")
	}
	return nil
}
