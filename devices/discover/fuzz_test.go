package discover

import (
	"testing"

	"tambo/devices"
)

// FuzzQuirks reads any table: an error, or rows that the drivers can follow.
func FuzzQuirks(f *testing.F) {
	f.Add(quirksFile)
	f.Add([]byte(`[{"vendor":"1209","product":"0001","kind":"iris camera","source":"x","uvc":{"layout":"streams","face":3}}]`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := parseQuirks(file)
		if err != nil {
			return
		}
		for m, q := range rows {
			if q.Source == "" || q.Kind == devices.KindIrisCamera && q.UVC == nil || len(q.Vendor) != 4 {
				t.Errorf("%v: %+v", m, q)
			}
		}
	})
}
