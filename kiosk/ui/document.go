package ui

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg" // what scanners send
	_ "image/png"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/draw"

	"tambo/kiosk"
	"tambo/kiosk/intake"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
)

// document is the document and identity steps until they are confirmed: what
// the page said, and what the officer answered.
type document struct {
	of       kiosk.EncounterID
	identity kiosk.Identity
	answers  map[string]string
	page     image.Image
	zone     screens.Box
	unread   bool
	noDevice bool
	accepted string // why an expired document is accepted
	scanning bool
	received int64
}

// documentOf begins anew for another encounter, with what it holds.
func (c *Controller) documentOf(e *kiosk.Encounter) *document {
	if c.document.of != e.ID {
		c.document = document{of: e.ID, identity: e.Identity, answers: map[string]string{}}
	}
	return &c.document
}

func (c *Controller) showDocument(e *kiosk.Encounter) {
	d := c.documentOf(e)
	c.show(page{name: "document", build: func(f screens.Frame) *screens.Screen {
		s := screens.DocumentState{Scanning: d.scanning, Received: d.received, NoDevice: d.noDevice, Page: d.page, Zone: d.zone, Unread: d.unread,
			Identity: d.identity, Expired: c.expired(), Accepted: d.accepted, Answers: d.answers, Missing: len(intake.Unlooked(&d.identity))}
		if s.Expired && d.accepted == "" {
			s.Missing++
		}
		if f.Encounter != nil {
			s.Missing += missingOf(f.Encounter, kiosk.StepDocument)
			for _, x := range f.Encounter.Exceptions {
				if x.Modality == kiosk.ModalityDocument {
					s.Excepted = x.Reason
				}
			}
		}
		return screens.Document(f, s, screens.DocumentCalls{
			Scan: c.scan, Answer: c.answerField,
			None: func() { c.showException(kiosk.ModalityDocument, kiosk.ExceptNoDocument) },
			Type: c.typeIdentity, Park: c.park, Next: c.documentNext,
		})
	}})
	if d.page == nil {
		c.fetchPage(e)
	}
}

// fetchPage shows the page that was kept before.
func (c *Controller) fetchPage(e *kiosk.Encounter) {
	part := lastPage(e)
	if part == "" || c.busy || c.capture != nil {
		return
	}
	d := &c.document
	var img image.Image
	c.look(0, func(ctx context.Context) (err error) {
		img, _, err = c.pageImage(ctx, part, nil)
		return err
	}, func(err error) {
		if err == nil && c.document.of == d.of {
			d.page = img
			c.redraw()
		}
	})
}

func lastPage(e *kiosk.Encounter) string {
	for i := len(e.Captures) - 1; i >= 0; i-- {
		if x := e.Captures[i]; x.Modality == kiosk.ModalityDocument && !x.Cleared {
			return x.Part
		}
	}
	return ""
}

// pageImage reads a page, cut to the document as far as the zone says where it
// is, and no larger than it is shown. It runs on the worker.
func (c *Controller) pageImage(ctx context.Context, part string, z *session.Zone) (image.Image, screens.Box, error) {
	b, err := c.ses.Image(ctx, part)
	if err != nil {
		return nil, screens.Box{}, err
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, screens.Box{}, err
	}
	r := img.Bounds()
	var zone screens.Box
	if z != nil {
		r, zone = cut(r, z)
	}
	const side = 1000
	k := min(1, float64(side)/float64(max(r.Dx(), r.Dy())))
	small := image.NewRGBA(image.Rect(0, 0, int(float64(r.Dx())*k), int(float64(r.Dy())*k)))
	draw.ApproxBiLinear.Scale(small, small.Rect, img, r, draw.Src, nil)
	return small, zone, nil
}

