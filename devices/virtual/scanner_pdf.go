package virtual

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"image/jpeg"
)

// scannerPDF writes a page as scanners do (ISO 32000-1): one picture on one page,
// lengths behind the streams, JPEG for colour and Flate for grey.
func scannerPDF(bed image.Image, dpi int) ([]byte, error) {
	var data bytes.Buffer
	filter, space := "DCTDecode", "DeviceRGB"
	if g, ok := bed.(*image.Gray); ok {
		filter, space = "FlateDecode", "DeviceGray"
		z := zlib.NewWriter(&data)
		for y := range g.Rect.Dy() {
			_, _ = z.Write(g.Pix[y*g.Stride:][:g.Rect.Dx()]) // a buffer does not fail
		}
		_ = z.Close()
	} else if err := jpeg.Encode(&data, bed, &jpeg.Options{Quality: 90}); err != nil {
		return nil, err
	}
	w, h := bed.Bounds().Dx(), bed.Bounds().Dy()
	wide, high := float64(w)*72/float64(dpi), float64(h)*72/float64(dpi)
	content := fmt.Sprintf("q %.4f 0 0 %.4f 0 0 cm /Page Do Q", wide, high)
	return writePDF([]string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %.4f %.4f]/Contents 4 0 R/Resources<</XObject<</Page 6 0 R>>>>>>", wide, high),
		"<</Length 5 0 R>>stream\n" + content + "\nendstream",
		fmt.Sprint(len(content)),
		fmt.Sprintf("<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/%s/Filter/%s/Length 7 0 R>>stream\n",
			w, h, space, filter) + data.String() + "\nendstream",
		fmt.Sprint(data.Len()),
	}), nil
}

// textPDF is a document that no scanner makes: words, not a picture.
func textPDF() []byte {
	content := "BT /F1 24 Tf 72 700 Td (not a scanned page) Tj ET"
	return writePDF([]string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(content), content),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	})
}

// writePDF numbers the objects from 1; the first is the catalogue.
func writePDF(objects []string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	var table bytes.Buffer
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n",
		len(objects)+1, table.String(), len(objects)+1, at)
	return b.Bytes()
}
