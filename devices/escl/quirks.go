package escl

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"tambo/devices/escl/internal/ippusb"
	"tambo/devices/usb"
)

//go:embed quirks.json
var quirksFile []byte

// Quirk is a row of the quirks table: how a model departs from IPP-over-USB and
// eSCL, as others found in the field. A new model is a new row, not new code; a
// row that is not needed does no harm but time. A device gets all rows that it
// matches.
type Quirk struct {
	// Vendor and Product are four hexadecimal digits each; Name, where they are
	// empty, is the beginning of manufacturer and product name.
	Vendor  string `json:"vendor,omitempty"`
	Product string `json:"product,omitempty"`
	Name    string `json:"name,omitempty"`
	Source  string `json:"source"` // who found it

	// InitReset is what brings it to a known state when it is opened: "soft" (the
	// printer class's request), "hard" (a port reset), empty for nothing.
	InitReset      string `json:"init_reset,omitempty"`
	InitDelayMS    int    `json:"init_delay_ms,omitempty"`    // before the first request of a connection
	RequestDelayMS int    `json:"request_delay_ms,omitempty"` // between an answer and the next request
	SendZLP        bool   `json:"send_zlp,omitempty"`         // end a full last packet by an empty one
	MaxInterfaces  int    `json:"max_interfaces,omitempty"`   // use at most so many; 0 is all
	Connection     string `json:"connection,omitempty"`       // value of the Connection header
	// RetryGone: 404 and 410 on NextDocument mean "not yet" before the first page.
	RetryGone bool `json:"retry_gone,omitempty"`
	// Refuse: it offers the interface, and that does not work.
	Refuse bool `json:"refuse,omitempty"`
}

// maxDelay bounds the delays of a row.
const maxDelay = 30 * time.Second

// resets are the words of InitReset.
var resets = map[string]ippusb.Reset{"": ippusb.ResetNone, "soft": ippusb.ResetSoft, "hard": ippusb.ResetHard}

// quirkTable parses the embedded file once; it is constant, so an error is ours.
var quirkTable = sync.OnceValues(func() ([]Quirk, error) { return parseQuirks(quirksFile) })

// Quirks returns the quirks table.
func Quirks() ([]Quirk, error) { return quirkTable() }

func parseQuirks(file []byte) ([]Quirk, error) {
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	var rows []Quirk
	if err := d.Decode(&rows); err != nil {
		return nil, fmt.Errorf("eSCL quirks table: %w", err)
	}
	for i, q := range rows {
		if err := q.check(); err != nil {
			return nil, fmt.Errorf("eSCL quirks table row %d: %w", i, err)
		}
	}
	return rows, nil
}

func (q Quirk) check() error {
	_, _, byID := q.id()
	_, known := resets[q.InitReset]
	delay := func(ms int) bool { return ms >= 0 && time.Duration(ms)*time.Millisecond <= maxDelay }
	switch {
	case byID == (q.Name != "") || !byID && q.Vendor+q.Product != "":
		return fmt.Errorf("vendor %q product %q name %q: want either numbers or a name", q.Vendor, q.Product, q.Name)
	case q.Source == "":
		return fmt.Errorf("no source")
	case !known:
		return fmt.Errorf("init_reset %q: want soft or hard", q.InitReset)
	case !delay(q.InitDelayMS) || !delay(q.RequestDelayMS):
		return fmt.Errorf("delays of %d and %d ms: want 0 to %v", q.InitDelayMS, q.RequestDelayMS, maxDelay)
	case q.MaxInterfaces < 0 || strings.ContainsAny(q.Connection, "\r\n"):
		return fmt.Errorf("max_interfaces %d, connection %q", q.MaxInterfaces, q.Connection)
	}
	return nil
}

// id reads the numbers of a row; false where it goes by name.
func (q Quirk) id() (vendor, product uint16, ok bool) {
	v, err1 := strconv.ParseUint(q.Vendor, 16, 16)
	p, err2 := strconv.ParseUint(q.Product, 16, 16)
	return uint16(v), uint16(p), err1 == nil && err2 == nil && len(q.Vendor) == 4 && len(q.Product) == 4
}

func (q Quirk) matches(info usb.DeviceInfo) bool {
	if v, p, byID := q.id(); byID {
		return v == info.VendorID && p == info.ProductID
	}
	return strings.HasPrefix(deviceName(info), q.Name)
}

// quirks are what the rows of one device come to.
type quirks struct {
	pipe      ippusb.Quirks
	retryGone bool
	refused   string // why, empty where it is not
}

// quirksOf looks a device up.
func quirksOf(info usb.DeviceInfo) (quirks, error) {
	rows, err := quirkTable()
	var out quirks
	for _, q := range rows {
		if !q.matches(info) {
			continue
		}
		out.pipe.InitReset = max(out.pipe.InitReset, resets[q.InitReset])
		out.pipe.InitDelay = max(out.pipe.InitDelay, time.Duration(q.InitDelayMS)*time.Millisecond)
		out.pipe.RequestDelay = max(out.pipe.RequestDelay, time.Duration(q.RequestDelayMS)*time.Millisecond)
		out.pipe.SendZLP = out.pipe.SendZLP || q.SendZLP
		if q.MaxInterfaces > 0 {
			out.pipe.MaxInterfaces = q.MaxInterfaces
		}
		if q.Connection != "" {
			out.pipe.Connection = q.Connection
		}
		out.retryGone = out.retryGone || q.RetryGone
		if q.Refuse {
			out.refused = q.Source
		}
	}
	return out, err
}

// deviceName is manufacturer and product, cleaned; products often begin with
// their manufacturer.
func deviceName(info usb.DeviceInfo) string {
	maker, product := usb.CleanName(info.Strings.Manufacturer), usb.CleanName(info.Strings.Product)
	if maker == "" || strings.HasPrefix(product, maker) {
		return product
	}
	return strings.TrimSpace(maker + " " + product)
}
