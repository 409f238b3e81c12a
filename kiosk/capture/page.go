package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"time"

	"tambo/devices"
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
	if p.Unread == nil && !p.MRZ.Accepted {
		p.Unread = ErrNotCertain
	}
	return p, nil
}

// ErrNotCertain means that the zone was read and not every character is
// certain, or a check digit disagrees: a person must look at the fields shown.
var ErrNotCertain = errors.New("the document was read and not every field is certain: compare the marked fields with the page")
