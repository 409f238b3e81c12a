package discover

import "tambo/devices/usb"

// USB returns the device as its descriptors describe it, for a technician to
// read. Its strings and serial number are the device's own, untrusted words.
func (d Device) USB() usb.DeviceInfo { return d.usb }
