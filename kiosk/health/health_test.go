package health

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 22, 11, 33, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// well is a kiosk of which everything is known and nothing is wrong.
func well() Facts {
	day := 24 * time.Hour
	return Facts{
		At: now, Clock: &ClockFacts{Trusted: true, Known: true, Skew: 200 * time.Millisecond, Signed: ago(time.Hour)},
		Disk: &DiskFacts{Free: 40e9, Total: 100e9, Reserve: 32 << 20}, Vault: &VaultFacts{State: VaultOpen, Entries: 812, Checked: ago(time.Minute)},
		Queue: &QueueFacts{Waiting: 7, Oldest: ago(3 * time.Hour)}, Power: &PowerFacts{Mains: true}, Printer: &PrinterFacts{Prints: true},
		Keys:  &KeyFacts{Agreement: true, Expires: now.Add(90 * day), CertBegins: ago(30 * day), CertEnds: now.Add(60 * day)},
		Road:  &RoadFacts{Hub: "hub.example:8443", At: now, Steps: []RoadMade{{Step: StepLink}, {Step: StepName}, {Step: StepTCP}, {Step: StepTLS}, {Step: StepDates}, {Step: StepHTTP, Status: 200}, {Step: StepClock}}},
		Needs: []Part{PartCamera, PartScanner},
		Devices: []DeviceFacts{
			{Part: PartCamera, Name: "Specimen camera", Model: "1209:0001", Port: "1-4.1", Driver: "uvc", Present: true,
				Stream: &StreamFacts{Rate: 14.9, Frames: 900, At: ago(time.Minute)}, Target: &TargetFacts{Found: true, Sharp: 88, White: 200, Even: 90, At: ago(time.Minute)}},
			{Part: PartScanner, Name: "Specimen scanner", Model: "1209:0003", Port: "1-4.2", Driver: "escl", Present: true,
				Page: &PageFacts{Found: true, Sharp: 70, White: 240, Scale: 100.2, Skew: 0.3, At: ago(time.Hour)}},
		},
	}
}

func fails(step RoadStep, fault RoadFault, status int) func(*Facts) {
	return func(f *Facts) {
		i := slices.IndexFunc(f.Road.Steps, func(m RoadMade) bool { return m.Step == step })
		f.Road.Steps = append(slices.Clone(f.Road.Steps[:i]), RoadMade{Step: step, Fault: fault, Status: status})
		if i < 5 { // the hub was not heard: nothing is known of its time
			f.Clock.Known, f.Clock.Skew = false, 0
		}
	}
}

func gone(i int, at time.Time) func(*Facts) {
	return func(f *Facts) {
		f.Devices[i] = DeviceFacts{Part: f.Devices[i].Part, Port: f.Devices[i].Port, Left: at}
	}
}

