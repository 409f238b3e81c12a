package document

import "fmt"

// value is a character's number in check digits: digits their own, letters
// from A = 10, the filler 0 (Doc 9303-3, 4.9).
func value(c byte) (int, bool) {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0'), true
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10, true
	case c == '<':
		return 0, true
	}
	return 0, false
}

// CheckDigit computes the check digit of s, '0' to '9': weights 7, 3, 1,
// modulus 10 (ICAO Doc 9303-3, 4.9). ErrCharacter: s holds a character other
// than A to Z, 0 to 9 and '<'.
func CheckDigit(s string) (byte, error) {
	sum := 0
	for i := range len(s) {
		v, ok := value(s[i])
		if !ok {
			return 0, fmt.Errorf("%w: position %d", ErrCharacter, i+1)
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10), nil
}
