package technician

import (
	"context"
	"fmt"
	"io"
	"strings"

	"tambo/devices/discover"
)

// quirkRow is a row of the table as JSON.
type quirkRow struct {
	discover.Quirk
	Ports []string `json:"ports"` // where a device of the model is plugged in now
}

// quirks shows the table of oddities and which rows apply now.
func quirks(ctx context.Context, o *options, _ []string, f *deviceFlags) error {
	rows, err := discover.Quirks()
	if err != nil {
		return err
	}
	if f.udev {
		return udevRules(o.out, rows)
	}
	d, end, err := o.finder()
	if err != nil {
		return err
	}
	defer end()
	found, err := d.List(ctx)
	var out []quirkRow
	for _, q := range rows {
		r := quirkRow{Quirk: q, Ports: []string{}}
		for _, x := range found {
			if model := fmt.Sprintf("%04x:%04x", x.Info.VendorID, x.Info.ProductID); strings.EqualFold(model, q.Vendor+":"+q.Product) && (len(r.Ports) == 0 || r.Ports[len(r.Ports)-1] != x.Info.Port) {
				r.Ports = append(r.Ports, x.Info.Port)
			}
		}
		out = append(out, r)
	}
	if o.json {
		if perr := o.print(out); perr != nil {
			return perr
		}
		return err
	}
	for _, r := range out {
		applies := "not plugged in"
		if len(r.Ports) > 0 {
			applies = "applies at port " + strings.Join(r.Ports, ", ")
		}
		note := ""
		if r.VirtualOnly {
			note = ", virtual only"
		}
		o.line("%s:%s  %-44s %s%s; known from %s; %s", r.Vendor, r.Product, r.Name, r.Kind, note, r.Source, applies)
	}
	return err
}

// udevRules writes the rules that the drivers need: by class what they speak, by
// the quirks table what no class tells. Virtual models are never on a real bus and
// have no rule. The group is the kiosk's; uaccess is for a technician who works at
// the machine's own seat.
func udevRules(w io.Writer, rows []discover.Quirk) error {
	var b strings.Builder
	b.WriteString(`# Who may open the kiosk's devices: the group tambo, and whoever sits at the machine.
# Written by "tambo-diag devices quirks --udev" from what the drivers speak.
ACTION=="remove", GOTO="tambo_end"
SUBSYSTEM!="usb", GOTO="tambo_end"
ENV{DEVTYPE}!="usb_device", GOTO="tambo_end"
# ID_USB_INTERFACES is filled by usb_id, which systemd's 50-udev-default.rules runs.
# Cameras that speak USB Video Class: video control, class 14/1.
ENV{ID_USB_INTERFACES}=="*:0e01*", GROUP="tambo", MODE="0660", TAG+="uaccess"
# Scanners that speak eSCL by IPP over USB: class 7/1/4.
ENV{ID_USB_INTERFACES}=="*:070104:*", GROUP="tambo", MODE="0660", TAG+="uaccess"
`)
	for _, q := range rows {
		if !q.VirtualOnly {
			fmt.Fprintf(&b, "# %s: %s\nATTR{idVendor}==\"%s\", ATTR{idProduct}==\"%s\", GROUP=\"tambo\", MODE=\"0660\", TAG+=\"uaccess\"\n", q.Kind, strings.ReplaceAll(q.Name, "\n", " "), strings.ToLower(q.Vendor), strings.ToLower(q.Product))
		}
	}
	b.WriteString("LABEL=\"tambo_end\"\n")
	_, err := io.WriteString(w, b.String())
	return err
}
