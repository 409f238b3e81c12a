package virtual

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"net/http"
	"slices"
	"strings"
)

const (
	esclRoot = "/eSCL"
	xmlType  = "text/xml"
	esclHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	esclNS   = ` xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"`
)

// route answers one request.
func (s *Scanner) route(ctx context.Context, c *scanConn, r *http.Request) {
	path := strings.TrimRight(r.URL.Path, "/")
	job, isJob := strings.CutPrefix(path, esclRoot+"/ScanJobs/")
	job, isNext := strings.CutSuffix(job, "/NextDocument")
	switch {
	case r.Method == http.MethodGet && path == esclRoot+"/ScannerCapabilities":
		s.document(ctx, c, s.capabilitiesXML())
	case r.Method == http.MethodGet && path == esclRoot+"/ScannerStatus":
		s.document(ctx, c, s.statusXML())
	case r.Method == http.MethodPost && path == esclRoot+"/ScanJobs":
		s.createJob(ctx, c, r)
	case r.Method == http.MethodGet && isJob && isNext:
		s.nextDocument(ctx, c, job)
	case r.Method == http.MethodDelete && isJob && !isNext:
		if s.jobs.end(job, "Canceled") {
			c.reply(ctx, http.StatusOK, "", nil)
			return
		}
		c.reply(ctx, http.StatusNotFound, "", nil)
	default:
		c.reply(ctx, http.StatusNotFound, "text/plain", []byte("not found\n"))
	}
}

// document sends XML.
func (s *Scanner) document(ctx context.Context, c *scanConn, doc string) {
	switch s.strikes(ScannerBadXML, ScannerEntities) {
	case ScannerBadXML:
		doc = doc[:len(doc)*2/3]
	case ScannerEntities:
		doc = esclHead + `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">` +
			`<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><scan:ScannerCapabilities` + esclNS +
			`><pwg:Version>&c;</pwg:Version></scan:ScannerCapabilities>`
	}
	c.reply(ctx, http.StatusOK, xmlType, []byte(doc))
}

func (s *Scanner) capabilitiesXML() string {
	var res, formats strings.Builder
	for _, r := range s.opt.Resolutions {
		fmt.Fprintf(&res, "<scan:DiscreteResolution><scan:XResolution>%d</scan:XResolution><scan:YResolution>%d</scan:YResolution></scan:DiscreteResolution>", r, r)
	}
	for _, f := range s.opt.Formats {
		formats.WriteString("<pwg:DocumentFormat>" + escape(f) + "</pwg:DocumentFormat><scan:DocumentFormatExt>" + escape(f) + "</scan:DocumentFormatExt>")
	}
	caps := fmt.Sprintf(`<scan:MinWidth>100</scan:MinWidth><scan:MaxWidth>%d</scan:MaxWidth>`+
		`<scan:MinHeight>100</scan:MinHeight><scan:MaxHeight>%d</scan:MaxHeight><scan:MaxScanRegions>1</scan:MaxScanRegions>`+
		`<scan:SettingProfiles><scan:SettingProfile><scan:ColorModes><scan:ColorMode>Grayscale8</scan:ColorMode>`+
		`<scan:ColorMode>RGB24</scan:ColorMode></scan:ColorModes><scan:DocumentFormats>%s</scan:DocumentFormats>`+
		`<scan:SupportedResolutions><scan:DiscreteResolutions>%s</scan:DiscreteResolutions></scan:SupportedResolutions>`+
		`</scan:SettingProfile></scan:SettingProfiles><scan:SupportedIntents><scan:Intent>Document</scan:Intent></scan:SupportedIntents>`,
		s.opt.Width, s.opt.Height, formats.String(), res.String())
	feeder := ""
	if s.opt.Feeder {
		feeder = "<scan:Adf><scan:AdfSimplexInputCaps>" + caps + "</scan:AdfSimplexInputCaps><scan:FeederCapacity>20</scan:FeederCapacity>" +
			"<scan:AdfOptions><scan:AdfOption>DetectPaperLoaded</scan:AdfOption></scan:AdfOptions></scan:Adf>"
	}
	return esclHead + "<scan:ScannerCapabilities" + esclNS + "><pwg:Version>2.6</pwg:Version><pwg:MakeAndModel>" +
		escape(s.opt.Manufacturer+" "+s.opt.Product) + "</pwg:MakeAndModel><pwg:SerialNumber>" + escape(s.opt.Serial) +
		"</pwg:SerialNumber><scan:Platen><scan:PlatenInputCaps>" + caps + "</scan:PlatenInputCaps></scan:Platen>" +
		feeder + "</scan:ScannerCapabilities>\n"
}

