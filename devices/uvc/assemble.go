package uvc

import (
	"encoding/binary"
	"sync/atomic"
	"time"
)

// Bits of bmHeaderInfo (UVC 2.4.3.3).
const (
	headFID = 1 << 0
	headEOF = 1 << 1
	headPTS = 1 << 2
	headSCR = 1 << 3
	headSTI = 1 << 5
	headERR = 1 << 6
)

// shot is a whole frame.
type shot struct {
	pic    picture
	pts    uint32
	hasPTS bool
	at     time.Time // when it was complete
	// exposed is when its exposure began, by the camera's clock; zero where that
	// is not known.
	exposed time.Time
}

// assembler puts frames together from bulk transfers (UVC 2.4.3.2). A payload
// transfer is a header and data; it may span several transfers and ends with a
// short one or at dwMaxPayloadTransferSize. A frame is emitted only if its
// length is exact, none of its payloads was marked or lost, and all of them
// carry one frame bit and one time stamp: two halves of different frames, whose
// middle was lost, have the right length and frame bit, too. A compressed frame
// has no length that could be checked; what is in it is checked by its stream.
type assembler struct {
	size     int  // bytes of a frame, the most where it is compressed
	variable bool // compressed: any length up to size
	payload  int  // dwMaxPayloadTransferSize
	transfer int  // bytes of a transfer
	fresh    func() picture
	emit     func(shot)
	damaged  func()

	// still takes the payloads of still images, which come between those of the
	// video; nil while nobody waits for one.
	still atomic.Pointer[assembler]

	// the payload in progress
	to     *assembler // whose it is: this one, or still
	within bool       // a payload goes on in the next transfer
	got    int        // bytes of it so far, with the header
	skip   bool       // the rest of it is not used
	resync bool       // wait for a short transfer: where a payload begins is unknown

	// the frame in progress
	seen   bool // a frame has begun before: fid and pts are those of the last
	open   bool
	bad    bool
	fid    byte
	pts    uint32
	hasPTS bool
	off    int
	pic    picture
	eof    bool // the payload in progress ends the frame

	// order: payloads say when they were sent
	clock   deviceClock
	stc     uint32 // of the last payload of this frame
	hasSTC  bool
	moved   bool // it has changed within this frame
	passed  bool // the camera's clock has gone on within some whole frame
	unruly  int  // frames within which it went back, while it never had
	ignored bool // it is no clock, and the order of payloads is not judged by it
	stamped bool // a whole frame of several payloads has had one time stamp
	restamp int  // frames cut in two by a change of it, while none had
	noPTS   bool // its time stamps change within frames, and do not part them
	pieces  int  // payloads of this frame
}

// maxUnruly is after how many frames a camera whose clock goes backwards within
// each of them is taken not to keep one, and one whose time stamp changes within
// each of them not to stamp frames: there are such cameras.
const maxUnruly = 120

// newAssembler makes one for a mode; fresh, emit and damaged are the caller's.
func newAssembler(m mode, clockHz uint32) *assembler {
	if m.clockHz != 0 {
		clockHz = m.clockHz
	}
	return &assembler{size: m.frameSize, variable: m.coding == codingMJPEG, payload: m.payload, clock: deviceClock{hz: clockHz}}
}

// push takes the bytes of one completed transfer.
func (a *assembler) push(b []byte) {
	full := len(b) == a.transfer
	if a.resync {
		a.resync = full
		return
	}
	if !a.within {
		if len(b) == 0 {
			return
		}
		n, ok := a.header(b)
		a.got, a.skip, a.within = 0, !ok, true
		a.got += n
		b = b[n:]
	}
	a.got += len(b)
	if !a.skip {
		a.to.data(b)
	}
	if !full || a.skip && a.got >= a.payload || !a.skip && a.got >= a.to.payload {
		a.within = false
		if a.eof && !a.skip {
			a.to.close()
		}
		a.eof = false
	}
}

// lost says that a transfer failed.
func (a *assembler) lost() {
	a.spoilt()
	a.within, a.eof = false, false
	a.resync = a.payload > a.transfer
}

// spoilt gives up whatever is in progress: what was lost may be of either.
func (a *assembler) spoilt() {
	a.spoil()
	if s := a.still.Load(); s != nil {
		s.spoil()
	}
}

// header reads a payload header, says whose payload it is, begins and ends
// frames, and returns its length. ok is false when its data is of no use.
func (a *assembler) header(b []byte) (n int, ok bool) {
	a.eof = false
	h, ok := parseHeader(b)
	if !ok {
		a.spoilt()
		return 0, false
	}
	a.to = a
	if h.info&headSTI != 0 {
		if a.to = a.still.Load(); a.to == nil {
			return h.length, false
		}
	}
	if !a.to.take(h) {
		return h.length, false
	}
	a.eof = h.info&headEOF != 0
	return h.length, true
}

