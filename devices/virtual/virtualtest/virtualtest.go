// Package virtualtest makes rigs of the device conformance suites
// (devices/devicetest) out of virtual devices: scenes whose pictures can be told
// from damaged ones, and for each fault that a virtual device knows, which error
// a driver must make of it. The test beds share them: in process, over USB/IP,
// and behind the kernel in a virtual machine.
//
// It knows no driver and no bus, and is never linked into a program.
package virtualtest

import "image"

// Page is a scene of one page that lies there; nil is an empty glass.
type Page struct{ Image image.Image }

// Page implements [virtual.PageScene].
func (p Page) Page(int, bool) image.Image { return p.Image }
