package store

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"unicode/utf16"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/keyring"
)

// markers are what is planted in an encounter, and must never be found.
type markers map[string][]byte

// planted makes an encounter full of markers. One image is a PNG, whose pixels
// are found only by decompressing it.
func planted(w *world) (*kiosk.Encounter, map[string][]byte, markers) {
	pixels := bytes.Repeat([]byte("PIXELMARKER-7391-"), 300)
	var grey color.Palette // a palette, because png filters the rows of other images
	for i := range 256 {
		grey = append(grey, color.Gray{uint8(i)})
	}
	img := image.NewPaletted(image.Rect(0, 0, 102, 50), grey)
	copy(img.Pix, pixels)
	var compressed bytes.Buffer
	w.must(png.Encode(&compressed, img))
	m := markers{
		"name": []byte("HUAMANMARKER"), "number": []byte("P9371940MARK"), "wristband": []byte("WBMARKER5518"), "alias": []byte("EL ZORRO MARKER"),
		"raw pixels": []byte("RAWPIXELMARKER-0042"), "png pixels": pixels[:51], "template": noise(77, 48),
		"face photo": []byte("FACEPHOTOMARKER-5519"), "portrait": []byte("PORTRAITMARKER-6620"),
	}
	e, _ := w.encounter(1, 10)
	e.Identity.Surname.Value, e.Identity.DocumentNumber.Value = string(m["name"]), string(m["number"])
	e.Identity.Aliases, e.Arrival.Wristband = []string{string(m["alias"])}, string(m["wristband"])
	e.Captures[0].Template.Data = slices.Concat(noise(1, 100), m["template"], noise(2, 100))
	e.Captures = append(e.Captures, kiosk.Capture{ID: 4, Modality: kiosk.ModalityFace, Part: "face-4"})
	images := map[string][]byte{"face-4": slices.Concat(noise(4, 40_000), m["face photo"]), "face-4.crop": bytes.Repeat(m["portrait"], 700), "image-1": bytes.Repeat(m["raw pixels"], 9000), "image-2": compressed.Bytes(), "image-3": slices.Concat(noise(3, 70_000), m["raw pixels"])}
	return e, images, m
}

// find returns the markers that occur in b: plain, as UTF-16, base64 or hex, or
// inside anything compressed that begins anywhere in b.
func (m markers) find(b []byte) (found []string) {
	seen := map[string]bool{}
	note := func(b []byte) {
		for name, v := range m {
			if !seen[name] && m.contains(b, v) {
				seen[name], found = true, append(found, name)
			}
		}
	}
	note(b)
	for _, plain := range inflated(b) {
		note(plain)
	}
	slices.Sort(found)
	return found
}

func (m markers) contains(b, v []byte) bool {
	if bytes.Contains(b, v) || bytes.Contains(b, []byte(hex.EncodeToString(v))) {
		return true
	}
	le, be := []byte{}, []byte{}
	for _, u := range utf16.Encode([]rune(string(v))) {
		le, be = binary.LittleEndian.AppendUint16(le, u), binary.BigEndian.AppendUint16(be, u)
	}
	if bytes.Contains(b, le) || bytes.Contains(b, be) {
		return true
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			// The characters that depend on neither neighbour.
			s := enc.EncodeToString(slices.Concat(make([]byte, shift), v))
			s = s[(shift*8+5)/6 : (shift+len(v))*8/6]
			if bytes.Contains(b, []byte(s)) {
				return true
			}
		}
	}
	return false
}

// inflated decompresses whatever looks like the start of gzip, zlib (and so the
// data of a PNG) in b.
func inflated(b []byte) (out [][]byte) {
	read := func(r io.Reader, err error) {
		if err != nil {
			return
		}
		if plain, _ := io.ReadAll(io.LimitReader(r, 1<<20)); len(plain) > 12 {
			out = append(out, plain)
		}
	}
	for i := 0; i+2 < len(b); i++ {
		switch {
		case b[i] == 0x1f && b[i+1] == 0x8b:
			read(gzip.NewReader(bytes.NewReader(b[i:])))
		case b[i]&0x0f == 8 && (uint(b[i])<<8|uint(b[i+1]))%31 == 0:
			read(zlib.NewReader(bytes.NewReader(b[i:])))
		}
	}
	return out
}

