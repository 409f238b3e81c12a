package document_test

import (
	"context"
	"image"
	"testing"

	"tambo/kiosk/document"
	"tambo/kiosk/specimen/page"
)

// BenchmarkRead reads a clean page at 300 dots an inch on one core.
func BenchmarkRead(b *testing.B) {
	img := page.Draw(page.NewHolder(1), 300)
	for b.Loop() {
		if _, err := document.Read(context.Background(), img, now); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadNothing looks in vain on a page that has no zone.
func BenchmarkReadNothing(b *testing.B) {
	full := page.Draw(page.NewHolder(1), 300)
	img := full.SubImage(image.Rect(0, 0, full.Rect.Dx(), full.Rect.Dy()*7/10))
	for b.Loop() {
		if _, err := document.Read(context.Background(), img, now); err == nil {
			b.Fatal("found a zone")
		}
	}
}
