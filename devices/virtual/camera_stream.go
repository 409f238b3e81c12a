package virtual

import (
	"context"
	"encoding/binary"
	"image"
	"time"
)

// videoFormat is a format that a stream offers, in sizes.
type videoFormat struct {
	coding coding
	sizes  []image.Point
}

// videoStream is one streaming interface. Its endpoint's goroutine alone uses
// the sending state; the negotiated state is guarded by camera.mu.
type videoStream struct {
	c        *camera
	sensor   *sensor
	part     int // which of the sensor's frames
	index    int
	ep       uint8
	number   int // of the interface
	payload  int // dwMaxPayloadTransferSize
	formats  []videoFormat
	interval []time.Duration // offered, the quickest first
	// isochronous streams have alternate settings in place of a bulk endpoint,
	// and flow while one of them is selected.
	isochronous bool
	flowing     bool
	still       image.Point // size of stills, zero where it takes none
	stillPipe   bool        // they come on an endpoint of their own
	triggered   bool        // one was asked for
	stillFormat uint8       // that was committed
	stillEpoch  int         // grows with every trigger, abort and stop

	probe     probe
	agreed    probe
	committed bool
	epoch     int // grows with every commit and stop

	sent   sending
	stills sending // of the endpoint of stills, which has a goroutine of its own
}

// stillEP is the endpoint of stills.
func (s *videoStream) stillEP() uint8 { return s.ep + 8 }

// probe is the part of the probe and commit controls that the camera uses.
type probe struct {
	format, frame uint8
	interval      uint32 // 100 ns
}

// mode of a probe that negotiate made.
func (s *videoStream) mode(p probe) videoMode {
	f := s.formats[p.format-1]
	return videoMode{f.coding, f.sizes[p.frame-1]}
}

// offered reports whether the stream has what a probe names.
func (s *videoStream) offered(p probe) bool {
	return p.format >= 1 && int(p.format) <= len(s.formats) && p.frame >= 1 && int(p.frame) <= len(s.formats[p.format-1].sizes)
}

// negotiate answers with what the camera will do.
func (s *videoStream) negotiate(asked probe) probe {
	if asked.format < 1 || int(asked.format) > len(s.formats) {
		asked.format = 1
	}
	if asked.frame < 1 || int(asked.frame) > len(s.formats[asked.format-1].sizes) {
		asked.frame = 1
	}
	best := s.interval[0]
	for _, v := range s.interval[1:] {
		want := time.Duration(asked.interval) * 100
		if asked.interval != 0 && (v-want).Abs() < (best-want).Abs() {
			best = v
		}
	}
	asked.interval = uint32(best / 100)
	return asked
}

// sending is where a stream is in its frame.
type sending struct {
	epoch   int
	start   time.Time // of the plugging that last belongs to
	agreed  probe
	last    int64     // index of the newest exposure that was begun
	frame   *exposure // nil between frames
	offset  int
	fid     byte
	payload []byte // rest of the payload in progress
	zlp     bool   // a zero-length packet ends it
	idle    int    // microframes without a frame
	marks   byte   // what the payloads of this frame are marked with
}

// stop ends streaming; camera.mu is held.
func (s *videoStream) stop() {
	s.committed, s.flowing, s.triggered = false, false, false
	s.epoch++
	s.stillEpoch++
	s.probe = s.negotiate(probe{})
}

const payloadHeader = 12

// Bits of bmHeaderInfo (UVC 1.1, 2.4.3.3).
const (
	headFID = 1 << 0
	headEOF = 1 << 1
	headPTS = 1 << 2
	headSCR = 1 << 3
	headSTI = 1 << 5
	headERR = 1 << 6
	headEOH = 1 << 7
)

// in sends the next bytes of the payload in progress, or begins the next one.
func (s *videoStream) in(ctx context.Context, p []byte) (int, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	st := &s.sent
	if st.zlp {
		st.zlp = false
		return 0, nil
	}
	if len(st.payload) == 0 {
		if err := s.nextFrame(ctx); err != nil {
			return 0, err
		}
		st.payload = s.compose(st, s.payload, time.Now())
		st.zlp = len(st.payload)%bulkPacket == 0 && len(st.payload) < s.payload
	}
	n := copy(p, st.payload)
	st.payload = st.payload[n:]
	return n, nil
}

// nextFrame begins a frame where none is in progress.
func (s *videoStream) nextFrame(ctx context.Context) error {
	st := &s.sent
	if st.frame != nil || s.beginStill() {
		return nil
	}
	e, err := s.sensor.newer(ctx, st.last, time.Duration(st.agreed.interval)*100, s.mode(st.agreed))
	if err != nil {
		return err
	}
	s.expose(st, e)
	return nil
}

// beginStill begins a still that was asked for.
func (s *videoStream) beginStill() bool {
	if s.stillPipe {
		return false
	}
	s.c.mu.Lock()
	shot, m, wanted := s.stillWanted()
	s.c.mu.Unlock()
	if wanted {
		s.exposeStill(&s.sent, shot, m)
	}
	return wanted
}

// stillWanted takes up the trigger; camera.mu is held.
func (s *videoStream) stillWanted() (shot Shot, m videoMode, wanted bool) {
	if !s.triggered {
		return shot, m, false
	}
	s.triggered = false
	at := time.Since(s.c.start)
	return Shot{Index: uint64(at / s.sensor.interval), At: at}, videoMode{s.formats[s.stillFormat-1].coding, s.still}, true
}

