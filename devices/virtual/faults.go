package virtual

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Faults is how a device misbehaves. Chances are 0 to 1 and are rolled for each
// piece of data that a bulk or interrupt endpoint sends or takes, one for each
// kind; of an isochronous endpoint, for each packet. The zero value is a healthy
// device.
type Faults struct {
	Drop    float64 // the data is lost; the host sees nothing of it
	Corrupt float64 // some bytes are changed
	Short   float64 // the transfer ends early
	Babble  float64 // more is sent than asked for: the transfer fails
	Stall   float64 // the endpoint halts
	Error   float64 // the transfer fails (bit errors that the bus gave up on)
	Hang    float64 // the transfer never completes
	Delay   float64 // DelayBy passes first
	DelayBy time.Duration
	Unplug  float64 // the device is unplugged in the middle

	// Endpoint limits these to one endpoint (with its direction bit); 0 is all.
	Endpoint uint8
	// Control lets them also strike control transfers.
	Control bool

	// Descriptor damages the configuration descriptor: "truncate" ends it in the
	// middle, "zero" has a descriptor of length zero, "lie" a wTotalLength that
	// is not so, "noise" random bytes.
	Descriptor string

	// For the camera: the payload header's error bit is set, its frame bit is
	// not toggled, its end-of-frame bit is missing.
	ErrorBit, KeepFID, NoEOF float64

	// Disorder lets isochronous packets change places. Of the others, what the
	// bus would notice comes as a damaged packet.
	Disorder float64

	Seed uint64 // of the dice
}

// fields names what ParseFaults takes.
func (f *Faults) fields() map[string]*float64 {
	return map[string]*float64{
		"drop": &f.Drop, "corrupt": &f.Corrupt, "short": &f.Short, "babble": &f.Babble, "stall": &f.Stall,
		"error": &f.Error, "hang": &f.Hang, "delay": &f.Delay, "unplug": &f.Unplug,
		"errorbit": &f.ErrorBit, "keepfid": &f.KeepFID, "noeof": &f.NoEOF,
		"disorder": &f.Disorder,
	}
}

// ParseFaults reads "drop=0.1 delay=0.2 delayby=20ms endpoint=0x81 control=true
// descriptor=zero seed=7". The empty string and "none" are the zero Faults.
func ParseFaults(text string) (Faults, error) {
	var f Faults
	if strings.TrimSpace(text) == "none" {
		return f, nil
	}
	for _, word := range strings.Fields(text) {
		key, val, ok := strings.Cut(word, "=")
		if !ok {
			return Faults{}, fmt.Errorf("fault %q: want name=value", word)
		}
		if err := f.set(key, val); err != nil {
			return Faults{}, fmt.Errorf("fault %q: %w", word, err)
		}
	}
	return f, nil
}

func (f *Faults) set(key, val string) (err error) {
	if p := f.fields()[key]; p != nil {
		*p, err = strconv.ParseFloat(val, 64)
		if err == nil && !(*p >= 0 && *p <= 1) {
			err = fmt.Errorf("a chance is 0 to 1")
		}
		return err
	}
	switch key {
	case "delayby":
		f.DelayBy, err = time.ParseDuration(val)
	case "endpoint":
		var v uint64
		v, err = strconv.ParseUint(val, 0, 8)
		f.Endpoint = uint8(v)
	case "control":
		f.Control, err = strconv.ParseBool(val)
	case "seed":
		f.Seed, err = strconv.ParseUint(val, 10, 64)
	case "descriptor":
		f.Descriptor = val
		if _, ok := damages[val]; !ok {
			err = fmt.Errorf("truncate, zero, lie or noise")
		}
	default:
		err = fmt.Errorf("no such fault")
	}
	return err
}

// action is what the dice said for one piece of data.
type action struct {
	drop, corrupt, short, babble, stall, fail, hang, unplug bool
	delay                                                   time.Duration
}

// faulter rolls the dice of one Faults. Safe for concurrent use.
type faulter struct {
	f Faults

	mu   sync.Mutex
	dice *rand.Rand
}

func newFaulter(f Faults) *faulter {
	return &faulter{f: f, dice: rand.New(rand.NewPCG(f.Seed, 0x7461_6d62_6f))}
}

func (r *faulter) roll(ep uint8) action {
	f := &r.f
	if *f == (Faults{}) || (f.Endpoint != 0 && f.Endpoint != ep) || (ep == 0 && !f.Control) {
		return action{}
	}
	a := action{
		drop: r.hit(f.Drop), corrupt: r.hit(f.Corrupt), short: r.hit(f.Short), babble: r.hit(f.Babble),
		stall: r.hit(f.Stall), fail: r.hit(f.Error), hang: r.hit(f.Hang), unplug: r.hit(f.Unplug),
	}
	if r.hit(f.Delay) {
		a.delay = f.DelayBy
	}
	return a
}

// hit rolls one chance.
func (r *faulter) hit(chance float64) bool {
	if chance <= 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dice.Float64() < chance
}

// cut picks a length shorter than n.
func (r *faulter) cut(n int) int {
	if n == 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dice.IntN(n)
}

// scramble changes one to eight bytes.
func (r *faulter) scramble(b []byte) {
	if len(b) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for range 1 + r.dice.IntN(8) {
		b[r.dice.IntN(len(b))] ^= byte(1 + r.dice.IntN(255))
	}
}

// damages are the wrong descriptors; each gets a copy.
var damages = map[string]func(r *faulter, b []byte) []byte{
	"truncate": func(_ *faulter, b []byte) []byte { return b[:len(b)*2/3] },
	"zero":     func(_ *faulter, b []byte) []byte { b[9] = 0; return b },
	"lie":      func(_ *faulter, b []byte) []byte { b[2], b[3] = 0xff, 0x7f; return b },
	"noise": func(r *faulter, b []byte) []byte {
		for range 8 {
			r.scramble(b[9:])
		}
		return b
	},
}

func (r *faulter) descriptor(b []byte) []byte {
	b = append([]byte(nil), b...)
	if d := damages[r.f.Descriptor]; d != nil && len(b) > 9 {
		return d(r, b)
	}
	return b
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
