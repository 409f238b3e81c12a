package app

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tambo/cmd/internal/tend"
	"tambo/kiosk/health"
	"tambo/kiosk/ui/screens"
)

// looked is the kiosk as package tend looks at it.
func (s *station) looked() *tend.Kiosk {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := &tend.Kiosk{Dir: s.c.Vault, Vault: s.vault, Why: s.why, Devices: s.found, BusErr: s.busErr, Meter: s.meter, Journal: s.journal}
	if s.courier != nil {
		k.Road = s.courier
	}
	if p := s.now.Load().status.Power; p.Known {
		k.Power = &health.PowerFacts{Mains: p.Mains, Percent: p.Percent}
	}
	prints, saves := s.Printer()
	k.Printer = &health.PrinterFacts{Prints: prints, Saves: saves}
	return k
}

// Health looks at each part. Nothing in it is about anybody, and it works with
// a vault that does not open: then it says why.
func (s *station) Health(ctx context.Context) health.Report {
	return health.Judge(s.looked().Facts(ctx))
}

// Fault writes down that somebody reported a fault, with the verdict of now.
func (s *station) Fault(ctx context.Context) (string, error) {
	return s.journal.Report(s.Health(ctx))
}

// power reads where the current comes from (sysfs-class-power). A machine that
// says nothing of it is on mains.
func power(dir string) screens.Power {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return screens.Power{}
	}
	read := func(name, file string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name, file))
		return strings.TrimSpace(string(b))
	}
	var p screens.Power
	battery := false
	for _, e := range entries {
		switch read(e.Name(), "type") {
		case "Mains":
			p.Known, p.Mains = true, p.Mains || read(e.Name(), "online") == "1"
		case "Battery":
			if read(e.Name(), "scope") == "Device" {
				continue // a mouse's
			}
			if n, err := strconv.Atoi(read(e.Name(), "capacity")); err == nil {
				p.Percent, battery, p.Known = n, true, true
			}
		}
	}
	if p.Known && !battery {
		p.Mains = true
	}
	return p
}
