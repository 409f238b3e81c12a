package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"tambo/kiosk/iris"
	"tambo/kiosk/iris/evaluate"
)

// Iris runs "tambo-diag iris": commands that measure the iris engine. Results
// go to stdout, what went wrong with single images to stderr.
func Iris(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return wrongUse("say which command: evaluate, bench, specimens, stages")
	}
	switch args[0] {
	case "evaluate":
		return irisEvaluate(ctx, args[1:], stdout, stderr)
	case "bench":
		return irisBench(ctx, args[1:], stdout, stderr)
	case "specimens":
		return irisSpecimens(ctx, args[1:], stdout, stderr)
	case "stages":
		return irisStages(args[1:], stderr)
	}
	return wrongUse("no command %q; there is: evaluate, bench, specimens, stages", args[0])
}

// irisReport is the line that "iris evaluate" prints.
type irisReport struct {
	Engine       string      `json:"engine"`
	Images       int         `json:"images"`
	Classes      int         `json:"classes"`
	Failures     int         `json:"failures"`
	BelowFloor   int         `json:"below_floor"`
	Genuine      int         `json:"genuine_pairs"`
	Impostor     int         `json:"impostor_pairs"`
	EER          float64     `json:"eer"`
	FNMR1e3      float64     `json:"fnmr_at_fmr_1e-3"`
	FNMR1e4      float64     `json:"fnmr_at_fmr_1e-4"`
	Misses1e4    int         `json:"misses_at_fmr_1e-4"`
	Threshold1e4 float64     `json:"threshold_at_fmr_1e-4"`
	MedianMS     float64     `json:"extract_ms_median"`
	P95MS        float64     `json:"extract_ms_p95"`
	ComparePerS  float64     `json:"compare_per_s"`
	Interval1e4  *[2]float64 `json:"fnmr_at_fmr_1e-4_95,omitempty"` // over people
	Decidability float64     `json:"decidability"`

	// misses left when the worst by quality score are rejected
	Reject []rejectReport `json:"reject"`

	TwoEye   *twoEyeReport   `json:"two_eye,omitempty"`
	Masks    *maskReport     `json:"masks,omitempty"`
	Transfer *transferReport `json:"transfer,omitempty"`
}

// rejectReport is what is left when a share of the images is rejected.
type rejectReport struct {
	Share      float64 `json:"share"`
	Genuine    int     `json:"genuine_pairs"`
	Misses     int     `json:"misses_at_fmr_1e-4"`           // at the threshold of the whole set
	Calibrated int     `json:"misses_where_calibrated_1e-4"` // at the distance where the calibration says so
}

// rejectShares are those of the report.
var rejectShares = []float64{0, 0.01, 0.02, 0.05, 0.1}

// twoEyeReport is about persons of whom both eyes are compared.
type twoEyeReport struct {
	Presentations int        `json:"presentations"`
	Genuine       int        `json:"genuine_pairs"`
	Impostor      int        `json:"impostor_pairs"`
	EER           float64    `json:"eer"`
	FNMR1e4       float64    `json:"fnmr_at_fmr_1e-4"`
	Misses1e4     int        `json:"misses_at_fmr_1e-4"`
	Interval1e4   [2]float64 `json:"fnmr_at_fmr_1e-4_95"`
}

// transferReport says what thresholds do on a set they were not taken from,
// and what the engine's own calibration says of this one.
type transferReport struct {
	Other     string  `json:"other"`
	Threshold float64 `json:"other_threshold_at_fmr_1e-4"`
	FMR       float64 `json:"fmr_here_at_other_threshold"`
	OtherFMR  float64 `json:"fmr_there_at_this_threshold"`
	// observed rates where the calibration says 1e-3 and 1e-4
	Calibrated1e3 [2]float64 `json:"fmr_here_and_there_where_calibrated_1e-3"`
	Calibrated1e4 [2]float64 `json:"fmr_here_and_there_where_calibrated_1e-4"`
}

type evaluateOptions struct {
	index, scores, report, cache, masks, transfer string
	twoEye                                        bool
}

