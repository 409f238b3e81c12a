package ui_test

import (
	"testing"
	"time"
)

// noted is a test that fails and goes on.
type noted struct {
	testing.TB
	failed int
}

func (n *noted) Errorf(string, ...any) { n.failed++ }

// TestTheMeter: what sleeps on the UI goroutine is found, and what computes there,
// on a machine as busy as this one is now; what is short is not.
func TestTheMeter(t *testing.T) {
	if raceEnabled {
		t.Skip("its limits are others there")
	}
	n := &noted{TB: t}
	m := newMeter(n)
	for range 20 {
		m.on("a moment", func() { time.Sleep(5 * time.Millisecond) })
	}
	if n.failed > 0 {
		t.Errorf("5 ms were too long %d times in 20", n.failed)
	}
	for what, f := range map[string]func(){
		"sleeping": func() { time.Sleep(time.Second) },
		"computing": func() {
			for before, _, _ := m.account(); ; {
				if now, _, _ := m.account(); now-before > 500*time.Millisecond {
					return
				}
			}
		},
	} {
		n.failed = 0
		for range 3 {
			m.on(what, f)
		}
		if n.failed == 0 {
			t.Errorf("%s on the UI goroutine was not found", what)
		}
	}
}
