package iris_test

import (
	"image"
	"math"
	"runtime"
	"syscall"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// blurred is a plain separable Gaussian blur of 13 taps: what a template is
// timed against.
func blurred(dst, tmp []uint8, img *image.Gray) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	var tap [13]float32
	var sum float32
	for i := range tap {
		d := float64(i - 6)
		tap[i] = float32(math.Exp(-d * d / 8))
		sum += tap[i]
	}
	for i := range tap {
		tap[i] /= sum
	}
	pass := func(dst, src []uint8, step, at, size int) { // along one line
		for k := range size {
			var v float32
			for i, t := range tap {
				v += t * float32(src[at+step*min(max(k+i-6, 0), size-1)])
			}
			dst[at+step*k] = uint8(v + 0.5)
		}
	}
	for y := range h {
		pass(tmp, img.Pix, 1, y*w, w)
	}
	for x := range w {
		pass(dst, tmp, w, x, h)
	}
}

// BenchmarkExtract reports what a template and a look at a live frame take, in
// plain blurs of the same image made in turn with them: the processor time of
// each, summed over all turns, so that what else the machine does has little say,
// and the ticks in which some kernels count it have none.
func BenchmarkExtract(b *testing.B) {
	large, small := ordinary(51), ordinary(52)
	small.x, small.y, small.rp, small.rl, small.width, small.height = 161, 118, 21, 54, 320, 240
	for name, s := range map[string]simpleEye{"640x480": large, "320x240": small} {
		b.Run(name, func(b *testing.B) {
			e, img := iris.New(), s.draw()
			dst, tmp := make([]uint8, len(img.Pix)), make([]uint8, len(img.Pix))
			var spent [3]float64
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for b.Loop() {
				for i, f := range []func(){
					func() { blurred(dst, tmp, img) },
					func() { _, _ = e.Process(img, kiosk.EyeLeft) },
					func() { e.Feedback(img) },
				} {
					start := threadMS(b)
					f()
					spent[i] += threadMS(b) - start
				}
			}
			b.ReportMetric(spent[1]/spent[0], "template/blur")
			b.ReportMetric(spent[2]/spent[0], "feedback/blur")
			b.ReportMetric(spent[1]/float64(b.N), "template-ms")
			b.ReportMetric(spent[2]/float64(b.N), "feedback-ms")
		})
	}
}

// threadMS is the processor time of this thread so far, in milliseconds.
func threadMS(b *testing.B) float64 {
	const thisThread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thisThread, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
