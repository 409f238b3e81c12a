package document_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"tambo/kiosk/document"
	"tambo/kiosk/specimen/page"
)

func TestDegradedPages(t *testing.T) {
	n := 60
	if s := os.Getenv("N"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	accepted, right, wrong := 0, 0, 0
	var spent time.Duration
	for i := range n {
		seed := uint64(i) + 1000
		r := rand.New(rand.NewPCG(seed, 5))
		h := page.NewHolder(seed)
		dpi := []int{150, 200, 250, 300}[r.IntN(4)]
		w := page.RandomWear(r)
		img := page.Age(page.Draw(h, dpi), w)
		want := h.MRZ()
		t0 := time.Now()
		m, err := document.Read(context.Background(), img, now)
		spent += time.Since(t0)
		same := len(m.Lines) == 2 && m.Lines[0] == want[0] && m.Lines[1] == want[1]
		if same {
			right++
		}
		if m.Accepted {
			accepted++
			if !same {
				wrong++
				t.Errorf("seed %d accepted wrong\n%s\n%s\n%s\n%s", seed, want[0], want[1], m.Lines[0], m.Lines[1])
			}
		} else {
			s := fmt.Sprintf("seed %d dpi %d: %v %+v", seed, dpi, err, w)
			if len(m.Lines) == 2 {
				s += "\n" + want[0] + "\n" + want[1] + "\n" + m.Lines[0] + "\n" + m.Lines[1] + "\n"
				for _, l := range m.Confidence {
					for _, c := range l {
						s += string("0123456789"[int(c*9.99)])
					}
					s += "\n"
				}
			}
			t.Log(s)
		}
	}
	t.Logf("%d pages: accepted %d, right %d, accepted wrong %d; mean %v", n, accepted, right, wrong, spent/time.Duration(n))
}
