package ippusb

import (
	"bytes"
	"context"
	"strconv"
	"sync"

	"tambo/devices/usb"
)

// fakeDevice has a handler a request and pipes that keep what nobody read, as
// real ones do.
type fakeDevice struct {
	mu       sync.Mutex
	claimed  map[int]*fakeIface
	busy     map[int]bool
	noSoft   bool // stalls SOFT_RESET
	resets   int
	hard     int
	gone     chan struct{}
	goneOnce sync.Once
	handle   func(i *fakeIface, req string)
}

func newFake(handle func(i *fakeIface, req string)) *fakeDevice {
	return &fakeDevice{claimed: map[int]*fakeIface{}, busy: map[int]bool{}, gone: make(chan struct{}), handle: handle}
}

func (d *fakeDevice) unplug() { d.goneOnce.Do(func() { close(d.gone) }) }

func (d *fakeDevice) Info() usb.DeviceInfo { return usb.DeviceInfo{} }
func (d *fakeDevice) Close() error         { return nil }

func (d *fakeDevice) Control(_ context.Context, s usb.Setup, _ []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.gone:
		return 0, usb.ErrGone
	default:
	}
	if s.Request != 2 || d.noSoft {
		return 0, usb.ErrStall
	}
	d.resets++
	d.claimed[int(s.Index)].clear()
	return 0, nil
}

func (d *fakeDevice) Claim(_ context.Context, number int) (usb.Interface, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[number] {
		return nil, usb.ErrBusy
	}
	if i := d.claimed[number]; i != nil {
		return i, nil
	}
	i := &fakeIface{d: d, n: number, more: make(chan struct{})}
	d.claimed[number] = i
	return i, nil
}

func (d *fakeDevice) Reset(context.Context) error { d.hard++; return nil }

type fakeIface struct {
	d *fakeDevice
	n int

	mu       sync.Mutex
	in       bytes.Buffer // towards the host
	stall    bool
	more     chan struct{} // closed when in grew
	out      bytes.Buffer
	released int
	noShort  bool // never ends a transfer by a short packet: bytes wait for the timeout
	zlps     int  // empty packets before the next bytes
	lastZLP  bool
	alts     int
	// endless is sent again and again when all else is read; a reset ends it unless
	// the device is deaf.
	endless string
	at      int // in endless
	deaf    bool
	sent    int64 // bytes
}

func (i *fakeIface) clear() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.in.Reset()
	i.out.Reset()
	i.stall = false
	if !i.deaf {
		i.endless = ""
	}
}

// babble sends a piece for ever.
func (i *fakeIface) babble(piece string, deaf bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.endless, i.at, i.deaf = piece, 0, deaf
	close(i.more)
	i.more = make(chan struct{})
}

func (i *fakeIface) send(s string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.in.WriteString(s)
	close(i.more)
	i.more = make(chan struct{})
}

func (i *fakeIface) halt() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stall = true
	close(i.more)
	i.more = make(chan struct{})
}

func (i *fakeIface) Number() int                           { return i.n }
func (i *fakeIface) SetAlt(_ context.Context, _ int) error { i.alts++; i.clear(); return nil }

func (i *fakeIface) Read(ctx context.Context, _ uint8, p []byte) (int, error) {
	for {
		i.mu.Lock()
		more, hold := i.more, i.noShort && ctx.Err() == nil
		switch {
		case i.stall:
			i.mu.Unlock()
			return 0, usb.ErrStall
		case i.zlps > 0 && i.in.Len() > 0:
			i.zlps--
			i.mu.Unlock()
			return 0, nil
		case i.in.Len() > 0 && !hold:
			n, _ := i.in.Read(p)
			i.mu.Unlock()
			if ctx.Err() != nil {
				return n, usb.ErrTimeout
			}
			return n, nil
		case i.endless != "" && ctx.Err() == nil:
			n := copy(p, i.endless[i.at:])
			i.at = (i.at + n) % len(i.endless)
			i.sent += int64(n)
			i.mu.Unlock()
			return n, nil
		}
		i.mu.Unlock()
		select {
		case <-more:
		case <-i.d.gone:
			return 0, usb.ErrGone
		case <-ctx.Done():
			if i.noShort {
				continue
			}
			return 0, usb.ErrTimeout
		}
	}
}

func (i *fakeIface) Write(_ context.Context, _ uint8, p []byte, zlp bool) (int, error) {
	select {
	case <-i.d.gone:
		return 0, usb.ErrGone
	default:
	}
	i.mu.Lock()
	i.out.Write(p)
	i.lastZLP = zlp
	req := ""
	if head, rest, ok := bytes.Cut(i.out.Bytes(), []byte("\r\n\r\n")); ok {
		n := 0
		if _, v, ok := bytes.Cut(head, []byte("Content-Length: ")); ok {
			v, _, _ = bytes.Cut(v, []byte("\r\n"))
			n, _ = strconv.Atoi(string(v))
		}
		if len(rest) >= n {
			req = i.out.String()
			i.out.Reset()
		}
	}
	i.mu.Unlock()
	if req != "" {
		go i.d.handle(i, req)
	}
	return len(p), nil
}

func (i *fakeIface) Stream(context.Context, uint8, int, int) (usb.Stream, error) {
	return nil, usb.ErrNotFound
}

func (i *fakeIface) Packets(context.Context, uint8, int, int) (usb.PacketStream, error) {
	return nil, usb.ErrNotFound
}

func (i *fakeIface) ClearHalt(context.Context, uint8) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stall = false
	return nil
}

func (i *fakeIface) Release() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.released++
	return nil
}