func TestTheSearchFinds(t *testing.T) {
	m := markers{"x": []byte("HUAMANMARKER")}
	pack := func(w io.WriteCloser, b *bytes.Buffer) []byte {
		w.Write([]byte("...HUAMANMARKER..."))
		w.Close()
		return b.Bytes()
	}
	var z, g bytes.Buffer
	for name, b := range map[string][]byte{
		"plain": []byte("..HUAMANMARKER.."), "utf-16le": []byte("H\x00U\x00A\x00M\x00A\x00N\x00M\x00A\x00R\x00K\x00E\x00R\x00"),
		"utf-16be": []byte("\x00H\x00U\x00A\x00M\x00A\x00N\x00M\x00A\x00R\x00K\x00E\x00R"), "hex": []byte("4855414d414e4d41524b4552"),
		"base64 0": []byte(base64.StdEncoding.EncodeToString([]byte("HUAMANMARKER!"))), "base64 1": []byte(base64.StdEncoding.EncodeToString([]byte("?HUAMANMARKER!"))),
		"base64 2": []byte(base64.URLEncoding.EncodeToString([]byte("??HUAMANMARKER!"))),
		"zlib":     append([]byte("junk"), pack(zlib.NewWriter(&z), &z)...), "gzip": append([]byte("junk"), pack(gzip.NewWriter(&g), &g)...),
	} {
		if len(m.find(b)) != 1 {
			t.Errorf("%s: not found", name)
		}
	}
	if len(m.find([]byte("HUAMANMARKET"))) != 0 {
		t.Error("found what is not there")
	}
}

