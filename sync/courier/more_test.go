package courier

import (
	"testing"

	"crypto/ed25519"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"strconv"
	"strings"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/store/seal"
	"tambo/sync/wire"
)

var trainingAgreement = policy.TrainingAgreement

func mustVerifier(t testing.TB, v *fakeVault) note.Verifier {
	t.Helper()
	key, _, err := wire.ParseVerifierKey(v.id.HubKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// checkProof verifies that a receipt is an entry of the hub's log.
func checkProof(t *testing.T, c *Courier, receipt []byte, index int64, _ ed25519.PublicKey) {
	t.Helper()
	r, err := c.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var a wire.ProofAnswer
	if err := r.call(t.Context(), "GET", wire.RouteProof, "index="+strconv.FormatInt(index, 10), "", nil, &a); err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(a.Checkpoint), note.VerifierList(r.key))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(a.Proof, size, root, index, tlog.RecordHash(receipt)); err != nil {
		t.Errorf("receipt %d is not in the log: %v", index, err)
	}
	if tlog.CheckRecord(a.Proof, size, root, index, tlog.RecordHash(append(receipt, '.'))) == nil {
		t.Error("another receipt is in the log at its place")
	}
}

// swap exchanges the signing key of a vault with its spare one.
func swap(v *fakeVault) (ed25519.PrivateKey, ed25519.PrivateKey) {
	if v.spare == nil {
		_, v.spare, _ = ed25519.GenerateKey(nil)
	}
	v.key, v.spare = v.spare, v.key
	return v.key, v.spare
}

func manifestOf(t testing.TB, it *fakeItem, key ed25519.PrivateKey) kiosk.Manifest {
	t.Helper()
	m, _, err := seal.OpenManifest(it.manifest, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