// cut finds the document on the glass by its zone, which runs along its foot
// from edge to edge: as wide as the zone and a little more, and three quarters of
// that high (ISO/IEC 7810: ID-1 0.63, ID-3 0.70). A page that lies askew stays
// whole. The box is the zone's, as shares of what is left.
func cut(page image.Rectangle, z *session.Zone) (image.Rectangle, screens.Box) {
	w, h := float64(page.Dx()), float64(page.Dy())
	x0, y0, x1, y1 := w, h, 0.0, 0.0
	for _, c := range z.Corners {
		x0, x1 = min(x0, c[0]*w), max(x1, c[0]*w)
		y0, y1 = min(y0, c[1]*h), max(y1, c[1]*h)
	}
	whole := screens.Box{X: float32(x0 / w), Y: float32(y0 / h), W: float32((x1 - x0) / w), H: float32((y1 - y0) / h)}
	lean := (z.Corners[1][1] - z.Corners[0][1]) * h
	if wide := x1 - x0; wide <= 0 || z.Corners[1][0] <= z.Corners[0][0] || lean > 0.05*wide || lean < -0.05*wide {
		return page, whole
	}
	wide := x1 - x0
	r := image.Rect(int(x0-0.06*wide), int(y1-0.72*wide), int(x1+0.06*wide), int(y1+0.07*wide)).Add(page.Min).Intersect(page)
	if r.Empty() {
		return page, whole
	}
	rx, ry, rw, rh := float64(r.Min.X-page.Min.X), float64(r.Min.Y-page.Min.Y), float64(r.Dx()), float64(r.Dy())
	return r, screens.Box{X: float32((x0 - rx) / rw), Y: float32((y0 - ry) / rh), W: float32(wide / rw), H: float32((y1 - y0) / rh)}
}

// scan reads the page on the glass. Another touch on Scan while it runs does
// nothing; any other act ends it.
func (c *Controller) scan() {
	c.touch()
	d := &c.document
	if c.busy || d.scanning {
		c.rearm()
		return
	}
	d.scanning, d.received, d.noDevice, c.trouble = true, 0, false, nil
	c.redraw()
	var id kiosk.Identity
	var img image.Image
	var zone screens.Box
	c.look(time.Minute, func(ctx context.Context) error {
		last := time.Time{}
		var err error
		id, err = c.ses.ScanDocument(ctx, func(n int64) {
			if now := time.Now(); now.Sub(last) > 200*time.Millisecond {
				last = now
				c.o.Do(func() {
					if d.scanning && c.page.name == "document" {
						d.received = n
						c.redraw()
					}
				})
			}
		})
		switch session.Explain(err).Trouble {
		case session.TroubleNone, session.TroubleNotCertain, session.TroubleUnreadable:
			if e, open := c.ses.Current(); open {
				if part := lastPage(&e); part != "" {
					z, found := c.ses.Zone()
					at := &z
					if !found {
						at = nil
					}
					img, zone, _ = c.pageImage(context.WithoutCancel(ctx), part, at)
				}
			}
		}
		return err
	}, func(err error) {
		d.scanning = false
		switch x := session.Explain(err); x.Trouble {
		case session.TroubleNone, session.TroubleNotCertain:
			d.identity, d.unread, d.accepted, d.answers = id, false, "", map[string]string{}
			d.page, d.zone = img, zone
			c.redraw()
		case session.TroubleUnreadable:
			d.page, d.zone, d.unread = img, zone, true
			c.redraw()
		case session.TroubleGone, session.TroubleAccess:
			d.noDevice = true
			c.redraw()
		default:
			c.fail(err)
		}
	})
	if c.capture != nil { // ended by another act: the page is not waited for
		stop := c.capture.stop
		c.capture.stop = func() { d.scanning = false; stop() }
	}
}

// expired reports that the document's last day is over.
func (c *Controller) expired() bool {
	x := c.document.identity.Expiry.Value
	return len(x) == len(time.DateOnly) && x < c.o.Now().Format(time.DateOnly)
}

