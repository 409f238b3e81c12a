package uvc

import (
	"context"
	"sync/atomic"
	"time"

	"tambo/devices/usb"
)

// Transfer sizes: at most maxTransfer a transfer, and so many in flight that a
// frame's worth is queued.
const (
	maxTransfer = 128 << 10
	minFlight   = 4
	maxFlight   = 16
)

// Recovery of a stream that misbehaves.
const (
	errorsInRow = 8                    // failed transfers before the stream is begun anew
	firstPause  = 5 * time.Millisecond // before a restart; doubles
	lastPause   = 250 * time.Millisecond
	quietFrames = 8 // frame intervals without a byte before a restart
	minQuiet    = time.Second
	controlWait = 2 * time.Second
	haltWait    = 500 * time.Millisecond // for the last request of a stream
)

// video runs one streaming interface: it keeps transfers in flight, feeds the
// assembler, and brings a stalled or silent stream back.
type video struct {
	dev   usb.Device
	iface usb.Interface
	fn    *Function // that the stream belongs to
	info  Streaming
	modes []mode // what may be asked for, the best first
	mode  mode   // what was agreed
	alt   Alternate
	open  usb.PacketStream // begun by reserve, not yet read
	asm   *assembler
	// busError counts a failed transfer.
	busError func()

	pause time.Duration
	pipe  pipeUse
	again atomic.Bool // begin the stream anew
}

// transferSize is a multiple of the packet size that holds a payload, or a
// piece of one.
func (v *video) transferSize() int {
	n := min(v.mode.payload, maxTransfer)
	return max((n+v.info.Packet-1)/v.info.Packet, 1) * v.info.Packet
}

// run streams until ctx ends (nil) or the device is gone.
func (v *video) run(ctx context.Context) error {
	v.pause = firstPause
	v.again.Store(false)
	for recommit := false; ; recommit = true {
		if recommit {
			if err := v.restart(ctx); err != nil || ctx.Err() != nil {
				return err
			}
		}
		if err := v.stream(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
}
