package escl

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"tambo/devices"
)

// Limits of a device's XML. The largest capabilities seen in the field have
// under 1,000 elements and 60 kB.
const (
	maxXML      = 1 << 20
	maxDepth    = 32
	maxElements = 20000
	maxText     = 1024 // bytes of text of one element; more is cut
)

var errXML = errors.New("escl: malformed XML")

// element is a node of a device's XML. Names are local: devices disagree about
// the namespaces, never about the names.
type element struct {
	name string
	text string
	kids []*element
}

// parseXML reads a document with the root element of that name. It refuses
// what a scanner has no use for: document types, entities, depth.
func parseXML(data []byte, root string) (*element, error) {
	if len(data) > maxXML {
		return nil, fmt.Errorf("%w: %d bytes", errXML, len(data))
	}
	dec := xml.NewDecoder(bytes.NewReader(data))
	top := &element{}
	stack := []*element{top}
	count := 0
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errXML, err)
		}
		cur := stack[len(stack)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			if count++; count > maxElements || len(stack) > maxDepth {
				return nil, fmt.Errorf("%w: too many elements", errXML)
			}
			e := &element{name: t.Name.Local}
			cur.kids = append(cur.kids, e)
			stack = append(stack, e)
		case xml.EndElement:
			cur.text = strings.TrimSpace(cur.text)
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if room := maxText - len(cur.text); cur != top && room > 0 {
				cur.text += string(t[:min(room, len(t))])
			}
		case xml.Directive:
			return nil, fmt.Errorf("%w: document type", errXML)
		}
	}
	if len(top.kids) != 1 || top.kids[0].name != root {
		return nil, fmt.Errorf("%w: no %s", errXML, root)
	}
	return top.kids[0], nil
}

// at returns the first element on a path of names, nil if there is none; a nil
// element has no children.
func (e *element) at(path ...string) *element {
	for _, name := range path {
		var next *element
		if e != nil {
			for _, k := range e.kids {
				if k.name == name {
					next = k
					break
				}
			}
		}
		if e = next; e == nil {
			return nil
		}
	}
	return e
}

// each calls f for every element of that name below e, at any depth.
func (e *element) each(name string, f func(*element)) {
	if e == nil {
		return
	}
	for _, k := range e.kids {
		if k.name == name {
			f(k)
		}
		k.each(name, f)
	}
}

func (e *element) str(path ...string) string {
	if k := e.at(path...); k != nil {
		return k.text
	}
	return ""
}

// num reads a number of 0 to a million, 0 where it is missing or is not one.
func (e *element) num(path ...string) int {
	n, err := strconv.Atoi(e.str(path...))
	if err != nil || n < 0 || n > 1_000_000 {
		return 0
	}
	return n
}

// source is what one place for a page can do (eSCL 2.x, InputSourceCaps).
type source struct {
	maxWidth, maxHeight int // 1/300 inch
	colour, grey        bool
	resolutions         []int    // dpi, ascending
	formats             []string // MIME types, lower case
	formatExt           bool     // knows DocumentFormatExt
}

// capabilities is what we use of ScannerCapabilities.
type capabilities struct {
	version string
	model   string
	sources map[devices.ScanSource]*source
}

// parseCapabilities reads a ScannerCapabilities document.
func parseCapabilities(data []byte) (*capabilities, error) {
	doc, err := parseXML(data, "ScannerCapabilities")
	if err != nil {
		return nil, err
	}
	c := &capabilities{version: version(doc.str("Version")), model: doc.str("MakeAndModel"),
		sources: map[devices.ScanSource]*source{}}
	add := func(id devices.ScanSource, caps *element) {
		if s := parseSource(caps); s != nil {
			c.sources[id] = s
		}
	}
	add(devices.SourcePlaten, doc.at("Platen", "PlatenInputCaps"))
	add(devices.SourceFeeder, doc.at("Adf", "AdfSimplexInputCaps"))
	if len(c.sources) == 0 {
		return nil, fmt.Errorf("%w: no usable place for a page", errXML)
	}
	return c, nil
}

