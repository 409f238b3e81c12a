// Command damage measures an iris engine that was spoilt on purpose, on several
// sets of eyes, and says whether what hurts on one set hurts on the others.
// .ci/iris-damage builds it together with an engine that obeys
// TAMBO_IRIS_DAMAGE; it starts itself once for each damage and set.
package main

import (
	"encoding/binary"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // decoders for the images of an index
	_ "image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	_ "golang.org/x/image/bmp" // decoder for the images of an index

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// damages are what the engine is spoilt by, one stage each, where a stage has
// degrees in two or three of them. They were listed before anything was measured.
var damages = []string{
	"no-mask", "no-lids", "half-lids", "wide-lids", "no-lashes", "more-lashes", "no-shading", "no-reflections",
	"coarse-2", "coarse-3", "soft", "few-greys",
	"no-fragile", "much-fragile", "one-wavelength", "fine-only",
	"circles", "unsteady-limbus", "unsteady-pupil", "first-seed", "no-tone",
	"rigid", "no-radial", "little-turn", "no-normalise", "no-limit",
}

const unspoilt = "none"

func main() {
	scores := flag.String("scores", "", "folder in which scores, or what the guards said, are kept")
	one := flag.String("one", "", "measure the engine as it is on this index only, into the file -out")
	out := flag.String("out", "", "file for the scores of -one")
	guards := flag.String("guards", "", "test binary of the generated eyes: which damages do its guards see?")
	flag.Parse()
	var err error
	switch {
	case *one != "":
		err = measure(*one, *out)
	case *guards != "":
		err = tryGuards(*guards, *scores)
	default:
		err = judge(*scores, flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "damage:", err)
		os.Exit(1)
	}
}

// set is one index.
type set struct {
	name   string
	path   []string
	class  []int // of each image
	person []int // of each image
	people int
	pairs  []pair
}

type pair struct{ i, j int32 }

// impostors is about how many pairs of strangers are compared; all captures of
// one eye are compared with each other.
const impostors = 9000

func readSet(index string) (*set, error) {
	f, err := os.Open(index)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, errors.Join(fmt.Errorf("%s has no images", index), err)
	}
	col := func(name string) int { return slices.Index(rows[0], name) }
	who := col("subject")
	if who < 0 {
		who = col("class")
	}
	if col("path") < 0 || col("class") < 0 {
		return nil, fmt.Errorf("%s: no columns path and class", index)
	}
	s := &set{name: filepath.Base(filepath.Dir(index))}
	classes, people := map[string]int{}, map[string]int{}
	number := func(m map[string]int, k string) int {
		if _, ok := m[k]; !ok {
			m[k] = len(m)
		}
		return m[k]
	}
	for _, r := range rows[1:] {
		p := r[col("path")]
		if !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(index), p)
		}
		s.path = append(s.path, p)
		s.class = append(s.class, number(classes, r[col("class")]))
		s.person = append(s.person, number(people, r[who]))
	}
	s.people = len(people)
	n := len(s.path)
	every := uint32(max(1, n*n/2/impostors))
	for i := range n {
		for j := range i {
			if s.class[i] == s.class[j] || (s.person[i] != s.person[j] && (uint32(i)*2654435761^uint32(j)*40503)>>7%every == 0) {
				s.pairs = append(s.pairs, pair{int32(i), int32(j)})
			}
		}
	}
	return s, nil
}

// measure compares the pairs of a set. What cannot be compared is as far apart
// as strangers are.
func measure(index, out string) error {
	s, err := readSet(index)
	if err != nil {
		return err
	}
	engine := iris.New()
	codes := make([]*iris.Decoded, len(s.path))
	for i, p := range s.path {
		img, err := readGray(p)
		if err != nil {
			return err
		}
		if r, err := engine.Process(img, kiosk.EyeLeft); err == nil {
			if codes[i], err = iris.Decode(r.Template); err != nil {
				return err
			}
		}
	}
	d := make([]float32, len(s.pairs))
	for k, p := range s.pairs {
		d[k] = float32(math.NaN())
		if a, b := codes[p.i], codes[p.j]; a != nil && b != nil {
			if c, err := a.Compare(b); err == nil {
				d[k] = float32(c.HD)
			}
		}
	}
	f, err := os.Create(out + ".part")
	if err != nil {
		return err
	}
	err = errors.Join(binary.Write(f, binary.LittleEndian, d), f.Close())
	return errors.Join(err, os.Rename(out+".part", out))
}

