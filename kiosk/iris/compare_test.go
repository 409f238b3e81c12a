package iris

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
)

// randomCode has independent bits and is usable everywhere.
func randomCode(seed uint64) *code {
	r := rand.New(rand.NewPCG(seed, 7))
	c := &code{}
	for i := range c.bits {
		c.bits[i], c.mask[i] = r.Uint64(), ^uint64(0)
	}
	for i := range c.sbits {
		c.sbits[i], c.smask[i] = r.Uint64(), ^uint64(0)
	}
	c.inform()
	return c
}

// turned is c rotated so that its column i becomes column i+sh.
func turned(c *code, sh int) *code {
	out := &code{info: c.info}
	turnRow := func(dst, src []uint64, width, sh int) {
		for i := range width {
			j := ((i+sh)%width + width) % width
			dst[j>>6] |= src[i>>6] >> (i & 63) & 1 << (j & 63)
		}
	}
	for row := range codeRows {
		o := row * codeWords
		turnRow(out.bits[o:], c.bits[o:o+codeWords], codeW, sh)
		turnRow(out.mask[o:], c.mask[o:o+codeWords], codeW, sh)
	}
	for row := range searchRows {
		o := row * searchRowW
		turnRow(out.sbits[o:], c.sbits[o:o+searchRowW], searchW, sh/2)
		turnRow(out.smask[o:], c.smask[o:o+searchRowW], searchW, sh/2)
	}
	return out
}

// flipped is c with a share of all bits inverted.
func flipped(c *code, share float64, seed uint64) *code {
	r := rand.New(rand.NewPCG(seed, 9))
	out := *c
	for i := range out.bits {
		for k := range 64 {
			if r.Float64() < share {
				out.bits[i] ^= 1 << k
			}
		}
	}
	for i := range out.sbits {
		for k := range 64 {
			if r.Float64() < share {
				out.sbits[i] ^= 1 << k
			}
		}
	}
	out.inform()
	return &out
}

func TestKnownDistances(t *testing.T) {
	a := randomCode(1)
	for _, share := range []float64{0, 0.1, 0.25} {
		c, ok := compareCodes(a, flipped(a, share, 2))
		if !ok || math.Abs(c.RawHD-share) > 0.01 || c.AngleDeg != 0 || c.Bits != codeBits {
			t.Errorf("share %g flipped: %+v, %v", share, c, ok)
		}
	}
	c, _ := compareCodes(a, randomCode(3))
	if math.Abs(c.RawHD-0.49) > 0.01 {
		t.Errorf("unrelated codes differ in %.3f of their bits", c.RawHD)
	}
}

// What a few blocks of a genuine pair have lost, to a lid or to a shadow, does not
// outvote the others; what all have lost is not there.
func TestSpoiltBlocksDoNotOutvoteTheRest(t *testing.T) {
	a := randomCode(31)
	like := flipped(a, 0.22, 5) // about as far apart as two captures of one eye
	spoilt := func(bands int) *code {
		out, other := *like, randomCode(77)
		for row := range codeRows {
			if row/2%16 < bands {
				copy(out.bits[row*codeWords:][:codeWords], other.bits[row*codeWords:])
			}
		}
		return &out
	}
	var last float64 = math.Inf(-1)
	for _, bands := range []int{0, 4, 8, 12, 16} {
		c, _ := compareCodes(a, spoilt(bands))
		t.Logf("%2d of 16 bands spoilt: distance %.3f, false match rate 1e-%.1f", bands, c.HD, logFMR(c.HD))
		if c.HD <= last {
			t.Errorf("spoiling more brings it nearer: %.3f after %.3f", c.HD, last)
		}
		last = c.HD
		if matches := logFMR(c.HD) > 6; matches != (bands <= 12) {
			t.Errorf("%d of 16 bands spoilt: false match rate 1e-%.1f", bands, logFMR(c.HD))
		}
	}
}