// answerField takes an answer about a field that wants one.
func (c *Controller) answerField(name, answer string) {
	d := &c.document
	if why, ok := strings.CutPrefix(answer, screens.ExpiredAnswer); ok {
		c.local(func() { d.accepted = why })
		return
	}
	switch answer {
	case "looked":
		c.local(func() {
			if f := field(&d.identity, name); f != nil {
				*f = session.Look(*f, f.Value)
			}
			d.answers[name] = answer
		})
	case "type":
		c.typeField(name)
	default:
		c.local(func() {
			for i := range d.identity.Disagreements {
				x := d.identity.Disagreements[i]
				if x.Field != name {
					continue
				}
				for j, v := range x.Values {
					if string(v.Source) == answer || strconv.Itoa(j) == answer {
						if f := field(&d.identity, name); f != nil {
							*f = session.Look(v, v.Value)
							session.Settle(&d.identity, name, *f)
						}
						d.answers[name] = answer
						return
					}
				}
			}
		})
	}
}

// field returns a field of an identity by its code.
func field(i *kiosk.Identity, name string) *kiosk.Field {
	switch name {
	case "surname":
		return &i.Surname
	case "given":
		return &i.Given
	case "birth":
		return &i.Birth
	case "sex":
		return &i.Sex
	case "nationality":
		return &i.Nationality
	case "documentType":
		return &i.DocumentType
	case "documentNumber", "number":
		return &i.DocumentNumber
	case "issuer":
		return &i.Issuer
	case "expiry":
		return &i.Expiry
	}
	return nil
}

// typed is a field that the officer typed.
func typed(f kiosk.Field, value string) kiosk.Field {
	value = strings.TrimSpace(value)
	if value == f.Value && f.Source != "" {
		return session.Look(f, value)
	}
	n := session.Look(kiosk.Field{Raw: value}, value)
	n.Status, n.Source = kiosk.FieldRead, kiosk.SourceOfficer
	if value == "" {
		n.Status = kiosk.FieldAbsent
	}
	return n
}

// typed takes a field as the officer typed it; that answers a disagreement about
// it too.
func (d *document) typed(name, value string) {
	if f := field(&d.identity, name); f != nil {
		*f = typed(*f, value)
		session.Settle(&d.identity, name, *f)
	}
}

// typeField lets the officer type one field.
func (c *Controller) typeField(name string) {
	d := &c.document
	f := field(&d.identity, name)
	if f == nil {
		c.rearm()
		return
	}
	b := c.o.Book
	if name == "sex" {
		s := screens.ChooseState{Title: b.Say("field.sex"), Person: true}
		for _, k := range []string{"F", "M", "X"} {
			s.Choices = append(s.Choices, screens.Option{Key: k, Label: b.Say("identity.sex" + k)})
		}
		c.pick(s, func(key string) { d.typed(name, key) })
		return
	}
	t := screens.TypeField{Key: "v", Label: c.coded("field.", name), Value: f.Value, Upper: true}
	if name == "birth" || name == "expiry" {
		t.Hint = b.Say("identity.birthHint")
	}
	c.ask(screens.TypeState{Title: c.coded("field.", name), Fields: []screens.TypeField{t}}, func(v map[string]string) {
		value := v["v"]
		if t.Hint != "" {
			value = parseDate(value)
		}
		d.typed(name, value)
		d.answers[name] = "typed"
	})
}

// typeIdentity lets the officer type what stands on the page.
func (c *Controller) typeIdentity() {
	d := &c.document
	b := c.o.Book
	names := []string{"surname", "given", "birth", "nationality", "documentNumber"}
	s := screens.TypeState{Title: b.Say("document.typeIn")}
	for _, n := range names {
		t := screens.TypeField{Key: n, Label: b.Say("field." + n), Value: field(&d.identity, n).Value, Upper: true}
		if n == "birth" {
			t.Hint = b.Say("identity.birthHint")
		}
		s.Fields = append(s.Fields, t)
	}
	c.ask(s, func(v map[string]string) {
		for _, n := range names {
			value := v[n]
			if n == "birth" {
				value = parseDate(value)
			}
			if f := field(&d.identity, n); value != "" || f.Value != "" {
				d.typed(n, value)
				d.answers[n] = "typed"
			}
		}
	})
}

