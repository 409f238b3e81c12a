package target_test

import (
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
	"tambo/kiosk/target"
)

// TestNoPersonIsTheModel: no generated eye passes for the print, nor does the
// print's own scene miss.
func TestNoPersonIsTheModel(t *testing.T) {
	n := uint64(10)
	if testing.Short() {
		n = 3
	}
	for i := range n {
		for _, e := range []kiosk.Eye{kiosk.EyeLeft, kiosk.EyeRight} {
			if _, ok := target.FindEye(eye.Draw(eye.NewPerson(i), e, eye.Ordinary(), 320, 240)); ok {
				t.Errorf("person %d, %s eye: taken for the eye model", i, e)
			}
		}
	}
}