// TestVerdict: a fault, and which cause stands first. Never has the parts that
// must not be blamed at all: what the cause explains.
func TestVerdict(t *testing.T) {
	const none = Cause("")
	do := func(fs ...func(*Facts)) func(*Facts) {
		return func(f *Facts) {
			for _, g := range fs {
				g(f)
			}
		}
	}
	cam := func(g func(*DeviceFacts)) func(*Facts) { return func(f *Facts) { g(&f.Devices[0]) } }
	face := func(s StreamFacts, g func(*DeviceFacts)) func(*Facts) {
		return func(f *Facts) {
			s.Frames += 300
			d := DeviceFacts{Part: PartFace, Name: "Specimen face camera", Model: "1209:0004", Port: "1-5", Driver: "uvc", Present: true, Stream: &s}
			if g != nil {
				g(&d)
			}
			f.Devices = append(f.Devices, d)
		}
	}
	untrusted := func(f *Facts) { f.Clock.Trusted = false }
	faults := map[string]struct {
		harm  func(*Facts)
		want  Cause
		part  Part
		port  string
		never []Cause
	}{
		"nothing": {func(*Facts) {}, none, "", "", nil},
		"lost packets": {cam(func(d *DeviceFacts) { d.Stream.Damaged, d.Stream.Lost, d.Stream.Rate = 12, ago(2*time.Minute), 4 }),
			CauseCable, PartCamera, "1-4.1", []Cause{CauseSlowCamera, CauseSlowPort}},
		"lost packets, and blurred by them": {cam(func(d *DeviceFacts) { d.Stream.BusErrors, d.Stream.Lost, d.Target.Sharp = 3, ago(time.Minute), 10 }),
			CauseCable, PartCamera, "1-4.1", []Cause{CauseBlurred}},
		"packets lost last week":   {cam(func(d *DeviceFacts) { d.Stream.Damaged, d.Stream.Lost = 12, ago(7*24*time.Hour) }), none, "", "", nil},
		"three frames say no rate": {cam(func(d *DeviceFacts) { d.Stream.Rate, d.Stream.Frames = 2, 3 }), none, "", "", nil},
		"a rate that nobody took":  {cam(func(d *DeviceFacts) { d.Stream.Rate = 0 }), none, "", "", nil},
		"slow by its link":         {cam(func(d *DeviceFacts) { d.Stream.Rate, d.Slow = 3, true }), CauseSlowPort, PartCamera, "1-4.1", []Cause{CauseSlowCamera, CauseCable}},
		"slow by the kiosk":        {cam(func(d *DeviceFacts) { d.Stream.Rate, d.Stream.Dropped = 6, 600 }), CauseSlowKiosk, PartCamera, "1-4.1", []Cause{CauseCable, CauseSlowCamera}},
		"slow by itself":           {cam(func(d *DeviceFacts) { d.Stream.Rate = 6 }), CauseSlowCamera, PartCamera, "1-4.1", []Cause{CauseCable}},
		"dark, so not sharp":       {cam(func(d *DeviceFacts) { d.Target.White, d.Target.Sharp = 40, 5 }), CauseDark, PartCamera, "1-4.1", []Cause{CauseBlurred}},
		"too bright":               {cam(func(d *DeviceFacts) { d.Target.White = 254 }), CauseBright, PartCamera, "1-4.1", nil},
		"one lamp out":             {cam(func(d *DeviceFacts) { d.Target.Even = 20 }), CauseUneven, PartCamera, "1-4.1", nil},
		"dirty lens":               {cam(func(d *DeviceFacts) { d.Target.Sharp = 30 }), CauseBlurred, PartCamera, "1-4.1", nil},
		"eyes exchanged":           {cam(func(d *DeviceFacts) { d.Target.Swapped = true }), CauseSwapped, PartCamera, "1-4.1", nil},
		"no model before it":       {cam(func(d *DeviceFacts) { *d.Target = TargetFacts{} }), none, "", "", nil},
		"no permission":            {cam(func(d *DeviceFacts) { d.Fault, d.Stream, d.Target = DeviceAccess, nil, nil }), CauseDeviceAccess, PartCamera, "1-4.1", nil},
		"stalls":                   {cam(func(d *DeviceFacts) { d.Fault = DeviceStalled }), CauseDeviceStalled, PartCamera, "1-4.1", []Cause{CauseCable}},
		"busy":                     {cam(func(d *DeviceFacts) { d.Fault = DeviceBusy }), CauseDeviceBusy, PartCamera, "1-4.1", nil},
		"camera gone":              {gone(0, ago(time.Minute)), CauseDeviceGone, PartCamera, "1-4.1", []Cause{CauseUSBHub}},
		"camera never there":       {func(f *Facts) { f.Devices = f.Devices[1:] }, CauseDeviceNever, PartCamera, "", nil},
		"both gone with their hub": {do(gone(0, ago(time.Minute)), gone(1, ago(time.Minute+time.Second))), CauseUSBHub, PartUnknown, "1-4", []Cause{CauseDeviceGone}},
		"both gone, hours apart":   {do(gone(0, ago(time.Minute)), gone(1, ago(3*time.Hour))), CauseDeviceGone, PartCamera, "1-4.1", []Cause{CauseUSBHub}},
		"both gone, another stays": {do(gone(0, ago(time.Minute)), gone(1, ago(time.Minute)), func(f *Facts) {
			f.Devices = append(f.Devices, DeviceFacts{Part: PartUnknown, Port: "1-4.3", Present: true, WhyNot: true})
		}), CauseDeviceGone, PartCamera, "1-4.1", []Cause{CauseUSBHub}},
		"a composite camera gone from its hub": {func(f *Facts) {
			f.Needs, f.Devices = []Part{PartCamera}, []DeviceFacts{{Part: PartCamera, Port: "1-4.1", Left: ago(time.Minute)}, {Part: PartFace, Port: "1-4.1", Left: ago(time.Minute)}}
		}, CauseDeviceGone, PartCamera, "1-4.1", []Cause{CauseUSBHub}},
		"no bus": {do(gone(0, ago(time.Minute)), func(f *Facts) { f.Bus = BusFails }), CauseBus, PartUnknown, "", []Cause{CauseDeviceGone}},
		"broken descriptors": {do(gone(0, ago(time.Minute)), func(f *Facts) {
			f.Devices = append(f.Devices, DeviceFacts{Part: PartUnknown, Port: "1-4.1", Present: true, WhyNot: true, Fault: DeviceDescriptors})
		}), CauseDescriptors, PartCamera, "1-4.1", []Cause{CauseDeviceGone, CauseNoDriver}},
		"another camera": {func(f *Facts) {
			f.Devices[0] = DeviceFacts{Part: PartUnknown, Port: "1-4.1", Model: "046d:0825", Present: true, WhyNot: true, Could: PartCamera}
		}, CauseDeviceDriver, PartCamera, "1-4.1", []Cause{CauseDeviceNever}},
		"a keyboard is no camera": {func(f *Facts) {
			f.Devices[0] = DeviceFacts{Part: PartUnknown, Port: "1-9", Present: true, WhyNot: true}
		}, CauseDeviceNever, PartCamera, "", []Cause{CauseDeviceDriver}},
		"a mouse besides": {func(f *Facts) {
			f.Devices = append(f.Devices, DeviceFacts{Part: PartUnknown, Port: "1-9", Present: true, WhyNot: true})
		}, CauseNoDriver, PartUnknown, "1-9", nil},
		"a face camera at ten a second":           {face(StreamFacts{Rate: 9.9}, nil), none, "", "", nil},
		"a face camera that loses packets":        {face(StreamFacts{Rate: 4, Damaged: 12, Lost: ago(2 * time.Minute)}, nil), CauseCable, PartFace, "1-5", []Cause{CauseSlowCamera}},
		"a face camera with bus errors":           {face(StreamFacts{Rate: 15, BusErrors: 2, Lost: ago(2 * time.Minute)}, nil), CauseCable, PartFace, "1-5", nil},
		"a face camera slow by itself":            {face(StreamFacts{Rate: 7.4}, nil), CauseSlowCamera, PartFace, "1-5", []Cause{CauseCable}},
		"a face camera slow by its link":          {face(StreamFacts{Rate: 2}, func(d *DeviceFacts) { d.Slow = true }), CauseSlowPort, PartFace, "1-5", []Cause{CauseSlowCamera}},
		"a face camera that nobody keeps up with": {face(StreamFacts{Rate: 5, Dropped: 200}, nil), CauseSlowKiosk, PartFace, "1-5", []Cause{CauseSlowCamera}},
		"a face camera that hangs":                {face(StreamFacts{}, func(d *DeviceFacts) { d.Fault = DeviceStalled }), CauseDeviceStalled, PartFace, "1-5", []Cause{CauseCable}},
		"one device, the face stream loses":       {face(StreamFacts{Damaged: 3, Lost: ago(time.Minute)}, func(d *DeviceFacts) { d.Port = "1-4.1" }), CauseCable, PartFace, "1-4.1", nil},
		"scanner stretches":                       {func(f *Facts) { f.Devices[1].Page.Scale = 97 }, CauseScanScale, PartScanner, "1-4.2", nil},
		"scanner dirty":                           {func(f *Facts) { f.Devices[1].Page.White = 120 }, CauseScanDirty, PartScanner, "1-4.2", nil},

		"name":                             {fails(StepName, RoadNoName, 0), CauseName, PartHub, "", []Cause{CauseLink}},
		"no link":                          {fails(StepLink, RoadNoLink, 0), CauseLink, PartHub, "", []Cause{CauseName}},
		"refused":                          {fails(StepTCP, RoadRefused, 0), CauseRefused, PartHub, "", nil},
		"timeout":                          {fails(StepTCP, RoadTimeout, 0), CauseTimeout, PartHub, "", nil},
		"no way":                           {fails(StepTCP, RoadNoWay, 0), CauseNoWay, PartHub, "", nil},
		"impostor":                         {fails(StepTLS, RoadImpostor, 0), CauseImpostor, PartHub, "", []Cause{CauseClockWrong}},
		"500":                              {fails(StepHTTP, RoadStatus, 500), CauseHubError, PartHub, "", nil},
		"rejected":                         {fails(StepHTTP, RoadRejected, 0), CauseRejected, PartHub, "", nil},
		"cut":                              {fails(StepHTTP, RoadCut, 0), CauseCut, PartHub, "", nil},
		"hub expired, clock sure":          {fails(StepDates, RoadExpired, 0), CauseHubCert, PartHub, "", []Cause{CauseClockWrong}},
		"hub expired, clock not sure":      {do(fails(StepDates, RoadExpired, 0), untrusted), CauseClockWrong, PartClock, "", []Cause{CauseHubCert, CauseClockUnsure}},
		"hub's begins later":               {fails(StepDates, RoadEarly, 0), CauseClockWrong, PartClock, "", []Cause{CauseHubCert, CauseImpostor}},
		"skew":                             {do(fails(StepClock, RoadSkew, 0), func(f *Facts) { f.Clock.Known, f.Clock.Skew = true, -26*time.Hour }), CauseClockWrong, PartClock, "", []Cause{CauseHubError}},
		"clock before our own certificate": {do(fails(StepDates, RoadEarly, 0), func(f *Facts) { f.Keys.CertBegins, f.Keys.Expires = now.Add(time.Hour), ago(time.Hour) }), CauseClockWrong, PartClock, "", []Cause{CauseAgreementOver}},
		"agreement over and clock wrong":   {func(f *Facts) { f.Clock.Skew, f.Keys.Expires = 400*24*time.Hour, ago(time.Hour) }, CauseClockWrong, PartClock, "", []Cause{CauseAgreementOver}},
		"clock not certain":                {untrusted, CauseClockUnsure, PartClock, "", nil},
		"no hub":                           {func(f *Facts) { f.Road, f.Keys = &RoadFacts{}, &KeyFacts{} }, CauseNoHub, PartHub, "", []Cause{CauseNoAgreement}},
		"own certificate over":             {do(fails(StepHTTP, RoadRejected, 0), func(f *Facts) { f.Keys.CertEnds = ago(time.Hour) }), CauseCertOver, PartKeys, "", []Cause{CauseRejected}},
		"agreement over":                   {func(f *Facts) { f.Keys.Expires = ago(time.Hour) }, CauseAgreementOver, PartKeys, "", nil},
		"agreement soon":                   {func(f *Facts) { f.Keys.Expires = now.Add(48 * time.Hour) }, CauseAgreementSoon, PartKeys, "", nil},
		"no agreement":                     {func(f *Facts) { f.Keys.Agreement = false }, CauseNoAgreement, PartKeys, "", nil},
		"queue old, road open":             {func(f *Facts) { f.Queue.Oldest = ago(50 * time.Hour) }, CauseQueueOld, PartQueue, "", nil},
		"queue old, since the hub is down": {do(fails(StepTCP, RoadRefused, 0), func(f *Facts) { f.Queue.Oldest = ago(50 * time.Hour) }), CauseRefused, PartHub, "", []Cause{CauseQueueOld}},
		"the hub refused records":          {func(f *Facts) { f.Queue.Refused = 2 }, CausePackages, PartQueue, "", nil},

		"vault damaged":           {func(f *Facts) { *f.Vault = VaultFacts{State: VaultDamaged, File: "vault.db"} }, CauseVaultDamaged, PartVault, "", nil},
		"vault in use":            {func(f *Facts) { *f.Vault = VaultFacts{State: VaultInUse} }, none, "", "", nil},
		"a file of it":            {func(f *Facts) { f.Vault.Damaged = 1 }, CauseVaultFiles, PartVault, "", nil},
		"disk full, vault closed": {func(f *Facts) { f.Disk.Free, f.Vault.State = 1<<20, VaultClosed }, CauseDiskFull, PartDisk, "", []Cause{CauseVaultClosed}},
		"disk read-only":          {func(f *Facts) { f.Disk.ReadOnly, f.Disk.Refused, f.Vault.State = true, true, VaultClosed }, CauseDiskReadOnly, PartDisk, "", []Cause{CauseVaultClosed, CauseDiskRefuses}},
		"disk low":                {func(f *Facts) { f.Disk.Free = 3e9 }, CauseDiskLow, PartDisk, "", nil},
		"disk failing":            {func(f *Facts) { f.Disk.Errors = 4 }, CauseDiskFailing, PartDisk, "", nil},
		"disk cannot read":        {func(f *Facts) { f.Disk.Asked, f.Disk.Unreadable = true, 4 }, CauseDiskFailing, PartDisk, "", []Cause{CauseDiskDying}},
		"disk says that it fails": {func(f *Facts) { f.Disk.Failing, f.Disk.Errors, f.Disk.Unreadable, f.Disk.Worn = true, 4, 2, 99 }, CauseDiskDying, PartDisk, "", []Cause{CauseDiskFailing, CauseDiskWorn}},
		"disk worn":               {func(f *Facts) { f.Disk.Asked, f.Disk.Worn = true, 95 }, CauseDiskWorn, PartDisk, "", nil},
		"battery":                 {func(f *Facts) { *f.Power = PowerFacts{Percent: 9} }, CauseBattery, PartPower, "", nil},
		"camera gone, hub down":   {do(gone(0, ago(time.Minute)), fails(StepTCP, RoadRefused, 0)), CauseDeviceGone, PartCamera, "1-4.1", nil},
		"vault gone, cable loses": {do(cam(func(d *DeviceFacts) { d.Stream.Damaged, d.Stream.Lost = 1, now }), func(f *Facts) { f.Vault.State = VaultMissing }), CauseVaultMissing, PartVault, "", nil},
	}
	t.Logf("%d faults", len(faults))
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			f := well()
			c.harm(&f)
			r := Judge(f)
			v, any := r.Verdict()
			if v.Cause != c.want || any != (c.want != none) || v.Part != c.part || v.Port != c.port {
				t.Errorf("verdict %+v, want %s of %s at %q; all %+v", v, c.want, c.part, c.port, r.Findings)
			}
			for _, x := range r.Findings {
				if slices.Contains(c.never, x.Cause) {
					t.Errorf("blames %s as well, which %s explains", x.Cause, c.want)
				}
			}
			for i := 1; i < len(r.Findings); i++ {
				if r.Findings[i].Weight > r.Findings[i-1].Weight {
					t.Error("not in the order of weight")
				}
			}
		})
	}
}

