package screens_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"golang.org/x/sys/unix"

	"tambo/kiosk"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/uitest"
	"tambo/kiosk/ui/words"
)

// ran is how long this thread has had a processor.
func ran(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkHome is home drawn anew, with more and more unfinished work.
func BenchmarkHome(b *testing.B) {
	uitest.App(b, false, theme.Metrics{})
	none := func() {}
	calls := screens.HomeCalls{Next: none, Arrivals: none, NewList: none, Open: func(kiosk.EncounterID) {}, Queue: none, Why: none, Fault: none, Close: none, Lock: none}
	for _, n := range []int{0, 10, 100, 400} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var work []screens.Unfinished
			for i := range n {
				work = append(work, screens.Unfinished{ID: kiosk.EncounterID(fmt.Sprint(i)), Wristband: fmt.Sprint(1000 + i), State: kiosk.StateParked, Park: kiosk.ParkMedical, At: kiosk.StepIrises})
			}
			build := func() fyne.CanvasObject {
				return screens.Home(frame(words.English), screens.HomeState{Unfinished: work}, calls).Object
			}
			w := uitest.Window(b, build(), fyne.NewSize(1280, 800))
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			before := ran(b)
			for b.Loop() {
				w.SetContent(build())
			}
			b.ReportMetric(float64((ran(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
