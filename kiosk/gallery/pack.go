package gallery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// Packed templates, as [Pack] writes them and [Gallery.AddPacked] reads them:
// version[1] number of entries[1], and for each entry eye[1], length of the
// engine's name[1], number of readings[1], name, and for each reading its search
// code, [iris.SearchWords] words, little-endian. An entry of an engine that does
// not ship has no readings.
const (
	packVersion = 1
	packHeader  = 2
	packEntry   = 3
	codeBytes   = 8 * iris.SearchWords
)

// ErrPacked says that bytes are not what [Pack] writes, or that the gallery
// keeps templates.
var ErrPacked = errors.New("gallery: packed templates cannot be read")

// Pack writes what a gallery of [NewFetching] needs of one person's templates:
// about 520 bytes each. It returns what [iris.Decode] does for a damaged one.
func Pack(templates []kiosk.Template) ([]byte, error) {
	if len(templates) > 255 {
		return nil, fmt.Errorf("%w: %d templates", ErrPacked, len(templates))
	}
	out := []byte{packVersion, byte(len(templates))}
	for _, t := range templates {
		d, err := iris.Decode(t)
		var codes []iris.SearchCode
		switch {
		case errors.Is(err, iris.ErrVersion):
		case err != nil:
			return nil, fmt.Errorf("gallery: %w", err)
		default:
			codes = d.SearchCodes()
		}
		if len(t.Engine) > 255 {
			return nil, fmt.Errorf("%w: engine's name of %d bytes", ErrPacked, len(t.Engine))
		}
		out = append(out, byte(t.Eye), byte(len(t.Engine)), byte(len(codes)))
		out = append(out, t.Engine...)
		for i := range codes {
			for _, w := range codes[i] {
				out = binary.LittleEndian.AppendUint64(out, w)
			}
		}
	}
	return out, nil
}

// AddPacked is Add for each template that was packed, for a gallery of
// [NewFetching]. It does not keep packed. It returns [ErrNoID], [ErrEye] or
// [ErrPacked], and then nothing was added.
func (g *Gallery) AddPacked(id ID, packed []byte) error {
	if id == "" {
		return ErrNoID
	}
	if g.fetch == nil {
		return fmt.Errorf("%w: this gallery keeps templates", ErrPacked)
	}
	for _, put := range []bool{false, true} { // read it all before anything is added
		if err := g.unpack(id, packed, put); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gallery) unpack(id ID, b []byte, put bool) error {
	if len(b) < packHeader || b[0] != packVersion {
		return fmt.Errorf("%w: header", ErrPacked)
	}
	n := int(b[1])
	b = b[packHeader:]
	for range n {
		if len(b) < packEntry || len(b) < packEntry+int(b[1])+int(b[2])*codeBytes || b[2] > 2 {
			return fmt.Errorf("%w: cut short", ErrPacked)
		}
		eye, name, readings := kiosk.Eye(b[0]), int(b[1]), int(b[2])
		if !eye.Valid() {
			return fmt.Errorf("%w: %v", ErrEye, eye)
		}
		b = b[packEntry:]
		engine := slices.Index(engines, string(b[:name]))
		b = b[name:]
		var codes [2]iris.SearchCode
		for r := range readings {
			for w := range codes[r] {
				codes[r][w] = binary.LittleEndian.Uint64(b[8*w:])
			}
			b = b[codeBytes:]
		}
		if engine < 0 {
			readings = 0
		}
		if put {
			g.add(Entry{ID: id, Eye: eye}, engine, codes[:readings])
		}
	}
	if len(b) > 0 {
		return fmt.Errorf("%w: %d bytes too many", ErrPacked, len(b))
	}
	return nil
}
