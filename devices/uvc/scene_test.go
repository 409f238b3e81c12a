package uvc_test

import (
	"testing"

	"tambo/devices"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

// marked and wrong are what all test beds share.
type marked = virtualtest.Marked

var wrong = virtualtest.WrongEyes

func check(t *testing.T, f devices.IrisFrame) {
	t.Helper()
	if w := wrong(f); w != "" {
		t.Fatalf("frame %d: %s", f.Seq, w)
	}
}

const illuminationGUID = "6a0c3e9b51d44b1f9e272c701d83f5a6"

func quirks(l virtual.Layout) uvc.Quirks {
	light := &uvc.UnitControl{GUID: illuminationGUID, Selector: 1, Size: 2, Min: 0, Max: 1000}
	if l == virtual.SideBySide {
		return uvc.Quirks{Layout: uvc.LayoutSideBySide, Interface: 1, RightEyeFirst: true, Illumination: light}
	}
	return uvc.Quirks{Layout: uvc.LayoutStreams, Left: 1, Right: 2, Illumination: light}
}