func (s *videoStream) exposeStill(st *sending, shot Shot, m videoMode) {
	last := st.last
	s.expose(st, &exposure{shot: shot, mode: m, frames: s.sensor.frames(shot, m)})
	st.marks, st.last = headSTI, last
}

// inStill sends the next bytes of the still that was asked for, on its own endpoint
// (UVC 1.1, 2.4.2.4); one that was aborted ends in the middle.
func (s *videoStream) inStill(ctx context.Context, p []byte) (int, error) {
	st := &s.stills
	for {
		s.c.mu.Lock()
		if st.epoch != s.stillEpoch {
			*st = sending{epoch: s.stillEpoch, fid: st.fid}
		}
		shot, m, wanted := s.stillWanted()
		change := s.c.change
		s.c.mu.Unlock()
		if wanted {
			s.exposeStill(st, shot, m)
		}
		if st.zlp {
			st.zlp = false
			return 0, nil
		}
		if len(st.payload) == 0 && st.frame != nil {
			st.payload = s.compose(st, s.payload, time.Now())
			st.zlp = len(st.payload)%bulkPacket == 0 && len(st.payload) < s.payload
		}
		if len(st.payload) > 0 {
			n := copy(p, st.payload)
			st.payload = st.payload[n:]
			return n, nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// expose begins the frame of an exposure.
func (s *videoStream) expose(st *sending, e *exposure) {
	st.marks = 0
	st.frame, st.offset, st.last = e, 0, int64(e.shot.Index)
	if f := s.c.dev.faulter(); !f.hit(f.f.KeepFID) {
		st.fid ^= headFID
	}
}

// isoSettings are the bandwidths of an isochronous stream: bytes a microframe and
// wMaxPacketSize with its additional transactions.
var isoSettings = []struct{ bytes, code int }{
	{192, 192}, {384, 384}, {512, 512}, {640, 640}, {800, 800}, {944, 944},
	{1280, 1<<11 | 640}, {1600, 1<<11 | 800}, {1984, 1<<11 | 992}, {2688, 2<<11 | 896}, {3072, 2<<11 | 1024},
}

// bandwidth is what a mode needs of an isochronous microframe, with the header
// and a tenth to spare.
func (s *videoStream) bandwidth(p probe) int {
	m, frames := s.mode(p), max(int64(p.interval)*100/int64(125*time.Microsecond), 1)
	n := m.bytes()
	if m.coding == codeMJPEG {
		n /= 2
	}
	return int(int64(n)*11/10/frames) + payloadHeader
}

// packet is what the stream sends in one microframe: a payload, or its header
// alone while there is no frame, as cameras do.
func (s *videoStream) packet(at time.Time, p []byte) int {
	c := s.c
	c.mu.Lock()
	if !s.flowing || !s.committed || len(p) <= payloadHeader {
		c.mu.Unlock()
		return 0
	}
	if s.sent.epoch != s.epoch {
		s.begin(s.epoch, c.start, s.agreed)
	}
	st := &s.sent
	var e *exposure
	if st.frame == nil {
		e, _, _ = s.sensor.look(st.last, time.Duration(st.agreed.interval)*100, s.mode(st.agreed))
	}
	c.mu.Unlock()
	if st.frame == nil && !s.beginStill() && e != nil {
		s.expose(st, e)
	}
	if st.frame != nil {
		return copy(p, s.compose(st, len(p), at))
	}
	if st.idle++; st.idle%4 == 0 {
		return copy(p, []byte{2, st.fid | headEOF | headEOH})
	}
	return 0
}

// ready waits until the stream is committed and takes up a new commitment.
func (s *videoStream) ready(ctx context.Context) error {
	for {
		s.c.mu.Lock()
		ok, epoch, start, change, agreed := s.committed, s.epoch, s.c.start, s.c.change, s.agreed
		s.c.mu.Unlock()
		if ok {
			if s.sent.epoch != epoch {
				s.begin(epoch, start, agreed)
			}
			return ctx.Err()
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin takes up a new commitment: at the start of a frame, with the other frame
// bit, after the exposures that were sent before.
func (s *videoStream) begin(epoch int, start time.Time, agreed probe) {
	last := s.sent.last
	if s.sent.start != start {
		last = -1
	}
	// What was exposed before the host asked shows who sat there before.
	last = max(last, int64(time.Since(start)/s.sensor.interval))
	s.sent = sending{epoch: epoch, start: start, agreed: agreed, last: last, fid: s.sent.fid}
}

// compose makes the next payload of the frame in progress, of limit bytes at
// most, that is sent at a time.
func (s *videoStream) compose(st *sending, limit int, at time.Time) []byte {
	fault := s.c.dev.faulter()
	frame := st.frame.frames[s.part]
	data := frame[st.offset:]
	data = data[:min(len(data), limit-payloadHeader)]
	st.offset += len(data)
	info := st.fid | st.marks | headPTS | headSCR | headEOH
	if st.offset == len(frame) && !fault.hit(fault.f.NoEOF) {
		info |= headEOF
	}
	if fault.hit(fault.f.ErrorBit) {
		info |= headERR
	}
	b := make([]byte, 0, payloadHeader+len(data))
	b = append(b, payloadHeader, info)
	b = binary.LittleEndian.AppendUint32(b, uint32(st.frame.shot.At/time.Microsecond))
	now := max(at.Sub(s.c.started()), 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(now/time.Microsecond))
	b = binary.LittleEndian.AppendUint16(b, uint16(now/time.Millisecond)&0x7ff)
	if st.offset == len(frame) {
		st.frame = nil
	}
	return append(b, data...)
}
