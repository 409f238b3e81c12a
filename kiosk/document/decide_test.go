package document

import (
	"testing"

	"tambo/kiosk/document/internal/glyph"
)

// cell makes a recognised character from scores; the rest score 0.
func cell(corr, rival float64, scores map[byte]float32) *char {
	c := &char{corr: corr, rival: rival, second: -1}
	for ch, s := range scores {
		if ch == 0 {
			c.scores[glyph.None] = s
		} else {
			c.scores[classOf(ch)] = s
		}
	}
	for i, s := range c.scores {
		switch {
		case s > c.scores[c.best]:
			c.best, c.second = i, c.best
		case i != c.best && (c.second < 0 || s > c.scores[c.second]):
			c.second = i
		}
	}
	return c
}

// Grammar names the likeliest character that may stand there, and makes it
// certain only if it was the likeliest of all.
func TestDecide(t *testing.T) {
	name, number, date, code := position{letters, false}, position{alphanumeric, true}, position{digits, true}, position{"P", false}
	for _, v := range []struct {
		what    string
		p       position
		c       *char
		want    byte
		certain bool
	}{
		{"plain", name, cell(0.95, 0.5, map[byte]float32{'O': 20, 'Q': 8}), 'O', true},
		{"grammar settles O against 0", name, cell(0.95, 0.94, map[byte]float32{'O': 20, '0': 17}), 'O', true},
		{"but does not make a 0 an O", name, cell(0.95, 0.5, map[byte]float32{'0': 20, 'O': 17}), 'O', false},
		{"nor an O a 0", date, cell(0.95, 0.5, map[byte]float32{'O': 20, '0': 17}), '0', false},
		{"nor an F a P", code, cell(0.95, 0.5, map[byte]float32{'F': 20, 'P': 17}), 'P', false},
		{"nor nothing a character", name, cell(0, 0, map[byte]float32{0: 20, 'I': 17}), 'I', false},
		{"a digit tells S from 5", number, cell(0.95, 0.93, map[byte]float32{'S': 20, '5': 16}), 'S', true},
		{"no digit tells S from 8", number, cell(0.95, 0.93, map[byte]float32{'S': 20, '8': 16}), 'S', false},
		{"nor K from a filler", number, cell(0.95, 0.93, map[byte]float32{'K': 20, '<': 16}), 'K', false},
		{"unless the shape is clear", number, cell(0.95, 0.75, map[byte]float32{'K': 20, '<': 16}), 'K', true},
		{"the shape leads the other way", name, cell(0.90, 0.91, map[byte]float32{'E': 20, 'F': 12}), 'E', false},
		{"no known shape", name, cell(0.4, 0.1, map[byte]float32{'E': 20}), 'E', false},
	} {
		got, conf := v.p.decide(v.c)
		if got != v.want || (conf >= Certain) != v.certain {
			t.Errorf("%s: %c with %.2f", v.what, got, conf)
		}
	}
	stained := cell(0.95, 0, map[byte]float32{'I': 30})
	stained.stain = true
	if _, conf := name.decide(stained); conf >= Certain {
		t.Error("a stained character is certain")
	}
}

// Every position of every format has characters it may hold, and what the
// composite digit covers counts as covered.
func TestGrammar(t *testing.T) {
	for typ, l := range layouts {
		g := grammar(typ)
		n, width := typ.size()
		if len(g) != n {
			t.Fatalf("%s: %d lines", typ, len(g))
		}
		for i, row := range g {
			if len(row) != width {
				t.Fatalf("%s line %d: %d positions", typ, i+1, len(row))
			}
			for j, p := range row {
				if p.kind == "" {
					t.Errorf("%s line %d position %d may hold nothing", typ, i+1, j+1)
				}
			}
		}
		for _, s := range l.composite {
			for j := s.from; j < s.to; j++ {
				if !g[s.line][j].covered {
					t.Errorf("%s line %d position %d is covered", typ, s.line+1, j+1)
				}
			}
		}
	}
}
