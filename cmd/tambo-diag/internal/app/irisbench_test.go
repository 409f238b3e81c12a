package app

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// The object has what it promises, in its units; how fast is not asserted.
func TestIrisBenchPrintsOneObject(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for seconds")
	}
	var out, errs bytes.Buffer
	if err := Iris(t.Context(), []string{"bench", "--json", "--codes", "60000"}, &out, &errs); err != nil {
		t.Fatal(err, errs.String())
	}
	t.Log(out.String())
	var keys map[string]any
	if err := json.Unmarshal(out.Bytes(), &keys); err != nil || len(keys) != 5 {
		t.Errorf("keys of %v, %v", keys, err)
	}
	d := json.NewDecoder(&out)
	var r struct {
		Extract  float64            `json:"extract_ms_median"`
		Feedback float64            `json:"feedback_ms_median"`
		Compare  map[string]float64 `json:"compare_per_s"`
		Search   float64            `json:"search_1m_ms"`
		Bytes    uint64             `json:"gallery_bytes_1m"`
	}
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if d.More() {
		t.Error("more than one object")
	}
	if r.Extract <= 0 || r.Feedback <= 0 || r.Feedback >= r.Extract || r.Search <= 0 || r.Compare["reference"] <= 0 || r.Compare["portable"] <= 0 {
		t.Errorf("%+v", r)
	}
	if r.Bytes < 60000*400 || r.Bytes > 60000*1200 {
		t.Errorf("%d bytes", r.Bytes)
	}
	out.Reset()
	if err := Iris(t.Context(), []string{"bench", "--linear", "--codes", "100000"}, &out, &errs); err != nil {
		t.Fatal(err, errs.String())
	}
	t.Log("\n" + out.String())
	if n := strings.Count(out.String(), "one eye among"); n != 3 {
		t.Errorf("%d sizes", n)
	}
	for _, args := range [][]string{{"bench", "x"}, {"bench", "--codes", "5"}} {
		if Iris(t.Context(), args, &out, &errs) == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
