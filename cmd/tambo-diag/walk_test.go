package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// programs builds the three programs that the walk needs.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range []string{"tambo-diag", "tambo-devsim", "tambo-hub"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, p), "tambo/cmd/"+p)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", p, err, out)
		}
	}
	return dir
}

// TestWalk is what a newcomer runs, and every word that the README promises.
func TestWalk(t *testing.T) {
	bin := programs(t)
	cmd := exec.Command(filepath.Join(bin, "tambo-diag"), "walk", "--seed", "3")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	t.Logf("\n%s", &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"duplicate", "watchlist", "Call the supervisor", "receipt", "purged", "hub is not reachable", "kept", "everything promised was seen"} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("the walk does not say %q", word)
		}
	}
}

// TestWalkFailsWhenTheHubCannotStart: a walk that cannot do its work must say
// so and exit with a status.
func TestWalkFailsWhenTheHubCannotStart(t *testing.T) {
	bin := programs(t)
	if err := os.WriteFile(filepath.Join(bin, "tambo-hub"), []byte("#!/bin/sh\necho no disk >&2; exit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(bin, "tambo-diag"), "walk").CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("no disk")) {
		t.Errorf("%v: %s", err, out)
	}
}
