package virtual

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"tambo/devices/usb"
)

// Faults strike single packets, and what the bus would notice is said of the
// packet.
func TestPacketFaults(t *testing.T) {
	_, dev, d := openLoop(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	i, err := d.Claim(ctx, 4)
	if err != nil {
		t.Fatal(err)
	}
	tally := func(f Faults) (whole, empty, damaged, long, short, disorder int) {
		t.Helper()
		dev.SetFaults(f)
		defer dev.SetFaults(Faults{})
		if err := i.SetAlt(ctx, 1); err != nil {
			t.Fatal(err)
		}
		s, err := i.Packets(ctx, 0x85, 64, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		last := -1
		for range 4 {
			ps, err := s.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range ps {
				switch {
				case errors.Is(p.Err, usb.ErrIO):
					damaged++
				case errors.Is(p.Err, usb.ErrOverflow):
					long++
				case len(p.Data) < 4:
					empty++
				default:
					n := int(binary.LittleEndian.Uint32(p.Data))
					if n < last {
						disorder++
					}
					last = n
					if len(p.Data) < LoopbackPacket(n, 3072) {
						short++
					}
					whole++
				}
			}
		}
		return
	}
	if w, e, d, l, s, o := tally(Faults{}); w != 224 || e != 32 || d+l+s+o != 0 {
		t.Errorf("healthy: %d whole, %d empty, %d damaged, %d long, %d short, %d out of order", w, e, d, l, s, o)
	}
	if w, _, d, _, _, _ := tally(Faults{Error: 0.2}); d < 20 || w+d != 224 {
		t.Errorf("error: %d damaged, %d whole", d, w)
	}
	if w, _, d, _, _, _ := tally(Faults{Corrupt: 1}); d != 224 || w != 0 {
		t.Errorf("corrupt: %d damaged, %d whole", d, w)
	}
	if _, e, d, _, _, _ := tally(Faults{Drop: 1}); e != 256 || d != 0 {
		t.Errorf("drop: %d empty, %d damaged", e, d)
	}
	if _, _, _, l, _, _ := tally(Faults{Babble: 1}); l != 224 {
		t.Errorf("babble: %d too long", l)
	}
	if _, _, _, _, s, _ := tally(Faults{Short: 1}); s < 200 {
		t.Errorf("short: %d", s)
	}
	if w, _, _, _, _, o := tally(Faults{Disorder: 0.1}); o < 5 || w != 224 {
		t.Errorf("disorder: %d out of order, %d whole", o, w)
	}
	// The bus keeps its pace: 256 intervals of 125 µs, whoever waits. It begins anew
	// where it lags, and would make up for less.
	time.Sleep(2 * latest)
	began := time.Now()
	tally(Faults{})
	if took := time.Since(began); took < 25*time.Millisecond {
		t.Errorf("256 microframes took %v", took)
	}
}
