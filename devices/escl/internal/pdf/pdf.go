// Package pdf takes the picture out of the PDF that a document scanner sends: one
// page that is one image and nothing else, as scanners make them.
//
// It is no reader of PDF. A document of several pages, or with text, drawings,
// several images, transparency, encryption or objects packed into streams, is
// refused as [ErrGeneral], never rendered in part. What it allocates is bounded by
// the size of the file and by the size of image that the caller allows. It follows
// no link and runs nothing.
//
// Standard: ISO 32000-1, cited in comments by clause. Objects are found by reading
// the file from its beginning, not by the cross-reference table, which scanners
// get wrong.
package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
)

// The ways in which a document is refused.
var (
	// ErrDamaged: the file is cut off or contradicts itself.
	ErrDamaged = errors.New("pdf: damaged document")
	// ErrGeneral: it may be a good document, but is not one page with one picture.
	ErrGeneral = errors.New("pdf: not one picture on one page")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}

func general(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrGeneral}, args...)...)
}

// Limits of what is followed.
const (
	maxObjects = 4096
	maxDepth   = 16
	maxContent = 64 << 10 // bytes of a page's drawing instructions
	trailing   = 2048     // bytes in which the end of the file is looked for
)

// Picture is the image of a page.
type Picture struct {
	// JPEG is the image as it stands in the document, nil where it was not
	// compressed so; then Image has it.
	JPEG  []byte
	Image image.Image // *image.Gray or *image.RGBA
	// Width and Height are those that the document says, pixels.
	Width, Height int
	DPI           int // by the size of the page's picture
}

// Read takes the picture of a document with one page. limit is the largest
// picture that the caller takes, and memory the most bytes that it may have when
// it is unpacked. Errors wrap ErrDamaged or ErrGeneral.
func Read(data []byte, limit image.Point, memory int) (*Picture, error) {
	if !bytes.HasPrefix(data, []byte("%PDF-")) {
		return nil, damaged("no header")
	}
	end := data[max(0, len(data)-trailing):]
	if !bytes.Contains(end, []byte("%%EOF")) || !bytes.Contains(end, []byte("startxref")) {
		return nil, damaged("it has no end")
	}
	d, err := scan(data)
	if err != nil {
		return nil, err
	}
	page, err := d.onlyPage()
	if err != nil {
		return nil, err
	}
	name, box, err := d.drawn(page)
	if err != nil {
		return nil, err
	}
	s, err := d.image(page, name)
	if err != nil {
		return nil, err
	}
	p, err := d.decode(s, limit, memory)
	if err != nil {
		return nil, err
	}
	p.DPI = int(math.Round(float64(p.Width) * 72 / box))
	return p, nil
}

// onlyPage finds the page (7.7.3).
func (d *document) onlyPage() (dict, error) {
	if d.trailer == nil {
		return nil, damaged("no trailer")
	}
	if d.trailer["Encrypt"] != nil {
		return nil, general("it is encrypted")
	}
	root, ok := d.dict(d.trailer["Root"])
	if !ok {
		return nil, d.missing("no catalogue")
	}
	node, ok := d.dict(root["Pages"])
	for depth := 0; ok && depth < maxDepth; depth++ {
		kids, isNode := d.resolve(node["Kids"]).([]any)
		if !isNode {
			if d.resolve(node["Type"]) != name("Page") {
				break
			}
			if r, _ := d.resolve(node["Rotate"]).(float64); r != 0 {
				return nil, general("the page is turned by %g degrees", r)
			}
			return node, nil
		}
		if len(kids) != 1 {
			return nil, general("it has %d pages", len(kids))
		}
		parent := node
		if node, ok = d.dict(kids[0]); ok && node["Resources"] == nil && parent["Resources"] != nil {
			copied := dict{}
			for k, v := range node {
				copied[k] = v
			}
			copied["Resources"] = parent["Resources"] // inherited (7.7.3.4)
			node = copied
		}
	}
	return nil, d.missing("no page")
}

// missing is the error for what is not there: packed away, or lost.
func (d *document) missing(what string) error {
	if d.packed {
		return general("its objects are packed into streams")
	}
	return damaged("%s", what)
}

// drawn reads the page's drawing instructions: one image, upright, and nothing
// else. It returns the image's name and its width in points.
func (d *document) drawn(page dict) (string, float64, error) {
	var content []byte
	parts, ok := d.resolve(page["Contents"]).([]any)
	if !ok {
		parts = []any{page["Contents"]}
	}
	for _, p := range parts {
		s, ok := d.resolve(p).(*stream)
		if !ok {
			return "", 0, d.missing("a page without contents")
		}
		b, err := d.inflated(s, maxContent)
		if err != nil {
			return "", 0, err
		}
		if content = append(append(content, b...), '\n'); len(content) > maxContent {
			return "", 0, general("long drawing instructions")
		}
	}
	return instructions(content)
}

// instructions accepts q, Q, cm and one Do (8.4.4, 8.8), and settings that draw
// nothing.
func instructions(content []byte) (string, float64, error) {
	l := &lexer{b: content}
	scaleX, scaleY := 1.0, 1.0
	var args []any
	found := ""
	for {
		v, err := l.value(0)
		if errors.Is(err, errEnd) {
			break
		}
		if err != nil {
			return "", 0, err
		}
		op, isOp := v.(keyword)
		if !isOp {
			if args = append(args, v); len(args) > 8 {
				return "", 0, general("instructions with many operands")
			}
			continue
		}
		switch op {
		case "q", "Q", "gs", "ri", "i", "BMC", "BDC", "EMC":
		case "cm":
			m, ok := numbers(args, 6)
			if !ok || m[1] != 0 || m[2] != 0 || m[0] <= 0 || m[3] <= 0 {
				return "", 0, general("the picture is turned or mirrored")
			}
			scaleX, scaleY = scaleX*m[0], scaleY*m[3]
		case "Do":
			n, ok := single(args).(name)
			if !ok || found != "" {
				return "", 0, general("several pictures on the page")
			}
			found = string(n)
		default:
			return "", 0, general("drawing instruction %.10q", string(op))
		}
		args = args[:0]
	}
	switch {
	case found == "":
		return "", 0, general("no picture on the page")
	case !(scaleX > 1 && scaleX < 20000 && scaleY > 1 && scaleY < 20000):
		return "", 0, general("a picture of %g × %g points", scaleX, scaleY)
	}
	return found, scaleX, nil
}

func single(args []any) any {
	if len(args) != 1 {
		return nil
	}
	return args[0]
}

func numbers(args []any, n int) ([]float64, bool) {
	if len(args) != n {
		return nil, false
	}
	out := make([]float64, n)
	for i, a := range args {
		f, ok := a.(float64)
		if !ok {
			return nil, false
		}
		out[i] = f
	}
	return out, true
}

// image finds the picture by its name in the page's resources (7.8.3).
func (d *document) image(page dict, id string) (*stream, error) {
	res, _ := d.dict(page["Resources"])
	objects, _ := d.dict(res["XObject"])
	s, ok := d.resolve(objects[id]).(*stream)
	if !ok {
		return nil, d.missing("the page's picture is not there")
	}
	if d.resolve(s.dict["Subtype"]) != name("Image") {
		return nil, general("the page shows a form, not a picture")
	}
	return s, nil
}