// TestUnknownIsNotWell: what nobody looked at is said to be unknown, and no
// figure is made up for it.
func TestUnknownIsNotWell(t *testing.T) {
	r := Judge(Facts{At: now})
	if len(r.Findings) != 0 || len(r.Unknown) != 6 {
		t.Errorf("%+v", r)
	}
	for _, l := range r.Lines {
		if len(l.Figs) > 0 || l.Known {
			t.Errorf("%+v was never looked at", l)
		}
	}
	for _, l := range Judge(well()).Lines {
		if !l.Known || l.Weight != Well {
			t.Errorf("%+v", l)
		}
		for _, g := range l.Figs {
			if g.Low() {
				t.Errorf("%s: %+v is below its floor", l.Part, g)
			}
		}
	}
	if w := Judge(well()).Worked; len(w) != 5 || w[0].What != WorkedHub {
		t.Errorf("worked: %+v", w)
	}
}

// TestOneOfTwoCameras: of two cameras of one kind in one device only the one that
// fails is blamed, and their lines are told apart.
func TestOneOfTwoCameras(t *testing.T) {
	f := well()
	one := DeviceFacts{Part: PartFace, Name: "Specimen twin", Port: "1-5", Driver: "uvc", Present: true}
	two := one
	two.Function, two.Fault, two.FaultAt = 2, DeviceBusy, ago(time.Minute)
	f.Devices = append(f.Devices, one, two)
	r := Judge(f)
	if v, _ := r.Verdict(); len(r.Findings) != 1 || v.Cause != CauseDeviceBusy || v.Part != PartFace || v.Port != "1-5" || v.Function != 2 {
		t.Errorf("%+v", r.Findings)
	}
	var lines []Line
	for _, l := range r.Lines {
		if l.Part == PartFace {
			lines = append(lines, l)
		}
	}
	if len(lines) != 2 || lines[0].Name == lines[1].Name || lines[0].Weight != Well || lines[1].Cause != CauseDeviceBusy {
		t.Errorf("%+v", lines)
	}
}