// No block says more against a pair than it may.
func TestABlockSaysLittleAgainst(t *testing.T) {
	a := randomCode(41)
	b := *a
	for row := range codeRows {
		b.bits[row*codeWords] ^= math.MaxUint64 // two sectors, turned over
	}
	c, _ := compareCodes(a, &b)
	clean, _ := compareCodes(a, a)
	d := farDoubt - thin/math.Sqrt(codeBits/blocks)
	lost := 2 * zones * (d*(1+conviction*d)*codeBits/blocks*a.info + maxAgainst)
	if got := evidenceAt(clean.HD) - evidenceAt(c.HD); math.Abs(got-lost) > 0.001*lost {
		t.Errorf("two of eight sectors turned over cost %.1f, want %.1f", got, lost)
	}
}

func TestDistanceAndEvidenceSayTheSame(t *testing.T) {
	last := math.Inf(1)
	for e := -600.0; e < 12000; e += 7 {
		d := distance(e)
		if back := evidenceAt(d); math.Abs(back-e) > 1e-6 || d >= last {
			t.Fatalf("evidence %g, distance %g, evidence %g", e, d, back)
		}
		last = d
	}
	if d := distance(wholeRing * 0.18 * (1 + conviction*0.18)); math.Abs(d-0.20) > 1e-12 {
		t.Errorf("a whole ring that differs by 0.20: %g", d)
	}
}

// No template is made alike to strangers by what is left out of its mask: not by
// blocks of few bits, which may choose among as many places as full ones, nor by
// bits without neighbours, of which nobody can say how independent they are.
func TestThinMasksMakeNoWolves(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred extractions")
	}
	engine := New()
	read := func(n int) *Decoded {
		p := eye.NewVolunteer(uint64(330000 + n/2))
		rng := rand.New(rand.NewPCG(17, uint64(n)))
		r, err := engine.Process(eye.Draw(p, kiosk.BothEyes[n%2], eye.StudyConditions(p, kiosk.BothEyes[n%2], rng), 320, 240), kiosk.EyeUnknown)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Decode(r.Template)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const wolves, sheep = 30, 90
	var eyes []*Decoded
	for n := range wolves + sheep {
		eyes = append(eyes, read(n))
	}
	for name, keep := range map[string]func(c *code, band, x int) bool{
		"whole":                  func(*code, int, int) bool { return true },
		"a band of each zone":    func(_ *code, band, _ int) bool { return band%4 == 0 },
		"two bands of each zone": func(_ *code, band, _ int) bool { return band%4 > 1 },
		"every second band":      func(_ *code, band, _ int) bool { return band%2 == 0 },
		"half of each sector":    func(_ *code, _, x int) bool { return x%32 < 16 },
		"half of sector and zone": func(_ *code, band, x int) bool {
			return x%32 < 16 && band%4 > 1
		},
		"a band and chosen neighbours": func(c *code, band, x int) bool {
			return band%4 == 0 || band%4 == 1 && x%64 == 5 && c.bits[(2*band)*codeWords+x/64]>>(x%64)&1 != c.bits[(2*band-2)*codeWords+x/64]>>(x%64)&1
		},
	} {
		at, most, n := [2]int{}, 0.0, 0
		for _, w := range eyes[:wolves] {
			c := w.readings[0]
			for row := range codeRows {
				for x := range codeW {
					if !keep(&w.readings[0], row/2%bands, x) {
						c.mask[row*codeWords+x/64] &^= 1 << (x % 64)
					}
				}
			}
			c.inform()
			d := &Decoded{version: w.version, readings: []code{c}}
			for _, s := range eyes[wolves:] {
				r, err := d.Compare(s)
				if n++; err != nil {
					continue
				}
				for k := range at {
					if r.LogFMR >= float64(2+k) {
						at[k]++
					}
				}
				most = max(most, r.LogFMR)
			}
		}
		t.Logf("%-28s of %d strangers %.2g at 1e-2, %.2g at 1e-3, at most 1e-%.1f", name, n, float64(at[0])/float64(n), float64(at[1])/float64(n), most)
		if at[0]*30 > n || at[1]*300 > n || most > 4 {
			t.Errorf("%s: a wolf", name)
		}
	}
}

