package app

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
)

func writeEyePNG(t *testing.T, name string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestIrisEvaluate(t *testing.T) {
	dir := t.TempDir()
	index := "class,path,note\n"
	rng := rand.New(rand.NewPCG(4, 4))
	for p := range 3 {
		for k := range 3 {
			c := eye.Ordinary()
			c.GazeX = rng.Float64() * 4
			name := fmt.Sprintf("%d_%d.png", p, k)
			writeEyePNG(t, filepath.Join(dir, name), eye.Draw(eye.NewPerson(uint64(p+50)), kiosk.EyeLeft, c, 0, 0))
			index += fmt.Sprintf("eye%d,%s,x\n", p, name)
		}
	}
	// what cannot be read or used is a failure, not an end
	writeEyePNG(t, filepath.Join(dir, "blank.png"), image.NewGray(image.Rect(0, 0, 640, 480)))
	header := append([]byte("BM"), make([]byte, 52)...)
	binary.LittleEndian.PutUint32(header[10:], 54)
	binary.LittleEndian.PutUint32(header[14:], 40)
	binary.LittleEndian.PutUint32(header[18:], 10_000)
	binary.LittleEndian.PutUint32(header[22:], 10_000)
	binary.LittleEndian.PutUint16(header[26:], 1)
	binary.LittleEndian.PutUint16(header[28:], 24)
	if err := os.WriteFile(filepath.Join(dir, "huge.bmp"), header, 0o600); err != nil {
		t.Fatal(err)
	}
	index += "eye0,blank.png,x\neye1,huge.bmp,x\neye2,missing.png,x\n"
	csv := filepath.Join(dir, "index.csv")
	if err := os.WriteFile(csv, []byte(index), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "scores.f32")
	var stdout, stderr bytes.Buffer
	if err := Iris(context.Background(), []string{"evaluate", "--index", csv, "--scores", out}, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if n := strings.Count(stdout.String(), "\n"); n != 1 {
		t.Errorf("%d lines printed", n)
	}
	var rep map[string]any
	if err := json.Unmarshal(stdout.Bytes(), &rep); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", stdout.String())
	for key, want := range map[string]float64{"images": 12, "failures": 3, "classes": 3, "genuine_pairs": 18, "impostor_pairs": 48} {
		if rep[key] != want {
			t.Errorf("%s is %v, want %g", key, rep[key], want)
		}
	}
	// 9 of the 18 genuine pairs have a failed image
	if f := rep["fnmr_at_fmr_1e-4"].(float64); f < 0.5 || f > 0.7 {
		t.Errorf("FNMR %g, want a half at least for what failed", f)
	}
	for _, key := range []string{"eer", "fnmr_at_fmr_1e-3", "extract_ms_median", "extract_ms_p95", "compare_per_s"} {
		if _, ok := rep[key].(float64); !ok {
			t.Errorf("no figure %s", key)
		}
	}
	raw, err := os.ReadFile(out)
	if err != nil || len(raw) != 12*12*4 {
		t.Fatalf("%d bytes of scores, %v", len(raw), err)
	}
	at := func(i, j int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*(i*12+j):])))
	}
	for i := range 12 {
		for j := range 12 {
			x, y := at(i, j), at(j, i)
			if x != y && !(math.IsNaN(x) && math.IsNaN(y)) {
				t.Fatalf("scores (%d,%d) and (%d,%d) differ", i, j, j, i)
			}
			if failed := i > 8 || j > 8; failed != math.IsNaN(x) {
				t.Fatalf("score (%d,%d) is %g", i, j, x)
			}
		}
	}
	if at(0, 1) >= at(0, 3) {
		t.Errorf("the same eye at %g, another at %g", at(0, 1), at(0, 3))
	}
}

