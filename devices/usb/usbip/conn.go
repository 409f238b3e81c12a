package usbip

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/urb"
	"tambo/devices/usb/usbip/wire"
)

// conn is an imported device: it carries URBs over its connection.
type conn struct {
	c     net.Conn
	devid uint32

	mu         sync.Mutex
	seq        uint32
	pending    map[uint32]*urb.URB // by sequence number
	unlinks    map[uint32]uint32   // sequence number of an unlink → of its victim
	out        [][]byte            // waits for the writer
	closed     bool
	wake       chan struct{}
	readerDone chan struct{}
	wg         sync.WaitGroup
}

var _ urb.Carrier = (*conn)(nil)

func newConn(c net.Conn, devid uint32) *conn {
	k := &conn{c: c, devid: devid, pending: map[uint32]*urb.URB{}, unlinks: map[uint32]uint32{}, wake: make(chan struct{}, 1), readerDone: make(chan struct{})}
	k.wg.Go(func() { defer close(k.readerDone); k.read() })
	k.wg.Go(k.write)
	return k
}

// Submit queues an URB for the writer. The data to send is copied, so that the
// caller may have its buffer back whenever the URB completes.
func (k *conn) Submit(u *urb.URB) {
	if len(u.Buf) > wire.MaxTransfer {
		u.Complete(0, fmt.Errorf("transfer of %d bytes: %w", len(u.Buf), usb.ErrIO))
		return
	}
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		u.Complete(0, usb.ErrGone)
		return
	}
	k.seq++
	u.Private = k.seq
	k.pending[k.seq] = u
	m := wire.Message{Command: wire.CmdSubmit, Seq: k.seq, DevID: k.devid, In: u.In(), EP: u.Endpoint & 0x0f,
		Length: len(u.Buf), Setup: u.Setup, Packets: len(u.Packets)}
	if u.ZLP {
		m.Flags = wire.FlagZeroPacket
	}
	b := m.Append(nil)
	if !u.In() {
		b = append(b, u.Buf...)
	}
	for _, p := range u.Packets {
		b = wire.AppendPacket(b, wire.Packet{Offset: p.Offset, Length: p.Length})
	}
	k.send(b)
	k.mu.Unlock()
}

// Unlink asks the exporter to take an URB back. The URB completes when the
// exporter answers.
func (k *conn) Unlink(u *urb.URB) {
	k.mu.Lock()
	defer k.mu.Unlock()
	seq, _ := u.Private.(uint32)
	if k.closed || k.pending[seq] != u {
		return
	}
	k.seq++
	k.unlinks[k.seq] = seq
	m := wire.Message{Command: wire.CmdUnlink, Seq: k.seq, DevID: k.devid, Unlink: seq}
	k.send(m.Append(nil))
	answer := k.seq
	time.AfterFunc(unlinkTimeout, func() {
		k.mu.Lock()
		_, waiting := k.unlinks[answer]
		k.mu.Unlock()
		if waiting {
			k.fail()
		}
	})
}

// unlinkTimeout is how long an exporter may take to give a transfer back; one
// that takes longer has hung, and its device is gone.
const unlinkTimeout = 4 * time.Second

// send hands bytes to the writer; mu is held.
func (k *conn) send(b []byte) {
	k.out = append(k.out, b)
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *conn) write() {
	for range k.wake {
		k.mu.Lock()
		out, closed := net.Buffers(k.out), k.closed
		k.out = nil
		k.mu.Unlock()
		if closed {
			return
		}
		if _, err := out.WriteTo(k.c); err != nil {
			k.fail()
			return
		}
	}
}

func (k *conn) read() {
	r := bufio.NewReaderSize(k.c, 64<<10)
	for {
		if err := k.answer(r); err != nil {
			k.fail()
			return
		}
	}
}

// answer reads one message and completes its URB. Data goes from the reader
// straight into the URB's buffer.
func (k *conn) answer(r io.Reader) error {
	m, err := wire.ReadMessage(r)
	if err != nil {
		return err
	}
	switch m.Command {
	case wire.RetSubmit:
		return k.completed(r, m)
	case wire.RetUnlink:
		k.mu.Lock()
		victim := k.unlinks[m.Seq]
		delete(k.unlinks, m.Seq)
		u := k.pending[victim]
		if m.Status != 0 { // 0: the URB had completed, its own answer came before
			delete(k.pending, victim)
		} else {
			u = nil
		}
		k.mu.Unlock()
		if u != nil {
			u.Complete(0, urb.ErrUnlinked)
		}
		return nil
	}
	return fmt.Errorf("%w: command %d from an exporter", wire.ErrMessage, m.Command)
}

