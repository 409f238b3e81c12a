package virtual

import (
	"net/http"
	"time"
)

// ScannerNeeds are the ways in which real scanners depart from IPP-over-USB and
// eSCL without being broken: a driver that knows serves them well. The zero value
// is a scanner that needs nothing.
type ScannerNeeds struct {
	SoftReset  bool          // answers rubbish until its interface is reset
	HardReset  bool          // answers rubbish until the port is reset
	StartDelay time.Duration // does not hear what comes so soon after an interface was chosen
	RequestGap time.Duration // nor what comes so soon after its answer
	ZLP        bool          // waits for an empty packet after a full last one
	Connection string        // takes requests with this Connection header only
	OneChannel bool          // does not answer on any interface but the first
	GoneFirst  int           // says 404 so often before a page is ready, instead of 503
}

// needing is what one connection of such a scanner remembers; its lock is the
// connection's.
type needing struct {
	confused bool
	chosen   time.Time // when the interface was
	answered time.Time // when the last answer was out
	open     bool      // the last packet was full
}

// SetNeeds makes the scanner such a one from now on. One that needs a reset needs
// it at once.
func (s *Scanner) SetNeeds(n ScannerNeeds) {
	s.mu.Lock()
	s.needs = n
	s.mu.Unlock()
	for _, c := range s.conns {
		c.mu.Lock()
		c.need = needing{confused: n.SoftReset || n.HardReset}
		c.mu.Unlock()
	}
}

func (s *Scanner) want() ScannerNeeds {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.needs
}

// calm ends the confusion that a reset ends.
func (c *scanConn) calm(hard bool) {
	n := c.s.want()
	c.mu.Lock()
	defer c.mu.Unlock()
	if hard || n.SoftReset {
		c.need.confused = false
	}
	c.need.open = false
}

// hears reports whether the scanner takes what came now; the connection's lock is
// held. full says that the last packet was.
func (c *scanConn) hears(n ScannerNeeds, full bool) bool {
	now := time.Now()
	if now.Sub(c.need.chosen) < n.StartDelay || now.Sub(c.need.answered) < n.RequestGap {
		return false
	}
	c.need.open = n.ZLP && full
	return true
}

// refuses reports whether a request is not to the scanner's liking.
func (n ScannerNeeds) refuses(r *http.Request) bool {
	return n.Connection != "" && r.Header.Get("Connection") != n.Connection
}

// gone reports whether the scanner says once more that there is no page.
func (s *Scanner) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.needs.GoneFirst <= 0 {
		return false
	}
	s.needs.GoneFirst--
	return true
}
