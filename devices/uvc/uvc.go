// Package uvc drives USB Video Class cameras: descriptors (UVC 1.0, 1.1, 1.5),
// probe and commit, bulk and isochronous payloads assembled into frames, controls
// of camera terminals and processing units, stills by trigger in the stream or on
// an endpoint of their own (methods 2 and 3), and extension units through the
// quirks of a model. On top of it [OpenIris] is a
// [devices.IrisCamera] for cameras that deliver 8-bit grey near-infrared eyes, one
// stream an eye or both side by side; and [OpenFace] is a [devices.FaceCamera] for
// any colour stream: YUY2, NV12 or MJPEG. Both may be had of one device, of one
// video function or of several.
//
// A frame is returned only when every payload of it came, whole, unmarked and in
// order; what is damaged is counted and forgotten. A compressed frame must also
// hold exactly the blocks of its size. It never scales, sharpens or judges an
// image, never retries a device that is gone, and knows no camera by name. H.264
// is not spoken.
//
// Copies of a frame's bytes: one, from the transfer to the image, also for
// colour; MJPEG from the transfer to the JPEG, which is then decoded.
//
// Standards: USB Device Class Definition for Video Devices 1.1 and 1.5, cited in
// comments as UVC, with its payload documents; ITU-T T.81 for JPEG.
package uvc

import (
	"errors"
	"fmt"

	"tambo/devices"
	"tambo/devices/usb"
)

// Class codes (UVC A.1, A.2).
const (
	ClassVideo        = 0x0E
	SubclassControl   = 0x01
	SubclassStreaming = 0x02
)

// Layout says how a camera carries two eyes.
type Layout string

// Layouts.
const (
	// LayoutStreams: two streaming interfaces, an eye each.
	LayoutStreams Layout = "streams"
	// LayoutSideBySide: one frame of double width.
	LayoutSideBySide Layout = "side-by-side"
)

// Quirks is what descriptors do not tell about a model of iris camera. It comes
// from the quirks table of package discover, never from a setting.
type Quirks struct {
	Layout Layout `json:"layout"`
	// Left and Right are the streaming interface numbers of the subject's left
	// and right eye, for LayoutStreams.
	Left  int `json:"left"`
	Right int `json:"right"`
	// Interface is the streaming interface, for LayoutSideBySide.
	Interface int `json:"interface"`
	// RightEyeFirst: the left half of the frame shows the subject's right eye,
	// for LayoutSideBySide.
	RightEyeFirst bool `json:"right_eye_first"`
	// Illumination is nil where the camera has no such control.
	Illumination *UnitControl `json:"illumination,omitempty"`
	// Face is the streaming interface of the face camera in the same device, 0
	// where it has none.
	Face int `json:"face,omitempty"`
}

// UnitControl is a control of an extension unit: a little-endian integer.
type UnitControl struct {
	GUID     string `json:"guid"` // 32 hexadecimal digits in the order of the descriptor
	Selector uint8  `json:"selector"`
	Size     int    `json:"size"` // bytes, 1 to 4
	Min      int64  `json:"min"`  // value for off
	Max      int64  `json:"max"`  // value for full
}

// kindOf gives the kind of failure that a USB error means to a caller.
func kindOf(err error) error {
	switch {
	case errors.Is(err, usb.ErrGone), errors.Is(err, usb.ErrNotFound):
		return devices.ErrGone
	case errors.Is(err, usb.ErrBusy):
		return devices.ErrBusy
	case errors.Is(err, usb.ErrAccess):
		return devices.ErrAccess
	case errors.Is(err, usb.ErrTimeout), errors.Is(err, usb.ErrStall):
		return devices.ErrStalled
	case errors.Is(err, errUnsupported):
		return devices.ErrUnsupported
	}
	return devices.ErrBadData
}

// Reasons of our own.
var (
	errUnsupported = errors.New("uvc: not supported")
	errStreaming   = errors.New("uvc: a stream is already running")
)

// fail makes the typed error of an operation; nil stays nil.
func fail(device, op string, err error) error {
	if err == nil {
		return nil
	}
	var typed *devices.Error
	if errors.As(err, &typed) {
		return err
	}
	return &devices.Error{Device: device, Op: op, Kind: kindOf(err), Err: err}
}

// deviceName is what a technician calls it.
func deviceName(k devices.Kind, port string) string { return fmt.Sprintf("%s (port %s)", k, port) }
