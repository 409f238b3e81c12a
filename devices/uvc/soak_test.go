package uvc_test

import (
	"context"
	"encoding/binary"
	"image"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
)

// still is a scene that costs nothing to draw: the same two images, with the
// exposure's number in them.
type still struct{ left, right *image.Gray }

func newStill(w, h int) *still {
	s := &still{image.NewGray(image.Rect(0, 0, w, h)), image.NewGray(image.Rect(0, 0, w, h))}
	for i := range s.left.Pix {
		s.left.Pix[i], s.right.Pix[i] = byte(i*7), byte(i*11)
	}
	return s
}

func (s *still) Eyes(shot virtual.Shot) (left, right *image.Gray) {
	binary.LittleEndian.PutUint64(s.left.Pix, shot.Index)
	binary.LittleEndian.PutUint64(s.right.Pix, ^shot.Index)
	return s.left, s.right
}

// whole looks at a frame of still here and there.
func (s *still) whole(f devices.IrisFrame) bool {
	n := len(f.Left.Pix)
	for i := 8; i < n; i += 997 {
		if f.Left.Pix[i] != byte(i*7) || f.Right.Pix[i] != byte(i*11) {
			return false
		}
	}
	return binary.LittleEndian.Uint64(f.Left.Pix) == ^binary.LittleEndian.Uint64(f.Right.Pix)
}

func openStill(t *testing.T, iso bool, interval time.Duration) (*still, devices.IrisStream) {
	t.Helper()
	scene := newStill(640, 480)
	vbus, _, _ := plugged(t, func() (*virtual.Device, error) {
		return virtual.NewCamera(scene, virtual.CameraOptions{Interval: interval, Isochronous: iso})
	})
	cam, err := uvc.OpenIris(context.Background(), vbus, port, quirks(virtual.TwoStreams))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cam.Close() })
	s, err := cam.Stream(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return scene, s
}

// heap is what is in use after collecting.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestSoak streams two eyes of 640×480 and looks for memory and goroutines that
// grow. The full form is make test-soak: TAMBO_SOAK is how long, TAMBO_SOAK_FPS
// how many frames a second (30). The short form is as many frames as a minute
// has at 30, taken faster; isochronous, whose bandwidth ends at 70 a second, a
// quarter of it.
func TestSoak(t *testing.T) {
	length, fps := 1800*4*time.Millisecond, 250
	if s := os.Getenv("TAMBO_SOAK"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		fps = 30
		if f, err := strconv.Atoi(os.Getenv("TAMBO_SOAK_FPS")); err == nil {
			fps = f
		}
	} else if testing.Short() {
		t.Skip("seconds of streaming")
	}
	for name, iso := range map[string]bool{"Bulk": false, "Isochronous": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if iso {
				soak(t, iso, length, min(fps, 60))
			} else {
				soak(t, iso, length, fps)
			}
		})
	}
}

func soak(t *testing.T, iso bool, length time.Duration, fps int) {
	interval := time.Second / time.Duration(fps)
	scene, s := openStill(t, iso, interval)
	began := time.Now()
	var heaps []uint64
	var goroutines int
	taken := 0
	for mark := length / 10; time.Since(began) < length; {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		f, err := s.Next(ctx)
		cancel()
		if err != nil {
			t.Fatalf("after %v: %v; %+v", time.Since(began), err, s.Stats())
		}
		if !scene.whole(f) {
			t.Fatalf("frame %d is not what the scene showed", f.Seq)
		}
		taken++
		if time.Since(began) >= mark {
			heaps = append(heaps, heap())
			if len(heaps) == 1 {
				goroutines = runtime.NumGoroutine()
			}
			mark += length / 10
		}
	}
	st := s.Stats()
	if len(heaps) < 6 {
		t.Fatalf("%d looks at the heap", len(heaps))
	}
	// A frame more or less is in flight at each look.
	early, late := slices.Max(heaps[:3]), slices.Min(heaps[len(heaps)-3:])
	t.Logf("%v: %d frames taken of %d, dropped %d, damaged %d, bus errors %d; heap at most %.1f MB in the first three tenths, at least %.1f MB in the last, %.1f MB at most",
		time.Since(began).Round(time.Second), taken, st.Frames, st.Dropped, st.Damaged, st.BusErrors,
		float64(early)/1e6, float64(late)/1e6, float64(slices.Max(heaps))/1e6)
	if late > early+1<<20 {
		t.Errorf("the heap grew: %d", heaps)
	}
	if n := runtime.NumGoroutine(); n > goroutines+8 {
		t.Errorf("%d goroutines after a tenth, %d at the end", goroutines, n)
	}
	if most := st.Frames/100 + 2; st.BusErrors > most || st.Damaged > most { // a busy machine's
		t.Errorf("a healthy camera: %+v", st)
	}
}

// TestCPU measures what a camera of 640×480×2 at 15 frames a second costs: driver,
// bus and virtual camera together, so that the driver costs less than it says.
func TestCPU(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of streaming")
	}
	for name, iso := range map[string]bool{"Bulk": false, "Isochronous": true} {
		t.Run(name, func(t *testing.T) { // not parallel: the processor time is the whole process's
			_, s := openStill(t, iso, time.Second/15)
			next := func() {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				if _, err := s.Next(ctx); err != nil {
					t.Fatal(err)
				}
			}
			next()
			cpu, began := processorTime(), time.Now()
			for range 30 {
				next()
			}
			used, took := processorTime()-cpu, time.Since(began)
			share := used.Seconds() / took.Seconds()
			t.Logf("%v of processor time in %v: %.1f %% of a core", used.Round(time.Millisecond), took.Round(time.Millisecond), 100*share)
			if share > 0.30 {
				t.Errorf("%.0f %% of a core", 100*share)
			}
		})
	}
}

func processorTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