// Two codes that agree nowhere have nothing in common that suits, and no score.
func TestNothingAlikeIsNotAScore(t *testing.T) {
	a, b := randomCode(51), randomCode(51)
	for i := range a.bits {
		a.bits[i], b.bits[i] = 0, math.MaxUint64
	}
	if c, ok := compareCodes(a, b); ok && (c.Bits < minCompared || logFMR(c.HD) > 1) {
		t.Errorf("%+v", c)
	}
}

func TestRotationIsFound(t *testing.T) {
	a := randomCode(4)
	for _, sh := range []int{-maxShift, -9, -1, 1, 5, maxShift} {
		c, _ := compareCodes(a, turned(a, sh))
		if c.RawHD != 0 || math.Abs(math.Abs(c.AngleDeg)-math.Abs(float64(sh))*360/codeW) > 1e-9 {
			t.Errorf("turned by %d columns: %+v", sh, c)
		}
	}
	if c, _ := compareCodes(a, turned(a, maxShift+6)); c.RawHD < 0.4 {
		t.Errorf("a rotation out of range matched: %+v", c)
	}
	if v, w := turned(a, 5), turned(a, -5); true {
		x, _ := compareCodes(a, v)
		y, _ := compareCodes(a, w)
		if x.AngleDeg != -y.AngleDeg {
			t.Errorf("angles %g and %g for opposite rotations", x.AngleDeg, y.AngleDeg)
		}
	}
}

func TestCompareIsSymmetricToTheBit(t *testing.T) {
	for s := range uint64(12) {
		a := randomCode(s)
		b := turned(flipped(a, 0.03*float64(s), s), int(s)-6)
		for i := range b.mask {
			b.mask[i] &= randomCode(s + 50).bits[i]
		}
		x, okx := compareCodes(a, b)
		y, oky := compareCodes(b, a)
		y.AngleDeg = 0 - y.AngleDeg
		if okx != oky || x != y {
			t.Fatalf("seed %d: %+v and %+v", s, x, y)
		}
	}
}

func TestMaskedBitsDoNotCount(t *testing.T) {
	a := randomCode(6)
	b := *a
	for i := range b.bits {
		b.mask[i] = 0x00ff_00ff_f0f0_3c3c
		b.bits[i] ^= ^b.mask[i] // everything masked is wrong
	}
	c, ok := compareCodes(a, &b)
	if !ok || c.RawHD != 0 || c.Bits != ones(b.mask[:]) {
		t.Errorf("%+v, %v", c, ok)
	}
}

func TestTooFewBitsIsNotAScore(t *testing.T) {
	a, b := randomCode(7), randomCode(8)
	for i := range a.mask {
		a.mask[i], b.mask[i] = 0x00000000ffffffff, 0x00000000ffffffff
		if i%codeWords >= 2 {
			a.mask[i] = 0
		} else {
			b.mask[i] = 0
		}
	}
	da := Decoded{version: versions[0], readings: []code{*a}}
	db := Decoded{version: versions[0], readings: []code{*b}}
	if c, err := da.Compare(&db); !errors.Is(err, ErrTooFewBits) || c != (Comparison{}) {
		t.Errorf("%+v, %v", c, err)
	}
	var empty code
	if _, err := Decode(encodeTemplate(EngineVersion, kiosk.EyeLeft, []code{empty})); !errors.Is(err, ErrTooFewBits) {
		t.Errorf("empty mask: %v", err)
	}
}