// A spreadsheet's byte order mark is not part of the first column's name.
func TestIrisIndexMark(t *testing.T) {
	name := filepath.Join(t.TempDir(), "index.csv")
	if err := os.WriteFile(name, []byte("\xef\xbb\xbfpath,class\na.png,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if x, err := readIrisIndex(name); err != nil || len(x.paths) != 1 || x.class[0] != "x" {
		t.Errorf("%+v %v", x, err)
	}
}

func TestIrisNothingToMeasure(t *testing.T) {
	name := filepath.Join(t.TempDir(), "index.csv")
	for text, want := range map[string]string{"path,class\n": "names no image", "path,class\nnone.png,x\n": "nothing to compare"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if err := Iris(t.Context(), []string{"evaluate", "--index", name}, &stdout, &stderr); err == nil || !strings.Contains(err.Error(), want) || stdout.Len() != 0 {
			t.Errorf("%q: %v, printed %q", text, err, &stdout)
		}
	}
}

func TestIrisRefusals(t *testing.T) {
	dir := t.TempDir()
	empty, columns := filepath.Join(dir, "empty.csv"), filepath.Join(dir, "columns.csv")
	for name, text := range map[string]string{empty: "", columns: "file,person\na,b\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		nil, {"train"}, {"evaluate"}, {"evaluate", "--index", filepath.Join(dir, "none.csv")},
		{"evaluate", "--index", empty}, {"evaluate", "--index", columns}, {"evaluate", "--index", empty, "more"},
	} {
		var stdout, stderr bytes.Buffer
		if err := Iris(context.Background(), args, &stdout, &stderr); err == nil || stdout.Len() != 0 {
			t.Errorf("%q: %v, printed %q", args, err, &stdout)
		}
	}
}

// A generated set with everything that can be asked of it: figures and sheets
// are written, and the second time everything comes from the cache.
func TestIrisEvaluateWithEverything(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if err := Iris(t.Context(), []string{"specimens", "--out", dir, "--people", "3", "--captures", "2", "--seed", "5"}, &out, &errs); err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(dir, "index.csv")
	args := []string{"evaluate", "--index", index, "--cache", filepath.Join(dir, "cache"), "--masks", dir, "--two-eye",
		"--transfer", index, "--report", filepath.Join(dir, "report"), "--scores", filepath.Join(dir, "scores.f32")}
	var first map[string]any
	var scores []byte
	for round := range 2 {
		out.Reset()
		if err := Iris(t.Context(), args, &out, &errs); err != nil {
			t.Fatal(err, errs.String())
		}
		var rep map[string]any
		if err := json.Unmarshal(out.Bytes(), &rep); err != nil || strings.Count(out.String(), "\n") != 1 {
			t.Fatal(err, out.String())
		}
		b, err := os.ReadFile(filepath.Join(dir, "scores.f32"))
		if err != nil || len(b) != 12*12*4 {
			t.Fatal(len(b), err)
		}
		if round == 0 {
			first, scores = rep, b
			continue
		}
		if !bytes.Equal(b, scores) {
			t.Error("the cache gives other scores")
		}
		if rep["extract_ms_median"] != first["extract_ms_median"] {
			t.Error("the second round extracted again")
		}
	}
	t.Log(out.String())
	if m := first["masks"].(map[string]any); m["masks"].(float64) != 12 || m["mean_iou"].(float64) < 0.6 {
		t.Errorf("%v", m)
	}
	if e := first["two_eye"].(map[string]any); e["presentations"].(float64) != 6 || e["genuine_pairs"].(float64) != 3 {
		t.Errorf("%v", e)
	}
	reject := first["reject"].([]any)
	if none, tenth := reject[0].(map[string]any), reject[len(reject)-1].(map[string]any); none["share"].(float64) != 0 || none["genuine_pairs"] != first["genuine_pairs"] ||
		none["misses_at_fmr_1e-4"] != first["misses_at_fmr_1e-4"] || tenth["share"].(float64) != 0.1 || tenth["genuine_pairs"].(float64) != none["genuine_pairs"].(float64)-1 {
		t.Errorf("%v", reject) // of twelve images in six pairs one is rejected
	}
	for _, name := range []string{"det.png", "reject.png", "worst-01.png"} {
		if _, err := readGray(filepath.Join(dir, "report", name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Iris(t.Context(), []string{"stages", "--out", filepath.Join(dir, "stages")}, &out, &errs); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(filepath.Join(dir, "stages")); len(files) != 6 {
		t.Errorf("%d stages", len(files))
	}
}