// parseDate takes a day as an officer types it ("7 3 1987", "03 1987", "1987")
// to the record's form, unknown parts XX. What is no date stays as it is: intake
// and the officer see it.
func parseDate(s string) string {
	p := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if len(p) == 3 && len(p[0]) == 4 {
		p[0], p[2] = p[2], p[0]
	}
	if len(p) == 0 || len(p) > 3 || len(p[len(p)-1]) != 4 {
		return strings.TrimSpace(s)
	}
	out := []string{p[len(p)-1], "XX", "XX"}
	for i, at := len(p)-2, 1; i >= 0; i, at = i-1, at+1 {
		n, err := strconv.Atoi(p[i])
		if err != nil || n < 1 || at == 1 && n > 12 || n > 31 {
			return strings.TrimSpace(s)
		}
		out[at] = twoDigits(n)
	}
	return strings.Join(out, "-")
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// documentNext confirms the document and saves what was read; the identity step
// confirms who the person is.
func (c *Controller) documentNext() {
	d := &c.document
	e, _ := c.encounter()
	var events []kiosk.Event
	if c.expired() && d.accepted != "" {
		for i := len(e.Captures) - 1; i >= 0; i-- {
			if x := e.Captures[i]; x.Modality == kiosk.ModalityDocument && !x.Cleared {
				events = append(events, kiosk.Annotated{Capture: x.ID, Text: screens.ExpiredNote + d.accepted})
				break
			}
		}
	}
	if d.identity.Surname.Value != "" {
		events = append(events, kiosk.Identified{Identity: d.identity})
	}
	// The identity may show a younger person: then the machine stops there, and
	// the document is confirmed when it comes round again.
	c.act(func(ctx context.Context) error {
		for _, ev := range append(events, kiosk.StepConfirmed{Step: kiosk.StepDocument}) {
			e, err := c.ses.Do(ctx, ev)
			if err != nil {
				return err
			}
			if e.State == kiosk.StateStopped {
				return nil
			}
		}
		return nil
	}, c.goOn)
}

func (c *Controller) showIdentity(e *kiosk.Encounter) {
	d := c.documentOf(e)
	c.show(page{name: "identity", build: func(f screens.Frame) *screens.Screen {
		return screens.Identity(f, screens.IdentityState{Identity: d.identity, Missing: len(intake.Unlooked(&d.identity))}, screens.IdentityCalls{
			Change:  c.typeField,
			Unknown: func(name string) { c.local(func() { c.unknown(name) }) },
			Alias: func() {
				b := c.o.Book
				c.ask(screens.TypeState{Title: b.Say("identity.addAlias"), Fields: []screens.TypeField{{Key: "v", Label: b.Say("identity.alias"), Upper: true, Must: true}}},
					func(v map[string]string) {
						d.identity.Aliases = append(d.identity.Aliases, strings.TrimSpace(v["v"]))
					})
			},
			Drop: func(i int) {
				c.local(func() {
					if a := d.identity.Aliases; i >= 0 && i < len(a) {
						d.identity.Aliases = append(a[:i:i], a[i+1:]...)
					}
				})
			},
			Park: c.park, Next: c.identityNext,
		})
	}})
}

func (c *Controller) unknown(name string) {
	c.document.typed(name, "")
}

func (c *Controller) identityNext() {
	id := c.document.identity
	c.act(func(ctx context.Context) error {
		e, err := c.ses.Do(ctx, kiosk.Identified{Identity: id})
		if err != nil || e.State == kiosk.StateStopped {
			return err
		}
		_, err = c.ses.Do(ctx, kiosk.StepConfirmed{Step: kiosk.StepIdentity})
		return err
	}, c.goOn)
}