func (s *Scanner) statusXML() string {
	s.mu.Lock()
	adf := ""
	if s.opt.Feeder {
		adf = "<scan:AdfState>" + s.feeder + "</scan:AdfState>"
	}
	s.mu.Unlock()
	list, active := s.jobs.list()
	state := "Idle"
	if active {
		state = "Processing"
	}
	var b strings.Builder
	for _, j := range list {
		fmt.Fprintf(&b, "<scan:JobInfo><pwg:JobUri>%s/ScanJobs/%s</pwg:JobUri><pwg:JobUuid>%s</pwg:JobUuid>"+
			"<pwg:ImagesCompleted>%d</pwg:ImagesCompleted><pwg:JobState>%s</pwg:JobState><pwg:JobStateReasons>"+
			"<pwg:JobStateReason>%s</pwg:JobStateReason></pwg:JobStateReasons></scan:JobInfo>",
			esclRoot, j.id, j.id, j.sent, j.state, j.reason())
	}
	return esclHead + "<scan:ScannerStatus" + esclNS + "><pwg:Version>2.6</pwg:Version><pwg:State>" + state + "</pwg:State>" +
		adf + "<scan:Jobs>" + b.String() + "</scan:Jobs></scan:ScannerStatus>\n"
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer does not fail
	return b.String()
}

// scanSettings is what a ScanSettings document may ask for.
type scanSettings struct {
	XMLName xml.Name `xml:"ScanSettings"`
	Regions []struct {
		Width  int `xml:"Width"`
		Height int `xml:"Height"`
		X      int `xml:"XOffset"`
		Y      int `xml:"YOffset"`
	} `xml:"ScanRegions>ScanRegion"`
	Source    string `xml:"InputSource"`
	ColorMode string `xml:"ColorMode"`
	Format    string `xml:"DocumentFormat"`
	FormatExt string `xml:"DocumentFormatExt"`
	X         int    `xml:"XResolution"`
	Y         int    `xml:"YResolution"`
}

// check fills in defaults and reports whether the scanner can do it.
func (q *scanSettings) check(o *ScannerOptions) bool {
	if q.FormatExt != "" {
		q.Format = q.FormatExt
	}
	q.Format = or(q.Format, o.Formats[0])
	q.Source = or(q.Source, "Platen")
	q.ColorMode = or(q.ColorMode, "Grayscale8")
	if q.X == 0 && q.Y == 0 {
		q.X = o.Resolutions[0]
		q.Y = q.X
	}
	if len(q.Regions) == 0 {
		q.Regions = slices.Grow(q.Regions, 1)[:1]
		q.Regions[0].Width, q.Regions[0].Height = o.Width, o.Height
	}
	r := &q.Regions[0]
	return len(q.Regions) == 1 && r.X >= 0 && r.Y >= 0 && r.Width > 0 && r.Height > 0 &&
		r.X <= o.Width-r.Width && r.Y <= o.Height-r.Height && q.X == q.Y && slices.Contains(o.Resolutions, q.X) &&
		slices.Contains(o.Formats, q.Format) && (q.ColorMode == "RGB24" || q.ColorMode == "Grayscale8") &&
		(q.Source == "Platen" || q.Source == "Feeder" && o.Feeder)
}

func (s *Scanner) createJob(ctx context.Context, c *scanConn, r *http.Request) {
	var q scanSettings
	dec := xml.NewDecoder(r.Body)
	if err := dec.Decode(&q); err != nil {
		c.reply(ctx, http.StatusBadRequest, "", nil)
		return
	}
	switch f := s.strikes(ScannerBusy, ScannerRefuse); {
	case f == ScannerBusy:
		c.reply(ctx, http.StatusServiceUnavailable, "", nil, "Retry-After: 5")
	case f == ScannerRefuse || !q.check(&s.opt) || q.Source == "Feeder" && s.feederState() != FeederLoaded:
		c.reply(ctx, http.StatusConflict, "", nil)
	default:
		j, ok := s.jobs.create(q, s.opt.ScanTime)
		if !ok {
			c.reply(ctx, http.StatusServiceUnavailable, "", nil, "Retry-After: 1")
			return
		}
		c.reply(ctx, http.StatusCreated, "", nil, "Location: http://localhost"+esclRoot+"/ScanJobs/"+j.id)
	}
}

func (s *Scanner) feederState() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.feeder
}

// draw pulls one page from the feeder.
func (s *Scanner) draw() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.feeder != FeederLoaded || s.pages <= 0 {
		return false
	}
	if s.pages--; s.pages == 0 {
		s.feeder = FeederEmpty
	}
	return true
}

func (s *Scanner) nextDocument(ctx context.Context, c *scanConn, id string) {
	if s.strikes(ScannerAbort) == ScannerAbort {
		s.jobs.end(id, "Aborted")
	}
	if s.gone() {
		c.reply(ctx, http.StatusNotFound, "", nil)
		return
	}
	j, wait := s.jobs.fetch(id)
	switch {
	case j == nil:
		c.reply(ctx, http.StatusNotFound, "", nil)
	case wait > 0:
		c.reply(ctx, http.StatusServiceUnavailable, "", nil, fmt.Sprintf("Retry-After: %d", int(wait.Seconds())))
	case j.settings.Source == "Feeder" && !s.draw():
		s.jobs.end(id, "Completed")
		c.reply(ctx, http.StatusNotFound, "", nil)
	default:
		page, err := s.image(j.settings)
		if err != nil {
			s.jobs.end(id, "Aborted")
			c.reply(ctx, http.StatusInternalServerError, "", nil)
			return
		}
		s.sendPage(ctx, c, j, page)
		s.jobs.sent(id)
	}
}

