package uvc_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tambo/devices/uvc"
)

// realCameras reads the configuration descriptors of cameras that exist; each
// file says where they are known from.
func realCameras(t testing.TB) map[string][]byte {
	files, err := filepath.Glob("testdata/cameras/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cameras: %v", err)
	}
	out := map[string][]byte{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var all []byte
		for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
			if line := strings.TrimSpace(s.Text()); !strings.HasPrefix(line, "#") {
				b, err := hex.DecodeString(line)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				all = append(all, b...)
			}
		}
		out[strings.TrimSuffix(filepath.Base(name), ".hex")] = all
	}
	return out
}

func TestRealCameras(t *testing.T) {
	cameras := realCameras(t)
	parse := func(name string) (uvc.Function, uvc.Streaming) {
		t.Helper()
		f, err := uvc.ParseFunction(cameras[name])
		if err != nil || len(f.Streams) != 1 {
			t.Fatalf("%s: %v, %d streams", name, err, len(f.Streams))
		}
		return f, f.Streams[0]
	}
	bandwidths := func(s uvc.Streaming) (out []int) {
		for _, a := range s.Alternates {
			out = append(out, a.Packet)
		}
		return out
	}

	f, s := parse("3277-009e")
	if f.Version != 0x0150 || f.ClockHz != 15e6 || f.ControlNum != 0 || len(f.Entities) != 5 || s.Endpoint != 0 || s.Terminal != 3 || s.StillMethod != 1 {
		t.Errorf("3277:009e: %+v", f)
	}
	if got := bandwidths(s); !slices.Equal(got, []int{128, 512, 1020, 2 * 768, 2 * 1020, 3 * 896, 3 * 1020}) {
		t.Errorf("3277:009e: bandwidths %v", got)
	}
	if len(s.Formats) != 2 || s.Formats[0].String() != "MJPEG" || s.Formats[1].String() != "YUY2" || len(s.Formats[0].Frames) != 6 || len(s.Formats[1].Frames) != 6 {
		t.Fatalf("3277:009e: formats %v", s.Formats)
	}
	if fr := s.Formats[1].Frames[4]; fr.Width != 1280 || fr.Height != 720 || fr.Default != 100*time.Millisecond || fr.Bytes != 1843200 {
		t.Errorf("3277:009e: %+v", fr)
	}

	f, s = parse("05e3-0515")
	if f.Version != 0x0100 || f.ClockHz != 60e6 || s.Terminal != 4 || s.StillMethod != 2 || !slices.Equal(bandwidths(s), []int{3072}) {
		t.Errorf("05e3:0515: %+v", f)
	}
	if fo := s.Formats[0]; len(fo.Frames) != 6 || len(fo.Still) != 6 || fo.Still[4] != (uvc.StillSize{Width: 352, Height: 288}) || fo.String() != "YUY2" {
		t.Errorf("05e3:0515: %+v", fo)
	}

	f, s = parse("3474-4281")
	if f.Version != 0x0110 || len(s.Formats) != 1 || len(s.Formats[0].Frames) != 2 || s.Formats[0].Frames[1].Height != 386 {
		t.Errorf("3474:4281: %+v", s)
	}

	_, s = parse("1fc9-009b")
	if fo := s.Formats[0]; fo.Colour() || fo.Grey() || len(fo.Frames[0].Intervals) != 2 || fo.String() != "7beb36e44f52ce119f530020af0ba770" {
		t.Errorf("1fc9:009b: %v", fo)
	}

	_, s = parse("199e-8302")
	if s.Endpoint != 0x82 || s.Packet != 512 || s.Formats[0].Kind != uvc.FormatFrameBased || s.Formats[0].Variable {
		t.Errorf("199e:8302: %+v", s)
	}
	if fr := s.Formats[0].Frames; len(fr) != 2 || fr[1].Width != 640 || fr[1].Index != 4 || fr[1].Default != 33333300 || len(fr[1].Intervals) != 4 {
		t.Errorf("199e:8302: %+v", fr)
	}
}

// Some makers put the streaming descriptors behind the endpoint (05a3:8830, in
// gregkh/usbutils pull request 53).
func TestDescriptorsBehindTheEndpoint(t *testing.T) {
	plain := realCameras(t)["199e-8302"]
	at := bytes.Index(plain, []byte{9, 4, 1, 0, 1, 14, 2}) + 9
	end := bytes.Index(plain, []byte{7, 5, 0x82})
	moved := slices.Concat(plain[:at], plain[end:end+7], plain[at:end], plain[end+7:])
	a, err := uvc.ParseFunction(plain)
	if err != nil {
		t.Fatal(err)
	}
	b, err := uvc.ParseFunction(moved)
	if err != nil || len(b.Streams) != 1 || len(b.Streams[0].Formats) != 1 || len(b.Streams[0].Formats[0].Frames) != len(a.Streams[0].Formats[0].Frames) ||
		b.Streams[0].Endpoint != 0x82 {
		t.Errorf("%+v, %v", b.Streams, err)
	}
}