// snapshot reads every file below dir: what an imaged or undeleted disk holds.
func snapshot(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[filepath.Base(path)] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (m markers) inFiles(t *testing.T, when string, files map[string][]byte) {
	t.Helper()
	for name, b := range files {
		if found := m.find(b); len(found) > 0 {
			t.Errorf("%s: %s holds %v in the clear", when, name, found)
		}
	}
}

// plunder decrypts all that can be decrypted in files (of now or of before,
// undeleted) with every key that these sessions open: every page of every
// database, free or not, taken for a leaf, every value tried with every key at
// every place where the vault may have put it.
func plunder(v *Vault, sessions []*keyring.Session, files map[string][]byte) (plain [][]byte) {
	var keys []keyring.Key
	for _, ref := range v.ring.Refs() {
		for _, s := range append(sessions, nil) {
			if k, err := v.ring.Key(ref, s); err == nil && !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	for name, b := range files {
		for _, e := range leaves(b) {
			plain = append(plain, inner(v, e, keys)...)
		}
		for _, key := range keys {
			f := &encFile{name: name, key: key}
			blobs := map[blobInfo]bool{}
			for _, e := range leaves(b) {
				if p, err := box.Open(key[:], f.place(bTOC, string(e.key), 0, 0), e.value); err == nil {
					var i blobInfo
					json.Unmarshal(p, &i)
					blobs[i] = true
				}
				for _, bucket := range buckets {
					if p, err := box.Open(key[:], box.Place(schema, indexFile, bucket, string(e.key)), e.value); err == nil {
						plain = append(plain, p)
					}
				}
				if len(e.value) > refSize {
					if p, err := box.Open(key[:], codesPlace(e.key), e.value[refSize:]); err == nil {
						plain = append(plain, p)
					}
				}
				for _, list := range []string{"stolen"} {
					if p, err := box.Open(key[:], listPlace(list, e.key), e.value); err == nil {
						plain = append(plain, p)
					}
				}
			}
			for _, e := range leaves(b) {
				for i := range blobs {
					if len(e.key) < 4 {
						continue
					}
					n := int64(binary.BigEndian.Uint32(e.key[len(e.key)-4:]))
					if p, err := box.Open(key[:], f.place(bData, i.Name, n, i.Size), e.value); err == nil {
						plain = append(plain, p)
					}
				}
			}
		}
	}
	return plain
}

// inner opens the body of an index card, whose envelope is of the machine tier.
func inner(v *Vault, e leafElem, keys []keyring.Key) (plain [][]byte) {
	r, err := v.decodeCard(e.key, e.value)
	if err != nil {
		return nil
	}
	plain = append(plain, []byte(r.Encounter))
	for _, k := range keys {
		if p, err := box.Open(k[:], cardPlace(r.Encounter), r.Body); err == nil {
			plain = append(plain, p)
		}
	}
	return plain
}

type leafElem struct{ key, value []byte }

// leaves reads every 4 KiB of a file as if a leaf page began there, and the
// small buckets inside it.
func leaves(b []byte) (out []leafElem) {
	for at := 0; at+4096 <= len(b); at += 4096 {
		out = append(out, leafPage(b[at:])...)
	}
	return out
}

func leafPage(page []byte) (out []leafElem) {
	le := binary.LittleEndian
	if len(page) < 16 || le.Uint16(page[8:]) != 0x02 {
		return nil
	}
	for i := range int(le.Uint16(page[10:])) {
		h := 16 + 16*i
		if h+16 > len(page) {
			break
		}
		from := uint64(h) + uint64(le.Uint32(page[h+4:]))
		mid := from + uint64(le.Uint32(page[h+8:]))
		end := mid + uint64(le.Uint32(page[h+12:]))
		if mid > end || end > uint64(len(page)) || from > mid {
			continue
		}
		out = append(out, leafElem{page[from:mid], page[mid:end]})
		if le.Uint32(page[h:]) == 1 && end-mid > 16 {
			out = append(out, leafPage(page[mid+16:end])...)
		}
	}
	return out
}

func (m markers) inPlunder(plain [][]byte) []string { return m.find(bytes.Join(plain, []byte{0})) }

func (w *world) everybody() (ss []*keyring.Session) {
	for label, pw := range map[string]string{"su-1": pwS, "of-1": pwO, "te-1": pwT, "ke-1": pwK} {
		o, err := w.v.SignIn(bg, label, []byte(pw))
		w.must(err)
		ss = append(ss, o.s)
	}
	return ss
}

// TestMarkers is the promise of the vault: nothing in the clear, ever; after
// sealing and after purge nothing that was sealed comes back, with every
// operator's key in hand and with every file of before undeleted.
func TestMarkers(t *testing.T) {
	w := newWorld(t)
	e, images, m := planted(w)
	s := w.unlock("of-1", pwO)
	w.must(s.SaveDraft(bg, e, map[string][]byte{"image-1": images["image-1"], "image-2": images["image-2"]}))
	w.must(s.SaveDraft(bg, e, map[string][]byte{"image-3": images["image-3"]}))
	w.must(s.SaveDraft(bg, e, map[string][]byte{"face-4": images["face-4"], "face-4.crop": images["face-4.crop"]}))
	draft := snapshot(t, w.dir)
	m.inFiles(t, "while a draft", draft)

	// The plunderer is worth its name: with the officer's key the open draft is
	// read, image by image; with the technician's, or none, nothing is.
	all := slices.Sorted(func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	})
	if got := m.inPlunder(plunder(w.v, w.everybody(), draft)); !slices.Equal(got, all) {
		t.Fatalf("the plunderer finds %v in an open draft, want %v", got, all)
	}
	te, err := w.v.SignIn(bg, "te-1", []byte(pwT))
	w.must(err)
	ke, err := w.v.SignIn(bg, "ke-1", []byte(pwK))
	w.must(err)
	for who, ss := range map[string][]*keyring.Session{"technician": {te.s}, "keeper": {ke.s}, "nobody": nil} {
		if got := m.inPlunder(plunder(w.v, ss, draft)); len(got) > 0 {
			t.Errorf("%s reads %v", who, got)
		}
		for _, ref := range w.v.ring.Find(keyring.Subject, keyring.UseDraft) {
			for _, x := range append(ss, nil) {
				if _, err := w.v.ring.Key(ref, x); err == nil {
					t.Errorf("%s unwraps a subject key", who)
				}
			}
		}
	}

	// Sealing. What stays is the card: wristband and template, until it ends.
	c := card(e, w.now.Add(time.Hour))
	c.Name, c.Search = "", e.Captures[0].Template.Data
	item, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), c)
	w.must(err)
	sealed := snapshot(t, w.dir)
	m.inFiles(t, "sealed", sealed)
	for name, b := range draft { // undeleted, or as the disk remembers them
		if name != "keys.tbl" && sealed[name] == nil {
			sealed[name+".undeleted"] = nil
			sealed[name] = b
		}
	}
	if got := m.inPlunder(plunder(w.v, w.everybody(), sealed)); !slices.Equal(got, []string{"template", "wristband"}) {
		t.Errorf("after sealing, with every key, this comes back: %v", got)
	}
	if got := m.inPlunder(plunder(w.v, w.everybody(), draft)); len(got) > 0 {
		t.Errorf("after sealing, from the files of before, this comes back: %v", got)
	}

	// Purge, and the end of the card.
	w.must(w.v.ApplyReceipt(item.ID, kiosk.ReceiptComplete, []byte("note")))
	w.must(w.v.Purge(item.ID))
	if n, err := w.v.EndCards(kiosk.Instant{Time: w.now.Add(2 * time.Hour), Trusted: true}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	purged := snapshot(t, w.dir)
	m.inFiles(t, "purged", purged)
	ss := w.everybody()
	for when, files := range map[string]map[string][]byte{"now": purged, "sealed": sealed, "draft": draft} {
		plain := plunder(w.v, ss, files)
		if got := m.inPlunder(plain); len(got) > 0 {
			t.Errorf("after purge, from the files of %s, this comes back: %v", when, got)
		}
		// Not even ciphertext that a recipient could open: the parts are gone too.
		if bytes.Contains(bytes.Join(plain, nil), []byte("tambop1\n")) {
			t.Errorf("after purge, from the files of %s, sealed parts come back", when)
		}
	}
}

// TestMarkersNoticeAKeptKey is the proof that TestMarkers has teeth: when the
// draft's key is not erased, its undeleted file is read.
func TestMarkersNoticeAKeptKey(t *testing.T) {
	w := newWorld(t)
	e, images, m := planted(w)
	s := w.unlock("of-1", pwO)
	w.must(s.SaveDraft(bg, e, images))
	draft := snapshot(t, w.dir)
	w.v.fault.keepKeys = true
	_, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), nil)
	w.must(err)
	if got := m.inPlunder(plunder(w.v, w.everybody(), draft)); len(got) != len(m) {
		t.Errorf("only %v came back", got)
	}
	w.v.fault.keepKeys = false
	w.reopen() // and opening the vault finishes the erasure
	if got := m.inPlunder(plunder(w.v, w.everybody(), draft)); len(got) != 0 {
		t.Errorf("after opening again %v came back", got)
	}
}
