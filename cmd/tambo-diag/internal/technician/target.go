package technician

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"codeberg.org/go-pdf/fpdf"

	"tambo/assets"
	"tambo/kiosk/target"
)

// printDPI is how finely the sheet is drawn; its finest bars are a quarter of a
// millimetre.
const printDPI = 600

// drawTarget writes the technician's sheet as PDF, or its parts as PNG.
func drawTarget(_ context.Context, o *options, _ []string, f *deviceFlags) error {
	if f.out == "" {
		return wrongUse("--out is missing: FILE.pdf, or FILE.png for the pictures alone")
	}
	k := printDPI / 25.4
	size := func(mm float64) int { return int(mm*k + 0.5) }
	parts := map[string]*image.Gray{
		"left":  target.DrawEye(target.Left, size(target.EyeWidth), size(target.EyeHeight), k, 255),
		"right": target.DrawEye(target.Right, size(target.EyeWidth), size(target.EyeHeight), k, 255),
		"page":  target.DrawPage(printDPI),
	}
	switch ext := strings.ToLower(filepath.Ext(f.out)); ext {
	case ".png":
		for _, name := range []string{"left", "right", "page"} {
			path := strings.TrimSuffix(f.out, filepath.Ext(f.out)) + "-" + name + ".png"
			if err := writePNG(path, parts[name]); err != nil {
				return err
			}
			o.line("%s, to be printed at %d dots an inch", path, printDPI)
		}
		return nil
	case ".pdf":
		b, err := sheetPDF(o, parts)
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.out, b, 0o644); err != nil {
			return err
		}
		o.line("%s: print it at 100 %%, without \"fit to page\", on matt white paper; the ruler must measure 100 mm", f.out)
		return nil
	default:
		return wrongUse("--out %q: want a name that ends in .pdf or .png", f.out)
	}
}

// sheetPDF is an A4 page: both eye models as far apart as eyes are, a ruler, and
// the calibration page to cut out.
func sheetPDF(o *options, parts map[string]*image.Gray) ([]byte, error) {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetAutoPageBreak(false, 0)
	p.SetCreator("Tambo", true)
	p.AddUTF8FontFromBytes("noto", "", assets.NotoRegular)
	p.AddUTF8FontFromBytes("noto", "B", assets.NotoBold)
	p.AddPage()
	put := func(name string, x, y, w, h float64) error {
		var b bytes.Buffer
		if err := png.Encode(&b, parts[name]); err != nil {
			return err
		}
		p.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, &b)
		p.ImageOptions(name, x, y, w, h, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
		return nil
	}
	text := func(x, y, size float64, bold bool, s string) {
		style := ""
		if bold {
			style = "B"
		}
		p.SetFont("noto", style, size)
		p.Text(x, y, s)
	}
	const middle = 105.0
	text(20, 22, 15, true, o.say.Say("diag.eyeModel")+" · "+o.say.Say("diag.page"))
	text(20, 30, 10, false, o.say.Say("diag.noModel"))
	// As a camera sees a person: their right eye on its left.
	for _, e := range []struct {
		name, words string
		x           float64
	}{{"right", o.say.Say("diag.right"), middle - target.EyesApart/2}, {"left", o.say.Say("diag.left"), middle + target.EyesApart/2}} {
		if err := put(e.name, e.x-target.EyeWidth/2, 50, target.EyeWidth, target.EyeHeight); err != nil {
			return nil, err
		}
		text(e.x-target.EyeWidth/2, 50+target.EyeHeight+6, 9, false, e.words)
	}
	p.SetLineWidth(0.2)
	p.Line(55, 100, 155, 100)
	for i := range 11 {
		p.Line(55+10*float64(i), 98, 55+10*float64(i), 102)
	}
	text(157, 101.5, 9, false, "100 mm")
	p.Rect(middle-target.PageWidth/2, 130, target.PageWidth, target.PageHeight, "D")
	if err := put("page", middle-target.PageWidth/2, 130, target.PageWidth, target.PageHeight); err != nil {
		return nil, err
	}
	text(middle-target.PageWidth/2, 130+target.PageHeight+7, 9, false, fmt.Sprintf("%s · %.0f × %.0f mm", o.say.Say("diag.page"), target.PageWidth, target.PageHeight))
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
