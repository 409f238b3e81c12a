package virtualtest

import (
	"tambo/devices/devicetest"
	"tambo/devices/virtual"
)

// stillEndpoint is that of a colour camera with [virtual.ColourOptions].StillPipe.
const stillEndpoint = 0x89

// StillFaults are the faults of a still's own endpoint.
func StillFaults(dev *virtual.Device) (out []devicetest.StillFault) {
	for _, f := range []struct {
		name   string
		faults virtual.Faults
	}{
		{"Drop", virtual.Faults{Drop: 1}},
		{"Short", virtual.Faults{Short: 1}},
		{"Babble", virtual.Faults{Babble: 1}},
		{"Stall", virtual.Faults{Stall: 1}},
		{"Error", virtual.Faults{Error: 1}},
		{"Hang", virtual.Faults{Hang: 1}},
		{"Some", virtual.Faults{Drop: 0.2, Short: 0.1, Error: 0.1, Seed: 3}},
	} {
		f.faults.Endpoint = stillEndpoint
		out = append(out, devicetest.StillFault{Name: f.name, Sometimes: f.faults.Seed != 0, Set: func(on bool) {
			if on {
				dev.SetFaults(f.faults)
			} else {
				dev.SetFaults(virtual.Faults{})
			}
		}})
	}
	return out
}
