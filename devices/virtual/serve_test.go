package virtual

import (
	"bufio"
	"net"
	"runtime"
	"testing"

	"tambo/devices/usb/usbip/wire"
)

// An unlink crosses the answer of what it takes back. The kernel's importer drops
// the device when it is told first that the transfer had ended, and then gets
// its answer (drivers/usb/usbip/vhci_rx.c, vhci_recv_ret_unlink).
func TestUnlinkCrossesAnswer(t *testing.T) {
	bus := NewBus()
	defer bus.Close()
	if err := bus.Plug("1-1", NewLoopback("S")); err != nil {
		t.Fatal(err)
	}
	host, device := net.Pipe()
	go bus.ServeURBs("1-1", device)
	defer host.Close()
	const pairs = 20000
	go func() {
		for i := range uint32(pairs) {
			sub := wire.Message{Command: wire.CmdSubmit, Seq: 2 * i, EP: 3, In: true, Length: 64}
			un := wire.Message{Command: wire.CmdUnlink, Seq: 2*i + 1, Unlink: 2 * i}
			_, err := host.Write(sub.Append(nil))
			for range i % 16 {
				runtime.Gosched()
			}
			if err == nil {
				_, err = host.Write(un.Append(nil))
			}
			if err != nil {
				return
			}
		}
	}()
	answered := map[uint32]bool{}
	r := bufio.NewReader(host)
	for unlinks := 0; unlinks < pairs; {
		m, err := wire.ReadMessage(r)
		if err != nil {
			t.Fatal(err)
		}
		if m.Command == wire.RetSubmit {
			answered[m.Seq] = true
			if _, err := r.Discard(m.Actual); err != nil {
				t.Fatal(err)
			}
			continue
		}
		unlinks++
		if ended := m.Status == 0; ended != answered[m.Seq-1] {
			t.Fatalf("transfer %d: answered before is %v, and its unlink says status %d", m.Seq-1, answered[m.Seq-1], m.Status)
		}
	}
	t.Logf("%d of %d transfers were faster than their unlink", len(answered), pairs)
}
