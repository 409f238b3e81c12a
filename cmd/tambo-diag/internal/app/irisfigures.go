package app

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"

	"tambo/kiosk/iris"
	"tambo/kiosk/iris/evaluate"
)

// poorOverlap is the overlap with a mask below which an image is shown.
const poorOverlap = 0.75

// worstPairs is how many genuine pairs the contact sheets show.
const worstPairs = 100

// report writes the figures and contact sheets of a set into dir.
func (s *irisSet) report(dir string, scores []float32, f *evaluate.Figures, rep *irisReport) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("iris: make the report's folder: %w", err)
	}
	genuine, _ := evaluate.Pairs(scores, s.class, 0)
	var worst, poor []tile
	for _, p := range genuine[:min(worstPairs, len(genuine))] {
		for _, i := range [...]int{p.I, p.J} {
			q := -1.0
			if s.reads[i] != nil {
				q = s.reads[i].Result.Quality.Score
			}
			worst = append(worst, tile{image: i, caption: fmt.Sprintf("%.3f %s q%.0f", p.Score, filepath.Base(s.paths[i]), q)})
		}
	}
	for i := range s.paths {
		if s.codes[i] == nil {
			poor = append(poor, tile{image: i, caption: "no template " + filepath.Base(s.paths[i])})
		}
	}
	if m := rep.Masks; m != nil {
		for i, v := range m.iou {
			if v >= 0 && v < poorOverlap {
				poor = append(poor, tile{i, fmt.Sprintf("IoU %.2f %s", v, filepath.Base(s.paths[i])), m.names[i]})
			}
		}
	}
	return errors.Join(
		s.plotDET(filepath.Join(dir, "det.png"), scores, rep),
		s.plotReject(filepath.Join(dir, "reject.png"), scores, f),
		s.sheets(filepath.Join(dir, "worst"), worst),
		s.sheets(filepath.Join(dir, "poor"), poor))
}

func (s *irisSet) plotDET(name string, scores []float32, rep *irisReport) error {
	points, err := evaluate.DET(scores, s.class, 120)
	if err != nil {
		return err
	}
	lines := []series{detSeries("one eye", inkBlue, points)}
	if rep.TwoEye != nil {
		m, class := evaluate.TwoEyes(scores, len(s.paths), evaluate.Presentations(s.subject, s.eye))
		if points, err = evaluate.DET(m, class, 120); err != nil {
			return err
		}
		lines = append(lines, detSeries("two eyes", inkRed, points))
	}
	x := axis{1e-6, 1, true, []float64{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1}, []string{"1e-6", "1e-5", "1e-4", "1e-3", "1e-2", "1e-1", "1"}, "false match rate"}
	y := axis{1e-4, 1, true, []float64{1e-4, 1e-3, 1e-2, 1e-1, 1}, []string{"0.01%", "0.1%", "1%", "10%", "100%"}, "false non-match rate"}
	return plot(fmt.Sprintf("DET, %s, %d genuine and %d impostor pairs", rep.Engine, rep.Genuine, rep.Impostor), x, y, lines).save(name)
}

func detSeries(name string, ink color.Color, points []evaluate.Point) series {
	l := series{name: name, ink: ink}
	for _, p := range points {
		l.x, l.y = append(l.x, p.FMR), append(l.y, p.FNMR)
	}
	return l
}

func (s *irisSet) plotReject(name string, scores []float32, f *evaluate.Figures) error {
	var shares []float64
	for k := range 41 {
		shares = append(shares, float64(k)*0.005)
	}
	by := func(what string, ink color.Color, q []float64) (series, error) {
		points, err := evaluate.Reject(scores, s.class, q, f.Threshold1e4, shares)
		l := series{name: what, ink: ink}
		for _, p := range points {
			l.x, l.y = append(l.x, 100*p.Share), append(l.y, 100*p.FNMR())
		}
		return l, err
	}
	ours, err := by("quality score", inkBlue, s.quality())
	if err != nil {
		return err
	}
	// what would be best: reject the images that most misses are of
	oracle, err := by("most missed first", inkGreen, s.blame(scores, f.Threshold1e4))
	if err != nil {
		return err
	}
	top := math.Max(ours.y[0]*1.15, 0.1)
	y := axis{lo: 0, hi: top, name: "FNMR at the threshold of FMR 1e-4, %"}
	for k := range 6 {
		y.ticks = append(y.ticks, top*float64(k)/5)
		y.labels = append(y.labels, fmt.Sprintf("%.2f", top*float64(k)/5))
	}
	x := axis{lo: 0, hi: 20, ticks: []float64{0, 2, 5, 10, 15, 20}, labels: []string{"0", "2", "5", "10", "15", "20"}, name: "images rejected, %"}
	return plot("Error versus reject", x, y, []series{ours, oracle}).save(name)
}

