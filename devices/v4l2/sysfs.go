package v4l2

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tambo/devices"
)

// Node is one of the kernel's video devices on USB. A camera has one or more for
// each of its streams.
type Node struct {
	Path      string // "/dev/video0"
	Port      string // where its camera is plugged in: "1-4.2"
	Number    int    // of the path
	Function  int    // control interface of its video function
	Index     int    // within the camera
	VendorID  uint16
	ProductID uint16
	Name      string // manufacturer and product, cleaned
	Serial    string
	// Virtual says that it hangs on a host controller made of software (vhci_hcd,
	// dummy_hcd).
	Virtual bool
}

// Where the kernel shows its devices. Variables for tests.
var (
	classDir = "/sys/class/video4linux"
	nodeDir  = "/dev"
)

// List returns the kernel's video devices on USB, in the order of their numbers.
// It opens nothing. A machine without any has an empty list.
func List() ([]Node, error) {
	entries, err := os.ReadDir(classDir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Node
	for _, e := range entries {
		number, err := strconv.Atoi(strings.TrimPrefix(e.Name(), "video"))
		if err != nil || !strings.HasPrefix(e.Name(), "video") {
			continue
		}
		dir := filepath.Join(classDir, e.Name())
		n, ok := onUSB(dir)
		if !ok {
			continue
		}
		n.Number, n.Path = number, filepath.Join(nodeDir, e.Name())
		n.Index, _ = strconv.Atoi(text(dir, "index"))
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b Node) int { return a.Number - b.Number })
	return out, nil
}

// onUSB describes the camera that a node belongs to; false where it is on no
// USB port.
func onUSB(dir string) (Node, bool) {
	iface, err := filepath.EvalSymlinks(filepath.Join(dir, "device"))
	if err != nil {
		return Node{}, false
	}
	for d := iface; len(d) > 1; d = filepath.Dir(d) {
		vendor, err1 := strconv.ParseUint(text(d, "idVendor"), 16, 16)
		product, err2 := strconv.ParseUint(text(d, "idProduct"), 16, 16)
		if err1 != nil || err2 != nil {
			continue
		}
		function, _ := strconv.ParseUint(text(iface, "bInterfaceNumber"), 16, 8)
		return Node{Function: int(function), Port: filepath.Base(d), VendorID: uint16(vendor), ProductID: uint16(product),
			Name: clean(text(d, "manufacturer") + " " + text(d, "product")), Serial: clean(text(d, "serial")),
			Virtual: strings.Contains(d, "/vhci_hcd") || strings.Contains(d, "/dummy_hcd")}, true
	}
	return Node{}, false
}

func text(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || len(b) > 4096 {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// clean makes a device's own text fit for a screen: printable, 64 characters.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	r := []rune(strings.Join(strings.Fields(s), " "))
	return strings.TrimSpace(string(r[:min(len(r), 64)]))
}

// at returns the nodes of the camera at a port, function by function: the kernel
// gives numbers anew where it lost a function for a while.
func at(port string) ([]Node, error) {
	all, err := List()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(n Node) bool { return n.Port != port })
	if len(all) == 0 {
		return nil, errNone
	}
	slices.SortStableFunc(all, func(a, b Node) int { return a.Function - b.Function })
	return all, nil
}

// info is what a driver says of a camera.
func (n Node) info(k devices.Kind) devices.Info {
	return devices.Info{Kind: k, Driver: "v4l2", Name: n.Name, Port: n.Port, VendorID: n.VendorID, ProductID: n.ProductID,
		Serial: n.Serial, Virtual: n.Virtual}
}
