package virtual

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/urb"
	"tambo/devices/usb/usbip/wire"
)

// maxPending bounds what one importer may have in flight.
const maxPending = 512

// ServeURBs carries out the URB phase of USB/IP for a device on any connection,
// without import: a unix socket to a usbfs mock, or one end of the socket pair
// that vhci_hcd is given. It returns when the connection ends or the device is
// unplugged, and closes the connection.
func (b *Bus) ServeURBs(port string, c io.ReadWriteCloser) error {
	defer c.Close() // after the device was taken back
	p, err := b.lend(port)
	if err != nil {
		return err
	}
	defer b.takeBack(p)
	return serveURBs(c, p.sess)
}

// importer is the other side of a connection in its URB phase.
type importer struct {
	sess *session
	wmu  sync.Mutex
	c    io.ReadWriteCloser

	mu      sync.Mutex
	pending map[uint32]*urb.URB
}

// serveURBs reads commands until the connection or the device ends. Closing the
// connection is the caller's, after the device can be lent again.
func serveURBs(c io.ReadWriteCloser, sess *session) error {
	im := &importer{sess: sess, c: c, pending: map[uint32]*urb.URB{}}
	stop := context.AfterFunc(sess.ctx, func() { c.Close() }) // an unplugged device hangs up
	defer stop()
	sess.reset()
	err := im.read(bufio.NewReaderSize(c, 64<<10))
	for _, u := range im.left() {
		sess.Unlink(u)
		<-u.Done()
	}
	if sess.ctx.Err() != nil {
		err = nil
	}
	return err
}

// left takes what is still in flight.
func (im *importer) left() []*urb.URB {
	im.mu.Lock()
	defer im.mu.Unlock()
	out := make([]*urb.URB, 0, len(im.pending))
	for _, u := range im.pending {
		out = append(out, u)
	}
	clear(im.pending)
	return out
}

func (im *importer) read(r io.Reader) error {
	for {
		m, err := wire.ReadMessage(r)
		if err != nil {
			return err
		}
		switch m.Command {
		case wire.CmdSubmit:
			err = im.submit(r, m)
		case wire.CmdUnlink:
			err = im.unlink(m)
		default:
			err = fmt.Errorf("%w: command %d from an importer", wire.ErrMessage, m.Command)
		}
		if err != nil {
			return err
		}
	}
}

func (im *importer) submit(r io.Reader, m wire.Message) error {
	u := urb.New(m.EP, make([]byte, m.Length))
	if m.In {
		u.Endpoint |= 0x80
	} else if _, err := io.ReadFull(r, u.Buf); err != nil {
		return err
	}
	if m.Packets > 0 {
		list, err := wire.ReadPackets(r, m.Packets, m.Length)
		if err != nil {
			return err
		}
		for _, p := range list {
			u.Packets = append(u.Packets, urb.Packet{Offset: p.Offset, Length: p.Length})
		}
	}
	u.Setup = m.Setup
	u.ZLP = m.Flags&wire.FlagZeroPacket != 0
	im.mu.Lock()
	if _, twice := im.pending[m.Seq]; twice || len(im.pending) >= maxPending {
		im.mu.Unlock()
		return fmt.Errorf("%w: sequence number %d again, or %d transfers in flight", wire.ErrMessage, m.Seq, maxPending)
	}
	im.pending[m.Seq] = u
	im.mu.Unlock()
	u.OnDone = func(u *urb.URB) { im.finish(m, u) }
	im.sess.Submit(u)
	return nil
}

// finish answers a submit, unless an unlink answered it. It holds the writing end
// from the moment at which the transfer is no longer pending: an unlink that finds
// it gone must be answered after it, or the kernel's importer drops the device.
func (im *importer) finish(m wire.Message, u *urb.URB) {
	im.wmu.Lock()
	defer im.wmu.Unlock()
	im.mu.Lock()
	mine := im.pending[m.Seq] == u
	if mine {
		delete(im.pending, m.Seq)
	}
	im.mu.Unlock()
	if !mine || errors.Is(u.Err, usb.ErrGone) {
		return // an unplugged device hangs up instead
	}
	err := u.Err
	if errors.Is(err, urb.ErrUnlinked) {
		err = wire.ErrReset
	}
	ret := wire.Message{Command: wire.RetSubmit, Seq: m.Seq, Status: wire.Status(err), Actual: u.N, Packets: len(u.Packets)}
	if len(u.Packets) > 0 {
		im.send(appendPackets(ret, u))
		return
	}
	b := ret.Append(make([]byte, 0, wire.HeaderSize+u.N))
	if u.In() {
		b = append(b, u.Buf[:u.N]...)
	}
	im.send(b)
}

// appendPackets writes an isochronous answer: the data without the room between
// packets, then their records.
func appendPackets(ret wire.Message, u *urb.URB) []byte {
	ret.Actual = 0
	for _, p := range u.Packets {
		ret.Actual += p.N
	}
	b := ret.Append(make([]byte, 0, wire.HeaderSize+ret.Actual+16*len(u.Packets)))
	for _, p := range u.Packets {
		if u.In() {
			b = append(b, u.Buf[p.Offset:p.Offset+p.N]...)
		}
	}
	for _, p := range u.Packets {
		b = wire.AppendPacket(b, wire.Packet{Offset: p.Offset, Length: p.Length, Actual: p.N, Status: wire.Status(p.Err)})
	}
	return b
}

// unlink takes a transfer back. Either its own answer or -ECONNRESET follows,
// never both (usbip_protocol.rst).
func (im *importer) unlink(m wire.Message) error {
	im.mu.Lock()
	u := im.pending[m.Unlink]
	delete(im.pending, m.Unlink)
	im.mu.Unlock()
	var err error
	if u != nil {
		im.sess.Unlink(u)
		<-u.Done()
		err = wire.ErrReset
	}
	ret := wire.Message{Command: wire.RetUnlink, Seq: m.Seq, Status: wire.Status(err)}
	im.write(ret.Append(nil))
	return nil
}

// writeTimeout is how long an importer may take to read an answer.
const writeTimeout = 5 * time.Second

func (im *importer) write(b []byte) {
	im.wmu.Lock()
	defer im.wmu.Unlock()
	im.send(b)
}

// send sends an answer; wmu is held. An importer that does not read is hung up on.
func (im *importer) send(b []byte) {
	if d, ok := im.c.(interface{ SetWriteDeadline(time.Time) error }); ok {
		d.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	if _, err := im.c.Write(b); err != nil {
		im.c.Close() // the reader ends with it
	}
}
