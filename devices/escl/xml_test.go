package escl

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tambo/devices"
)

const ns = ` xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"`

// profile is a setting profile with what varies between devices.
func profile(modes, formats, resolutions string) string {
	return `<scan:SettingProfiles><scan:SettingProfile name="p1"><scan:ColorModes>` + modes + `</scan:ColorModes><scan:ContentTypes>` +
		`<pwg:ContentType>Text</pwg:ContentType></scan:ContentTypes><scan:DocumentFormats>` + formats + `</scan:DocumentFormats>` +
		`<scan:SupportedResolutions>` + resolutions + `</scan:SupportedResolutions></scan:SettingProfile></scan:SettingProfiles>`
}

func capsDoc(platen, adf string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><!-- a device --><scan:ScannerCapabilities` + ns + `><pwg:Version>2.5</pwg:Version>` +
		`<pwg:MakeAndModel>Acme MFP</pwg:MakeAndModel>` + platen + adf + `</scan:ScannerCapabilities>`
}

const (
	bothModes = `<scan:ColorMode>BlackAndWhite1</scan:ColorMode><scan:ColorMode> RGB24 </scan:ColorMode><scan:ColorMode>Grayscale8</scan:ColorMode>`
	size      = `<scan:MinWidth>118</scan:MinWidth><scan:MaxWidth>2550</scan:MaxWidth><scan:MinHeight>118</scan:MinHeight><scan:MaxHeight>3508</scan:MaxHeight>`
	jpegPDF   = `<pwg:DocumentFormat>Image/JPEG</pwg:DocumentFormat><pwg:DocumentFormat>application/pdf</pwg:DocumentFormat>`
)

func discrete(xy ...int) string {
	s := `<scan:DiscreteResolutions>`
	for i := 0; i+1 < len(xy); i += 2 {
		s += fmt.Sprintf(`<scan:DiscreteResolution><scan:XResolution>%d</scan:XResolution><scan:YResolution>%d</scan:YResolution></scan:DiscreteResolution>`, xy[i], xy[i+1])
	}
	return s + `</scan:DiscreteResolutions>`
}

func platen(inside string) string {
	return `<scan:Platen><scan:PlatenInputCaps>` + inside + `</scan:PlatenInputCaps></scan:Platen>`
}

func TestCapabilities(t *testing.T) {
	adf := `<scan:Adf><scan:AdfSimplexInputCaps>` + size + profile(`<scan:ColorMode>Grayscale8</scan:ColorMode>`, jpegPDF, discrete(200, 200)) +
		`</scan:AdfSimplexInputCaps><scan:AdfDuplexInputCaps>` + size + `</scan:AdfDuplexInputCaps></scan:Adf>`
	c, err := parseCapabilities([]byte(capsDoc(platen(size+profile(bothModes, jpegPDF, discrete(600, 600, 200, 100, 75, 75, 300, 300, 75, 75))), adf)))
	if err != nil {
		t.Fatal(err)
	}
	p, f := c.sources[devices.SourcePlaten], c.sources[devices.SourceFeeder]
	if p == nil || f == nil || c.version != "2.5" || c.model != "Acme MFP" {
		t.Fatalf("%+v", c)
	}
	if !slices.Equal(p.resolutions, []int{75, 300, 600}) || !p.colour || !p.grey || p.formatExt ||
		!slices.Equal(p.formats, []string{"image/jpeg", "application/pdf"}) || p.maxWidth != 2550 || p.maxHeight != 3508 {
		t.Errorf("platen %+v", p)
	}
	if f.colour || !f.grey || !slices.Equal(f.resolutions, []int{200}) {
		t.Errorf("feeder %+v", f)
	}
	ranged := `<scan:ResolutionRange><scan:XResolutionRange><scan:Min>100</scan:Min><scan:Max>600</scan:Max><scan:Normal>200</scan:Normal><scan:Step>100</scan:Step></scan:XResolutionRange></scan:ResolutionRange>`
	c, err = parseCapabilities([]byte(capsDoc(platen(size+profile(bothModes, jpegPDF, ranged)), "")))
	if err != nil || !slices.Equal(c.sources[devices.SourcePlaten].resolutions, []int{100, 200, 300, 400, 600}) {
		t.Error(c, err)
	}
}

func TestXMLRefused(t *testing.T) {
	good := capsDoc(platen(size+profile(bothModes, jpegPDF, discrete(300, 300))), "")
	for name, doc := range map[string]string{
		"empty":         "",
		"text":          "scanner",
		"other root":    strings.ReplaceAll(good, "ScannerCapabilities", "ScannerStatus"),
		"two roots":     good + good,
		"cut":           good[:len(good)-1],
		"crossed":       "<a><b></a></b>",
		"entities":      `<!DOCTYPE a [<!ENTITY x "xx">]>` + good,
		"own entity":    strings.Replace(good, "Acme", "&acme;", 1),
		"latin-1":       strings.Replace(good, "UTF-8", "ISO-8859-1", 1),
		"deep":          strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40),
		"many":          "<ScannerCapabilities>" + strings.Repeat("<a/>", maxElements) + "</ScannerCapabilities>",
		"large":         "<ScannerCapabilities>" + strings.Repeat(" ", maxXML) + "</ScannerCapabilities>",
		"no source":     capsDoc("", ""),
		"no size":       capsDoc(platen(profile(bothModes, jpegPDF, discrete(300, 300))), ""),
		"endless bed":   strings.Replace(good, ">2550<", ">900000<", 1),
		"negative bed":  strings.Replace(good, ">2550<", ">-5<", 1),
		"no resolution": capsDoc(platen(size+profile(bothModes, jpegPDF, discrete(0, 0, 200, 100))), ""),
		"only bilevel":  capsDoc(platen(size+profile(`<scan:ColorMode>BlackAndWhite1</scan:ColorMode>`, jpegPDF, discrete(300, 300))), ""),
	} {
		if c, err := parseCapabilities([]byte(doc)); !errors.Is(err, errXML) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	if _, err := parseCapabilities([]byte(good)); err != nil {
		t.Error("the good one:", err)
	}
}

func TestChoose(t *testing.T) {
	caps := func(modes, formats, res string) *capabilities {
		c, err := parseCapabilities([]byte(capsDoc(platen(size+profile(modes, formats, res)), "")))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	full := caps(bothModes, jpegPDF, discrete(75, 75, 200, 200, 400, 400, 600, 600, 1200, 1200))
	grey := caps(`<scan:ColorMode>Grayscale8</scan:ColorMode>`, `<pwg:DocumentFormat>image/png</pwg:DocumentFormat>`, discrete(300, 300))
	rgb := caps(`<scan:ColorMode>RGB24</scan:ColorMode>`, jpegPDF, discrete(300, 300))
	pdf := caps(bothModes, `<pwg:DocumentFormat>application/pdf</pwg:DocumentFormat>`, discrete(300, 300))
	tiff := caps(bothModes, `<pwg:DocumentFormat>image/tiff</pwg:DocumentFormat>`, discrete(300, 300))
	for name, c := range map[string]struct {
		caps *capabilities
		opt  devices.ScanOptions
		want settings // resolution, colour, format; zero is ErrUnsupported
	}{
		"nearest":      {full, devices.ScanOptions{}, settings{resolution: 400, format: "image/jpeg"}},
		"as asked":     {full, devices.ScanOptions{Resolution: 75, Colour: true}, settings{resolution: 75, colour: true, format: "image/jpeg"}},
		"not there":    {full, devices.ScanOptions{Resolution: 300}, settings{}},
		"too many":     {full, devices.ScanOptions{Resolution: 1200}, settings{}},
		"no feeder":    {full, devices.ScanOptions{Source: devices.SourceFeeder}, settings{}},
		"no colour":    {grey, devices.ScanOptions{Colour: true}, settings{}},
		"png":          {grey, devices.ScanOptions{}, settings{resolution: 300, format: "image/png"}},
		"only colour":  {rgb, devices.ScanOptions{}, settings{resolution: 300, colour: true, format: "image/jpeg"}},
		"only pdf":     {pdf, devices.ScanOptions{}, settings{resolution: 300, format: "application/pdf"}},
		"only tiff":    {tiff, devices.ScanOptions{}, settings{}},
		"wrong source": {full, devices.ScanOptions{Source: "x"}, settings{}},
	} {
		got, err := c.caps.choose(c.opt)
		if c.want.format == "" {
			if !errors.Is(err, devices.ErrUnsupported) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		if err != nil || got.resolution != c.want.resolution || got.colour != c.want.colour || got.format != c.want.format {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestSettingsXML(t *testing.T) {
	s := settings{source: devices.SourceFeeder, width: 2480, height: 3508, resolution: 300, colour: true,
		format: "image/jpeg", formatExt: true, version: "2.6"}
	b, err := s.xml()
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		XMLName xml.Name
		Source  string `xml:"http://www.pwg.org/schemas/2010/12/sm InputSource"`
		Mode    string `xml:"http://schemas.hp.com/imaging/escl/2011/05/03 ColorMode"`
		Width   int    `xml:"http://www.pwg.org/schemas/2010/12/sm ScanRegions>ScanRegion>Width"`
		X       int    `xml:"http://schemas.hp.com/imaging/escl/2011/05/03 XResolution"`
	}
	if err := xml.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if back.XMLName.Local != "ScanSettings" || back.Source != "Feeder" || back.Mode != "RGB24" || back.Width != 2480 || back.X != 300 {
		t.Errorf("%s", b)
	}
}

func TestStatus(t *testing.T) {
	doc := func(adf, job, reason string) []byte {
		return []byte(`<scan:ScannerStatus` + ns + `><pwg:Version>2.5</pwg:Version><pwg:State>Idle</pwg:State><scan:AdfState>` + adf +
			`</scan:AdfState><scan:Jobs><scan:JobInfo><pwg:JobUri>http://x/eSCL/ScanJobs/` + job + `/</pwg:JobUri><pwg:JobState>Aborted</pwg:JobState>` +
			`<pwg:JobStateReasons><pwg:JobStateReason>` + reason + `</pwg:JobStateReason></pwg:JobStateReasons></scan:JobInfo></scan:Jobs></scan:ScannerStatus>`)
	}
	for _, c := range []struct {
		adf, job, reason string
		feeder           bool
		want             error
	}{
		{"ScannerAdfEmpty", "1", "JobCompletedSuccessfully", true, devices.ErrNoPaper},
		{"ScannerAdfEmpty", "1", "JobCompletedSuccessfully", false, nil},
		{"ScannerAdfLoaded", "1", "JobCompletedSuccessfully", true, nil},
		{"ScannerAdfJam", "1", "x", true, devices.ErrPaperJam},
		{"ScannerAdfDoorOpen", "1", "x", true, devices.ErrCoverOpen},
		{"ScannerAdfSomethingNew", "1", "x", true, nil},
		{"", "7", "MediaJam", false, devices.ErrPaperJam},
		{"", "8", "MediaJam", false, nil}, // another's job
	} {
		s, err := parseStatus(doc(c.adf, c.job, c.reason))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.problem("/eSCL/ScanJobs/7", c.feeder); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestJobPath(t *testing.T) {
	for in, want := range map[string]string{
		"/eSCL/ScanJobs/12":                                "/eSCL/ScanJobs/12",
		"http://localhost:60000/eSCL/ScanJobs/12/":         "/eSCL/ScanJobs/12",
		"http://[fe80/eSCL/ScanJobs/4060":                  "/eSCL/ScanJobs/4060",
		"http://CN26F178X605SZ.03f011b0.hpLedmUSB/eSCL/x":  "/eSCL/x",
		"/eSCL/ScanJobs/urn:uuid:4509a320-00a0-008f-00b6-": "/eSCL/ScanJobs/urn:uuid:4509a320-00a0-008f-00b6-",
		"": "", "/": "", "ScanJobs/1": "", "http://localhost": "", "/a b": "", "/a\r\nX: y": "", "/\x00": "", "/" + strings.Repeat("a", 600): "",
	} {
		got, ok := jobPath(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for in, want := range map[string]time.Duration{"": laterGap, "0": gapMin, "3": 3 * time.Second, "9999": gapMax, "-1": laterGap,
		"Wed, 21 Oct 2015 07:28:00 GMT": laterGap} {
		if got := retryAfter(in); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(capsDoc(platen(size+profile(bothModes, jpegPDF, discrete(300, 300))), "")))
	f.Add([]byte(`<ScannerStatus><State>Idle</State><Jobs><JobInfo><JobUri>/a</JobUri></JobInfo></Jobs></ScannerStatus>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY x "xx">]><a>&x;</a>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parseCapabilities(data); err == nil {
			for id := range c.sources {
				s, err := c.choose(devices.ScanOptions{Source: id})
				if err != nil {
					continue
				}
				if w, h := s.pixels(); w <= 0 || h <= 0 || w*h > maxPixels {
					t.Errorf("asks for %d x %d pixels", w, h)
				}
				if b, err := s.xml(); err != nil || xml.Unmarshal(b, new(struct{})) != nil {
					t.Errorf("settings %s: %v", b, err)
				}
			}
		}
		if s, err := parseStatus(data); err == nil {
			_ = s.problem("/a", true)
		}
	})
}
