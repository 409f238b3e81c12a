package session

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tambo/kiosk"
)

// ArrivalList is a van: people who came together under one authority. It is
// kept in the subject tier, and outlives a lock, a restart and a power cut until
// somebody closes it.
type ArrivalList struct {
	Origin    string    `json:"origin"`
	Authority string    `json:"authority"` // Authority.Code of the agreement
	Total     int       `json:"total"`
	First     string    `json:"first,omitempty"` // wristband number of the first; the others count on from it
	At        time.Time `json:"at"`
	People    []Came    `json:"people,omitempty"`
}

// Came is one person of an arrival list whose encounter was begun.
type Came struct {
	Encounter kiosk.EncounterID `json:"encounter"`
	Wristband string            `json:"wristband"`
}

// Arrivals returns the open arrival list, nil if there is none. One that cannot
// be read is ErrDamaged; enrolling goes on without it.
func (s *Service) Arrivals(ctx context.Context) (*ArrivalList, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return nil, ErrLocked
	}
	b, err := s.subjects.Arrivals(ctx)
	if err != nil || b == nil {
		return nil, err
	}
	var l ArrivalList
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("arrival list: %w: %w", ErrDamaged, err)
	}
	return &l, nil
}

// KeepArrivals keeps the open arrival list; nil closes it. It is durable when it
// returns.
func (s *Service) KeepArrivals(ctx context.Context, l *ArrivalList) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return ErrLocked
	}
	if l == nil {
		return s.subjects.PutArrivals(ctx, nil)
	}
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("arrival list: %w", err)
	}
	return s.subjects.PutArrivals(ctx, b)
}
