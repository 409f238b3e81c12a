package latest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tambo/devices"
)

// TestOnlyDamaged: who waits in vain while every frame comes damaged is told so; who
// waits while none comes is not.
func TestOnlyDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New("face camera (port 1-1)", func(int) {}, func() {})
		wait := func() error {
			ctx, stop := context.WithTimeout(t.Context(), time.Second)
			defer stop()
			_, err := o.Next(ctx)
			if !errors.Is(err, devices.ErrStalled) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			return err
		}
		damage := func() { o.Count(func(s *devices.StreamStats) { s.Damaged++ }) }
		damage() // before
		if err := wait(); strings.Contains(err.Error(), "damaged") {
			t.Errorf("nothing came, and the error says %v", err)
		}
		time.AfterFunc(100*time.Millisecond, damage)
		time.AfterFunc(200*time.Millisecond, damage)
		if err := wait(); !strings.Contains(err.Error(), "2 frames came damaged: change the cable") {
			t.Errorf("two came damaged, and the error says %v", err)
		}
	})
}
