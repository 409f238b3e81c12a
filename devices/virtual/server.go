package virtual

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/usbip/wire"
)

// ErrNotLoopback refuses an address that others could reach.
var ErrNotLoopback = errors.New("virtual devices are served on loopback only: use 127.0.0.1 or [::1] with a port")

// Server exports a [Bus] over USB/IP: device list, import, URBs. An importer
// has a device alone until it hangs up. Loopback only, because the protocol has
// no authentication.
type Server struct {
	bus *Bus
	l   net.Listener
	log *slog.Logger

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
	wg     sync.WaitGroup
}

// Listen opens a server on a loopback address ("127.0.0.1:3240", port 0 picks
// one). Host names are refused, but for "localhost".
func Listen(address string, bus *Bus, log *slog.Logger) (*Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrNotLoopback, err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%w (got %q)", ErrNotLoopback, address)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(ip.String(), port))
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{bus: bus, l: l, log: log, conns: map[net.Conn]struct{}{}}, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.l.Addr().String() }

// Serve answers importers until ctx ends or Close; it returns nil then.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	for {
		c, err := s.l.Accept()
		if err != nil {
			s.wg.Wait()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		s.mu.Lock()
		if s.closed {
			c.Close()
		}
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		s.wg.Go(func() {
			if err := s.serve(c); err != nil && !hungUp(err) {
				s.log.Warn("usbip connection ended", "error", err)
			}
			c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Close stops listening and hangs up on every importer.
func (s *Server) Close() error {
	err := s.l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
	return err
}

// serve answers operations on one connection; an import turns it into URBs.
func (s *Server) serve(c net.Conn) error {
	for {
		c.SetReadDeadline(time.Now().Add(30 * time.Second))
		op, err := wire.ReadOp(c)
		if err != nil {
			return err
		}
		switch op.Code {
		case wire.ReqDevlist:
			err = wire.WriteOp(c, wire.Op{Code: wire.RepDevlist}, wire.AppendDevlist(nil, s.list()))
		case wire.ReqImport:
			return s.lend(c)
		default:
			err = fmt.Errorf("%w: operation %#04x", wire.ErrMessage, op.Code)
		}
		if err != nil {
			return err
		}
	}
}

func (s *Server) list() []wire.Device {
	infos, _ := s.bus.List(context.Background())
	out := make([]wire.Device, 0, len(infos))
	for _, i := range infos {
		out = append(out, record(i))
	}
	return out
}

// record describes a device as usbip(8) does. busnum and devnum make the devid.
func record(i usb.DeviceInfo) wire.Device {
	bus, _, _ := strings.Cut(i.Port, "-")
	n, _ := strconv.ParseUint(bus, 10, 15)
	d := wire.Device{
		Path: "/sys/devices/virtual/tambo-devsim/" + i.Port, BusID: i.Port,
		BusNum: uint32(n), DevNum: uint32(i.Address), Speed: i.Speed,
		VendorID: i.VendorID, ProductID: i.ProductID, Release: 0x0100,
		Class: i.Class, Config: 1, NumConfigs: 1,
	}
	c, _ := usb.ParseConfig(i.Config)
	for _, set := range c.Interfaces {
		if set.Alt == 0 && len(d.Interfaces) < wire.MaxInterfaces {
			d.Interfaces = append(d.Interfaces, wire.InterfaceClass{Class: set.Class, SubClass: set.SubClass, Protocol: set.Protocol})
		}
	}
	return d
}

func (s *Server) lend(c net.Conn) error {
	id, err := wire.ReadBusID(c)
	if err != nil {
		return err
	}
	p, err := s.bus.lend(id)
	if err != nil {
		status := uint32(wire.StatusNoDev)
		if errors.Is(err, usb.ErrBusy) {
			status = wire.StatusBusy
		}
		return wire.WriteOp(c, wire.Op{Code: wire.RepImport, Status: status}, nil)
	}
	defer s.bus.takeBack(p)
	body := record(p.dev.info(id, p.address)).Append(nil, false)
	if err := wire.WriteOp(c, wire.Op{Code: wire.RepImport}, body); err != nil {
		return err
	}
	c.SetReadDeadline(time.Time{})
	s.log.Info("device lent", "port", id)
	defer s.log.Info("device back", "port", id)
	return serveURBs(c, p.sess)
}
