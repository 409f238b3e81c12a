package policy

import (
	"crypto/hmac"
	"crypto/sha256"
	"math"
	"strings"

	"tambo/kiosk"
)

// SearchFMR is the false match rate that one comparison may have, so that a
// search of n entries has at most fpir false positives (ISO/IEC 19795-1: for
// small rates FPIR = n·FMR). With no entries it is that of one.
func SearchFMR(fpir float64, n int) float64 {
	return fpir / float64(max(n, 1))
}

// Strangers says how rare a score is in words' terms: in a search of n
// entries, a stranger would do this about once in Strangers searches. It is at
// least 1 and at most 1e12, beyond which no calibration reaches.
func Strangers(logFMR float64, n int) float64 {
	if math.IsNaN(logFMR) {
		return 1
	}
	s := math.Pow(10, math.Min(logFMR, 30)) / float64(max(n, 1))
	return math.Min(math.Max(s, 1), 1e12)
}

// NormalizeDocument reduces a document number to what is compared: upper-case
// letters and digits.
func NormalizeDocument(number string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, number)
}

// DocumentHash is the keyed hash under which a list carries a document
// number: HMAC-SHA256 of the normalised number. It is nil for a number with
// nothing to compare.
func DocumentHash(key []byte, number string) []byte {
	n := NormalizeDocument(number)
	if n == "" {
		return nil
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(n))
	return m.Sum(nil)
}

// Instruction returns what the entry says to do on this kind of visit.
func Instruction(e *kiosk.WatchlistEntry, v kiosk.VisitKind) kiosk.Instruction {
	if i, ok := e.ByVisit[v]; ok {
		return i
	}
	return e.Instruction
}
