package intake

import (
	"slices"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/policy"
)

// Arriving is what an arrival comes to before it is confirmed: what the window
// shows while the officer chooses. Apply judges again.
type Arriving struct {
	Permitted []kiosk.Modality // nil while the arrival does not say enough, or if nothing may be taken
	Guardian  bool             // one must be named
	// Missing lists what is still wanted, as stable codes: "wristband",
	// "authority", "category", "band", "basis", "guardian", "notice".
	Missing []string
}

// Arriving works out what an arrival permits, and what it still lacks.
func (r Rules) Arriving(arr *kiosk.Arrival, now time.Time) Arriving {
	var out Arriving
	lacks := func(code string, yes bool) {
		if yes {
			out.Missing = append(out.Missing, code)
		}
	}
	a := &r.Agreement
	lacks("wristband", arr.Wristband == "")
	_, err := policy.Authority(a, arr.Authority, now)
	lacks("authority", err != nil)
	i := slices.IndexFunc(a.Categories, func(c kiosk.Category) bool { return c.Code == arr.Category })
	lacks("category", i < 0)
	lacks("band", arr.Band == "")
	lacks("basis", arr.Band != "" && arr.Band != kiosk.BandUnknown && arr.BandBasis == "")
	if i >= 0 && arr.Band != "" {
		alone, named := *arr, *arr
		alone.Guardian, named.Guardian = "", "named"
		permitted, err := policy.Modalities(a, &named)
		_, without := policy.Modalities(a, &alone)
		out.Permitted, out.Guardian = permitted, err == nil && without != nil
		lacks("band", err != nil) // nothing may be taken at that age
		lacks("guardian", out.Guardian && arr.Guardian == "")
	}
	lacks("notice", policy.Notice(a, arr.Notice) != nil)
	return out
}

// Seconds says why the encounter would be held for a second person if it were
// reviewed now, and how long that may take.
func (r Rules) Seconds(e *kiosk.Encounter) ([]kiosk.SecondReason, time.Duration) {
	return policy.SecondReasons(&r.Agreement, e)
}
