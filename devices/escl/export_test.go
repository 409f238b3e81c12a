package escl

import "testing"

// SetQuirks replaces the quirks table until t ends.
func SetQuirks(t *testing.T, table string) {
	t.Helper()
	rows, err := parseQuirks([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	old := quirkTable
	quirkTable = func() ([]Quirk, error) { return rows, nil }
	t.Cleanup(func() { quirkTable = old })
}