func readGray(name string) (*image.Gray, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if g, ok := m.(*image.Gray); ok {
		return g, nil
	}
	g := image.NewGray(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
	draw.Draw(g, g.Rect, m, m.Bounds().Min, draw.Src)
	return g, nil
}

// judge measures what has not been measured and prints what comes of it.
func judge(dir string, indexes []string) error {
	if len(indexes) < 2 {
		return errors.New("at least two sets are needed")
	}
	var sets []*set
	var sums [][]*tally // by set and damage
	for _, index := range indexes {
		s, err := readSet(index)
		if err != nil {
			return err
		}
		sets = append(sets, s)
		var mine []*tally
		for _, d := range append([]string{unspoilt}, damages...) {
			name := filepath.Join(dir, s.name+"-"+d)
			if _, err := os.Stat(name); err != nil {
				cmd := exec.Command(os.Args[0], "-one", index, "-out", name)
				cmd.Env, cmd.Stderr = append(os.Environ(), "TAMBO_IRIS_DAMAGE="+d), os.Stderr
				if err := cmd.Run(); err != nil {
					return fmt.Errorf("%s on %s: %w", d, s.name, err)
				}
			}
			t, err := readTally(s, name)
			if err != nil {
				return err
			}
			mine = append(mine, t)
		}
		sums = append(sums, mine)
		fmt.Fprintf(os.Stderr, "%s: %d images, %d people\n", s.name, len(s.path), s.people)
	}
	report(sets, sums)
	return nil
}

// sure is the distance below which all pairs count alike: no decision hangs on by
// how much a match far beyond any threshold is better than another, and d' would be
// about little else.
const sure = 0.2

// tally keeps, for each two people, the sums that d' is made of.
type tally struct {
	people    int
	genuine   []moments // by person
	strangers []moments // by person × person
	all       [2][]float64
	failed    int
}

type moments struct{ n, sum, sq float64 }

func (m *moments) add(v float64)              { m.n++; m.sum += v; m.sq += v * v }
func (m *moments) weigh(o moments, w float64) { m.n += w * o.n; m.sum += w * o.sum; m.sq += w * o.sq }
func (m moments) mean() float64               { return m.sum / m.n }
func (m moments) variance() float64           { return max(m.sq/m.n-m.mean()*m.mean(), 0) }

func readTally(s *set, name string) (*tally, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(raw) != 4*len(s.pairs) {
		return nil, fmt.Errorf("%s is of another set: %d bytes for %d pairs", name, len(raw), len(s.pairs))
	}
	t := &tally{people: s.people, genuine: make([]moments, s.people), strangers: make([]moments, s.people*s.people)}
	var middle moments
	at := func(k int) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*k:]))) }
	for k, p := range s.pairs {
		if v := at(k); s.class[p.i] != s.class[p.j] && !math.IsNaN(v) {
			middle.add(v)
		}
	}
	for k, p := range s.pairs {
		v := at(k)
		a, b := s.person[p.i], s.person[p.j]
		same := s.class[p.i] == s.class[p.j]
		if math.IsNaN(v) {
			if !same {
				continue
			}
			t.failed++
			v = middle.mean()
		}
		v = max(v, sure)
		if same {
			t.genuine[a].add(v)
			t.all[0] = append(t.all[0], v)
		} else {
			t.strangers[a*t.people+b].add(v)
			t.all[1] = append(t.all[1], v)
		}
	}
	return t, nil
}

// decidability is d' with every person counted weight times.
func (t *tally) decidability(weight []float64) float64 {
	var g, i moments
	for a, wa := range weight {
		if wa == 0 {
			continue
		}
		g.weigh(t.genuine[a], wa)
		for b, wb := range weight {
			if m := t.strangers[a*t.people+b]; m.n > 0 {
				i.weigh(m, wa*wb)
			}
		}
	}
	return (i.mean() - g.mean()) / math.Sqrt((g.variance()+i.variance())/2)
}

// missed is the share of genuine pairs beyond the least thousandth of strangers.
func (t *tally) missed() float64 {
	s := slices.Clone(t.all[1])
	slices.Sort(s)
	limit, n := s[len(s)/1000], 0
	for _, v := range t.all[0] {
		if v >= limit {
			n++
		}
	}
	return float64(n) / float64(len(t.all[0]))
}

// losses are by which share each damage lowers d'.
func losses(t []*tally, weight []float64) []float64 {
	whole := t[0].decidability(weight)
	var out []float64
	for _, d := range t[1:] {
		out = append(out, 1-d.decidability(weight)/whole)
	}
	return out
}

