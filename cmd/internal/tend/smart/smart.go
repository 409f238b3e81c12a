// Package smart reads what a disk says of itself: the health log of an NVMe disk,
// and the SMART data of an ATA disk. It only asks; it starts no self-test and
// changes no setting, and makes no verdict: that is package health's.
//
// Only root may ask a disk (CAP_SYS_ADMIN, CAP_SYS_RAWIO). What an answer says of
// makers' own attributes is passed over, because their meaning is theirs: of an ATA
// disk count the attributes that it gives a threshold itself, the sectors that
// cannot be read, and the standard's own indicator of wear.
//
// Standards: NVM Express 1.4, 5.14.1.2; ATA/ATAPI Command Set 3 (ACS-3), 7.48, 9.5;
// SCSI/ATA Translation 3, 12.2. The layout of SMART data is that of SFF-8035i, which
// the later standards leave to the makers and all of them keep.
package smart

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Health is what a disk says of itself.
type Health struct {
	// Failing: the disk says that it is failing, or about to.
	Failing bool `json:"failing"`
	// Used is how much of its life the maker says is used, in percent; it may pass
	// 100. Unknown where UsedKnown is not set.
	Used      int  `json:"used"`
	UsedKnown bool `json:"usedKnown"`
	// Unreadable are pieces of data that it could not read, and those that wait
	// to be read again.
	Unreadable int `json:"unreadable"`
}

// ErrData reports an answer that is none.
var ErrData = errors.New("smart: the disk's answer cannot be read")

// most bounds a count that a disk may say with 128 bits.
const most = 1 << 30

// ParseNVMe reads the SMART / Health Information log page (identifier 02h): 512
// bytes.
func ParseNVMe(b []byte) (Health, error) {
	if len(b) < 512 {
		return Health{}, fmt.Errorf("%w: health log of %d bytes", ErrData, len(b))
	}
	kelvin := binary.LittleEndian.Uint16(b[1:])
	if kelvin == 0 && b[3] == 0 && b[4] == 0 && b[5] == 0 {
		return Health{}, fmt.Errorf("%w: an empty health log", ErrData)
	}
	h := Health{Used: int(b[5]), UsedKnown: true}
	const (
		spareLow    = 1 << 0
		unreliable  = 1 << 2
		readOnly    = 1 << 3
		backupFails = 1 << 4
	)
	// Bit 1 is temperature, which says nothing about the disk.
	h.Failing = b[0]&(spareLow|unreliable|readOnly|backupFails) != 0
	h.Unreadable = clamp(binary.LittleEndian.Uint64(b[160:]), binary.LittleEndian.Uint64(b[168:]))
	return h, nil
}

func clamp(low, high uint64) int {
	if high != 0 || low > most {
		return most
	}
	return int(low)
}

// Attribute numbers that mean the same with every maker. Their raw value is a
// count with most; Fujitsu, and Samsung now and then, pack other things into it,
// so what does not fit 16 bits is no count.
const (
	attrReported   = 187 // errors that could not be corrected
	attrPending    = 197 // sectors that wait to be read again
	attrUnreadable = 198 // found unreadable by the disk itself
)

// attributes is how many places the table has.
const attributes = 30

// ParseATA reads SMART data and, where the disk has them, thresholds: 512 bytes
// each. over is what SMART RETURN STATUS said.
func ParseATA(data, thresholds []byte, over bool) (Health, error) {
	if err := block("SMART data", data); err != nil {
		return Health{}, err
	}
	limits := map[byte]byte{}
	if len(thresholds) > 0 {
		if err := block("SMART thresholds", thresholds); err != nil {
			return Health{}, err
		}
		for i := range attributes {
			if t := thresholds[2+12*i:]; t[0] != 0 {
				limits[t[0]] = t[1]
			}
		}
	}
	h := Health{Failing: over}
	seen := 0
	for i := range attributes {
		a := data[2+12*i : 14+12*i]
		id, flags, value := a[0], binary.LittleEndian.Uint16(a[1:]), a[3]
		if id == 0 {
			continue
		}
		seen++
		// Bit 0: that the value falls to its threshold foretells a failure. 0, 254 and
		// 255 are no values, and a threshold of 0 is never reached.
		if limit := limits[id]; flags&1 != 0 && limit != 0 && limit < 254 && value > 0 && value < 254 && value <= limit {
			h.Failing = true
		}
		if id == attrReported || id == attrPending || id == attrUnreadable {
			// One bad sector may be counted under all three.
			if binary.LittleEndian.Uint32(a[7:]) == 0 {
				h.Unreadable = max(h.Unreadable, int(binary.LittleEndian.Uint16(a[5:])))
			}
		}
	}
	if seen == 0 {
		return Health{}, fmt.Errorf("%w: SMART data without attributes", ErrData)
	}
	return h, nil
}

// block checks a block of 512 bytes whose sum is 0.
func block(what string, b []byte) error {
	if len(b) != 512 {
		return fmt.Errorf("%w: %s of %d bytes", ErrData, what, len(b))
	}
	sum := byte(0)
	for _, x := range b {
		sum += x
	}
	if sum != 0 {
		return fmt.Errorf("%w: %s with a wrong sum", ErrData, what)
	}
	return nil
}

// ParseWear reads the page of Solid State Device Statistics (log 04h, page 07h):
// the percentage used endurance indicator. false where the disk does not say it.
func ParseWear(b []byte) (used int, known bool) {
	if len(b) < 16 || b[2] != 0x07 {
		return 0, false
	}
	const supported, valid = 1 << 7, 1 << 6
	if b[15]&supported == 0 || b[15]&valid == 0 {
		return 0, false
	}
	return int(b[8]), true
}

// parseIdentity reads what IDENTIFY DEVICE says (ACS-3, 7.12.7): that SMART is on,
// and that there are general purpose logs.
func parseIdentity(b []byte) (smart, logs bool) {
	if len(b) < 512 {
		return false, false
	}
	word := func(n int) uint16 { return binary.LittleEndian.Uint16(b[2*n:]) }
	smart = word(82)&1 != 0 && word(85)&1 != 0 && word(82) != 0xffff
	logs = word(84)>>14 == 1 && word(84)&(1<<5) != 0
	return smart, logs
}

// ParseStatus reads the sense data of SMART RETURN STATUS, in descriptor or fixed
// form: whether a threshold was passed. false for known where it does not say.
func ParseStatus(sense []byte) (over, known bool) {
	if len(sense) < 8 {
		return false, false
	}
	var mid, high byte
	switch sense[0] & 0x7f {
	case 0x72, 0x73:
		at := 8
		for at+2 <= len(sense) && sense[at] != 0x09 {
			at += 2 + int(sense[at+1])
		}
		if at+14 > len(sense) || sense[at+1] != 12 {
			return false, false
		}
		mid, high = sense[at+9], sense[at+11]
	case 0x70, 0x71: // the command-specific field holds the address
		if len(sense) < 12 {
			return false, false
		}
		mid, high = sense[10], sense[11]
	default:
		return false, false
	}
	switch [2]byte{mid, high} {
	case [2]byte{0x4f, 0xc2}:
		return false, true
	case [2]byte{0xf4, 0x2c}:
		return true, true
	}
	return false, false
}