// take begins and ends frames as a payload's header says; false where its data is
// of no use.
func (a *assembler) take(h payloadHeader) bool {
	info, pts := h.info, h.pts
	hasPTS := info&headPTS != 0 && !a.noPTS
	otherPTS := hasPTS && a.hasPTS && pts != a.pts
	switch fid := info & headFID; {
	case !a.open && a.seen && fid == a.fid && !otherPTS:
		// What is left of a frame that ended. Or a new frame whose bit was not
		// toggled and that has no time stamp: it cannot be told apart.
		return false
	case !a.open:
		a.begin(fid, pts, hasPTS)
	case fid != a.fid || otherPTS:
		if fid == a.fid && !a.stamped {
			a.restamp++
			a.noPTS = a.restamp > maxUnruly
		}
		a.close()
		a.begin(fid, pts, hasPTS)
	case hasPTS && !a.hasPTS:
		a.pts, a.hasPTS = pts, true
	}
	a.pieces++
	if info&headERR != 0 {
		a.spoil()
	}
	if info&headSCR != 0 {
		a.ordered(h.stc)
	}
	return true
}

// ordered checks that a payload was sent after the one before it in its frame:
// no other field tells two payloads that changed places.
func (a *assembler) ordered(stc uint32) {
	if a.hasSTC && int32(stc-a.stc) < 0 && !a.ignored {
		if !a.bad && !a.passed {
			a.unruly++
			a.ignored = a.unruly > maxUnruly
		}
		a.spoil()
	}
	a.moved = a.moved || a.hasSTC && stc != a.stc
	a.stc, a.hasSTC = stc, true
}

// payloadHeader is the header of a payload (UVC 2.4.3.3).
type payloadHeader struct {
	length int
	info   byte
	pts    uint32 // where headPTS is set
	stc    uint32 // where headSCR is: the camera's clock when it was sent
}

// parseHeader checks a payload header: its length must hold what its bits say.
func parseHeader(b []byte) (h payloadHeader, ok bool) {
	if len(b) < 2 || b[0] < 2 || int(b[0]) > len(b) {
		return h, false
	}
	h = payloadHeader{length: int(b[0]), info: b[1]}
	at := 2
	if h.info&headPTS != 0 {
		if at += 4; h.length < at {
			return h, false
		}
		h.pts = binary.LittleEndian.Uint32(b[2:])
	}
	if h.info&headSCR != 0 {
		if at += 6; h.length < at {
			return h, false
		}
		h.stc = binary.LittleEndian.Uint32(b[at-6:])
	}
	return h, true
}

// packet takes what came in one isochronous service interval, which is a payload
// of its own, and reports whether it carried anything of a frame.
func (a *assembler) packet(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	n, ok := a.header(b)
	if !ok {
		return false
	}
	a.to.data(b[n:])
	if a.eof {
		a.to.close()
		a.eof = false
	}
	return len(b) > n
}

func (a *assembler) begin(fid byte, pts uint32, hasPTS bool) {
	a.open, a.seen, a.bad, a.off = true, true, false, 0
	a.fid, a.pts, a.hasPTS = fid, pts, hasPTS
	a.hasSTC, a.moved, a.pieces = false, false, 0
	if a.pic == nil {
		a.pic = a.fresh()
	}
}

func (a *assembler) data(b []byte) {
	if !a.open || a.bad {
		return
	}
	if a.off+len(b) > a.size {
		a.spoil()
		return
	}
	a.pic.write(a.off, b)
	a.off += len(b)
}

// spoil gives the frame in progress up; its room is used again.
func (a *assembler) spoil() {
	if a.open && !a.bad {
		a.bad = true
		a.damaged()
	}
}

// close ends the frame in progress.
func (a *assembler) close() {
	if !a.open {
		return
	}
	if a.off != a.size && !(a.variable && a.off > 0) {
		a.spoil()
	}
	a.open = false
	if a.bad {
		return
	}
	sh := shot{pic: a.pic, pts: a.pts, hasPTS: a.hasPTS, at: time.Now()}
	a.pic = nil
	a.passed = a.passed || a.moved
	a.stamped = a.stamped || a.hasPTS && a.pieces > 1
	if a.hasSTC {
		a.clock.sample(a.stc, sh.at)
		if a.hasPTS {
			sh.exposed = a.clock.at(a.pts, sh.at)
		}
	}
	a.emit(sh)
}
