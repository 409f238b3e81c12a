package escl

import (
	"encoding/xml"
	"slices"

	"tambo/devices"
)

// settings is one page as it is asked for.
type settings struct {
	source     devices.ScanSource
	width      int // 1/300 inch
	height     int
	resolution int // dpi
	colour     bool
	format     string
	formatExt  bool
	version    string
}

// maxPixels bounds what is asked for: A4 at 600 dpi has 35 million.
const maxPixels = 40_000_000

// decodable are the formats that package escl reads, best first: PNG is exact
// and slow over USB 2.0, JPEG is what nearly all scanners do well, PDF is taken
// from those that have nothing else.
var decodable = []string{"image/jpeg", "image/png", "application/pdf"}

// choose fits what was asked for to what the device has. Its errors wrap
// ErrUnsupported.
func (c *capabilities) choose(opt devices.ScanOptions) (settings, error) {
	if opt.Source == "" {
		opt.Source = devices.SourcePlaten
		if c.sources[opt.Source] == nil {
			opt.Source = devices.SourceFeeder
		}
	}
	src := c.sources[opt.Source]
	if src == nil {
		return settings{}, because(devices.ErrUnsupported, "it has no %s", opt.Source)
	}
	s := settings{source: opt.Source, width: src.maxWidth, height: src.maxHeight,
		formatExt: src.formatExt, version: c.version, colour: opt.Colour}
	if opt.Colour && !src.colour {
		return s, because(devices.ErrUnsupported, "no colour")
	}
	if !src.grey {
		s.colour = true
	}
	for _, f := range decodable {
		if slices.Contains(src.formats, f) {
			s.format = f
			break
		}
	}
	if s.format == "" {
		return s, because(devices.ErrUnsupported, "it sends only %q", src.formats)
	}
	if opt.Resolution == 0 {
		s.resolution = nearest(src.resolutions, 300)
	} else if s.resolution = opt.Resolution; !slices.Contains(src.resolutions, s.resolution) {
		return s, because(devices.ErrUnsupported, "no %d dpi, it has %v", s.resolution, src.resolutions)
	}
	if w, h := s.pixels(); w*h > maxPixels {
		return s, because(devices.ErrUnsupported, "%d dpi makes %d x %d pixels", s.resolution, w, h)
	}
	return s, nil
}

// nearest picks the closest resolution, the higher of two equally close.
func nearest(have []int, want int) int {
	best := have[0]
	for _, r := range have {
		if abs(r-want) <= abs(best-want) {
			best = r
		}
	}
	return best
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// pixels is the size of the page that was asked for.
func (s settings) pixels() (w, h int) {
	return (s.width*s.resolution + 299) / 300, (s.height*s.resolution + 299) / 300
}

// xml writes a ScanSettings document (eSCL 2.x). The elements stand in the order
// in which sane-airscan sends them: what devices in the field were tried with.
func (s settings) xml() ([]byte, error) {
	type region struct {
		Units  string `xml:"pwg:ContentRegionUnits"`
		X      int    `xml:"pwg:XOffset"`
		Y      int    `xml:"pwg:YOffset"`
		Width  int    `xml:"pwg:Width"`
		Height int    `xml:"pwg:Height"`
	}
	doc := struct {
		XMLName   xml.Name `xml:"scan:ScanSettings"`
		Scan      string   `xml:"xmlns:scan,attr"`
		PWG       string   `xml:"xmlns:pwg,attr"`
		Version   string   `xml:"pwg:Version"`
		Intent    string   `xml:"scan:Intent"`
		Regions   []region `xml:"pwg:ScanRegions>pwg:ScanRegion"`
		Source    string   `xml:"pwg:InputSource"`
		ColorMode string   `xml:"scan:ColorMode"`
		Format    string   `xml:"pwg:DocumentFormat"`
		FormatExt string   `xml:"scan:DocumentFormatExt,omitempty"`
		X         int      `xml:"scan:XResolution"`
		Y         int      `xml:"scan:YResolution"`
		Duplex    string   `xml:"scan:Duplex,omitempty"`
	}{
		Scan: "http://schemas.hp.com/imaging/escl/2011/05/03", PWG: "http://www.pwg.org/schemas/2010/12/sm",
		Version: s.version, Intent: "Document",
		Regions: []region{{Units: "escl:ThreeHundredthsOfInches", Width: s.width, Height: s.height}},
		Format:  s.format, Source: "Platen", ColorMode: "Grayscale8", X: s.resolution, Y: s.resolution,
	}
	if s.formatExt {
		doc.FormatExt = s.format
	}
	if s.source == devices.SourceFeeder {
		doc.Source, doc.Duplex = "Feeder", "false"
	}
	if s.colour {
		doc.ColorMode = "RGB24"
	}
	b, err := xml.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), b...), nil
}