func TestTemplateRoundTrip(t *testing.T) {
	a := randomCode(11)
	tm := encodeTemplate(EngineVersion, kiosk.EyeRight, []code{*a})
	d, err := Decode(tm)
	if err != nil {
		t.Fatal(err)
	}
	if d.readings[0] != *a || d.Eye != kiosk.EyeRight {
		t.Error("decoded differs from what was written")
	}
	if again := encodeTemplate(EngineVersion, d.Eye, d.readings); !bytes.Equal(again.Data, tm.Data) {
		t.Error("written again, the bytes differ")
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := encodeTemplate(EngineVersion, kiosk.EyeLeft, []code{*randomCode(12)})
	edit := func(f func(*kiosk.Template)) kiosk.Template {
		x := good
		x.Data = bytes.Clone(good.Data)
		f(&x)
		return x
	}
	for name, c := range map[string]struct {
		t    kiosk.Template
		want error
	}{
		"older version": {edit(func(x *kiosk.Template) { x.Engine = "tambo-iris/unheard-of" }), ErrVersion},
		"no version":    {edit(func(x *kiosk.Template) { x.Engine = "" }), ErrVersion},
		"eye 9":         {edit(func(x *kiosk.Template) { x.Eye = 9 }), ErrMalformed},
		"empty":         {edit(func(x *kiosk.Template) { x.Data = nil }), ErrMalformed},
		"magic":         {edit(func(x *kiosk.Template) { x.Data[0] ^= 1 }), ErrMalformed},
		"no reading":    {edit(func(x *kiosk.Template) { x.Data[4] = 0 }), ErrMalformed},
		"200 readings":  {edit(func(x *kiosk.Template) { x.Data[4] = 200 }), ErrMalformed},
		"reserved":      {edit(func(x *kiosk.Template) { x.Data[6] = 1 }), ErrMalformed},
		"cut":           {edit(func(x *kiosk.Template) { x.Data = x.Data[:len(x.Data)-1] }), ErrMalformed},
		"longer":        {edit(func(x *kiosk.Template) { x.Data = append(x.Data, 0) }), ErrMalformed},
	} {
		if _, err := Decode(c.t); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, err := Compare(good, c.t); !errors.Is(err, c.want) {
			t.Errorf("compare with %s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good := encodeTemplate(EngineVersion, kiosk.EyeLeft, []code{*randomCode(13)})
	f.Add(good.Data)
	f.Add(good.Data[:9])
	f.Add([]byte(templateMagic + "\x02\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Decode(kiosk.Template{Engine: EngineVersion, Data: data})
		if err != nil {
			return
		}
		if c, err := d.Compare(d); err != nil || c.RawHD != 0 || math.IsNaN(c.HD) || math.IsNaN(c.LogFMR) {
			t.Errorf("with itself: %+v, %v", c, err)
		}
	})
}

// The search distance is held against its definition, without the early exits
// where they do not apply.
func TestSearchDistance(t *testing.T) {
	a := randomCode(20)
	probe := func(c *code) *SearchProbe {
		d := Decoded{readings: []code{*c}}
		s := d.SearchCodes()
		return NewSearchProbe(&s[0])
	}
	entry := func(c *code) *SearchCode {
		d := Decoded{readings: []code{*c}}
		s := d.SearchCodes()
		return &s[0]
	}
	for _, sh := range []int{-2 * searchShift, -4, 0, 6, 2 * searchShift} {
		if d := probe(a).Distance(entry(turned(a, sh))); d != 0 {
			t.Errorf("turned by %d: distance %d", sh, d)
		}
	}
	b := flipped(a, 0.3, 3)
	diff := 0
	for i := range a.sbits {
		diff += ones([]uint64{a.sbits[i] ^ b.sbits[i]})
	}
	if d := probe(a).Distance(entry(b)); d != uint32(diff)*65535/searchBits {
		t.Errorf("distance %d, %d of %d bits differ", d, diff, searchBits)
	}
	if d := probe(a).Distance(entry(randomCode(21))); float64(d) < 0.42*65535 {
		t.Errorf("stranger at %d", d)
	}
	if d := probe(a).Distance(new(SearchCode)); d != 65535/2 {
		t.Errorf("without common bits an entry is neither near nor far, got %d", d)
	}
}

func TestSearchCodeFillsWholeCacheLines(t *testing.T) {
	if n := binary.Size(SearchCode{}); n != 512 {
		t.Errorf("search code has %d bytes", n)
	}
}

func TestLogFMRFallsAndIsContinuous(t *testing.T) {
	last := math.Inf(1)
	for h := -0.2; h < 0.6; h += 0.0001 {
		v := logFMR(h)
		if v > last+1e-12 || v < 0 {
			t.Fatalf("at %.4f: %g after %g", h, v, last)
		}
		if last-v > 0.06 && !math.IsInf(last, 1) {
			t.Fatalf("jump at %.4f: %g to %g", h, last, v)
		}
		last = v
	}
}
