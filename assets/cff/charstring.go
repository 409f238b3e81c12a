package cff

import (
	"encoding/binary"
	"fmt"
)

// Bounds of Technical Note 5177, appendix B, and ours on the path.
const (
	maxStack = 48
	maxDepth = 10
	maxPath  = 4096
)

// machine interprets one Type 2 charstring.
type machine struct {
	global, local [][]byte

	stack []float32
	path  []Segment
	at    Point
	hints int
	width bool // the optional width operand has been dealt with
	done  bool
}

var errCharstring = fmt.Errorf("%w: damaged charstring", ErrFont)

// run interprets code; depth counts subroutine calls.
func (m *machine) run(code []byte, depth int) error {
	if depth > maxDepth {
		return errCharstring
	}
	for i := 0; i < len(code) && !m.done; {
		n, isNumber := m.number(code[i:])
		if isNumber {
			if n == 0 || len(m.stack) > maxStack {
				return errCharstring
			}
			i += n
			continue
		}
		op := int(code[i])
		i++
		if op == 12 {
			if i >= len(code) {
				return errCharstring
			}
			op = 1200 + int(code[i])
			i++
		}
		if op == 11 { // return
			return nil
		}
		skip, err := m.operator(op, depth)
		if err != nil {
			return err
		}
		i += skip
		if len(m.path) > maxPath {
			return errCharstring
		}
	}
	return nil
}

// number pushes the operand at the start of code, if it is one, and returns
// its length; 0 when it is cut short.
func (m *machine) number(code []byte) (n int, isNumber bool) {
	b := code[0]
	switch {
	case b == 28:
		if len(code) < 3 {
			return 0, true
		}
		m.stack = append(m.stack, float32(int16(binary.BigEndian.Uint16(code[1:]))))
		return 3, true
	case b >= 32 && b <= 246:
		m.stack = append(m.stack, float32(b)-139)
		return 1, true
	case b >= 247 && b <= 254:
		if len(code) < 2 {
			return 0, true
		}
		v := (float32(b)-247)*256 + float32(code[1]) + 108
		if b >= 251 {
			v = -(float32(b)-251)*256 - float32(code[1]) - 108
		}
		m.stack = append(m.stack, v)
		return 2, true
	case b == 255:
		if len(code) < 5 {
			return 0, true
		}
		m.stack = append(m.stack, float32(int32(binary.BigEndian.Uint32(code[1:])))/65536)
		return 5, true
	}
	return 0, false
}

// operator carries out op and returns how many bytes of hint mask follow it.
func (m *machine) operator(op, depth int) (skip int, err error) {
	s := m.stack
	switch op {
	case 1, 3, 18, 23: // hstem, vstem, hstemhm, vstemhm
		m.takeWidth(len(s)%2 == 1)
		m.hints += len(m.stack) / 2
	case 19, 20: // hintmask, cntrmask
		m.takeWidth(len(s)%2 == 1)
		m.hints += len(m.stack) / 2
		skip = (m.hints + 7) / 8
	case 21: // rmoveto
		m.takeWidth(len(s) > 2)
		err = m.move(m.arg(0), m.arg(1))
	case 22: // hmoveto
		m.takeWidth(len(s) > 1)
		err = m.move(m.arg(0), 0)
	case 4: // vmoveto
		m.takeWidth(len(s) > 1)
		err = m.move(0, m.arg(0))
	case 14: // endchar
		m.done = true
	case 10:
		return 0, m.call(m.local, depth)
	case 29:
		return 0, m.call(m.global, depth)
	default:
		if len(m.path) == 0 {
			return 0, errCharstring
		}
		err = m.draw(op)
	}
	m.stack = m.stack[:0]
	return skip, err
}

// takeWidth drops the width operand that may precede the first operator.
func (m *machine) takeWidth(present bool) {
	if !m.width && present {
		m.stack = m.stack[1:]
	}
	m.width = true
}

// arg is operand i, 0 when absent.
func (m *machine) arg(i int) float32 {
	if i < len(m.stack) {
		return m.stack[i]
	}
	return 0
}

// call runs the subroutine whose biased number is on the stack.
func (m *machine) call(subrs [][]byte, depth int) error {
	if len(m.stack) == 0 {
		return errCharstring
	}
	bias := 107
	if len(subrs) >= 33900 {
		bias = 32768
	} else if len(subrs) >= 1240 {
		bias = 1131
	}
	i := int(m.stack[len(m.stack)-1]) + bias
	m.stack = m.stack[:len(m.stack)-1]
	if i < 0 || i >= len(subrs) {
		return errCharstring
	}
	return m.run(subrs[i], depth+1)
}

