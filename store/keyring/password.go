package keyring

import (
	"crypto/rand"
	"fmt"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"tambo/store/internal/box"
)

const (
	minPassword = 8
	maxPassword = 512
	freeTries   = 5
	firstLock   = time.Minute
	longestLock = time.Hour
)

func (r *Ring) tryOperator(label, password string) ([]byte, error) {
	return r.try(password, func(s *ringState) (*secret, []byte, error) {
		i := s.find(label)
		if i < 0 {
			return nil, nil, ErrUnknownOperator
		}
		op := &s.Operators[i]
		return &op.secret, r.wrapPlace(s, op.Operator), nil
	})
}

// try counts a try durably, makes it, and takes the count back if it was right.
func (r *Ring) try(password string, pick func(*ringState) (*secret, []byte, error)) ([]byte, error) {
	sec, place, err := r.count(pick)
	if err != nil {
		return nil, err
	}
	plain, err := sec.unwrap(password, place)
	if err != nil {
		if sec.Tries >= freeTries {
			return nil, ErrLockedOut{sec.Until}
		}
		return nil, ErrPassword{freeTries - sec.Tries}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.state.clone()
	if now, _, err := pick(&next); err == nil {
		now.Tries, now.Until = 0, time.Time{}
		if err := r.save(next); err != nil {
			clear(plain)
			return nil, err
		}
	}
	return plain, nil
}

// count checks the lock-out and writes one more try.
func (r *Ring) count(pick func(*ringState) (*secret, []byte, error)) (secret, []byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.state.clone()
	sec, place, err := pick(&next)
	if err != nil {
		return secret{}, nil, err
	}
	now := r.o.Now()
	// A clock that was set back must not lock somebody out for years.
	if sec.Until.After(now) && sec.Until.Sub(now) <= longestLock {
		return secret{}, nil, ErrLockedOut{sec.Until}
	}
	sec.Tries++
	if over := sec.Tries - freeTries; over >= 0 {
		sec.Until = now.Add(min(firstLock<<min(over, 10), longestLock)).UTC()
	}
	if err := r.save(next); err != nil {
		return secret{}, nil, err
	}
	return *sec, place, nil
}

// wrap seals plain under a password, with a fresh salt and no tries.
func (s *secret) wrap(password string, cost Argon2, place, plain []byte) {
	salt := make([]byte, 16)
	rand.Read(salt)
	*s = secret{Salt: salt, Argon2: cost}
	key := s.stretch(password)
	defer clear(key)
	s.Wrapped = box.Seal(key, place, plain)
}

func (s *secret) unwrap(password string, place []byte) ([]byte, error) {
	if len(password) > maxPassword {
		return nil, box.ErrOpen
	}
	key := s.stretch(password)
	defer clear(key)
	return box.Open(key, place, s.Wrapped)
}

// stretch is Argon2id over the password in Unicode normal form C, as RFC 8265
// (OpaqueString) asks, so that one password is one whatever keyboard typed it.
func (s *secret) stretch(password string) []byte {
	return argon2.IDKey(norm.NFC.Bytes([]byte(password)), s.Salt, s.Argon2.Time, s.Argon2.Memory, s.Argon2.Threads, box.KeySize)
}

func checkPassword(p string) error {
	if utf8.RuneCountInString(p) < minPassword {
		return ErrWeakPassword
	}
	if len(p) > maxPassword {
		return fmt.Errorf("password is longer than %d bytes", maxPassword)
	}
	return nil
}
