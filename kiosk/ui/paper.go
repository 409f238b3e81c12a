package ui

import (
	"bytes"
	"fmt"
	"image/png"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"tambo/assets"
	"tambo/kiosk/ui/screens"
)

// slipPDF is the paper for the person as PDF, A5, with its code as QR code
// (ISO/IEC 18004, error correction M) and in letters.
func slipPDF(s *screens.SlipState) ([]byte, error) {
	const edge, side = 14.0, 30.0 // mm
	p := fpdf.New("P", "mm", "A5", "")
	p.SetMargins(edge, edge, edge)
	p.SetAutoPageBreak(true, edge)
	p.SetCreator("Tambo", true)
	p.AddUTF8FontFromBytes("noto", "", assets.NotoRegular)
	p.AddUTF8FontFromBytes("noto", "B", assets.NotoBold)
	p.AddPage()
	lines := screens.SlipText(*s)
	if len(lines) == 0 {
		return nil, fmt.Errorf("paper: there is nothing to say")
	}
	for i, l := range lines {
		style, size := "", 11.0
		if l.Bold {
			style = "B"
		}
		if i == 0 {
			size = 15
		}
		p.SetFont("noto", style, size)
		p.MultiCell(0, size*0.5, l.Text, "", "L", false)
		p.Ln(2.5)
	}
	if s.Code != "" {
		code, err := qr.Encode(s.Code, qr.M, qr.Auto)
		if err == nil {
			code, err = barcode.Scale(code, 8*code.Bounds().Dx(), 8*code.Bounds().Dy())
		}
		var img bytes.Buffer
		if err == nil {
			err = png.Encode(&img, code)
		}
		if err != nil {
			return nil, fmt.Errorf("paper: code: %w", err)
		}
		p.RegisterImageOptionsReader("code", fpdf.ImageOptions{ImageType: "PNG"}, &img)
		p.Ln(3)
		p.ImageOptions("code", edge, p.GetY(), side, side, true, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
		p.Ln(2)
		p.SetFont("noto", "", 10)
		p.MultiCell(0, 5, s.Words.Say("slip.code", "Code", s.Code), "", "L", false)
	}
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return out.Bytes(), nil
}
