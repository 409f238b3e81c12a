package pdf

import (
	"bytes"
	"errors"
	"math"
	"strconv"
)

// Objects (7.3): float64, bool, name, text, []any, dict, ref, *stream, nil; and
// keyword, which is no object but stands among them.
type (
	name    string
	text    []byte
	keyword string
	dict    map[string]any
	ref     struct{ number, generation int }
)

// stream is a dictionary with bytes (7.3.8).
type stream struct {
	dict dict
	data []byte // up to "endstream", with the end of line before it
}

// errEnd: nothing more to read.
var errEnd = errors.New("pdf: end")

// lexer reads objects one after the other.
type lexer struct {
	b    []byte
	off  int
	read int // objects so far
}

// maxValues bounds the objects, and with them the memory, that a file may make.
const maxValues = 1 << 18

// maxWord is the longest name or number (annex C has 127).
const maxWord = 512

func space(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func delimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// skip passes white space and comments (7.2).
func (l *lexer) skip() {
	for l.off < len(l.b) {
		switch c := l.b[l.off]; {
		case space(c):
			l.off++
		case c == '%':
			for l.off < len(l.b) && l.b[l.off] != '\n' && l.b[l.off] != '\r' {
				l.off++
			}
		default:
			return
		}
	}
}

// word takes characters up to white space or a delimiter.
func (l *lexer) word() string {
	start := l.off
	for l.off < len(l.b) && !space(l.b[l.off]) && !delimiter(l.b[l.off]) {
		l.off++
	}
	return string(l.b[start:l.off])
}

// value reads an object, or a keyword.
func (l *lexer) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, damaged("nested too deep")
	}
	if l.read++; l.read > maxValues {
		return nil, general("more than %d objects", maxValues)
	}
	l.skip()
	if l.off >= len(l.b) {
		return nil, errEnd
	}
	switch c := l.b[l.off]; {
	case c == '/':
		return l.name()
	case c == '(':
		return l.literal()
	case c == '[':
		l.off++
		return l.array(depth)
	case c == '<' && l.off+1 < len(l.b) && l.b[l.off+1] == '<':
		l.off += 2
		return l.dictionary(depth)
	case c == '<':
		end := bytes.IndexByte(l.b[l.off:], '>')
		if end < 0 {
			return nil, damaged("a string without an end")
		}
		s := text(l.b[l.off+1 : l.off+end]) // nobody reads what it says
		l.off += end + 1
		return s, nil
	case delimiter(c):
		l.off++
		return keyword(c), nil
	}
	w := l.word()
	switch w {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if len(w) > maxWord {
		return nil, damaged("a word of %d characters", len(w))
	}
	f, err := strconv.ParseFloat(w, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || w[0] > '9' {
		return keyword(w), nil
	}
	if f >= 0 && f == math.Trunc(f) && f < 1<<31 {
		return l.reference(f)
	}
	return f, nil
}

// reference looks whether a number begins "12 0 R" (7.3.10).
func (l *lexer) reference(f float64) (any, error) {
	mark := l.off
	l.skip()
	gen, err := strconv.ParseUint(l.word(), 10, 16)
	l.skip()
	if err == nil && l.off < len(l.b) && l.b[l.off] == 'R' && l.word() == "R" {
		return ref{int(f), int(gen)}, nil
	}
	l.off = mark
	return f, nil
}

// name reads a name (7.3.5).
func (l *lexer) name() (any, error) {
	l.off++
	w := l.word()
	if len(w) > maxWord {
		return nil, damaged("a name of %d characters", len(w))
	}
	if !bytes.Contains([]byte(w), []byte("#")) {
		return name(w), nil
	}
	var out []byte
	for i := 0; i < len(w); i++ {
		if w[i] == '#' && i+2 < len(w) {
			if v, err := strconv.ParseUint(w[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(v))
				i += 2
				continue
			}
		}
		out = append(out, w[i])
	}
	return name(out), nil
}

// literal reads a string in parentheses (7.3.4.2); escapes stay in it.
func (l *lexer) literal() (any, error) {
	start, open := l.off, 0
	for ; l.off < len(l.b); l.off++ {
		switch l.b[l.off] {
		case '\\':
			l.off++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				l.off++
				return text(l.b[start+1 : l.off-1]), nil
			}
		}
	}
	return nil, damaged("a string without an end")
}

func (l *lexer) array(depth int) (any, error) {
	var out []any
	for {
		v, err := l.value(depth + 1)
		if errors.Is(err, errEnd) {
			return nil, damaged("an array without an end")
		}
		if err != nil {
			return nil, err
		}
		if v == keyword("]") {
			return out, nil
		}
		out = append(out, v)
	}
}