// TestLinesOfBothCameras: each has its own floor of frames a second, and losses and
// errors of the bus are told apart.
func TestLinesOfBothCameras(t *testing.T) {
	f := well()
	f.Devices[0].Stream.Damaged, f.Devices[0].Stream.BusErrors = 3, 2
	f.Devices = append(f.Devices, DeviceFacts{Part: PartFace, Port: "1-4.1", Present: true, Stream: &StreamFacts{Rate: 9, Frames: 100, Latency: 30 * time.Millisecond}})
	figs := map[Part]map[string]Figure{}
	for _, l := range Judge(f).Lines {
		figs[l.Part] = map[string]Figure{}
		for _, g := range l.Figs {
			figs[l.Part][g.Key] = g
		}
	}
	iris, face := figs[PartCamera], figs[PartFace]
	if g := iris[FigRate]; g.Low() || *g.Floor != 12 {
		t.Errorf("iris: %+v", g)
	}
	if g := face[FigRate]; g.Low() || *g.Floor != 8 {
		t.Errorf("face: %+v", g)
	}
	if iris[FigLost].Value != 3 || iris[FigBus].Value != 2 || !iris[FigLost].Low() || !iris[FigBus].Low() || face[FigLate].Value != 30 || face[FigBus].Low() {
		t.Errorf("%+v, %+v", iris, face)
	}
}

