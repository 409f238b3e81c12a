package virtualtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"

	"tambo/devices/usb"
	"tambo/devices/virtual"
)

// Unknown is a bus whose devices are of a model that no table knows, and that can
// say other descriptors ([Twice]). Used by its address: drivers tell buses apart.
type Unknown struct {
	*virtual.Bus
	Config func([]byte) []byte // nil: as they are
}

// List implements [usb.Bus].
func (b Unknown) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	list, err := b.Bus.List(ctx)
	for i := range list {
		list[i].VendorID, list[i].ProductID = 0xf055, 0x0001
		if b.Config != nil {
			list[i].Config = b.Config(list[i].Config)
		}
	}
	return list, err
}

// Twice puts a second copy of a camera's function behind the first, on interfaces
// 2 and 3.
func Twice(config []byte) []byte {
	second := bytes.Clone(config[9:])
	_ = usb.Walk(second, func(d []byte) error {
		switch {
		case d[1] == usb.DescAssociation, d[1] == usb.DescInterface:
			d[2] += 2
		case d[1] == usb.DescCSInterface && d[2] == 1 && d[3] == 0x10: // the control header
			d[12] += 2
		case d[1] == usb.DescEndpoint:
			d[2]++
		}
		return nil
	})
	out := slices.Concat(config, second)
	binary.LittleEndian.PutUint16(out[2:], uint16(len(out)))
	return out
}
