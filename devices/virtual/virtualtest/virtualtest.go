// Package virtualtest makes rigs of the device conformance suites
// (devices/devicetest) out of virtual devices: scenes whose pictures can be told
// from damaged ones, and for each fault that a virtual device knows, which error
// a driver must make of it. The test beds share them: in process, over USB/IP,
// and behind the kernel in a virtual machine.
//
// It knows no driver and no bus, and is never linked into a program.
package virtualtest

import (
	"fmt"
	"image"

	"tambo/devices"
	"tambo/devices/virtual"
)

// Counting is a scene whose left eye is filled with the exposure's number, the
// right eye with its complement, so that a frame of two exposures shows.
type Counting struct{}

// Eyes implements [virtual.EyeScene].
func (Counting) Eyes(s virtual.Shot) (left, right *image.Gray) {
	r := image.Rect(0, 0, s.Width, s.Height)
	left, right = image.NewGray(r), image.NewGray(r)
	for i := range left.Pix {
		left.Pix[i], right.Pix[i] = byte(s.Index), ^byte(s.Index)
	}
	return left, right
}

// CheckCounting says what is wrong with a frame of [Counting].
func CheckCounting(f devices.IrisFrame) error {
	n := f.Left.Pix[0]
	for i := range f.Left.Pix {
		if f.Left.Pix[i] != n || f.Right.Pix[i] != ^n {
			return fmt.Errorf("frame %d: pixel %d is %d and %d, want %d and %d", f.Seq, i, f.Left.Pix[i], f.Right.Pix[i], n, ^n)
		}
	}
	return nil
}

// Page is a scene of one page that lies there; nil is an empty glass.
type Page struct{ Image image.Image }

// Page implements [virtual.PageScene].
func (p Page) Page(int, bool) image.Image { return p.Image }
