package app

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoders for the images of an index
	_ "image/png"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	_ "golang.org/x/image/bmp" // decoder for the images of an index

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/iris/evaluate"
)

// Iris runs "tambo-diag iris": commands that measure the iris engine. Results
// go to stdout, what went wrong with single images to stderr.
func Iris(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return wrongUse("say which command: evaluate, bench")
	}
	switch args[0] {
	case "evaluate":
		return irisEvaluate(ctx, args[1:], stdout, stderr)
	case "bench":
		return irisBench(ctx, args[1:], stdout, stderr)
	}
	return wrongUse("no command %q; there is: evaluate, bench", args[0])
}

// irisReport is the line that "iris evaluate" prints.
type irisReport struct {
	Engine       string  `json:"engine"`
	Images       int     `json:"images"`
	Classes      int     `json:"classes"`
	Failures     int     `json:"failures"`
	BelowFloor   int     `json:"below_floor"`
	Genuine      int     `json:"genuine_pairs"`
	Impostor     int     `json:"impostor_pairs"`
	EER          float64 `json:"eer"`
	FNMR1e3      float64 `json:"fnmr_at_fmr_1e-3"`
	FNMR1e4      float64 `json:"fnmr_at_fmr_1e-4"`
	Misses1e4    int     `json:"misses_at_fmr_1e-4"`
	Threshold1e4 float64 `json:"threshold_at_fmr_1e-4"`
	MedianMS     float64 `json:"extract_ms_median"`
	P95MS        float64 `json:"extract_ms_p95"`
	ComparePerS  float64 `json:"compare_per_s"`
}

func irisEvaluate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("iris evaluate", flag.ContinueOnError)
	fs.SetOutput(stderr)
	index := fs.String("index", "", "CSV file with a header and at least the columns path,class (one class per eye)")
	out := fs.String("scores", "", "file for the N×N little-endian float32 dissimilarities")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *index == "" || fs.NArg() != 0 {
		return wrongUse("give --index INDEX.csv and, if wanted, --scores OUT.f32")
	}
	paths, class, err := readIrisIndex(*index)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	rep := irisReport{Engine: iris.EngineVersion, Images: len(paths)}
	seen := make(map[string]bool)
	for _, c := range class {
		seen[c] = true
	}
	rep.Classes = len(seen)

	engine := iris.New()
	codes := make([]*iris.Decoded, len(paths))
	var ms []float64
	for i, p := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		img, err := readGray(p)
		if err != nil {
			rep.Failures++
			log.Warn("image cannot be read", "row", i+1, "err", err)
			continue
		}
		start := time.Now()
		r, err := engine.Process(img, kiosk.EyeUnknown)
		ms = append(ms, float64(time.Since(start).Microseconds())/1000)
		if err == nil {
			codes[i], err = iris.Decode(r.Template)
		}
		if err != nil {
			rep.Failures++
			log.Warn("no template", "row", i+1, "err", err)
			continue
		}
		if !r.Quality.Acceptable() {
			rep.BelowFloor++
		}
	}
	if rep.Failures == len(paths) {
		return fmt.Errorf("iris: none of the %d images of %s gave a template, so there is nothing to compare; what was wrong with each is said above", len(paths), *index)
	}
	rep.ComparePerS = compareRate(codes)
	scores, err := evaluate.Matrix(ctx, codes, runtime.GOMAXPROCS(0))
	if err != nil {
		return err
	}
	if *out != "" {
		if err := writeScores(*out, scores); err != nil {
			return err
		}
	}
	f, err := evaluate.ROC(scores, class)
	if err != nil {
		return err
	}
	rep.Genuine, rep.Impostor = f.Genuine, f.Impostor
	rep.EER, rep.FNMR1e3, rep.FNMR1e4 = f.EER, f.FNMR1e3, f.FNMR1e4
	rep.Misses1e4 = f.Misses1e4
	if t := f.Threshold1e4; !math.IsInf(t, 0) && !math.IsNaN(t) {
		rep.Threshold1e4 = t
	}
	slices.Sort(ms)
	if len(ms) > 0 {
		rep.MedianMS, rep.P95MS = ms[len(ms)/2], ms[min(len(ms)*95/100, len(ms)-1)]
	}
	return json.NewEncoder(stdout).Encode(rep)
}

// compareRate measures full comparisons a second on one goroutine, on pairs
// drawn across the set.
func compareRate(codes []*iris.Decoded) float64 {
	var have []*iris.Decoded
	for _, c := range codes {
		if c != nil {
			have = append(have, c)
		}
	}
	if len(have) < 2 {
		return 0
	}
	n := 0
	start := time.Now()
	for time.Since(start) < 300*time.Millisecond {
		for range 32 {
			// too few common bits costs the same time and is not asked about
			_, _ = have[n%len(have)].Compare(have[(n*7+1)%len(have)])
			n++
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

// readIrisIndex reads an index; relative paths are meant from its folder.
func readIrisIndex(name string) (paths, class []string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("iris: open index: %w", err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" { // as spreadsheets write
		in.Discard(3)
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("iris: read index %s: %w", name, err)
	}
	if len(rows) == 0 {
		return nil, nil, fmt.Errorf("iris: index %s is empty; its first line must name the columns path,class", name)
	}
	pc, cc := slices.Index(rows[0], "path"), slices.Index(rows[0], "class")
	if pc < 0 || cc < 0 {
		return nil, nil, fmt.Errorf("iris: index %s has no columns path and class in its first line", name)
	}
	if len(rows) == 1 {
		return nil, nil, fmt.Errorf("iris: index %s names no image: it has a first line with the columns and nothing under it", name)
	}
	for _, r := range rows[1:] {
		p := r[pc]
		if !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(name), p)
		}
		paths = append(paths, p)
		class = append(class, r[cc])
	}
	return paths, class, nil
}

// maxImageFile bounds what is read of one image file.
const maxImageFile = 64 << 20

// readGray decodes a PNG, JPEG or BMP file as 8-bit grey. The size stated in
// the header is held against iris.MaxPixels before anything is allocated.
func readGray(name string) (*image.Gray, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(io.LimitReader(f, maxImageFile))
	if err != nil {
		return nil, fmt.Errorf("read the header of %s: %w", filepath.Base(name), err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > iris.MaxPixels/c.Height {
		return nil, fmt.Errorf("%w: %d×%d", iris.ErrTooLarge, c.Width, c.Height)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	m, _, err := image.Decode(io.LimitReader(f, maxImageFile))
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", filepath.Base(name), err)
	}
	if g, ok := m.(*image.Gray); ok {
		return g, nil
	}
	b := m.Bounds()
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			g.Pix[y*g.Stride+x] = color.GrayModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.Gray).Y
		}
	}
	return g, nil
}

func writeScores(name string, scores []float32) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("iris: create scores: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := make([]byte, 0, 1<<16)
	for i, s := range scores {
		v := math.Float32bits(s)
		buf = append(buf, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
		if len(buf) == cap(buf) || i == len(scores)-1 {
			if _, err := f.Write(buf); err != nil {
				return fmt.Errorf("iris: write scores: %w", err)
			}
			buf = buf[:0]
		}
	}
	return nil
}
