package virtual

import (
	"context"
	"strconv"
	"sync"
	"time"
)

// jobExpiry is how long a job may be left alone before the scanner gives it up.
const jobExpiry = 60 * time.Second

// jobs are the scan jobs of a scanner; one is active at a time.
type jobs struct {
	mu     sync.Mutex
	next   int
	recent []*scanJob // newest first
}

// scanJob is one job. Its fields belong to jobs, but id, settings and ctx,
// which do not change.
type scanJob struct {
	id       string
	settings scanSettings
	ctx      context.Context // ends with the job
	cancel   context.CancelFunc

	state   string // Processing, Completed, Canceled, Aborted
	ready   time.Time
	touched time.Time
	sending bool
	sent    int
}

func (j *scanJob) reason() string {
	switch j.state {
	case "Processing":
		return "JobScanningAndTransferring"
	case "Completed":
		return "JobCompletedSuccessfully"
	case "Canceled":
		return "JobCanceledByUser"
	}
	return "AbortedBySystem"
}

// active returns the job in progress; the lock is held.
func (s *jobs) active() *scanJob {
	if len(s.recent) == 0 || s.recent[0].state != "Processing" {
		return nil
	}
	j := s.recent[0]
	if !j.sending && time.Since(j.touched) > jobExpiry {
		s.finish(j, "Aborted")
		return nil
	}
	return j
}

func (s *jobs) finish(j *scanJob, state string) {
	j.state = state
	j.cancel()
}

// create makes a job; false while another is in progress.
func (s *jobs) create(q scanSettings, scanTime time.Duration) (*scanJob, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active() != nil {
		return nil, false
	}
	s.next++
	now := time.Now()
	j := &scanJob{id: strconv.Itoa(1000 + s.next), settings: q, state: "Processing", ready: now.Add(scanTime), touched: now}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	s.recent = append([]*scanJob{j}, s.recent...)
	s.recent = s.recent[:min(len(s.recent), 5)]
	return j, true
}

// fetch takes the job to send a page of it. nil if it has ended; wait is more
// than 0 while there is nothing to send yet.
func (s *jobs) fetch(id string) (j *scanJob, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j = s.active()
	if j == nil || j.id != id {
		return nil, 0
	}
	j.touched = time.Now()
	if j.sending {
		return j, time.Second
	}
	if w := time.Until(j.ready); w > 0 {
		return j, w
	}
	j.sending = true
	return j, 0
}

// sent says that a page went out, or was given up. A flatbed's job has no more.
func (s *jobs) sent(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.recent {
		if j.id == id {
			j.sending, j.touched = false, time.Now()
			j.sent++
			if j.state == "Processing" && j.settings.Source == "Platen" {
				s.finish(j, "Completed")
			}
		}
	}
}

// end ends a job in progress; false if there is no such.
func (s *jobs) end(id, state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.active()
	if j == nil || j.id != id {
		return false
	}
	s.finish(j, state)
	return true
}

func (s *jobs) cancelAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.recent {
		if j.state == "Processing" {
			s.finish(j, "Aborted")
		}
	}
}

// list returns copies of the recent jobs.
func (s *jobs) list() (out []scanJob, active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	active = s.active() != nil
	for _, j := range s.recent {
		out = append(out, *j)
	}
	return out, active
}
