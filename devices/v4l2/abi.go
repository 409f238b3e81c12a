package v4l2

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The structures of linux/videodev2.h and linux/uvcvideo.h on 64-bit machines.
// Their sizes are part of the request numbers; a test holds them.

type capability struct {
	Driver               [16]byte
	Card, BusInfo        [32]byte
	Version, Caps, Local uint32 // Local: device_caps, those of this node
	_                    [3]uint32
}

type fmtDesc struct {
	Index, Type, Flags uint32
	_                  [32]byte // description
	PixelFormat        uint32
	_                  [4]uint32
}

// format holds v4l2_pix_format, or v4l2_meta_format in its first two fields.
type format struct {
	Type, _                                           uint32
	Width, Height, PixelFormat, Field, Stride, Size   uint32
	Colorspace, Priv, Flags, YCbCr, Quantization, Xfr uint32
	_                                                 [38]uint32
}

type metaFormat struct {
	Type, _    uint32
	Data, Size uint32
	_          [48]uint32
}

type frameSize struct {
	Index, PixelFormat, Type uint32
	// Discrete: Width and Height; otherwise least, most and step of both.
	Width, Height                     uint32
	StepWidth, MinHeight, MaxH, StepH uint32
	_                                 [2]uint32
}

type fraction struct{ Num, Den uint32 }

type frameInterval struct {
	Index, PixelFormat, Width, Height, Type uint32
	Min, Max, Step                          fraction // discrete: Min
	_                                       [2]uint32
}

type streamParm struct {
	Type, Capability, Mode uint32
	PerFrame               fraction
	_                      [46]uint32
}

type requestBuffers struct {
	Count, Type, Memory, Caps, _ uint32
}

type buffer struct {
	Index, Type, Used, Flags, Field, _ uint32
	Sec, Usec                          int64
	_                                  [4]uint32 // timecode
	Sequence, Memory                   uint32
	Offset                             uint64
	Length, _, _, _                    uint32
}

// unitQuery is uvc_xu_control_query.
type unitQuery struct {
	Unit, Selector, Query, _ uint8
	Size, _                  uint16
	Data                     unsafe.Pointer
}

// Request numbers (asm-generic/ioctl.h).
const (
	dirWrite = 1
	dirRead  = 2
)

func request(dir, class, number uintptr, size uintptr) uintptr {
	return dir<<30 | size<<16 | class<<8 | number
}

var (
	queryCap   = request(dirRead, 'V', 0, unsafe.Sizeof(capability{}))
	enumFmt    = request(dirRead|dirWrite, 'V', 2, unsafe.Sizeof(fmtDesc{}))
	setFmt     = request(dirRead|dirWrite, 'V', 5, unsafe.Sizeof(format{}))
	reqBufs    = request(dirRead|dirWrite, 'V', 8, unsafe.Sizeof(requestBuffers{}))
	queryBuf   = request(dirRead|dirWrite, 'V', 9, unsafe.Sizeof(buffer{}))
	queueBuf   = request(dirRead|dirWrite, 'V', 15, unsafe.Sizeof(buffer{}))
	dequeueBuf = request(dirRead|dirWrite, 'V', 17, unsafe.Sizeof(buffer{}))
	streamOn   = request(dirWrite, 'V', 18, 4)
	streamOff  = request(dirWrite, 'V', 19, 4)
	setParm    = request(dirRead|dirWrite, 'V', 22, unsafe.Sizeof(streamParm{}))
	enumSizes  = request(dirRead|dirWrite, 'V', 74, unsafe.Sizeof(frameSize{}))
	enumRates  = request(dirRead|dirWrite, 'V', 75, unsafe.Sizeof(frameInterval{}))
	unitCtrl   = request(dirRead|dirWrite, 'u', 0x21, unsafe.Sizeof(unitQuery{}))
)

// Values of videodev2.h.
const (
	typeVideo           = 1  // V4L2_BUF_TYPE_VIDEO_CAPTURE
	typeMeta            = 13 // V4L2_BUF_TYPE_META_CAPTURE
	memoryMmap          = 1
	capVideo            = 0x00000001
	capMeta             = 0x00800000
	capStreaming        = 0x04000000
	capDeviceCaps       = 0x80000000
	flagError           = 0x0040
	discrete            = 1
	fieldNone           = 1
	pixGrey             = uint32('G') | 'R'<<8 | 'E'<<16 | 'Y'<<24
	pixYUYV             = uint32('Y') | 'U'<<8 | 'Y'<<16 | 'V'<<24
	pixNV12             = uint32('N') | 'V'<<8 | '1'<<16 | '2'<<24
	pixMJPG             = uint32('M') | 'J'<<8 | 'P'<<16 | 'G'<<24
	metaUVC             = uint32('U') | 'V'<<8 | 'C'<<16 | 'H'<<24
	unitSet       uint8 = 0x01 // UVC_SET_CUR
)

// fourCC writes a pixel format as people do.
func fourCC(f uint32) string {
	return fmt.Sprintf("%c%c%c%c", f&0x7f, f>>8&0x7f, f>>16&0x7f, f>>24&0x7f)
}

// ioctl asks the kernel; it goes on when a signal interrupts.
func ioctl[T any](fd int, req uintptr, arg *T) error {
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), req, uintptr(unsafe.Pointer(arg)))
		switch e {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return e
		}
	}
}
