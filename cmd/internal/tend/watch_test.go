package tend

import (
	"context"
	"testing"

	"tambo/kiosk/health"
)

// A watch that is stopped while its camera is being opened has no trouble to tell,
// and the camera no fault.
func TestAWatchThatIsStoppedIsNoTrouble(t *testing.T) {
	b := newBench(t, scene{light: 190})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, part := range []health.Part{health.PartCamera, health.PartFace} {
		if _, err := b.m.Watch(ctx, part, "", func(Look) { t.Error("a look after the end") }); err != nil {
			t.Errorf("%s: %v", part, err)
		}
	}
	b.verdict("", "", "")
}