// image scans the bed and encodes it.
func (s *Scanner) image(q scanSettings) ([]byte, error) {
	s.mu.Lock()
	scene := s.scene
	s.mu.Unlock()
	r, colour := q.Regions[0], q.ColorMode == "RGB24"
	px := func(n int) int { return (n*q.X + 299) / 300 }
	box := image.Rect(0, 0, px(r.Width), px(r.Height))
	var bed draw.Image = image.NewGray(box)
	if colour {
		bed = image.NewRGBA(box)
	}
	draw.Draw(bed, box, image.NewUniform(color.Gray{Y: 236}), image.Point{}, draw.Src) // the lid
	if scene != nil {
		if page := scene.Page(q.X, colour); page != nil {
			const margin = 60 // 1/300 inch
			at := image.Pt(px(margin-r.X), px(margin-r.Y))
			draw.Draw(bed, page.Bounds().Sub(page.Bounds().Min).Add(at), page, page.Bounds().Min, draw.Over)
		}
	}
	var b bytes.Buffer
	var err error
	switch q.Format {
	case "application/pdf":
		return scannerPDF(bed, q.X)
	case "image/png":
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, bed)
	default:
		err = jpeg.Encode(&b, bed, &jpeg.Options{Quality: 90})
	}
	return b.Bytes(), err
}

// sendPage sends a page in chunks while the job lives, or wrongly if a fault
// says so.
func (s *Scanner) sendPage(ctx context.Context, c *scanConn, j *scanJob, page []byte) {
	f := s.strikes(ScannerTruncate, ScannerCutTail, ScannerShortLength, ScannerLongLength, ScannerNoLength, ScannerBadChunk,
		ScannerHang, ScannerHalt, ScannerUnplug, ScannerHugeImage, ScannerNotImage, ScannerPDF, ScannerEndless)
	kind, half := j.settings.Format, page[:len(page)/2]
	whole := func(length int) {
		head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", kind, length)
		_ = c.pipe.Send(ctx, append(head, page...), true)
	}
	switch f {
	case ScannerShortLength:
		whole(len(page) - 100)
		return
	case ScannerLongLength:
		whole(len(page) + 100)
		return
	case ScannerNoLength:
		_ = c.pipe.Send(ctx, append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n", kind), page...), true)
		return
	case ScannerTruncate:
		page = half
	case ScannerCutTail:
		page = page[:len(page)-12]
	case ScannerHugeImage:
		page = hugeHeader(page, kind)
	case ScannerNotImage:
		page = []byte(strings.Repeat("this is no page\n", 100))
	case ScannerPDF:
		kind, page = "application/pdf", textPDF()
	}
	if s.has(ScannerNoZLP) {
		c.reply(ctx, http.StatusOK, kind, page)
		return
	}
	jctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(j.ctx, cancel)()
	w := &chunkWriter{c: c, ctx: jctx, bps: s.speed()}
	if w.head(kind) != nil {
		return
	}
	switch f {
	case ScannerBadChunk, ScannerHang, ScannerHalt, ScannerUnplug:
		if _, err := w.Write(half); err == nil {
			s.strike(ctx, c, f)
		}
		return
	case ScannerEndless:
		for jctx.Err() == nil {
			_, _ = w.Write(make([]byte, 8<<10))
		}
	default:
		_, _ = w.Write(page)
	}
	w.end(ctx)
}

// strike carries out what befalls the page in its middle.
func (s *Scanner) strike(ctx context.Context, c *scanConn, f ScannerFault) {
	switch f {
	case ScannerBadChunk:
		_ = c.pipe.Send(ctx, []byte("not a number\r\n"), true)
	case ScannerHang:
		<-ctx.Done()
	case ScannerHalt:
		c.halt(ctx)
	case ScannerUnplug:
		s.mu.Lock()
		s.struck = true
		s.mu.Unlock()
		s.dev.SetFaults(Faults{Unplug: 1, Endpoint: c.in})
		_ = c.pipe.Send(ctx, []byte{0}, true)
	}
}

// hugeHeader makes an image claim 10,000 x 10,000 pixels.
func hugeHeader(page []byte, kind string) []byte {
	const side = 10000
	page = bytes.Clone(page)
	if kind == "image/png" {
		copy(page[16:], []byte{0, 0, side >> 8, side & 0xff, 0, 0, side >> 8, side & 0xff})
		return page // its checksum is wrong then too
	}
	for i := 2; i+9 < len(page); i += 2 + int(page[i+2])<<8 + int(page[i+3]) {
		if page[i+1] == 0xc0 {
			copy(page[i+5:], []byte{side >> 8, side & 0xff, side >> 8, side & 0xff})
			break
		}
	}
	return page
}
