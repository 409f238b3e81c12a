package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tambo/sync/hub"
)

// Hub keys are read from a file that somebody may have edited: an error, never
// a panic, and keys that are accepted are written back the same.
func FuzzParseKeys(f *testing.F) {
	k, err := hub.GenerateKeys(time.Unix(1.7e9, 0))
	if err != nil {
		f.Fatal(err)
	}
	whole, err := k.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(bytes.Replace(whole, []byte(`"format": 1`), []byte(`"format": 2`), 1))
	f.Add([]byte(`{"format":1,"signing":"AAAA"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := hub.ParseKeys(b)
		if err != nil {
			return
		}
		again, err := k.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := hub.ParseKeys(again); err != nil || back.VerifierKey() != k.VerifierKey() {
			t.Errorf("keys do not come back: %v", err)
		}
	})
}

// Rows come from a disk. A hub whose rows say anything at all starts or says
// which row it cannot read, and answers or refuses its keeper's questions.
func FuzzRows(f *testing.F) {
	keys, err := hub.GenerateKeys(time.Unix(1.7e9, 0))
	if err != nil {
		f.Fatal(err)
	}
	orders := []string{"kiosk list", "watchlist list", "packages", "alerts", "agreement show", "operator list", "status"}
	f.Add(uint8(0), "hub", []byte(`{"format":1,"agreement":"x","roster":"AA==","log":-1}`))
	f.Add(uint8(9), "e1", []byte(`{"kiosk":"k","encounter":"e1","templates":[{"code":"AAAA"}]}`))
	f.Add(uint8(7), "0001", []byte(`{"package":"p","after":"2000-01-01T00:00:00Z"}`))
	f.Add(uint8(4), "p", []byte(`{"manifest":{},"receipts":["x"]}`))
	f.Add(uint8(10), "wanted", []byte(`{"name":"wanted","version":18446744073709551615,"hashKey":null}`))
	f.Add(uint8(11), "wanted/1", []byte(`{"entry":{"irises":[{"left":{}}]},"changed":9}`))
	f.Fuzz(func(t *testing.T, table uint8, key string, row []byte) {
		s := &memory{rows: map[hub.Table]map[string][]byte{}}
		if err := hub.Init(t.Context(), s, keys, true, time.Now()); err != nil {
			t.Fatal(err)
		}
		s.Put(hub.Tables[int(table)%len(hub.Tables)], key, row)
		h, err := hub.New(t.Context(), hub.Config{Store: s, Keys: keys})
		if err != nil {
			return
		}
		for _, name := range orders {
			h.Do(t.Context(), hub.Order{Name: name, Args: json.RawMessage(`{}`)})
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); h.Run(ctx) }() // loads the gallery and matches what waits
		time.Sleep(time.Millisecond)
		cancel()
		<-done
	})
}

// memory is rows without a disk; blobs are not asked for.
type memory struct {
	hub.Blobs
	rows map[hub.Table]map[string][]byte
}

func (m *memory) Update(_ context.Context, f func(hub.Tx) error) error { return f(m) }
func (m *memory) View(_ context.Context, f func(hub.Tx) error) error   { return f(m) }
func (m *memory) Close() error                                         { return nil }

func (m *memory) Get(t hub.Table, key string) ([]byte, error) {
	if b, ok := m.rows[t][key]; ok {
		return b, nil
	}
	return nil, hub.ErrNotFound
}

func (m *memory) Put(t hub.Table, key string, b []byte) error {
	if m.rows[t] == nil {
		m.rows[t] = map[string][]byte{}
	}
	m.rows[t][key] = bytes.Clone(b)
	return nil
}

func (m *memory) Delete(t hub.Table, key string) error { delete(m.rows[t], key); return nil }

func (m *memory) Scan(t hub.Table, prefix string, f func(string, []byte) error) error {
	var keys []string
	for k := range m.rows[t] {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := f(k, m.rows[t][k]); err != nil {
			return err
		}
	}
	return nil
}