// blame is a quality that nobody can have beforehand: the fewer misses an
// image is part of, the better.
func (s *irisSet) blame(scores []float32, threshold float64) []float64 {
	n := len(s.class)
	q := make([]float64, n)
	for i := range n {
		for j := range n {
			if i != j && s.class[i] == s.class[j] && !(float64(scores[i*n+j]) < threshold) {
				q[i]--
			}
		}
	}
	return q
}

// tile is one image of a contact sheet.
type tile struct {
	image   int
	caption string
	mask    string // file of a mask whose outline is drawn in red, if any
}

// Contact sheets: each eye in a field of its own, two fields for a pair.
const (
	tileW, tileH = 300, 240
	sheetColumns = 6
	sheetRows    = 6
)

// sheets writes contact sheets NAME-01.png and so on.
func (s *irisSet) sheets(name string, tiles []tile) error {
	const per = sheetColumns * sheetRows
	for n, part := range slices.Collect(slices.Chunk(tiles, per)) {
		c := newCanvas(sheetColumns*tileW, sheetRows*tileH)
		for k, t := range part {
			s.draw(c, image.Pt(k%sheetColumns*tileW, k/sheetColumns*tileH), t)
		}
		if err := c.save(fmt.Sprintf("%s-%02d.png", name, n+1)); err != nil {
			return err
		}
	}
	return nil
}

// draw puts one eye into a field: the image around the iris, with pupil and
// limbus in green and what the lids leave in gold.
func (s *irisSet) draw(c canvas, at image.Point, t tile) {
	img, err := readGray(s.paths[t.image])
	if err != nil {
		c.text(at.X+4, at.Y+tileH/2, "cannot be read", inkRed)
		return
	}
	b := img.Bounds()
	r := s.reads[t.image]
	k := math.Max(float64(b.Dx())/tileW, float64(b.Dy())/tileH)
	x0, y0 := 0.0, 0.0
	found := r != nil && r.Result.Segmentation.Limbus.Radius() > 0
	if found {
		l := &r.Result.Segmentation.Limbus
		if want := 3.2 * l.Radius() / tileH; want < k {
			k = want
			x0, y0 = l.Center.X-k*tileW/2, l.Center.Y-k*tileH/2
		}
	}
	for y := range tileH - 1 {
		for x := range tileW - 1 {
			p := image.Pt(int(x0+float64(x)*k), int(y0+float64(y)*k))
			if p.X >= 0 && p.Y >= 0 && p.X < b.Dx() && p.Y < b.Dy() {
				c.Set(at.X+x, at.Y+y, img.GrayAt(b.Min.X+p.X, b.Min.Y+p.Y))
			}
		}
	}
	if found {
		dot := func(p iris.Point, ink color.Color) {
			q := image.Pt(at.X+int((p.X-x0)/k), at.Y+int((p.Y-y0)/k))
			if q.In(image.Rect(at.X, at.Y, at.X+tileW, at.Y+tileH)) {
				c.Set(q.X, q.Y, ink)
				c.Set(q.X+1, q.Y, ink)
			}
		}
		g := &r.Result.Segmentation
		for i := range iris.ContourPoints {
			dot(g.Pupil.Point(i), inkGreen)
			dot(g.Limbus.Point(i), inkGreen)
			if g.Open[i] < 1 {
				dot(g.LidPoint(i), inkGold)
			}
		}
	}
	if t.mask != "" {
		c.outline(at, t.mask, x0, y0, k)
	}
	c.text(at.X+4, at.Y+14, t.caption, inkGold)
}

// outline draws the border of a mask, red.
func (c canvas) outline(at image.Point, name string, x0, y0, k float64) {
	mask, err := readGray(name)
	if err != nil {
		return
	}
	in := func(x, y int) bool {
		p := image.Pt(int(x0+float64(x)*k), int(y0+float64(y)*k))
		return p.In(mask.Rect) && mask.GrayAt(p.X, p.Y).Y != 0
	}
	for y := range tileH - 1 {
		for x := range tileW - 1 {
			if in(x, y) && !(in(x-1, y) && in(x+1, y) && in(x, y-1) && in(x, y+1)) {
				c.Set(at.X+x, at.Y+y, inkRed)
			}
		}
	}
}