func (l *lexer) dictionary(depth int) (any, error) {
	out := dict{}
	for {
		l.skip()
		if bytes.HasPrefix(l.b[l.off:], []byte(">>")) {
			l.off += 2
			return out, nil
		}
		k, err := l.value(depth + 1)
		if err != nil && !errors.Is(err, errEnd) {
			return nil, err
		}
		key, ok := k.(name)
		if !ok {
			return nil, damaged("a dictionary without an end")
		}
		v, err := l.value(depth + 1)
		if errors.Is(err, errEnd) {
			return nil, damaged("a dictionary without an end")
		}
		if err != nil {
			return nil, err
		}
		out[string(key)] = v
	}
}

// document is the objects of a file.
type document struct {
	objects map[ref]any
	trailer dict
	packed  bool // some objects are inside streams
}

// scan reads a file from its beginning. What was written later replaces what was
// there (7.5.6).
func scan(data []byte) (*document, error) {
	d := &document{objects: map[ref]any{}}
	l := &lexer{b: data}
	var before [2]any // the two numbers before "obj"
	for {
		v, err := l.value(0)
		if errors.Is(err, errEnd) {
			return d, nil
		}
		if err != nil {
			return nil, err
		}
		switch v {
		case keyword("obj"):
			n, ok1 := before[0].(float64)
			g, ok2 := before[1].(float64)
			if !ok1 || !ok2 {
				return nil, damaged("an object without a number")
			}
			if err := d.object(l, ref{int(n), int(g)}); err != nil {
				return nil, err
			}
		case keyword("trailer"):
			t, err := l.value(0)
			if err != nil && !errors.Is(err, errEnd) {
				return nil, err
			}
			if t, ok := t.(dict); ok {
				d.trail(t)
			}
		}
		if !comparable(v) {
			v = nil
		}
		before[0], before[1] = before[1], v
	}
}

// trail adds a trailer; what a later one says replaces what was said. A linearised
// file (annex F) names its catalogue in the first only.
func (d *document) trail(t dict) {
	if d.trailer == nil {
		d.trailer = dict{}
	}
	for k, v := range t {
		d.trailer[k] = v
	}
}

func comparable(v any) bool {
	switch v.(type) {
	case float64, keyword:
		return true
	}
	return false
}

// object reads what stands between "obj" and "endobj".
func (d *document) object(l *lexer, id ref) error {
	v, err := l.value(0)
	if errors.Is(err, errEnd) {
		return damaged("object %d has no end", id.number)
	}
	if err != nil {
		return err
	}
	if dd, ok := v.(dict); ok {
		mark := l.off
		l.skip()
		if !bytes.HasPrefix(l.b[l.off:], []byte("stream")) {
			l.off = mark
		} else if v, err = l.stream(dd); err != nil {
			return err
		}
		switch dd["Type"] {
		case name("ObjStm"):
			d.packed = true
		case name("XRef"): // a trailer of PDF 1.5 (7.5.8)
			d.trail(dd)
		}
	}
	if len(d.objects) >= maxObjects {
		return general("more than %d objects", maxObjects)
	}
	d.objects[id] = v
	return nil
}

// stream takes the bytes of a stream. A direct length is believed if "endstream"
// follows it; otherwise the first "endstream" counts, and what Length says is held
// against that when it is known.
func (l *lexer) stream(dd dict) (*stream, error) {
	l.off += len("stream")
	if bytes.HasPrefix(l.b[l.off:], []byte("\r\n")) {
		l.off += 2
	} else if l.off < len(l.b) && l.b[l.off] == '\n' {
		l.off++
	} else {
		return nil, damaged("a stream without a beginning")
	}
	rest := l.b[l.off:]
	if n, ok := dd["Length"].(float64); ok && n >= 0 && n <= float64(len(rest)) {
		after := &lexer{b: rest, off: int(n)}
		after.skip()
		if bytes.HasPrefix(rest[after.off:], []byte("endstream")) {
			l.off += after.off + len("endstream")
			return &stream{dd, rest[:int(n)]}, nil
		}
		return nil, damaged("a stream is not as long as it says")
	}
	end := bytes.Index(rest, []byte("endstream"))
	if end < 0 {
		return nil, damaged("a stream without an end")
	}
	l.off += end + len("endstream")
	return &stream{dd, rest[:end]}, nil
}

// resolve follows references.
func (d *document) resolve(v any) any {
	for range maxDepth {
		r, ok := v.(ref)
		if !ok {
			return v
		}
		v = d.objects[r]
	}
	return nil
}

func (d *document) dict(v any) (dict, bool) {
	x, ok := d.resolve(v).(dict)
	return x, ok
}

// bytes are a stream's bytes without the end of line before "endstream".
func (d *document) bytes(s *stream) ([]byte, error) {
	n, ok := d.resolve(s.dict["Length"]).(float64)
	if !ok || n < 0 || n > float64(len(s.data)) || len(bytes.TrimSpace(s.data[int(n):])) > 0 {
		return nil, damaged("a stream is not as long as it says")
	}
	return s.data[:int(n)], nil
}
