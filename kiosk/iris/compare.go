package iris

import (
	"fmt"
	"math"

	"tambo/kiosk"
)

// maxShift is the largest rotation compared, in columns of codeW: ±45°.
const maxShift = 32

// Comparison is the outcome of comparing two templates of one eye.
type Comparison struct {
	// HD is the score: the share of differing bits at which a whole ring, of
	// wholeRing independent bits, would say as much for the pair as the blocks
	// of theirs do together, each free to move a little and none saying more than
	// a little against it. Smaller is more alike. Strangers lie near 0.39; it can
	// be below 0 where more than a ring's worth was compared.
	HD       float64
	RawHD    float64 // plain share of differing bits at the best common rotation, 0..1
	Bits     int     // bits compared
	AngleDeg float64 // rotation between the two, degrees, clockwise on the screen
	LogFMR   float64 // −log10 of the false match rate at this score, 0 or more
}

// minCompared is the least number of verify bits that must be usable in both.
const minCompared = codeBits / 14

// Compare compares two templates over all rotations within ±45°. It is
// symmetric but for the sign of the angle. It returns [ErrVersion],
// [ErrMalformed] or [ErrTooFewBits], wrapped. Sides of the eyes are not looked
// at: comparing a left with a right eye is the caller's question.
func Compare(a, b kiosk.Template) (Comparison, error) {
	da, err := Decode(a)
	if err != nil {
		return Comparison{}, err
	}
	db, err := Decode(b)
	if err != nil {
		return Comparison{}, err
	}
	return da.Compare(db)
}

// Compare is [Compare] for parsed templates.
func (d *Decoded) Compare(o *Decoded) (Comparison, error) {
	if d.version != o.version {
		return Comparison{}, fmt.Errorf("%w: %q and %q", ErrVersion, d.version.name, o.version.name)
	}
	best := Comparison{HD: math.Inf(1)}
	for i := range d.readings {
		for j := range o.readings {
			c, ok := d.version.compare(&d.readings[i], &o.readings[j])
			if ok && c.HD < best.HD {
				best = c
			}
		}
	}
	if math.IsInf(best.HD, 1) {
		return Comparison{}, fmt.Errorf("%w: fewer than %d of %d in common", ErrTooFewBits, minCompared, codeBits)
	}
	best.LogFMR = d.version.logFMR(best.HD)
	return best, nil
}

// What a block of the ring says of a pair. It speaks for one eye by as many of its
// independent bits as agree better than doubt, and by more than in proportion,
// because the odds against chance grow so; and against it by those that agree
// worse, but never by more than maxAgainst. Lids, lashes, shadows and reflections
// spoil some blocks of a genuine pair and leave the rest alone; without the limit
// those that are spoilt would outvote the others.
//
// Where it suits them best, strangers' blocks differ by 0.42 to 0.43 of their bits,
// and by less, the fewer these are, as they have the same choices: by
// 0.46 - thin/√n. Doubt lies as much below for every n, or blocks of which a mask
// leaves little would speak for anybody.
const (
	thin       = 0.763
	doubt      = 0.38            // in a block of 400 bits, which is nearly all it has
	farDoubt   = doubt + thin/20 // in one of ever so many
	conviction = 4               // a block that differs by x less than doubt counts 1+conviction·x times
	maxAgainst = 12
	// wholeRing is how many independent bits two irises that are well open have in
	// common, about.
	wholeRing = 6500
)

// Elastic comparison: the ring is cut into sectors and radial zones, and each
// block may lie a little off the common rotation.
const (
	sectors    = 8 // of 32 columns, half a word
	zones      = 4 // of bands/zones bands
	blocks     = sectors * zones
	maxElastic = 2
	tableSpan  = 2*(maxShift+maxElastic) + 1
)

// A block that moves by one column or one band has to be better by this share
// of its bits. Blocks are let move at the turns rotations that are best without,
// and by a band at the topTurns of these that are best then.
const (
	elasticCost = 0.04
	radialCost  = 0.04
	turns       = 5
	topTurns    = 2
)

// choice is a block's share of differing bits with the cost of its movement, as
// the bits of a float32, then 16 free bits, then the bits compared: the least of
// several choices is the best, and how they are found is not left to branches
// that nothing predicts. A block in which nothing is common has none.
type choice uint64

const (
	noChoice choice = math.MaxUint64
	// chance is what a block counts that has nothing better.
	chance choice = 0x3f800000 << 32
)

func choose(rate float32, n int32) choice {
	return choice(math.Float32bits(rate))<<32 | choice(n)
}

func (c choice) rate() float32 { return math.Float32frombits(uint32(c >> 32)) }
func (c choice) bits() float32 { return float32(uint16(c)) }

// matcher holds, for a pair of codes, the tally of each rotation, and where
// blocks are let move each block's choice, with the radial displacement that suits
// it best.
type matcher struct {
	tallies [tableSpan]tally
	// blocks by the distance of the common rotation, 0 to maxElastic columns
	blocks [tableSpan][maxElastic + 1][blocks]choice
	has    [tableSpan]bool // its choices are in
	wide   [tableSpan]bool // radial displacements too
	// moved is the second code moved a band in and out, once that is needed.
	moved   [2]code
	isMoved bool
	info    float32 // independent bits in one compared
}

// compareCodes compares two readings. The blocks are cut on one of the two, so
// the pair is put into an order of its own first: the score is symmetric to
// the bit.
func compareCodes(a, b *code) (Comparison, bool) {
	if after(a, b) {
		c, ok := compareOrdered(b, a)
		c.AngleDeg = 0 - c.AngleDeg
		return c, ok
	}
	return compareOrdered(a, b)
}

