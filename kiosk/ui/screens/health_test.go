package screens_test

import (
	"image"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/target"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/words"
)

// facts of a kiosk whose camera's cable loses packets.
func healthFacts() health.Facts {
	day := 24 * time.Hour
	return health.Facts{
		At: now, Clock: &health.ClockFacts{Trusted: true, Known: true, Skew: 200 * time.Millisecond},
		Disk: &health.DiskFacts{Free: 42e9, Total: 110e9, Reserve: 32 << 20}, Vault: &health.VaultFacts{State: health.VaultOpen, Entries: 812, Checked: now},
		Queue: &health.QueueFacts{Waiting: 7, Oldest: ago(3 * time.Hour)}, Keys: &health.KeyFacts{Agreement: true, Expires: now.Add(90 * day), CertEnds: now.Add(41 * day)},
		Road:  &health.RoadFacts{Hub: "hub.example:8443", At: ago(2 * time.Minute), Steps: []health.RoadMade{{Step: health.StepHTTP}}},
		Power: &health.PowerFacts{Mains: true}, Printer: &health.PrinterFacts{}, Needs: []health.Part{health.PartCamera, health.PartScanner},
		Devices: []health.DeviceFacts{
			{Part: health.PartCamera, Name: "Specimen Iris Camera", Model: "1209:1a01", Port: "1-4", Driver: "uvc", Present: true,
				Stream: &health.StreamFacts{Rate: 14.9, Frames: 5400, Damaged: 12, Lost: ago(2 * time.Minute), Latency: 38 * time.Millisecond, At: ago(time.Minute)},
				Target: &health.TargetFacts{Found: true, Sharp: 88, White: 201, Even: 84, At: ago(time.Minute)}},
			{Part: health.PartScanner, Name: "Specimen Scanner", Model: "04f9:0468", Port: "1-2", Driver: "escl", Present: true},
			{Part: health.PartUnknown, Model: "1a2b:0007", Port: "1-7", Present: true, WhyNot: true, Could: health.PartCamera},
		},
	}
}

func shownNotes() []health.Note {
	return []health.Note{{At: ago(2 * time.Minute), Kind: health.NoteShown, Key: "fault.device", Page: "irises"}, {At: ago(4 * time.Minute), Kind: health.NoteShown, Key: "fault.refused", Page: "review"}}
}

func TestHealth(t *testing.T) {
	none := func() {}
	calls := screens.HealthCalls{Test: none, Report: none, Technician: none, Back: none}
	shows(t, "health", func(l words.Language) *screens.Screen {
		f := signedOut(l)
		f.Status.Camera = screens.DeviceTrouble
		return screens.Health(f, screens.HealthState{Report: health.Judge(healthFacts()), Shown: shownNotes(), Fault: "MOKA-27"}, calls)
	})
	shows(t, "health-vault", func(l words.Language) *screens.Screen {
		x := healthFacts()
		x.Vault, x.Queue, x.Keys, x.Road, x.Clock, x.Devices, x.Needs = &health.VaultFacts{State: health.VaultDamaged, File: "vault.db"}, nil, nil, nil, nil, nil, nil
		return screens.Health(signedOut(l), screens.HealthState{Report: health.Judge(x)}, calls)
	})
}

func TestDiagnostics(t *testing.T) {
	none := func() {}
	calls := screens.DiagnosticsCalls{Test: none, Camera: none, Scanner: none, Soak: none, HandBack: none, Bundle: none, Find: none, Back: none}
	seen := func(s target.Side) image.Image {
		e, ok := target.FindEye(target.DrawEye(s, 640, 480, 17, 200))
		if !ok {
			t.Fatal("no eye model")
		}
		return e.Picture
	}
	left, right := seen(target.Left), seen(target.Right)
	technician := func(l words.Language) screens.Frame {
		f := frame(l)
		f.Status.Operator = kiosk.Operator{Label: "te-1", Role: kiosk.RoleTechnician}
		return f
	}
	shows(t, "diagnostics", func(l words.Language) *screens.Screen {
		return screens.Diagnostics(technician(l), screens.DiagnosticsState{
			Report: health.Judge(healthFacts()), Shown: shownNotes(), Chosen: health.PartCamera, Camera: true, Untaken: 3,
			Plots: screens.Plots{Rate: []float64{14.8, 14.9, 15, 14.9, 9, 8.5, 14.7, 14.9, 14.9}, Lost: []float64{0, 0, 0, 0, 7, 5, 0, 0, 0},
				Bus: make([]float64, 9), Late: []float64{31, 38, 34, 30, 52, 47, 42, 40, 38}},
			Left: left, Right: right, Eyes: &health.TargetFacts{Found: true, Sharp: 88, White: 201, Even: 84}, Soak: 40 * time.Minute, Length: time.Hour,
			Faults: []health.Note{{Kind: health.NoteFault, Code: "MOKA-27", At: ago(time.Minute), Findings: health.Judge(healthFacts()).Findings}},
		}, calls)
	})
	shows(t, "diagnostics-face", func(l words.Language) *screens.Screen {
		both := calls
		both.Choose = func(health.Part) {}
		x := healthFacts()
		x.Devices[0].Stream.Damaged = 0
		x.Devices = append(x.Devices, health.DeviceFacts{Part: health.PartFace, Name: "Specimen Face Camera", Model: "1209:1a02", Port: "1-3", Driver: "uvc", Present: true,
			Stream: &health.StreamFacts{Rate: 24.6, Frames: 1480, Damaged: 9, BusErrors: 2, Lost: ago(2 * time.Minute), Latency: 41 * time.Millisecond, At: now}})
		return screens.Diagnostics(technician(l), screens.DiagnosticsState{
			Report: health.Judge(x), Shown: shownNotes(), Chosen: health.PartFace, Camera: true,
			Plots: screens.Plots{Rate: []float64{24.8, 25, 24.9, 6, 7.5, 24.7, 24.6}, Lost: []float64{0, 0, 0, 5, 4, 0, 0}, Bus: []float64{0, 0, 0, 2, 0, 0, 0}, Late: []float64{40, 38, 41, 160, 90, 43, 41}},
		}, both)
	})
	shows(t, "diagnostics-choice", func(l words.Language) *screens.Screen {
		both := calls
		both.Choose = func(health.Part) {}
		f := technician(l)
		f.Training = true
		return screens.Diagnostics(f, screens.DiagnosticsState{
			Report: health.Judge(healthFacts()), Shown: shownNotes(), Chosen: health.PartCamera, Camera: true, Left: left, Eyes: &health.TargetFacts{Found: true, Sharp: 41, White: 201, Even: 84},
			Plots: screens.Plots{Rate: []float64{14.8, 11.2}, Lost: make([]float64, 2), Bus: make([]float64, 2), Late: []float64{1243, 1243}}, Soak: 10 * time.Minute, Length: time.Hour, Said: f.Say("diag.bundled", "Name", "tambo-support-20261122-071000.tar.gz"), SaidTone: theme.Good,
		}, both)
	})
	shows(t, "diagnostics-start", func(l words.Language) *screens.Screen {
		f := technician(l)
		f.Training = true
		x := healthFacts()
		x.Devices = x.Devices[1:]
		return screens.Diagnostics(f, screens.DiagnosticsState{Report: health.Judge(x), Said: f.Say("diag.passed", "Code", "MOKA-27"), SaidTone: theme.Good}, calls)
	})
}