// version keeps what may go back into our own XML.
func version(s string) string {
	if s == "" || len(s) > 8 || strings.Trim(s, "0123456789.") != "" {
		return "2.0"
	}
	return s
}

// maxBed is the longest page in 1/300 inch: A3 and the feeders' long pages.
const maxBed = 300 * 40

func parseSource(e *element) *source {
	if e == nil {
		return nil
	}
	s := &source{maxWidth: e.num("MaxWidth"), maxHeight: e.num("MaxHeight")}
	if s.maxWidth == 0 || s.maxHeight == 0 || s.maxWidth > maxBed || s.maxHeight > maxBed {
		return nil
	}
	e.each("ColorMode", func(m *element) {
		s.colour = s.colour || m.text == "RGB24"
		s.grey = s.grey || m.text == "Grayscale8"
	})
	format := func(f *element) {
		if t := strings.ToLower(f.text); t != "" && !slices.Contains(s.formats, t) && len(s.formats) < 32 {
			s.formats = append(s.formats, t)
		}
	}
	e.each("DocumentFormat", format)
	e.each("DocumentFormatExt", func(f *element) { s.formatExt = true; format(f) })
	s.resolutions = resolutions(e)
	if len(s.resolutions) == 0 || !s.colour && !s.grey {
		return nil
	}
	return s
}

// resolutions lists what a source has in both directions, 50 to 1200 dpi.
func resolutions(e *element) []int {
	var out []int
	add := func(dpi int) {
		if dpi >= 50 && dpi <= 1200 && !slices.Contains(out, dpi) {
			out = append(out, dpi)
		}
	}
	e.each("DiscreteResolution", func(r *element) {
		if x := r.num("XResolution"); x == r.num("YResolution") {
			add(x)
		}
	})
	e.each("ResolutionRange", func(r *element) {
		x := r.at("XResolutionRange")
		lo, hi, step := x.num("Min"), x.num("Max"), max(1, x.num("Step"))
		for _, dpi := range []int{75, 100, 150, 200, 240, 300, 400, 600, 1200} {
			if dpi >= lo && dpi <= hi && (dpi-lo)%step == 0 {
				add(dpi)
			}
		}
	})
	slices.Sort(out)
	return out
}

// status is what we use of ScannerStatus.
type status struct {
	adf  string // ScannerAdfLoaded, ScannerAdfEmpty, ScannerAdfJam, …
	jobs []job
}

type job struct {
	path    string
	reasons []string
}

// parseStatus reads a ScannerStatus document.
func parseStatus(data []byte) (*status, error) {
	doc, err := parseXML(data, "ScannerStatus")
	if err != nil {
		return nil, err
	}
	s := &status{adf: doc.str("AdfState")}
	doc.each("JobInfo", func(e *element) {
		if len(s.jobs) == 64 {
			return
		}
		var j job
		j.path, _ = jobPath(e.str("JobUri"))
		e.each("JobStateReason", func(r *element) { j.reasons = append(j.reasons, r.text) })
		s.jobs = append(s.jobs, j)
	})
	return s, nil
}

// problem says what a person must do, nil if nothing. feeder tells whether the
// state of the feeder matters.
func (s *status) problem(path string, feeder bool) error {
	var words []string
	if feeder {
		words = append(words, s.adf)
	}
	for _, j := range s.jobs {
		if j.path == path && path != "" {
			words = append(words, j.reasons...)
		}
	}
	for _, w := range words {
		switch w {
		case "ScannerAdfEmpty", "ScannerAdfInputTrayEmpty", "MediaEmpty", "InputTrayEmpty":
			return devices.ErrNoPaper
		case "ScannerAdfJam", "ScannerAdfMispick", "ScannerAdfMultipickDetected", "MediaJam":
			return devices.ErrPaperJam
		case "ScannerAdfDoorOpen", "ScannerAdfHatchOpen", "CoverOpen", "DoorOpen":
			return devices.ErrCoverOpen
		}
	}
	return nil
}
