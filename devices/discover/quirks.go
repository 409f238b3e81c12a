package discover

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"tambo/devices"
	"tambo/devices/uvc"
)

//go:embed quirks.json
var quirksFile []byte

// Quirk is a row of the quirks table: what a model is, and what its descriptors
// do not tell. A new model is a new row, not new code.
type Quirk struct {
	Vendor  string       `json:"vendor"`  // four hexadecimal digits
	Product string       `json:"product"` // four hexadecimal digits
	Kind    devices.Kind `json:"kind"`
	Name    string       `json:"name"`
	Source  string       `json:"source"` // where that is known from
	// VirtualOnly refuses the model on a bus of real hardware: a virtual device
	// that somebody attached to the kernel is not a way in.
	VirtualOnly bool `json:"virtual_only,omitempty"`
	// Kernel says that the kernel's driver must keep the camera: it is used through
	// /dev/video, never taken from it.
	Kernel bool        `json:"kernel,omitempty"`
	UVC    *uvc.Quirks `json:"uvc,omitempty"`
}

type model struct{ vendor, product uint16 }

// table parses the embedded file once; it is constant, so an error is ours.
var table = sync.OnceValues(func() (map[model]Quirk, error) { return parseQuirks(quirksFile) })

// Quirks returns the quirks table.
func Quirks() ([]Quirk, error) {
	var rows []Quirk
	err := json.Unmarshal(quirksFile, &rows)
	return rows, err
}

func parseQuirks(file []byte) (map[model]Quirk, error) {
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	var rows []Quirk
	if err := d.Decode(&rows); err != nil {
		return nil, fmt.Errorf("quirks table: %w", err)
	}
	out := map[model]Quirk{}
	for i, q := range rows {
		v, err1 := strconv.ParseUint(q.Vendor, 16, 16)
		p, err2 := strconv.ParseUint(q.Product, 16, 16)
		m := model{uint16(v), uint16(p)}
		_, twice := out[m]
		switch {
		case err1 != nil || err2 != nil || len(q.Vendor) != 4 || len(q.Product) != 4:
			return nil, fmt.Errorf("quirks table row %d: vendor %q product %q", i, q.Vendor, q.Product)
		case twice:
			return nil, fmt.Errorf("quirks table row %d: %s:%s is there twice", i, q.Vendor, q.Product)
		case q.Source == "":
			return nil, fmt.Errorf("quirks table row %d: no source", i)
		case q.Kind == devices.KindIrisCamera && q.UVC == nil:
			return nil, fmt.Errorf("quirks table row %d: an iris camera without a layout", i)
		}
		out[m] = q
	}
	return out, nil
}
