package v4l2

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"tambo/devices"
)

// The request numbers of the kernel's headers (x86-64 and arm64), as their own
// tools print them: they hold the sizes of the structures.
func TestRequestNumbers(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"VIDIOC_QUERYCAP", queryCap, 0x80685600},
		{"VIDIOC_ENUM_FMT", enumFmt, 0xc0405602},
		{"VIDIOC_S_FMT", setFmt, 0xc0d05605},
		{"VIDIOC_REQBUFS", reqBufs, 0xc0145608},
		{"VIDIOC_QUERYBUF", queryBuf, 0xc0585609},
		{"VIDIOC_QBUF", queueBuf, 0xc058560f},
		{"VIDIOC_DQBUF", dequeueBuf, 0xc0585611},
		{"VIDIOC_STREAMON", streamOn, 0x40045612},
		{"VIDIOC_STREAMOFF", streamOff, 0x40045613},
		{"VIDIOC_S_PARM", setParm, 0xc0cc5616},
		{"VIDIOC_ENUM_FRAMESIZES", enumSizes, 0xc02c564a},
		{"VIDIOC_ENUM_FRAMEINTERVALS", enumRates, 0xc034564b},
		{"UVCIOC_CTRL_QUERY", unitCtrl, 0xc0107521},
	} {
		if c.got != c.want {
			t.Errorf("%s is %#x, want %#x", c.name, c.got, c.want)
		}
	}
	var b buffer
	if o := unsafe.Offsetof(b.Sec); o != 24 {
		t.Errorf("v4l2_buffer.timestamp at %d", o)
	}
	if o := unsafe.Offsetof(b.Sequence); o != 56 {
		t.Errorf("v4l2_buffer.sequence at %d", o)
	}
	if o := unsafe.Offsetof(b.Offset); o != 64 {
		t.Errorf("v4l2_buffer.m at %d", o)
	}
	if unsafe.Sizeof(metaFormat{}) != unsafe.Sizeof(format{}) {
		t.Error("the two views of v4l2_format differ in size")
	}
}

// sysfs makes the kernel's files of a machine with a camera of two nodes, a card
// that is not on USB, and something that is no video device.
func sysfs(t *testing.T) {
	root := t.TempDir()
	for dir, files := range map[string]map[string]string{
		"devices/pci0/usb1/1-4/1-4.2":             {"idVendor": "1234\n", "idProduct": "abcd\n", "manufacturer": "Maker\n", "product": "Eye\x07cam\n", "serial": "S1\n"},
		"devices/pci0/usb1/1-4/1-4.2/1-4.2:1.0":   {"bInterfaceNumber": "00\n"},
		"devices/pci0/usb1/1-4/1-4.2/1-4.2:1.a":   {"bInterfaceNumber": "0a\n"},
		"devices/platform/vhci_hcd.0/usb9/9-1":    {"idVendor": "1209\n", "idProduct": "0001\n"},
		"devices/platform/vhci_hcd.0/usb9/9-1/if": {},
		"devices/pci0/card":                       {},
		"class/video4linux/video10":               {"index": "0\n"},
		"class/video4linux/video2":                {"index": "1\n"},
		"class/video4linux/video3":                {"index": "0\n"},
		"class/video4linux/video1":                {"index": "0\n"},
		"class/video4linux/video0":                {"index": "0\n"},
		"class/video4linux/v4l-subdev0":           {},
	} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
		for name, text := range files {
			must(t, os.WriteFile(filepath.Join(root, dir, name), []byte(text), 0o644))
		}
	}
	for node, to := range map[string]string{
		"video10": "devices/pci0/usb1/1-4/1-4.2/1-4.2:1.0", "video2": "devices/pci0/usb1/1-4/1-4.2/1-4.2:1.0",
		"video3": "devices/pci0/usb1/1-4/1-4.2/1-4.2:1.a",
		"video1": "devices/platform/vhci_hcd.0/usb9/9-1/if", "video0": "devices/pci0/card",
		"v4l-subdev0": "devices/pci0/usb1/1-4/1-4.2/1-4.2:1.0",
	} {
		must(t, os.Symlink(filepath.Join(root, to), filepath.Join(root, "class/video4linux", node, "device")))
	}
	oldClass, oldNodes := classDir, nodeDir
	classDir, nodeDir = filepath.Join(root, "class/video4linux"), filepath.Join(root, "dev")
	t.Cleanup(func() { classDir, nodeDir = oldClass, oldNodes })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestList(t *testing.T) {
	sysfs(t)
	list, err := List()
	if err != nil || len(list) != 4 {
		t.Fatalf("%+v, %v", list, err)
	}
	if n := list[0]; n.Number != 1 || n.Port != "9-1" || !n.Virtual {
		t.Errorf("a camera on a software controller: %+v", n)
	}
	if n := list[1]; n.Number != 2 || n.Index != 1 || n.Virtual || n.Name != "Maker Eye cam" || n.Port != "1-4.2" || n.VendorID != 0x1234 || n.ProductID != 0xabcd || n.Serial != "S1" {
		t.Errorf("%+v", n)
	}
	if n := list[2]; n.Number != 3 || n.Function != 10 {
		t.Errorf("second function: %+v", n)
	}
	if n := list[3]; n.Number != 10 || filepath.Base(n.Path) != "video10" {
		t.Errorf("%+v", n)
	}
	// A function's nodes stand together, also where the kernel gave numbers anew.
	own, err := at("1-4.2")
	if err != nil || len(own) != 3 || own[0].Number != 2 || own[1].Number != 10 || own[2].Number != 3 {
		t.Errorf("%+v, %v", own, err)
	}
	nodes := []*node{{Node: own[0]}, {Node: own[1]}, {Node: own[2]}}
	for s, want := range map[Stream]int{{}: 0, {Index: 1}: 1, {Index: 2}: -1, {Function: 10}: 2, {Function: 10, Index: 1}: -1, {Function: 1}: -1, AnyStream: -1} {
		if i := s.locate(nodes); i != want {
			t.Errorf("stream %+v is node %d, want %d", s, i, want)
		}
	}
	classDir = "/does/not/exist"
	if list, err := List(); err != nil || len(list) != 0 {
		t.Errorf("a machine without video: %v, %v", list, err)
	}
}

