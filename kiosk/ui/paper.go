package ui

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"tambo/assets"
	"tambo/kiosk/ui/screens"
)

// slipPDF is the paper for the person as PDF: one page of A5, with its code as
// QR code (ISO/IEC 18004, error correction M) and in letters. The code is the
// encounter's number and nothing else: a paper that is lost tells nobody who it was
// for. Words that would not fit
// one page are smaller, down to 7.5 points; more than that goes on, and nothing is
// cut.
func slipPDF(s *screens.SlipState) ([]byte, error) {
	lines := screens.SlipText(*s)
	if len(lines) == 0 {
		return nil, fmt.Errorf("paper: there is nothing to say")
	}
	code, err := slipQR(s.Code)
	if err != nil {
		return nil, err
	}
	var p *fpdf.Fpdf
	for _, scale := range []float64{1, 0.92, 0.84, 0.76, 0.68} {
		if p, err = slipPage(s, lines, code, scale); err != nil {
			return nil, err
		}
		if p.PageCount() == 1 {
			break
		}
	}
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return out.Bytes(), nil
}

// slipQR draws a code as PNG, with the quiet zone of four modules; nothing for
// no code.
func slipQR(words string) ([]byte, error) {
	if words == "" {
		return nil, nil
	}
	const module, quiet = 8, 4 // pixels, modules
	code, err := qr.Encode(words, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("paper: code: %w", err)
	}
	n := code.Bounds().Dx()
	big, err := barcode.Scale(code, module*n, module*n)
	if err != nil {
		return nil, fmt.Errorf("paper: code: %w", err)
	}
	img := image.NewGray(image.Rect(0, 0, module*(n+2*quiet), module*(n+2*quiet)))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(img, big.Bounds().Add(image.Pt(module*quiet, module*quiet)), big, image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("paper: code: %w", err)
	}
	return b.Bytes(), nil
}

// slipPage sets the paper at a scale of its words. Lengths are millimetres.
func slipPage(s *screens.SlipState, lines []screens.SlipLine, code []byte, scale float64) (*fpdf.Fpdf, error) {
	const edge, side = 14.0, 34.0
	p := fpdf.New("P", "mm", "A5", "")
	p.SetMargins(edge, edge, edge)
	p.SetAutoPageBreak(true, edge)
	p.SetCreator("Tambo", true)
	p.SetTitle(lines[0].Text, true)
	p.AddUTF8FontFromBytes("noto", "", assets.NotoRegular)
	p.AddUTF8FontFromBytes("noto", "B", assets.NotoBold)
	p.AddPage()
	for i, l := range lines {
		style, size := "", 11*scale
		if l.Bold {
			style = "B"
		}
		if i == 0 {
			size = 15 * scale
		}
		p.SetFont("noto", style, size)
		p.MultiCell(0, size*0.5, plainSpaces(l.Text), "", "L", false)
		p.Ln(2.5 * scale)
	}
	if len(code) > 0 {
		p.RegisterImageOptionsReader("code", fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(code))
		p.Ln(1)
		p.ImageOptions("code", edge, p.GetY(), side, side, true, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
		p.SetFont("noto", "", 10*scale)
		p.MultiCell(0, 5*scale, plainSpaces(s.Words.Say("slip.code", "Code", s.Code)), "", "L", false)
	}
	if err := p.Error(); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return p, nil
}

// plainSpaces gives the PDF's font spaces that it can break lines at and that
// every reader shows.
func plainSpaces(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }
