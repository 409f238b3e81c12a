package smart

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrUnsupported: neither an NVMe nor an ATA disk, or one that says nothing.
var ErrUnsupported = errors.New("smart: the disk says nothing of itself")

// Read asks the disk behind a device file ("/dev/nvme0n1", "/dev/sda").
func Read(device string) (Health, error) {
	f, err := os.OpenFile(device, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return Health{}, err
	}
	defer f.Close()
	if strings.Contains(device, "nvme") {
		return readNVMe(f.Fd())
	}
	return readATA(f.Fd())
}

// nvmeCommand is struct nvme_passthru_cmd (linux/nvme_ioctl.h).
type nvmeCommand struct {
	Opcode, Flags                            uint8
	_                                        uint16
	Namespace                                uint32
	_, _                                     uint32
	Metadata                                 uint64
	Addr                                     unsafe.Pointer
	MetadataLen, DataLen                     uint32
	CDW10, CDW11, CDW12, CDW13, CDW14, CDW15 uint32
	TimeoutMS, Result                        uint32
}

const (
	nvmeAdmin     = 0xc0484e41 // NVME_IOCTL_ADMIN_CMD
	nvmeGetLog    = 0x02
	nvmeHealthLog = 0x02
	askTimeout    = 5000 // milliseconds
)

func readNVMe(fd uintptr) (Health, error) {
	var b [512]byte
	c := nvmeCommand{Opcode: nvmeGetLog, Namespace: 0xffffffff, Addr: unsafe.Pointer(&b[0]), DataLen: uint32(len(b)),
		CDW10: nvmeHealthLog | (uint32(len(b))/4-1)<<16, TimeoutMS: askTimeout}
	err := ioctl(fd, nvmeAdmin, unsafe.Pointer(&c))
	if err != nil {
		return Health{}, err
	}
	return ParseNVMe(b[:])
}

// sgHeader is struct sg_io_hdr (scsi/sg.h).
type sgHeader struct {
	Interface     int32
	Direction     int32
	CommandLen    uint8
	SenseLen      uint8
	_             uint16
	Length        uint32
	Data          unsafe.Pointer
	Command       unsafe.Pointer
	Sense         unsafe.Pointer
	Timeout       uint32
	Flags         uint32
	PackID        int32
	User          unsafe.Pointer
	Status        uint8
	MaskedStatus  uint8
	MessageStatus uint8
	SenseWritten  uint8
	HostStatus    uint16
	DriverStatus  uint16
	Residual      int32
	Duration      uint32
	Info          uint32
}

const (
	sgIO       = 0x2285
	sgNone     = -1
	sgFromDisk = -3
)

// ata sends one command by ATA PASS-THROUGH (16) (SAT-3, 12.2.2) and returns the
// sense data.
func ata(fd uintptr, cdb [16]byte, data []byte) ([]byte, error) {
	var sense [64]byte
	h := sgHeader{Interface: 'S', Direction: sgNone, CommandLen: 16, SenseLen: uint8(len(sense)), Timeout: askTimeout,
		Command: unsafe.Pointer(&cdb[0]), Sense: unsafe.Pointer(&sense[0])}
	if len(data) > 0 {
		h.Direction, h.Length, h.Data = sgFromDisk, uint32(len(data)), unsafe.Pointer(&data[0])
	}
	err := ioctl(fd, sgIO, unsafe.Pointer(&h))
	switch {
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL):
		return nil, ErrUnsupported
	case err != nil:
		return nil, err
	case h.HostStatus != 0 || len(data) > 0 && (h.Status != 0 || h.Residual != 0):
		return nil, fmt.Errorf("%w (status %#x, host %#x)", ErrUnsupported, h.Status, h.HostStatus)
	}
	return sense[:min(int(h.SenseWritten), len(sense))], nil
}

// The commands: SMART with a feature, and READ LOG EXT.
func smartCommand(feature byte, read bool) [16]byte {
	c := [16]byte{0x85, 3 << 1, 0x20, 0, feature, 0, 0, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0xb0, 0} // no data, and what it answers
	if read {
		c[1], c[2], c[6] = 4<<1, 0x0e, 1 // one block comes
	}
	return c
}

func logCommand(log, page byte) [16]byte {
	return [16]byte{0x85, 4<<1 | 1, 0x0e, 0, 0, 0, 1, 0, log, 0, page, 0, 0, 0, 0x2f, 0}
}

const (
	smartData       = 0xd0
	smartThresholds = 0xd1
	smartStatus     = 0xda
)

// identify is IDENTIFY DEVICE.
var identify = [16]byte{0x85, 4 << 1, 0x0e, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xec, 0}

func readATA(fd uintptr) (Health, error) {
	who := make([]byte, 512)
	if _, err := ata(fd, identify, who); err != nil {
		return Health{}, err
	}
	smart, logs := parseIdentity(who)
	if !smart {
		return Health{}, ErrUnsupported
	}
	data, limits := make([]byte, 512), make([]byte, 512)
	if _, err := ata(fd, smartCommand(smartData, true), data); err != nil {
		return Health{}, err
	}
	if _, err := ata(fd, smartCommand(smartThresholds, true), limits); err != nil {
		limits = nil // newer disks have none
	}
	over := false
	if sense, err := ata(fd, smartCommand(smartStatus, false), nil); err == nil {
		over, _ = ParseStatus(sense)
	}
	h, err := ParseATA(data, limits, over)
	if err != nil {
		return h, err
	}
	if !logs { // one that knows none may answer with an error that others suffer by
		return h, nil
	}
	page := make([]byte, 512)
	if _, err := ata(fd, logCommand(0x04, 0x07), page); err == nil {
		h.Used, h.UsedKnown = ParseWear(page)
	}
	return h, nil
}

func ioctl(fd uintptr, request uintptr, arg unsafe.Pointer) error {
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg)); e != 0 {
		return e
	}
	return nil
}