func report(sets []*set, sums [][]*tally) {
	fmt.Println("d', pairs beyond doubt counting alike, what of it is lost, and pairs missed at FMR 1e-3, in %")
	fmt.Printf("%-16s", "engine")
	for _, s := range sets {
		fmt.Printf(" | %22s", s.name)
	}
	fmt.Println()
	for d, name := range append([]string{unspoilt}, damages...) {
		fmt.Printf("%-16s", name)
		for k := range sets {
			t := sums[k][d]
			v := t.decidability(ones(t.people))
			fmt.Printf(" | %6.2f %+6.1f   %6.2f", v, 100*(1-v/sums[k][0].decidability(ones(t.people))), 100*t.missed())
		}
		fmt.Println()
	}
	fmt.Println()
	for k, s := range sets {
		g, i := moments{}, moments{}
		for _, v := range sums[k][0].all[0] {
			g.add(v)
		}
		for _, v := range sums[k][0].all[1] {
			i.add(v)
		}
		half, low, high := splitHalf(sums[k])
		fmt.Printf("%s: genuine %.3f ± %.3f, strangers %.3f ± %.3f; the losses on two halves of its people correlate by %.2f (%.2f to %.2f), so on all by %.2f\n",
			s.name, g.mean(), math.Sqrt(g.variance()), i.mean(), math.Sqrt(i.variance()), half, low, high, 2*half/(1+half))
	}
	fmt.Println("rank correlation (Spearman) of the losses, 95 % interval over people:")
	for a := range sets {
		for b := a + 1; b < len(sets); b++ {
			show(sets[a].name, sets[b].name, func(w [][]float64) (x, y []float64) {
				return losses(sums[a], w[a]), losses(sums[b], w[b])
			}, sets)
		}
	}
	if len(sets) > 2 {
		show(sets[0].name, "the mean of the others", func(w [][]float64) (x, y []float64) {
			y = make([]float64, len(damages))
			for k := 1; k < len(sets); k++ {
				for i, v := range losses(sums[k], w[k]) {
					y[i] += v
				}
			}
			return losses(sums[0], w[0]), y
		}, sets)
	}
}

const rounds = 400

// show prints a correlation and its interval over people drawn anew in every set.
func show(a, b string, both func(w [][]float64) (x, y []float64), sets []*set) {
	w := make([][]float64, len(sets))
	for k, s := range sets {
		w[k] = ones(s.people)
	}
	x, y := both(w)
	rng := random(1)
	var rs []float64
	for range rounds {
		for k, s := range sets {
			w[k] = make([]float64, s.people)
			for range s.people {
				w[k][rng.intn(s.people)]++
			}
		}
		rs = append(rs, spearman(both(w)))
	}
	slices.Sort(rs)
	fmt.Printf("  %s and %s: %.2f (%.2f to %.2f)\n", a, b, spearman(x, y), rs[rounds/40], rs[rounds-1-rounds/40])
}

// splitHalf is how well a set agrees with itself: the mean correlation of the
// losses on two random halves of its people, and where most of them lie.
func splitHalf(t []*tally) (mean, low, high float64) {
	n := t[0].people
	rng := random(2)
	var rs []float64
	for range rounds / 2 {
		a, b := make([]float64, n), make([]float64, n)
		order := make([]int, n)
		for i := range order {
			j := rng.intn(i + 1)
			order[i], order[j] = order[j], i
		}
		for k, p := range order {
			if k < n/2 {
				a[p] = 1
			} else {
				b[p] = 1
			}
		}
		r := spearman(losses(t, a), losses(t, b))
		rs = append(rs, r)
		mean += r
	}
	slices.Sort(rs)
	return mean / float64(len(rs)), rs[len(rs)/40], rs[len(rs)-1-len(rs)/40]
}

func ones(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1
	}
	return w
}

// spearman is the correlation of ranks; equal values share theirs.
func spearman(x, y []float64) float64 {
	a, b := ranks(x), ranks(y)
	var ma, mb moments
	ab := 0.0
	for i := range a {
		ma.add(a[i])
		mb.add(b[i])
		ab += a[i] * b[i]
	}
	return (ab/ma.n - ma.mean()*mb.mean()) / math.Sqrt(ma.variance()*mb.variance())
}

func ranks(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		for _, o := range x {
			if o < v {
				out[i]++
			} else if o == v {
				out[i] += 0.5
			}
		}
	}
	return out
}

// random is a small generator, so that the figures are the same everywhere.
type random uint64

func (r *random) intn(n int) int {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

// tryGuards runs the tests that guard accuracy with each damage, four at a time,
// and prints which of them fail. What they say is kept in logs.
func tryGuards(test, logs string) error {
	all := append([]string{unspoilt}, damages...)
	broken, errs := make([]string, len(all)), make([]error, len(all))
	var wait sync.WaitGroup
	slots := make(chan bool, 4)
	for i, d := range all {
		wait.Go(func() {
			slots <- true
			defer func() { <-slots }()
			broken[i], errs[i] = tryGuard(test, filepath.Join(logs, d), d)
		})
	}
	wait.Wait()
	for i, d := range all {
		fmt.Printf("%-16s %s\n", d, broken[i])
	}
	return errors.Join(errs...)
}

func tryGuard(test, log, damage string) (string, error) {
	out, err := os.ReadFile(log)
	if err != nil {
		cmd := exec.Command(test, "-test.run", "Guard", "-test.v")
		cmd.Env = append(os.Environ(), "TAMBO_IRIS_DAMAGE="+damage)
		out, err = cmd.Output()
	}
	var broken []string
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			broken = append(broken, name)
		}
	}
	if err != nil && len(broken) == 0 {
		return "", fmt.Errorf("%s: %w", damage, err)
	}
	return strings.Join(broken, ", "), os.WriteFile(log, out, 0o644)
}
