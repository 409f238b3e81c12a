package escl

import (
	"strings"

	"tambo/devices/escl/internal/ippusb"
	"tambo/devices/usb"
)

// quirks are a device's departures from IPP-over-USB and eSCL.
type quirks struct {
	pipe ippusb.Quirks
	// retryGone: 404 and 410 on NextDocument mean "not yet" before the first page.
	retryGone bool
}

// quirkRule applies to devices that it matches: by vendor and product, or by
// the beginning of manufacturer and product name.
type quirkRule struct {
	vendor, product uint16 // both 0: by name
	name            string
	source          string // who found it
	set             func(q *quirks)
}

// quirkTable is what others found in the field. A rule that is not needed does
// no harm but time.
var quirkTable = []quirkRule{
	{vendor: 0x0924, product: 0x42e8, source: "ipp-usb Xerox.conf: B205; sane-airscan airscan-escl.c", set: xeroxB2},
	{vendor: 0x0924, product: 0x42ea, source: "ipp-usb Xerox.conf: B210", set: xeroxB2},
	{vendor: 0x0924, product: 0x42e9, source: "ipp-usb Xerox.conf: B215", set: xeroxB2},
	{name: "HP OfficeJet Pro 8710", source: "ipp-usb HP.conf", set: func(q *quirks) { q.pipe.InitReset = ippusb.ResetSoft }},
	{name: "HP OfficeJet Pro 8730", source: "ipp-usb HP.conf", set: func(q *quirks) { q.pipe.Connection = "close" }},
	{name: "HP LaserJet MFP M28-M31", source: "ipp-usb HP.conf", set: func(q *quirks) { q.pipe.Connection = "keep-alive" }},
	{name: "HP ScanJet Pro 4500 fn1", source: "ipp-usb HP.conf", set: func(q *quirks) { q.pipe.MaxInterfaces = 1 }},
	{name: "Brother QL-810W", source: "ipp-usb Brother.conf", set: func(q *quirks) { q.pipe.MaxInterfaces = 1 }},
}

func xeroxB2(q *quirks) {
	q.pipe.InitReset = ippusb.ResetHard
	q.retryGone = true
}

// quirksOf looks a device up.
func quirksOf(info usb.DeviceInfo) quirks {
	var q quirks
	name := deviceName(info)
	for _, r := range quirkTable {
		byID := r.vendor != 0 && r.vendor == info.VendorID && r.product == info.ProductID
		byName := r.vendor == 0 && strings.HasPrefix(name, r.name)
		if byID || byName {
			r.set(&q)
		}
	}
	return q
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