func TestOpenErrors(t *testing.T) {
	sysfs(t)
	for port, want := range map[string]error{"7-7": devices.ErrGone, "1-4.2": devices.ErrGone} { // nothing there; nodes without device files
		_, err := OpenIris(context.Background(), port, Iris{})
		var typed *devices.Error
		if !errors.As(err, &typed) || !errors.Is(err, want) || typed.Device == "" {
			t.Errorf("iris at %s: %v", port, err)
		}
		if _, err := OpenFace(context.Background(), port, AnyStream); !errors.Is(err, want) {
			t.Errorf("face at %s: %v", port, err)
		}
	}
	for _, c := range []struct{ in, want error }{
		{unix.ENODEV, devices.ErrGone}, {unix.EBUSY, devices.ErrBusy}, {unix.EACCES, devices.ErrAccess}, {unix.EPERM, devices.ErrAccess},
		{unix.ENOTTY, devices.ErrUnsupported}, {unix.EIO, devices.ErrBadData}, {unix.ETIMEDOUT, devices.ErrStalled},
	} {
		if got := kindOf(c.in); got != c.want {
			t.Errorf("%v is %v, want %v", c.in, got, c.want)
		}
	}
}

// A file that is no video device is refused, not believed.
func TestNotAVideoDevice(t *testing.T) {
	sysfs(t)
	must(t, os.MkdirAll(nodeDir, 0o755))
	for _, n := range []string{"video2", "video3", "video10"} {
		must(t, os.WriteFile(filepath.Join(nodeDir, n), nil, 0o600))
	}
	if _, err := OpenFace(context.Background(), "1-4.2", Stream{}); !errors.Is(err, devices.ErrUnsupported) {
		t.Error(err)
	}
}

// Lines may be padded, and the last one's padding left out; a byte less of the
// picture is refused.
func TestPixels(t *testing.T) {
	const w, h, stride = 4, 2, 10
	for pix, size := range map[uint32]int{pixGrey: stride + w, pixYUYV: stride + 2*w, pixNV12: 2*stride + w} {
		m := mode{pix: pix, width: w, height: h, stride: stride, size: size}
		must(t, m.check())
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(i)
		}
		switch pix {
		case pixGrey:
			planes := []*image.Gray{image.NewGray(image.Rect(0, 0, 2, h)), image.NewGray(image.Rect(0, 0, 2, h))}
			if !m.grey(b, planes) || string(planes[0].Pix) != "\x00\x01\x0a\x0b" || string(planes[1].Pix) != "\x02\x03\x0c\x0d" {
				t.Errorf("grey: % x, % x", planes[0].Pix, planes[1].Pix)
			}
			if m.grey(b[:size-1], planes) {
				t.Error("a grey frame without its last byte")
			}
			continue
		case pixYUYV:
			img := m.colour(b)
			if string(img.Y) != "\x00\x02\x04\x06\x0a\x0c\x0e\x10" || string(img.Cb) != "\x01\x05\x0b\x0f" || string(img.Cr) != "\x03\x07\x0d\x11" {
				t.Errorf("YUYV: % x % x % x", img.Y, img.Cb, img.Cr)
			}
		case pixNV12:
			img := m.colour(b)
			if string(img.Y) != "\x00\x01\x02\x03\x0a\x0b\x0c\x0d" || string(img.Cb) != "\x14\x16" || string(img.Cr) != "\x15\x17" {
				t.Errorf("NV12: % x % x % x", img.Y, img.Cb, img.Cr)
			}
		}
		if m.colour(b[:size-1]) != nil {
			t.Errorf("%s without its last byte", fourCC(pix))
		}
		if m.size--; m.check() == nil {
			t.Errorf("%s: buffers too small for the picture", fourCC(pix))
		}
	}
}

func FuzzStamp(f *testing.F) {
	block := append(make([]byte, 10), 12, 0x0c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	f.Add(block)
	f.Add(append(append(make([]byte, 10), 2, 0x01), block...))
	f.Add([]byte{})
	if pts, ok := stamp(append(append(make([]byte, 10), 2, 0x01), block...)); !ok || pts != 0x04030201 {
		f.Errorf("time stamp %#x, %v", pts, ok)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, ok := stamp(b); ok && len(b) < 16 {
			t.Errorf("a time stamp out of %d bytes", len(b))
		}
	})
}

// What waits for its counterpart is found by number, and bounded.
func TestWaiting(t *testing.T) {
	var w waiting[int]
	for i := range 6 {
		if full := w.put(uint32(i), i); full != (i >= 4) {
			t.Errorf("put %d: %v", i, full)
		}
	}
	if _, ok := w.take(1); ok {
		t.Error("1 was given up")
	}
	if v, ok := w.take(3); !ok || v != 3 {
		t.Error(v, ok)
	}
	if _, ok := w.take(3); ok {
		t.Error("taken twice")
	}
}