func (m *machine) move(dx, dy float32) error {
	m.at.X += dx
	m.at.Y += dy
	m.path = append(m.path, Segment{Op: MoveTo, P: [3]Point{m.at}})
	return nil
}

func (m *machine) line(dx, dy float32) {
	m.at.X += dx
	m.at.Y += dy
	m.path = append(m.path, Segment{Op: LineTo, P: [3]Point{m.at}})
}

// curve adds a cubic whose three points are given relative to one another.
func (m *machine) curve(ax, ay, bx, by, cx, cy float32) {
	a := Point{m.at.X + ax, m.at.Y + ay}
	b := Point{a.X + bx, a.Y + by}
	m.at = Point{b.X + cx, b.Y + cy}
	m.path = append(m.path, Segment{Op: CubeTo, P: [3]Point{a, b, m.at}})
}

// draw carries out a path operator (Technical Note 5177, clause 4.1).
func (m *machine) draw(op int) error {
	s := m.stack
	switch op {
	case 5: // rlineto
		m.lines(s)
	case 6, 7: // hlineto, vlineto
		horizontal := op == 6
		for _, d := range s {
			if horizontal {
				m.line(d, 0)
			} else {
				m.line(0, d)
			}
			horizontal = !horizontal
		}
	case 8: // rrcurveto
		m.curves(s)
	case 24: // rcurveline
		m.lines(m.curves(s))
	case 25: // rlinecurve
		n := len(s) - 6
		if n < 0 {
			return errCharstring
		}
		m.lines(s[:n])
		m.curves(s[n:])
	case 26, 27: // vvcurveto, hhcurveto
		m.parallelCurves(s, op == 26)
	case 30, 31: // vhcurveto, hvcurveto
		m.alternatingCurves(s, op == 31)
	case 1234, 1235, 1236, 1237: // hflex, flex, hflex1, flex1
		return m.flex(op)
	default:
		return fmt.Errorf("%w: operator %d", errCharstring, op)
	}
	return nil
}

func (m *machine) lines(s []float32) {
	for ; len(s) >= 2; s = s[2:] {
		m.line(s[0], s[1])
	}
}

func (m *machine) curves(s []float32) []float32 {
	for ; len(s) >= 6; s = s[6:] {
		m.curve(s[0], s[1], s[2], s[3], s[4], s[5])
	}
	return s
}

func (m *machine) parallelCurves(s []float32, vertical bool) {
	first := float32(0)
	if len(s)%4 == 1 {
		first, s = s[0], s[1:]
	}
	for ; len(s) >= 4; s = s[4:] {
		if vertical {
			m.curve(first, s[0], s[1], s[2], 0, s[3])
		} else {
			m.curve(s[0], first, s[1], s[2], s[3], 0)
		}
		first = 0
	}
}

func (m *machine) alternatingCurves(s []float32, horizontal bool) {
	for ; len(s) >= 4; s = s[4:] {
		last := float32(0)
		if len(s) == 5 {
			last = s[4]
		}
		if horizontal {
			m.curve(s[0], 0, s[1], s[2], last, s[3])
		} else {
			m.curve(0, s[0], s[1], s[2], s[3], last)
		}
		horizontal = !horizontal
	}
}

func (m *machine) flex(op int) error {
	s := m.stack
	need := map[int]int{1234: 7, 1235: 13, 1236: 9, 1237: 11}[op]
	if len(s) < need {
		return errCharstring
	}
	switch op {
	case 1234: // hflex
		m.curve(s[0], 0, s[1], s[2], s[3], 0)
		m.curve(s[4], 0, s[5], -s[2], s[6], 0)
	case 1235: // flex
		m.curves(s[:12])
	case 1236: // hflex1
		m.curve(s[0], s[1], s[2], s[3], s[4], 0)
		m.curve(s[5], 0, s[6], s[7], s[8], -(s[1] + s[3] + s[7]))
	case 1237: // flex1
		dx := s[0] + s[2] + s[4] + s[6] + s[8]
		dy := s[1] + s[3] + s[5] + s[7] + s[9]
		m.curves(s[:6])
		if abs(dx) > abs(dy) {
			m.curve(s[6], s[7], s[8], s[9], s[10], -dy)
		} else {
			m.curve(s[6], s[7], s[8], s[9], -dx, s[10])
		}
	}
	return nil
}

func abs(v float32) float32 {
	if v < 0 {
		return -v
	}
	return v
}