func irisEvaluate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("iris evaluate", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var o evaluateOptions
	fs.StringVar(&o.index, "index", "", "CSV file with a header and at least the columns path,class (one class per eye)")
	fs.StringVar(&o.scores, "scores", "", "file for the N×N little-endian float32 dissimilarities")
	fs.StringVar(&o.report, "report", "", "folder for DET and error-versus-reject curves and contact sheets, PNG")
	fs.StringVar(&o.cache, "cache", "", "folder in which templates are kept for the next time")
	fs.StringVar(&o.masks, "masks", "", "folder of hand-made masks: a mask column's paths are meant from it, or it holds NUMBER/{left,right}/NUMBER.bmp")
	fs.StringVar(&o.transfer, "transfer", "", "CSV file of another set, to try each set's threshold on the other")
	fs.BoolVar(&o.twoEye, "two-eye", false, "fuse right and left eyes too; the index needs the columns subject,eye")
	if err := parse(fs, args); err != nil {
		return err
	}
	if o.index == "" || fs.NArg() != 0 {
		return wrongUse("give --index INDEX.csv and, if wanted, --scores OUT.f32, --report DIR, --cache DIR, --masks DIR, --transfer OTHER.csv, --two-eye")
	}
	rep, err := o.run(ctx, stderr)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(rep)
}

func (o *evaluateOptions) run(ctx context.Context, stderr io.Writer) (*irisReport, error) {
	log, bar := slog.New(slog.NewTextHandler(stderr, nil)), newProgress(stderr)
	cache, err := openIrisCache(o.cache)
	if err != nil {
		return nil, err
	}
	set, err := readIrisSet(ctx, o.index, cache, log, bar)
	if err != nil {
		return nil, err
	}
	if o.twoEye && (set.subject == nil || set.eye == nil) {
		return nil, wrongUse("--two-eye needs the columns subject and eye in %s", o.index)
	}
	rep := set.count()
	rep.ComparePerS = compareRate(set.codes)
	scores, err := set.compare(ctx, bar)
	if err != nil {
		return nil, err
	}
	if o.scores != "" {
		if err := writeScores(o.scores, scores); err != nil {
			return nil, err
		}
	}
	f, err := evaluate.ROC(scores, set.class)
	if err != nil {
		return nil, err
	}
	rep.figures(&f)
	in, err := evaluate.Bootstrap(scores, set.class, set.people(), 1e-4, bootstrapRounds, 1)
	if err != nil {
		return nil, err
	}
	rep.Interval1e4 = &[2]float64{in.Low, in.High}
	if rep.Reject, err = set.reject(scores, &f); err != nil {
		return nil, err
	}
	if o.twoEye {
		if rep.TwoEye, err = set.twoEyes(scores); err != nil {
			return nil, err
		}
	}
	if o.masks != "" {
		if rep.Masks, err = set.masks(o.masks); err != nil {
			return nil, err
		}
	}
	if o.transfer != "" {
		if rep.Transfer, err = o.tryOther(ctx, cache, log, bar, set, scores, &f); err != nil {
			return nil, err
		}
	}
	if o.report != "" {
		if err := set.report(o.report, scores, &f, rep); err != nil {
			return nil, err
		}
	}
	rep.say(stderr)
	return rep, nil
}

// bootstrapRounds is how often people are drawn anew for an interval.
const bootstrapRounds = 1000

// count fills in what is known before anything is compared.
func (s *irisSet) count() *irisReport {
	rep := &irisReport{Engine: iris.EngineVersion, Images: len(s.paths)}
	seen := make(map[string]bool)
	var ms []float64
	for i, r := range s.reads {
		seen[s.class[i]] = true
		if r != nil {
			ms = append(ms, r.MS)
		}
		switch {
		case s.codes[i] == nil:
			rep.Failures++
		case !r.Result.Quality.Acceptable():
			rep.BelowFloor++
		}
	}
	rep.Classes = len(seen)
	slices.Sort(ms)
	if len(ms) > 0 {
		rep.MedianMS, rep.P95MS = ms[len(ms)/2], ms[min(len(ms)*95/100, len(ms)-1)]
	}
	return rep
}

func (rep *irisReport) figures(f *evaluate.Figures) {
	rep.Genuine, rep.Impostor = f.Genuine, f.Impostor
	rep.EER, rep.FNMR1e3, rep.FNMR1e4 = f.EER, f.FNMR1e3, f.FNMR1e4
	rep.Misses1e4, rep.Decidability = f.Misses1e4, f.Decidability
	if t := f.Threshold1e4; !math.IsInf(t, 0) && !math.IsNaN(t) {
		rep.Threshold1e4 = t
	}
}

