package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"tambo/kiosk"
)

var (
	testOrigin  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	testPublic  = testOrigin.Public().(ed25519.PublicKey)
	testBinding = Binding{Kiosk: "lima-1", Encounter: "0123456789abcdefghjk", Agreement: strings.Repeat("ab", 32), Part: "record"}
)

func fixture(t testing.TB) (private, public []byte, b Binding) {
	t.Helper()
	private, public, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	b = testBinding
	b.KeyID = KeyID(public)
	return private, public, b
}

func content(n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(n)})
	b := make([]byte, n)
	r.Read(b)
	return b
}

func sealed(t testing.TB, c, public []byte, b Binding) []byte {
	t.Helper()
	var out bytes.Buffer
	digest, size, err := Seal(&out, bytes.NewReader(c), public, b, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(out.Bytes())
	if digest != hex.EncodeToString(sum[:]) || size != int64(out.Len()) {
		t.Fatalf("digest or size is not of what was written")
	}
	return out.Bytes()
}

// Sizes around every edge: the signature alone, a chunk that is exactly full,
// a signature that straddles two chunks.
var sizes = []int{0, 1, 63, 64, ChunkSize - 65, ChunkSize - 64, ChunkSize - 63, ChunkSize - 1, ChunkSize, ChunkSize + 1, 3*ChunkSize - 64, 3*ChunkSize + 17}

func TestRoundTrip(t *testing.T) {
	private, public, b := fixture(t)
	if len(private) != PrivateKeySize || len(public) != PublicKeySize {
		t.Fatalf("key sizes %d, %d", len(private), len(public))
	}
	for _, n := range sizes {
		c := content(n)
		s := sealed(t, c, public, b)
		chunks := (n + 64 + ChunkSize - 1) / ChunkSize
		if want := magicLen + encSize + n + 64 + chunks*tagSize; len(s) != want {
			t.Errorf("%d bytes: sealed %d, want %d", n, len(s), want)
		}
		var got bytes.Buffer
		if err := Open(&got, iotest.HalfReader(bytes.NewReader(s)), private, b, testPublic); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if !bytes.Equal(got.Bytes(), c) {
			t.Errorf("%d bytes: came back different", n)
		}
	}
}

// TestByTheBook reads a sealed part by the format in the package comment, with
// nothing of this package: the hub may be written in another language.
func TestByTheBook(t *testing.T) {
	private, public, b := fixture(t)
	c := content(ChunkSize + 100)
	s := sealed(t, c, public, b)
	info := []byte("tambo part 1\n")
	for _, f := range []string{"lima-1", "0123456789abcdefghjk", strings.Repeat("ab", 32), b.KeyID, "record"} {
		info = append(info, byte(len(f)>>8), byte(len(f)))
		info = append(info, f...)
	}
	kem, err := hpke.NewKEM(0x647a)
	if err != nil {
		t.Fatal(err)
	}
	kdf, _ := hpke.NewKDF(1)
	aead, _ := hpke.NewAEAD(3)
	sk, err := kem.NewPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	r, err := hpke.NewRecipient(s[8:8+1120], sk, kdf, aead, info)
	if err != nil {
		t.Fatal(err)
	}
	one, err := r.Open([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0}, s[1128:1128+65552])
	if err != nil {
		t.Fatal(err)
	}
	two, err := r.Open([]byte{0, 0, 0, 0, 0, 0, 0, 1, 1}, s[1128+65552:])
	if err != nil {
		t.Fatal(err)
	}
	stream := append(one, two...)
	plain, sig := stream[:len(stream)-64], stream[len(stream)-64:]
	sum := sha256.Sum256(plain)
	m := append([]byte("tambo part origin 1\n"), info...)
	m = binary.BigEndian.AppendUint64(m, uint64(len(plain)))
	if !bytes.Equal(plain, c) || !ed25519.Verify(testPublic, append(m, sum[:]...), sig) {
		t.Fatal("stream is not as documented")
	}
}

func TestTamper(t *testing.T) {
	private, public, b := fixture(t)
	s := sealed(t, content(ChunkSize+300), public, b)
	at := []int{0, 7, 8, 8 + 543, 8 + 1087, 8 + 1088, 8 + 1119, 1128, 1128 + ChunkSize - 1, 1128 + ChunkSize, 1128 + ChunkSize + 15, 1128 + ChunkSize + 16, len(s) - 81, len(s) - 80, len(s) - 17, len(s) - 16, len(s) - 1}
	for i := 0; i < 200; i++ {
		at = append(at, rand.IntN(len(s)))
	}
	for _, i := range at {
		bad := bytes.Clone(s)
		bad[i] ^= 1 << rand.IntN(8)
		if err := Open(io.Discard, bytes.NewReader(bad), private, b, testPublic); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}

func TestChunksCannotMove(t *testing.T) {
	private, public, b := fixture(t)
	s := sealed(t, content(4*ChunkSize), public, b)
	const c = ChunkSize + tagSize
	head, body := s[:1128], s[1128:]
	k := func(i int) []byte { return body[i*c : min((i+1)*c, len(body))] }
	cat := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, bad := range map[string][]byte{
		"swapped":             cat(head, k(1), k(0), k(2), k(3), k(4)),
		"repeated":            cat(head, k(0), k(0), k(1), k(2), k(3), k(4)),
		"missing":             cat(head, k(0), k(2), k(3), k(4)),
		"last missing":        cat(head, k(0), k(1), k(2), k(3)),
		"last repeated":       cat(s, k(4)),
		"only the last":       cat(head, k(4)),
		"cut in a chunk":      s[:len(s)-1],
		"cut in the header":   s[:1000],
		"no chunk":            head,
		"empty":               nil,
		"something follows":   append(bytes.Clone(s), 0),
		"another's whole end": cat(head, k(0), k(1), k(2), k(3), sealed(t, nil, public, b)[1128:]),
	} {
		if err := Open(io.Discard, bytes.NewReader(bad), private, b, testPublic); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBinding(t *testing.T) {
	private, public, b := fixture(t)
	other, _, _ := fixture(t)
	s := sealed(t, content(1000), public, b)
	for name, change := range map[string]func(*Binding){
		"kiosk":     func(b *Binding) { b.Kiosk = "lima-2" },
		"encounter": func(b *Binding) { b.Encounter = "0123456789abcdefghjm" },
		"agreement": func(b *Binding) { b.Agreement = strings.Repeat("ac", 32) },
		"key id":    func(b *Binding) { b.KeyID = strings.Repeat("0", 16) },
		"part":      func(b *Binding) { b.Part = "image-1" },
		"shifted":   func(b *Binding) { b.KeyID, b.Part = b.KeyID+"r", "ecord" },
		"shifted 2": func(b *Binding) { b.Kiosk, b.Encounter = "lima-10", "123456789abcdefghjk" },
	} {
		x := b
		change(&x)
		if err := Open(io.Discard, bytes.NewReader(s), private, x, testPublic); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Open(io.Discard, bytes.NewReader(s), other, b, testPublic); !errors.Is(err, ErrSealed) {
		t.Errorf("another key: %v", err)
	}
	stranger := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	if err := Open(io.Discard, bytes.NewReader(s), private, b, stranger); !errors.Is(err, ErrOrigin) {
		t.Errorf("another origin: %v", err)
	}
	// A recipient who opened a part cannot pass it on as the kiosk's to another.
	wrong := b
	wrong.KeyID = "0000000000000000"
	if _, _, err := Seal(io.Discard, strings.NewReader("x"), public, wrong, testOrigin); !errors.Is(err, ErrKey) {
		t.Errorf("sealed under another key's name: %v", err)
	}
}

func TestSourceAndSinkErrors(t *testing.T) {
	private, public, b := fixture(t)
	broken := io.MultiReader(bytes.NewReader(content(1000)), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, _, err := Seal(io.Discard, broken, public, b, testOrigin); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that broke off was sealed as whole: %v", err)
	}
	full := errors.New("disk full")
	s := sealed(t, content(2*ChunkSize), public, b)
	if err := Open(failing{full}, bytes.NewReader(s), private, b, testPublic); !errors.Is(err, full) {
		t.Errorf("writer's error: %v", err)
	}
	if _, _, err := Seal(failing{full}, bytes.NewReader(s), public, b, testOrigin); !errors.Is(err, full) {
		t.Errorf("writer's error: %v", err)
	}
	if _, _, err := Seal(io.Discard, bytes.NewReader(s), public[:10], b, testOrigin); !errors.Is(err, ErrKey) {
		t.Errorf("short key: %v", err)
	}
	if err := Open(io.Discard, bytes.NewReader(s), private, b, nil); !errors.Is(err, ErrKey) {
		t.Errorf("no origin key: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write(p []byte) (int, error) { return 0, f.err }

func manifest() kiosk.Manifest {
	return kiosk.Manifest{Format: 1, Kiosk: "lima-1", Encounter: "0123456789abcdefghjk", Kind: kiosk.PackageEncounter,
		Agreement: strings.Repeat("ab", 32), Hit: true, Sealed: time.Date(2026, 3, 1, 6, 30, 0, 5, time.FixedZone("", -5*3600)),
		Parts: []kiosk.Part{
			{Name: "templates", Kind: kiosk.PartTemplates, Digest: strings.Repeat("01", 32), Size: 5000, KeyID: strings.Repeat("2", 16)},
			{Name: "record", Kind: kiosk.PartRecord, Digest: strings.Repeat("02", 32), Size: 9000, KeyID: strings.Repeat("3", 16)},
		}}
}

func TestManifest(t *testing.T) {
	signed, err := SignManifest(manifest(), testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	m, digest, err := OpenManifest(signed, testPublic)
	if err != nil {
		t.Fatal(err)
	}
	want := manifest()
	want.Sealed = want.Sealed.UTC()
	if fmt.Sprint(m) != fmt.Sprint(want) || digest != Digest(signed) {
		t.Errorf("came back as %v", m)
	}
	for i := range signed {
		bad := bytes.Clone(signed)
		bad[i] ^= 0x20
		if _, _, err := OpenManifest(bad, testPublic); err == nil {
			t.Fatalf("byte %d changed and accepted", i)
		}
		if _, _, err := OpenManifest(signed[:i], testPublic); err == nil {
			t.Fatalf("cut at %d and accepted", i)
		}
	}
	if _, _, err := OpenManifest(append(signed, ' '), testPublic); !errors.Is(err, ErrSignature) {
		t.Errorf("something follows: %v", err)
	}
	// A manifest is not a document, whoever signed it.
	if _, _, err := OpenDocument(signed, testPublic); !errors.Is(err, ErrMalformed) {
		t.Errorf("manifest as document: %v", err)
	}
}

func TestManifestRules(t *testing.T) {
	for name, change := range map[string]func(*kiosk.Manifest){
		"format":       func(m *kiosk.Manifest) { m.Format = 2 },
		"kiosk":        func(m *kiosk.Manifest) { m.Kiosk = "../x" },
		"encounter":    func(m *kiosk.Manifest) { m.Encounter = "x" },
		"cites":        func(m *kiosk.Manifest) { m.Cites = "x" },
		"kind":         func(m *kiosk.Manifest) { m.Kind = "gift" },
		"agreement":    func(m *kiosk.Manifest) { m.Agreement = "AB" },
		"no parts":     func(m *kiosk.Manifest) { m.Parts = nil },
		"twice":        func(m *kiosk.Manifest) { m.Parts[1].Name = "templates" },
		"path as name": func(m *kiosk.Manifest) { m.Parts[1].Name = "../record" },
		"part kind":    func(m *kiosk.Manifest) { m.Parts[1].Kind = "x" },
		"digest":       func(m *kiosk.Manifest) { m.Parts[1].Digest = strings.Repeat("G", 64) },
		"size":         func(m *kiosk.Manifest) { m.Parts[1].Size = 0 },
		"huge":         func(m *kiosk.Manifest) { m.Parts[1].Size = MaxPart + 1 },
		"key id":       func(m *kiosk.Manifest) { m.Parts[1].KeyID = "" },
	} {
		m := manifest()
		change(&m)
		if _, err := SignManifest(m, testOrigin); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	for name, body := range map[string]string{
		"unknown field": `{"format":1,"name":"Juan"}`,
		"twice":         `{"format":1,"format":1}`,
		"other case":    `{"Format":1}`,
		"space":         `{ "format":1}`,
		"not json":      `{`,
	} {
		signed, err := sign(manifestDomain, []byte(body), testOrigin)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenManifest(signed, testPublic); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDocument(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	want := Document{Kind: "list:stolen-2", Version: 9, Kiosk: "lima-1", Issued: at, NotBefore: at, Expires: at.Add(24 * time.Hour), Body: []byte(`{"put":[]}`)}
	signed, err := SignDocument(want, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	got, digest, err := OpenDocument(signed, testPublic)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || digest != Digest(signed) {
		t.Fatalf("%v %v", got, err)
	}
	for i := range signed {
		bad := bytes.Clone(signed)
		bad[i] ^= 1
		if _, _, err := OpenDocument(bad, testPublic); err == nil {
			t.Fatalf("byte %d changed and accepted", i)
		}
	}
	for _, d := range []Document{{Kind: "", Version: 1}, {Kind: "list:", Version: 1}, {Kind: "a/b", Version: 1}, {Kind: "time"}, {Kind: "time", Version: 1, Kiosk: "?"}} {
		if _, err := SignDocument(d, testOrigin); err == nil {
			t.Errorf("signed %v", d)
		}
	}

	private, public, _ := fixture(t)
	down, err := SealDown(signed, public, "lima-1")
	if err != nil {
		t.Fatal(err)
	}
	if !IsDown(down) || IsDown(signed) {
		t.Error("IsDown")
	}
	back, err := OpenDown(down, private, "lima-1")
	if err != nil || !bytes.Equal(back, signed) {
		t.Fatal(err)
	}
	if _, err := OpenDown(down, private, "lima-2"); !errors.Is(err, ErrSealed) {
		t.Errorf("another kiosk: %v", err)
	}
	for i := 0; i < len(down); i += 7 {
		bad := bytes.Clone(down)
		bad[i] ^= 1
		if _, err := OpenDown(bad, private, "lima-1"); !errors.Is(err, ErrSealed) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	private, public, b := fixture(f)
	good := sealed(f, []byte("x"), public, b)
	f.Add(good)
	f.Add(good[:1128])
	f.Add([]byte(partMagic))
	f.Fuzz(func(t *testing.T, s []byte) {
		if err := Open(io.Discard, bytes.NewReader(s), private, b, testPublic); err == nil && !bytes.Equal(s, good) {
			t.Fatal("opened what was never sealed")
		}
		if _, err := OpenDown(s, private, "lima-1"); err == nil {
			t.Fatal("opened what was never sealed down")
		}
	})
}

// The fuzzers of signed things sign what they make, so that the decoder behind
// the signature is what they reach.
func FuzzOpenManifest(f *testing.F) {
	signed, _ := SignManifest(manifest(), testOrigin)
	f.Add(signed[len(manifestDomain)+64:])
	f.Add([]byte(`{"parts":[{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		OpenManifest(body, testPublic)
		signed, _ := sign(manifestDomain, body, testOrigin)
		m, _, err := OpenManifest(signed, testPublic)
		if err != nil {
			return
		}
		again, err := SignManifest(m, testOrigin)
		if err != nil || !bytes.Equal(again, signed) {
			t.Fatalf("accepted %q, writes %q: %v", signed, again, err)
		}
	})
}

func FuzzOpenDocument(f *testing.F) {
	signed, _ := SignDocument(Document{Kind: "time", Version: 1, Body: []byte("{}")}, testOrigin)
	f.Add(signed[len(documentDomain)+64:])
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, body []byte) {
		OpenDocument(body, testPublic)
		signed, _ := sign(documentDomain, body, testOrigin)
		d, _, err := OpenDocument(signed, testPublic)
		if err != nil {
			return
		}
		again, err := SignDocument(d, testOrigin)
		if err != nil || !bytes.Equal(again, signed) {
			t.Fatalf("accepted %q, writes %q: %v", signed, again, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	_, public, bind := fixture(b)
	c := content(2 << 20)
	b.SetBytes(int64(len(c)))
	for b.Loop() {
		if _, _, err := Seal(io.Discard, bytes.NewReader(c), public, bind, testOrigin); err != nil {
			b.Fatal(err)
		}
	}
}