func (k *conn) completed(r io.Reader, m wire.Message) error {
	k.mu.Lock()
	u := k.pending[m.Seq]
	delete(k.pending, m.Seq) // from here on it is ours: fail must not complete it
	k.mu.Unlock()
	if u == nil {
		return fmt.Errorf("%w: answer to %d, which was not asked", wire.ErrMessage, m.Seq)
	}
	err := wire.Err(m.Status)
	if m.Actual > len(u.Buf) {
		u.Complete(0, usb.ErrGone)
		return fmt.Errorf("%w: %d bytes for a transfer of %d", wire.ErrMessage, m.Actual, len(u.Buf))
	}
	if u.In() {
		if n, e := io.ReadFull(r, u.Buf[:m.Actual]); e != nil {
			u.Complete(n, usb.ErrGone)
			return e
		}
	}
	if len(u.Packets) > 0 || m.Packets > 0 {
		if e := unpack(r, m, u); e != nil {
			u.Complete(0, usb.ErrGone)
			return e
		}
	}
	if errors.Is(err, wire.ErrReset) {
		err = urb.ErrUnlinked
	}
	u.Complete(m.Actual, err)
	return nil
}

// unpack reads the records of an isochronous answer, and moves its data, which
// came without the room between packets, from the last to the first to where it
// belongs.
func unpack(r io.Reader, m wire.Message, u *urb.URB) error {
	if m.Packets != len(u.Packets) {
		return fmt.Errorf("%w: %d packets for a transfer of %d", wire.ErrMessage, m.Packets, len(u.Packets))
	}
	list, err := wire.ReadPackets(r, m.Packets, len(u.Buf))
	if err != nil {
		return err
	}
	from := m.Actual
	for i := len(list) - 1; i >= 0; i-- {
		p, q := &u.Packets[i], list[i]
		from -= q.Actual
		if from < 0 || q.Actual > p.Length {
			return fmt.Errorf("%w: packet %d of %d bytes", wire.ErrMessage, i, q.Actual)
		}
		copy(u.Buf[p.Offset:p.Offset+q.Actual], u.Buf[from:])
		if p.N, p.Err = q.Actual, wire.Err(q.Status); p.Err != nil && !errors.Is(p.Err, usb.ErrOverflow) {
			p.Err = fmt.Errorf("%w: packet status %d", usb.ErrIO, q.Status)
		}
	}
	if from != 0 {
		return fmt.Errorf("%w: %d bytes that belong to no packet", wire.ErrMessage, from)
	}
	return nil
}

// fail ends the connection: what is in flight is gone.
func (k *conn) fail() {
	k.mu.Lock()
	k.closed = true
	pending := k.pending
	k.pending = map[uint32]*urb.URB{}
	k.out = nil
	k.mu.Unlock()
	k.c.Close()
	select {
	case k.wake <- struct{}{}:
	default:
	}
	for _, u := range pending {
		u.Complete(0, usb.ErrGone)
	}
}

func (k *conn) gone() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closed
}

// close says good-bye and waits, a second at most, until the exporter hangs up
// too: after that the device can be imported again.
func (k *conn) close() {
	if t, ok := k.c.(*net.TCPConn); ok && !k.gone() {
		t.SetReadDeadline(time.Now().Add(time.Second))
		t.CloseWrite()
		<-k.readerDone
	}
	k.fail()
	k.wg.Wait()
}

// readDescriptors asks the device for what a record does not say.
func (im *imported) readDescriptors(ctx context.Context) error {
	d := urb.Open(im.info, im.conn, &im.claims, nil)
	defer d.Close()
	head := make([]byte, 9)
	n, err := d.Control(ctx, getDescriptor(usb.DescConfig, 0, 0), head)
	if err != nil {
		return err
	}
	if n < 9 {
		return fmt.Errorf("configuration descriptor of %d bytes: %w", n, usb.ErrDescriptor)
	}
	cfg := make([]byte, int(head[2])|int(head[3])<<8)
	if n, err = d.Control(ctx, getDescriptor(usb.DescConfig, 0, 0), cfg); err != nil {
		return err
	}
	im.info.Config = cfg[:n]
	dev := make([]byte, 18)
	if n, err = d.Control(ctx, getDescriptor(usb.DescDevice, 0, 0), dev); err != nil || n < 18 {
		return err
	}
	im.info.Strings = usb.Strings{
		Manufacturer: readString(ctx, d, dev[14]),
		Product:      readString(ctx, d, dev[15]),
		Serial:       readString(ctx, d, dev[16]),
	}
	return nil
}

func getDescriptor(kind, index uint8, language uint16) usb.Setup {
	return usb.Setup{RequestType: 0x80, Request: 0x06, Value: uint16(kind)<<8 | uint16(index), Index: language}
}

// readString reads a string descriptor, empty where the device gives none.
func readString(ctx context.Context, d usb.Device, index uint8) string {
	if index == 0 {
		return ""
	}
	b := make([]byte, 255)
	n, err := d.Control(ctx, getDescriptor(usb.DescString, index, 0x0409), b)
	if err != nil {
		return ""
	}
	return usb.StringDescriptor(b[:n])
}
