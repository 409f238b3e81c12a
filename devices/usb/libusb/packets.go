package libusb

/*
#cgo pkg-config: libusb-1.0
#include <libusb.h>

void tamboPacketsDone(struct libusb_transfer *t);

// Static inline functions and trailing arrays are out of cgo's reach.
static inline void fill(struct libusb_transfer *t, libusb_device_handle *h, unsigned char ep, unsigned char *buf,
                        int len, int n, int size, uintptr_t user) {
	libusb_fill_iso_transfer(t, h, ep, buf, len, n, tamboPacketsDone, (void *)user, 0);
	libusb_set_iso_packet_lengths(t, size);
}
static inline uintptr_t user(struct libusb_transfer *t) { return (uintptr_t)t->user_data; }
static inline int packet_length(struct libusb_transfer *t, int i) { return t->iso_packet_desc[i].actual_length; }
static inline int packet_status(struct libusb_transfer *t, int i) { return t->iso_packet_desc[i].status; }
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/cgo"
	"sync"
	"unsafe"

	"github.com/google/gousb"

	"tambo/devices/usb"
)

// This file is what gousb does not offer, on libusb itself: isochronous
// transfers that keep their packet boundaries, clearing a halt, and selecting a
// setting without giving the interface back. gousb's own goroutine goes on
// handling events, so that completions arrive on it.

// handle is the libusb handle inside a gousb device, which gousb does not give
// out. The version of gousb is pinned, and TestHandle looks for the field.
func handle(d *gousb.Device) *C.libusb_device_handle {
	f := reflect.ValueOf(d).Elem().FieldByName("handle")
	if !f.IsValid() || f.Kind() != reflect.Pointer {
		return nil
	}
	return (*C.libusb_device_handle)(f.UnsafePointer())
}

// code gives the error of a libusb call.
func code(rc C.int) error {
	if rc >= 0 {
		return nil
	}
	return mapErr(gousb.Error(rc))
}

func setAlt(d *gousb.Device, number, alt int) error {
	return code(C.libusb_set_interface_alt_setting(handle(d), C.int(number), C.int(alt)))
}

func clearHalt(d *gousb.Device, address uint8) error {
	return code(C.libusb_clear_halt(handle(d), C.uchar(address)))
}

// packetStream is a ring of isochronous transfers.
type packetStream struct {
	d    *device
	ctx  context.Context // ends with Close and with the interface
	end  context.CancelFunc
	over chan struct{} // closed when nothing is in flight any more

	mu    sync.Mutex // held by Next, taken when it ends
	ring  []*flight  // in flight, oldest first
	last  *flight    // handed out by Next
	out   []usb.Packet
	gone  bool
	freed bool
}

// flight is one transfer. Its room is Go memory that stays where it is while
// libusb may write to it; what Next handed out lives as long as anybody looks.
type flight struct {
	t    *C.struct_libusb_transfer
	buf  []byte
	size int // of a packet
	pin  runtime.Pinner
	self cgo.Handle
	done chan struct{} // of one
	err  error         // submitting it failed
}

//export tamboPacketsDone
func tamboPacketsDone(t *C.struct_libusb_transfer) {
	f := cgo.Handle(C.user(t)).Value().(*flight)
	f.done <- struct{}{} // there is room: it is in flight once
}

func newFlight(h *C.libusb_device_handle, address uint8, n, size int) (*flight, error) {
	t := C.libusb_alloc_transfer(C.int(n))
	if t == nil {
		return nil, usb.ErrIO
	}
	f := &flight{t: t, buf: make([]byte, n*size), size: size, done: make(chan struct{}, 1)}
	f.self = cgo.NewHandle(f)
	f.pin.Pin(&f.buf[0])
	C.fill(t, h, C.uchar(address), (*C.uchar)(unsafe.Pointer(&f.buf[0])), C.int(len(f.buf)), C.int(n), C.int(size), C.uintptr_t(f.self))
	return f, nil
}

// submit sends it off. A failure is delivered in its turn.
func (f *flight) submit() {
	if f.err = code(C.libusb_submit_transfer(f.t)); f.err != nil {
		f.done <- struct{}{}
	}
}

func (f *flight) free() {
	C.libusb_free_transfer(f.t)
	f.pin.Unpin()
	f.self.Delete()
}

// result is what the transfer came to as a whole.
func (f *flight) result() error {
	if f.err != nil {
		return f.err
	}
	if f.t.status == C.LIBUSB_TRANSFER_COMPLETED {
		return nil
	}
	return mapErr(gousb.TransferStatus(f.t.status))
}

func (i *iface) Packets(ctx context.Context, address uint8, packets, count int) (usb.PacketStream, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	g, release, err := i.hold()
	if err != nil {
		return nil, err
	}
	size := i.perInterval(g, address)
	if size == 0 || packets <= 0 || packets > usb.MaxPackets || packets*size > maxStreamSize || count <= 0 || count > maxStreamCount {
		release()
		return nil, fmt.Errorf("%d isochronous transfers of %d packets on endpoint %#02x: %w", count, packets, address, usb.ErrNotFound)
	}
	s := &packetStream{d: i.d, over: make(chan struct{}), out: make([]usb.Packet, packets)}
	s.ctx, s.end = context.WithCancel(i.stop)
	for range count {
		f, e := newFlight(handle(i.d.dev), address, packets, size)
		if e != nil {
			err = e
			break
		}
		f.submit()
		s.ring = append(s.ring, f)
	}
	if err == nil && s.ring[0].err != nil { // nothing could be started
		err = noBandwidth(i.d.failed(ctx, s.ring[0].err))
	}
	go func() {
		<-s.ctx.Done()
		s.land()
		release()
		close(s.over)
	}()
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// perInterval is how much the endpoint carries in a service interval, 0 where it
// is not an isochronous IN endpoint of the selected setting.
func (i *iface) perInterval(g *gousb.Interface, address uint8) int {
	c, err := usb.ParseConfig(i.d.info.Config)
	if err != nil && len(c.Interfaces) == 0 {
		return 0
	}
	set, ok := c.Setting(i.number, g.Setting.Alternate)
	if !ok {
		return 0
	}
	e, ok := set.Endpoint(address)
	if !ok || !e.In() || e.Transfer != usb.TransferIsochronous {
		return 0
	}
	return e.PerInterval
}

// land takes back what is in flight and frees it.
func (s *packetStream) land() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.ring {
		C.libusb_cancel_transfer(f.t) // what is done says that it was not found
	}
	for _, f := range s.ring {
		<-f.done
		f.free()
	}
	if s.last != nil {
		s.last.free()
	}
	s.ring, s.last, s.freed = nil, nil, true
}

func (s *packetStream) Next(ctx context.Context) ([]usb.Packet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.freed || s.gone || s.ctx.Err() != nil {
		return nil, usb.ErrGone
	}
	if s.last != nil {
		s.last.submit()
		s.ring = append(s.ring, s.last)
		s.last = nil
	}
	f := s.ring[0]
	select {
	case <-f.done:
	case <-s.ctx.Done():
		return nil, usb.ErrGone
	case <-ctx.Done():
		return nil, ended(ctx)
	}
	s.ring = append(s.ring[:0], s.ring[1:]...)
	s.last = f
	if err := s.d.failed(s.ctx, f.result()); err != nil {
		s.gone = errors.Is(err, usb.ErrGone)
		return nil, err
	}
	return s.packets(f)
}

// packets describes what came. An unplugged device may show in the packets first.
func (s *packetStream) packets(f *flight) ([]usb.Packet, error) {
	absent := 0
	for i := range s.out {
		n := min(int(C.packet_length(f.t, C.int(i))), f.size) // the kernel keeps to it; its neighbours are not ours
		p := usb.Packet{Data: f.buf[i*f.size:][:n:n]}
		switch C.packet_status(f.t, C.int(i)) {
		case C.LIBUSB_TRANSFER_COMPLETED:
		case C.LIBUSB_TRANSFER_OVERFLOW:
			p.Err = usb.ErrOverflow
		case C.LIBUSB_TRANSFER_NO_DEVICE:
			p.Err = usb.ErrIO
			absent++
		default:
			p.Err = usb.ErrIO
		}
		s.out[i] = p
	}
	if absent == len(s.out) && !s.d.present() {
		s.gone = true
		return nil, usb.ErrGone
	}
	return s.out, nil
}

func (s *packetStream) Close() error {
	s.end()
	<-s.over
	return nil
}