// after is a total order of codes.
func after(a, b *code) bool {
	for i := range a.bits {
		if a.bits[i] != b.bits[i] {
			return a.bits[i] > b.bits[i]
		}
	}
	for i := range a.mask {
		if a.mask[i] != b.mask[i] {
			return a.mask[i] > b.mask[i]
		}
	}
	return false
}

func compareOrdered(a, b *code) (Comparison, bool) {
	var m matcher
	m.info = float32(math.Sqrt(a.info * b.info))
	out := Comparison{HD: math.Inf(1), RawHD: math.Inf(1)}
	rigid, top := make([]turn, 0, turns), make([]turn, 0, topTurns)
	limit := int32(-maxAgainst * 100 / m.info)
	for t := range tableSpan {
		fastest.count(&m.tallies[t], a, b, &turnings[t])
		sh := t - maxShift - maxElastic
		if diff, n := m.tallies[t].sum(); sh >= -maxShift && sh <= maxShift && n >= minCompared {
			out.RawHD = min(out.RawHD, float64(diff)/float64(n))
			rigid = keep(rigid, turn{sh, float32(m.tallies[t].evidence(limit))})
		}
	}
	for _, c := range rigid {
		for t := c.sh + maxShift; t <= c.sh+maxShift+2*maxElastic; t++ {
			m.level(t)
		}
		e, _ := m.elastic(c.sh)
		top = keep(top, turn{c.sh, e})
	}
	for _, c := range top {
		for t := c.sh + maxShift; t <= c.sh+maxShift+2*maxElastic; t++ {
			m.radial(t, a, b)
		}
		e, n := m.elastic(c.sh)
		if h := distance(float64(e)); n >= minCompared && h < out.HD {
			out.HD, out.Bits, out.AngleDeg = h, int(n), float64(c.sh)*360/codeW
		}
	}
	return out, !math.IsInf(out.HD, 1)
}

// turn is a common rotation and the evidence found at it.
type turn struct {
	sh       int
	evidence float32
}

// keep adds x to the best so far, which are in order and no more than they have
// room for.
func keep(best []turn, x turn) []turn {
	i := len(best)
	if i < cap(best) {
		best = best[:i+1]
	} else if i--; x.evidence <= best[i].evidence {
		return best
	}
	for ; i > 0 && best[i-1].evidence < x.evidence; i-- {
		best[i] = best[i-1]
	}
	best[i] = x
	return best
}

// level fills the table at rotation t without radial displacement.
func (m *matcher) level(t int) {
	if m.has[t] {
		return
	}
	m.has[t] = true
	c := &m.tallies[t]
	for k := range blocks {
		if c.n[k] == 0 {
			for d := range m.blocks[t] {
				m.blocks[t][d][k] = noChoice
			}
			continue
		}
		m.set(t, k, float32(c.diff[k])/float32(c.n[k]), c.n[k])
	}
}

// set enters block k at rotation t.
func (m *matcher) set(t, k int, rate float32, n int32) {
	const one, two = float32(elasticCost), float32(2 * elasticCost)
	at := &m.blocks[t]
	at[0][k], at[1][k], at[2][k] = choose(rate, n), choose(rate+one, n), choose(rate+two, n)
}

// radial lets each block at rotation t move a band in or out.
func (m *matcher) radial(t int, a, b *code) {
	if m.wide[t] {
		return
	}
	m.wide[t] = true
	if !m.isMoved {
		m.isMoved = true
		moveBands(&m.moved[0], b, -1)
		moveBands(&m.moved[1], b, +1)
	}
	for r := range m.moved {
		var c tally
		fastest.count(&c, a, &m.moved[r], &turnings[t])
		for k := range blocks {
			was := m.blocks[t][0][k]
			if c.n[k] == 0 || was == noChoice {
				continue
			}
			if q := float32(c.diff[k])/float32(c.n[k]) + radialCost; q < was.rate() {
				m.set(t, k, q, c.n[k])
			}
		}
	}
}

// elastic sums what the blocks say at common rotation sh, each free to turn a
// little, and the bits compared. Of equal choices the first in order of rotation
// counts.
func (m *matcher) elastic(sh int) (evidence, n float32) {
	at := m.blocks[sh+maxShift:][:2*maxElastic+1]
	b0, b1, b2, b3, b4 := &at[0][2], &at[1][1], &at[2][0], &at[3][1], &at[4][2]
	for k := range blocks {
		c := min(chance, b0[k], b1[k]|1<<16, b2[k]|2<<16, b3[k]|3<<16, b4[k]|4<<16)
		evidence += m.says(c)
		n += c.bits()
	}
	return evidence, n
}

// says is what a block says that chose c.
func (m *matcher) says(c choice) float32 {
	n := c.bits()
	if n == 0 {
		return 0
	}
	x := farDoubt - thin/float32(math.Sqrt(float64(n))) - c.rate()
	return max(float32(float32(m.info*n)*x)*(1+float32(conviction*max(x, 0))), -maxAgainst)
}

// distance is the rate at which a whole ring, cut into no blocks, says e;
// evidenceAt is what it says at that rate.
func distance(e float64) float64 {
	if e <= 0 {
		return doubt - e/wholeRing
	}
	return doubt - (math.Sqrt(1+4*conviction*e/wholeRing)-1)/(2*conviction)
}

func evidenceAt(distance float64) float64 {
	x := doubt - distance
	return wholeRing * x * (1 + conviction*max(x, 0))
}