// say prints for a person what the line says for a program.
func (rep *irisReport) say(w io.Writer) {
	fmt.Fprintf(w, "one eye: %d of %d genuine pairs missed at FMR 1e-4: %.2f %% (95 %% of resampled people: %.2f to %.2f %%); %d images without a template\n",
		rep.Misses1e4, rep.Genuine, 100*rep.FNMR1e4, 100*rep.Interval1e4[0], 100*rep.Interval1e4[1], rep.Failures)
	for _, r := range rep.Reject[1:] {
		fmt.Fprintf(w, "without the worst %g %% by quality score: %d of %d missed\n", 100*r.Share, r.Misses, r.Genuine)
	}
	if t := rep.TwoEye; t != nil {
		fmt.Fprintf(w, "two eyes: %d of %d genuine pairs missed at FMR 1e-4: %.2f %% (%.2f to %.2f %%)\n",
			t.Misses1e4, t.Genuine, 100*t.FNMR1e4, 100*t.Interval1e4[0], 100*t.Interval1e4[1])
	}
	if m := rep.Masks; m != nil {
		fmt.Fprintf(w, "overlap with %d masks: mean %.3f, %d (%.1f %%) below .7, least %.3f\n", m.Masks, m.Mean, m.Below, 100*float64(m.Below)/float64(m.Masks), m.Least)
	}
	if t := rep.Transfer; t != nil {
		fmt.Fprintf(w, "at %s's threshold %.4f this set's FMR is %.2g; at this set's threshold, that one's is %.2g\n", t.Other, t.Threshold, t.FMR, t.OtherFMR)
	}
}

// reject rejects the worst by quality score, at two thresholds.
func (s *irisSet) reject(scores []float32, f *evaluate.Figures) ([]rejectReport, error) {
	own, err := evaluate.Reject(scores, s.class, s.quality(), f.Threshold1e4, rejectShares)
	if err != nil {
		return nil, err
	}
	calibrated, err := evaluate.Reject(scores, s.class, s.quality(), distanceAt(4), rejectShares)
	if err != nil {
		return nil, err
	}
	out := make([]rejectReport, len(own))
	for i, r := range own {
		out[i] = rejectReport{r.Share, r.Genuine, r.Misses, calibrated[i].Misses}
	}
	return out, nil
}

func (s *irisSet) compare(ctx context.Context, bar *progress) ([]float32, error) {
	bar.begin("comparing", len(s.codes))
	defer bar.end()
	return evaluate.Matrix(ctx, s.codes, runtime.GOMAXPROCS(0), bar.step)
}

func (s *irisSet) twoEyes(scores []float32) (*twoEyeReport, error) {
	of := evaluate.Presentations(s.subject, s.eye)
	m, class := evaluate.TwoEyes(scores, len(s.paths), of)
	f, err := evaluate.ROC(m, class)
	if err != nil {
		return nil, fmt.Errorf("two eyes: %w", err)
	}
	in, err := evaluate.Bootstrap(m, class, class, 1e-4, bootstrapRounds, 1)
	if err != nil {
		return nil, fmt.Errorf("two eyes: %w", err)
	}
	return &twoEyeReport{len(of), f.Genuine, f.Impostor, f.EER, f.FNMR1e4, f.Misses1e4, [2]float64{in.Low, in.High}}, nil
}

func (o *evaluateOptions) tryOther(ctx context.Context, cache *irisCache, log *slog.Logger, bar *progress, set *irisSet, scores []float32, f *evaluate.Figures) (*transferReport, error) {
	other, err := readIrisSet(ctx, o.transfer, cache, log, bar)
	if err != nil {
		return nil, err
	}
	theirs, err := other.compare(ctx, bar)
	if err != nil {
		return nil, err
	}
	g, err := evaluate.ROC(theirs, other.class)
	if err != nil {
		return nil, err
	}
	t := &transferReport{Other: filepath.Base(o.transfer), Threshold: g.Threshold1e4}
	t.FMR = evaluate.FMRAt(scores, set.class, g.Threshold1e4)
	t.OtherFMR = evaluate.FMRAt(theirs, other.class, f.Threshold1e4)
	for k, log := range [...]float64{3, 4} {
		hd := distanceAt(log)
		at := [2]float64{evaluate.FMRAt(scores, set.class, hd), evaluate.FMRAt(theirs, other.class, hd)}
		if k == 0 {
			t.Calibrated1e3 = at
		} else {
			t.Calibrated1e4 = at
		}
	}
	return t, nil
}

// distanceAt is the distance that the calibration gives that −log10 rate.
func distanceAt(log float64) float64 {
	lo, hi := 0.0, 0.5
	for range 50 {
		if mid := (lo + hi) / 2; iris.LogFMR(mid) > log {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
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