func TestEveryCauseIsListedOnce(t *testing.T) {
	seen := map[Cause]bool{}
	for _, c := range causes {
		if seen[c.Cause] || c.Weight == Well {
			t.Errorf("%s", c.Cause)
		}
		seen[c.Cause] = true
	}
	for f, c := range roadCauses {
		if !seen[c] {
			t.Errorf("%s: %s has no weight", f, c)
		}
	}
}

// TestNotesHoldNoValues: a note that tries to say more than codes is refused.
func TestNotesHoldNoValues(t *testing.T) {
	good := []Note{
		{At: now, Kind: NoteShown, Key: "fault.device", Page: "irises"}, {At: now, Kind: NoteShown, Key: "fault.device", Page: "held/type"},
		{At: now, Kind: NoteLost, Part: PartCamera, Port: "1-4.2", Count: 12}, {At: now, Kind: NoteLeft, Part: PartFace, Port: "1-4.2", Function: 2},
		{At: now, Kind: NoteFault, Code: "MOKA-27", Findings: Judge(well()).Findings},
		{At: now, Kind: NoteFault, Code: "MOKA-27", Findings: []Finding{{Part: PartHub, Cause: CauseRefused, Name: "hub.example:8443"}, {Part: PartVault, Cause: CauseVaultDamaged, Name: "vault.db"}}},
	}
	for _, n := range good {
		b, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseNote(b)
		if err != nil || back.Kind != n.Kind || back.Port != n.Port || back.Function != n.Function {
			t.Errorf("%s: %v", b, err)
		}
	}
	for _, line := range []string{
		`{"at":"2026-11-22T11:33:00Z","kind":"shown","key":"Ollanta Dabrowski"}`, `{"at":"2026-11-22T11:33:00Z","kind":"shown","key":"fault.device","page":"irises 0417"}`,
		`{"at":"2026-11-22T11:33:00Z","kind":"lost","part":"camera","port":"Quispe"}`, `{"at":"2026-11-22T11:33:00Z","kind":"left","part":"face","port":"1-1","function":256}`, `{"at":"2026-11-22T11:33:00Z","kind":"fault","code":"QUISPE"}`,
		`{"at":"2026-11-22T11:33:00Z","kind":"lost","part":"Quispe"}`, `{"at":"2026-11-22T11:33:00Z","kind":"lost","name":"Quispe"}`,
		`{"at":"2026-11-22T11:33:00Z","kind":"fault","findings":[{"part":"hub","cause":"refused","name":"Ollanta Dabrowski"}]}`,
		`{"at":"2026-11-22T11:33:00Z","kind":"fault","findings":[{"part":"hub","cause":"Quispe"}]}`, `{"kind":"shown","key":"fault.device"}`, `{"at":"2026-11-22T11:33:00Z","kind":"shown"}`, `null`, ``,
	} {
		if n, err := ParseNote([]byte(line)); !errors.Is(err, ErrNote) {
			t.Errorf("%s was taken: %+v, %v", line, n, err)
		}
	}
}

func TestCodes(t *testing.T) {
	for range 2000 {
		c, err := NewCode(rand.Reader)
		if err != nil || !codeForm.MatchString(c) || slices.Contains(rude, c[:4]) {
			t.Fatal(c, err)
		}
		for _, heard := range []string{c, strings.ToLower(c), strings.ReplaceAll(c, "-", " "), strings.ReplaceAll(c, "K", "c")} {
			if SpokenCode(heard) != c {
				t.Fatalf("%q was heard as %q", c, SpokenCode(heard))
			}
		}
	}
	if _, err := NewCode(bytes.NewReader(nil)); err == nil {
		t.Error("a code out of nothing")
	}
}

func FuzzNote(f *testing.F) {
	b, _ := json.Marshal(Note{At: now, Kind: NoteFault, Code: "MOKA-27", Findings: []Finding{{Part: PartHub, Cause: CauseRefused, Name: "hub:1"}}})
	f.Add(b)
	f.Fuzz(func(t *testing.T, line []byte) {
		if n, err := ParseNote(line); err == nil && n.Check() != nil {
			t.Error("an unchecked note")
		}
	})
}
