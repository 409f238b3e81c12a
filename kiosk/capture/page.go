package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/document"
)

// Page is a scanned page and what was read on it.
type Page struct {
	Encoded []byte // as the scanner sent it
	MIME    string
	Width   int
	Height  int
	At      time.Time
	// MRZ is what was read. Unread is why there is none, or why it could not be
	// accepted; the page is kept all the same.
	MRZ    document.MRZ
	Unread error
	// Print is what is printed above the zone, cut out for a reader of print; nil
	// where no zone was found.
	Print *image.Gray
}

// ScanPage scans one page and reads its machine-readable zone. An error means
// that there is no page; a page that cannot be read is a page, with Unread set.
func ScanPage(ctx context.Context, sc devices.DocumentScanner, now time.Time, progress func(received int64)) (Page, error) {
	raw, err := sc.Scan(ctx, devices.ScanOptions{Resolution: 300, Colour: true}, progress)
	if err != nil {
		return Page{}, fmt.Errorf("scan: %w", err)
	}
	b := raw.Image.Bounds()
	p := Page{Encoded: raw.Encoded, MIME: raw.MIME, Width: b.Dx(), Height: b.Dy(), At: raw.At}
	if len(p.Encoded) == 0 {
		var buf bytes.Buffer
		if err := png.Encode(&buf, raw.Image); err != nil {
			return Page{}, fmt.Errorf("scan: %w", err)
		}
		p.Encoded, p.MIME = buf.Bytes(), "image/png"
	}
	p.MRZ, p.Unread = document.Read(ctx, raw.Image, now)
	if p.Unread != nil && ctx.Err() != nil {
		return Page{}, fmt.Errorf("scan: %w", ctx.Err())
	}
	if p.Unread == nil {
		p.Print = document.Print(raw.Image, p.MRZ)
	}
	if p.Unread == nil && !p.MRZ.Accepted {
		p.Unread = ErrNotCertain
	}
	return p, nil
}

// ComparePrint has the print on a page read and compares the zone with it. What
// would be said to differ is read a second time, alone and larger, and is not
// found unless that says the same. Nil where the page was not read: no reader, no
// zone, or no time. That is never an error: a document is taken without it.
func (p *Page) ComparePrint(ctx context.Context, r devices.TextReader) map[string]document.Printed {
	if r == nil || p.Print == nil {
		return nil
	}
	words, err := r.ReadText(ctx, p.Print)
	if err != nil {
		return nil
	}
	out := document.Compare(p.MRZ, words)
	for name, x := range out {
		if x.Standing != kiosk.PrintDiffers {
			continue
		}
		again, err := r.ReadText(ctx, document.Enlarge(p.Print, x.Box))
		if err != nil || !x.Confirmed(again) {
			out[name] = document.Printed{Standing: kiosk.PrintNotFound}
		}
	}
	return out
}

// ErrNotCertain means that the zone was read and not every character is
// certain, or a check digit disagrees: a person must look at the fields shown.
var ErrNotCertain = errors.New("the document was read and not every field is certain: compare the marked fields with the page")
