package courier

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store"
	"tambo/store/seal"
	"tambo/sync/hub"
	"tambo/sync/hub/embedded"
)

// long asks for the long form: make test-hub.
var long = os.Getenv("TAMBO_LONG") != ""

// world is a hub over real TLS on loopback, in this process.
type world struct {
	t     testing.TB
	dir   string
	keys  *hub.Keys
	ahead atomic.Int64 // how far this world's clock is ahead, as a Duration

	hub    *hub.Hub
	store  *embedded.Store
	wrap   func(hub.Store) hub.Store
	server *http.Server
	addr   string
	stop   func()
}

func newWorld(t testing.TB, training bool) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "hub")}
	var err error
	if w.keys, err = hub.GenerateKeys(time.Now()); err != nil {
		t.Fatal(err)
	}
	s, err := embedded.Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := embedded.WriteKeys(w.dir, w.keys); err != nil {
		t.Fatal(err)
	}
	if err := hub.Init(t.Context(), s, w.keys, training, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.start()
	t.Cleanup(func() { w.halt() })
	return w
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *world) clock(ahead time.Duration) { w.ahead.Store(int64(ahead)) }

// start starts the hub, on the address it had before.
func (w *world) start() {
	w.t.Helper()
	var err error
	if w.store, err = embedded.Open(w.dir); err != nil {
		w.t.Fatal(err)
	}
	var s hub.Store = w.store
	if w.wrap != nil {
		s = w.wrap(s)
	}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() && os.Getenv("TAMBO_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if w.hub, err = hub.New(w.t.Context(), hub.Config{Store: s, Keys: w.keys, Now: w.now, Log: log}); err != nil {
		w.t.Fatal(err)
	}
	if w.server, err = w.hub.Server(); err != nil {
		w.t.Fatal(err)
	}
	w.server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	if w.addr == "" {
		w.addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { w.hub.Run(ctx) })
	wg.Go(func() { w.server.ServeTLS(l, "", "") })
	w.stop = func() { cancel(); w.server.Close(); wg.Wait() }
}

// halt stops the hub as abruptly as a process can in process.
func (w *world) halt() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
		w.store.Close()
	}
}

func (w *world) url() string { return "https://" + w.addr }

// order carries out an order of the keeper.
func order[R any](w *world, name string, args any) R {
	w.t.Helper()
	r, err := tryOrder[R](w, name, args)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return r
}

func tryOrder[R any](w *world, name string, args any) (r R, err error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return r, err
	}
	a, err := w.hub.Do(context.Background(), hub.Order{Name: name, Args: raw})
	if err != nil {
		return r, err
	}
	return a.(R), nil
}

func (w *world) code(id kiosk.KioskID) string {
	w.t.Helper()
	return order[hub.Code](w, "kiosk add", hub.AddKiosk{ID: id, Site: "Lima"}).Code
}

// newKiosk provisions a kiosk.
func (w *world) newKiosk(id kiosk.KioskID) (*fakeVault, *Courier) {
	w.t.Helper()
	v := newVault(w.t)
	c := New(Config{Vault: v, Stall: 5 * time.Second, Chunk: 50_000, Now: w.now})
	if _, err := c.Provision(context.Background(), w.code(id), w.url(), nil); err != nil {
		w.t.Fatal(err)
	}
	return v, c
}

// settle waits until the hub has no match job left.
func (w *world) settle() {
	w.t.Helper()
	for range 1000 {
		if order[hub.Status](w, "status", nil).Jobs == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatal("match jobs do not end")
}

// fakeVault is a vault in memory that keeps the promises of Vault.
type fakeVault struct {
	t       testing.TB
	key     ed25519.PrivateKey
	spare   ed25519.PrivateKey
	private []byte // of the receive key
	receive []byte

	mu     sync.Mutex
	id     Identity
	items  map[string]*fakeItem
	docs   map[string]seal.Document
	digest string // of the agreement
	inbox  map[string][]byte
	have   map[string]uint64
	// acts records what happened, in order: "thin ID", "complete ID", "purged ID".
	acts []string
	// broken makes parts read damaged.
	broken bool
}

type fakeItem struct {
	Item
	v        *fakeVault
	manifest []byte
	parts    map[string][]byte
	receipts map[kiosk.ReceiptKind][]byte
}

func (it *fakeItem) state() kiosk.State {
	it.v.mu.Lock()
	defer it.v.mu.Unlock()
	return it.State
}

func newVault(t testing.TB) *fakeVault {
	t.Helper()
	private, public, err := seal.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeVault{t: t, key: key, private: private, receive: public, items: map[string]*fakeItem{},
		docs: map[string]seal.Document{}, inbox: map[string][]byte{}, have: map[string]uint64{}}
}

// twin returns an empty vault with the same keys and identity.
func (v *fakeVault) twin() *fakeVault {
	return &fakeVault{t: v.t, key: v.key, private: v.private, receive: v.receive, id: v.id, items: map[string]*fakeItem{},
		docs: map[string]seal.Document{}, inbox: map[string][]byte{}, have: map[string]uint64{}}
}

func (v *fakeVault) PublicKey() ed25519.PublicKey { return v.key.Public().(ed25519.PublicKey) }
func (v *fakeVault) Sign(m []byte) []byte         { return ed25519.Sign(v.key, m) }
func (v *fakeVault) ReceiveKey() []byte           { return v.receive }

func (v *fakeVault) Identity() (Identity, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.id.HubKey == "" {
		return Identity{}, store.ErrNoIdentity
	}
	return v.id, nil
}

func (v *fakeVault) Provision(id Identity, _ *Operator) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.id = id
	return nil
}

func (v *fakeVault) Outbox(context.Context) ([]Item, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []Item
	for _, k := range slices.Sorted(maps.Keys(v.items)) {
		if it := v.items[k]; it.State != kiosk.StatePurged {
			out = append(out, it.Item)
		}
	}
	return out, nil
}

func (v *fakeVault) item(id string) *fakeItem {
	it := v.items[id]
	if it == nil {
		v.t.Errorf("no package %s", id)
		return &fakeItem{}
	}
	return it
}

func (v *fakeVault) Manifest(id string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.item(id).manifest, nil
}

type nopSeekCloser struct{ *bytes.Reader }

func (nopSeekCloser) Close() error { return nil }

func (v *fakeVault) SealedPart(id, name string) (io.ReadSeekCloser, int64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	it := v.item(id)
	if it.State == kiosk.StatePurged {
		return nil, 0, store.ErrPurged // another courier was quicker
	}
	b := it.parts[name]
	if v.broken {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 1
	}
	return nopSeekCloser{bytes.NewReader(b)}, int64(len(b)), nil
}

func (v *fakeVault) ApplyReceipt(id string, kind kiosk.ReceiptKind, note []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	it := v.item(id)
	if old := it.receipts[kind]; old != nil && !bytes.Equal(old, note) {
		v.t.Errorf("%s receipt of %s changed:\n%s\n%s", kind, id, old, note)
	}
	it.receipts[kind] = bytes.Clone(note)
	switch {
	case it.receipts[kiosk.ReceiptComplete] != nil:
		it.State = kiosk.StateDelivered
	case kind == kiosk.ReceiptRefused:
		it.State = kiosk.StateRefused
	default:
		it.State = kiosk.StateThin
	}
	v.acts = append(v.acts, string(kind)+" "+id)
	return nil
}

func (v *fakeVault) Purge(id string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	it := v.item(id)
	if it.receipts[kiosk.ReceiptComplete] == nil {
		v.t.Errorf("purge of %s without a complete receipt", id)
		return errors.New("no complete receipt")
	}
	it.State = kiosk.StatePurged
	v.acts = append(v.acts, "purged "+id)
	return nil
}

func (v *fakeVault) Have() (map[string]uint64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.have), nil
}

func (v *fakeVault) hubKey() ed25519.PublicKey {
	_, pub, err := parseKey(v.id.HubKey)
	if err != nil {
		v.t.Error(err)
	}
	return pub
}

func (v *fakeVault) PutDocument(signed []byte) (seal.Document, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	d, digest, err := seal.OpenDocument(signed, v.hubKey())
	if err != nil {
		return d, err
	}
	if d.Version < v.have[d.Kind] {
		return d, errors.New("rolled back")
	}
	d.Body = bytes.Clone(d.Body)
	v.docs[d.Kind], v.have[d.Kind] = d, d.Version
	if d.Kind == seal.KindAgreement {
		v.digest = digest
	}
	return d, nil
}

func (v *fakeVault) PutInbox(kind string, version uint64, sealed []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.inbox[fmt.Sprintf("%s@%d", kind, version)] = sealed
	v.have[kind] = version
	return nil
}

// open opens what waits in the inbox, as the subject key would.
func (v *fakeVault) open(kind string, version uint64) seal.Document {
	v.t.Helper()
	sealed := v.inbox[fmt.Sprintf("%s@%d", kind, version)]
	if sealed == nil {
		v.t.Fatalf("no %s version %d came; have %v", kind, version, v.have)
	}
	signed, err := seal.OpenDown(sealed, v.private, v.id.Kiosk)
	if err != nil {
		v.t.Fatal(err)
	}
	d, _, err := seal.OpenDocument(signed, v.hubKey())
	if err != nil {
		v.t.Fatal(err)
	}
	if d.Kind != kind || d.Version != version || d.Kiosk != v.id.Kiosk {
		v.t.Fatalf("the document says that it is %s %d for %s", d.Kind, d.Version, d.Kiosk)
	}
	return d
}

func (v *fakeVault) agreement() kiosk.Agreement {
	a, _ := v.inForce()
	return a
}

// inForce is the agreement, and its digest.
func (v *fakeVault) inForce() (a kiosk.Agreement, digest string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := json.Unmarshal(v.docs[seal.KindAgreement].Body, &a); err != nil {
		v.t.Fatal(err)
	}
	return a, v.digest
}

// packed is what goes into a package of a test.
type packed struct {
	encounter kiosk.EncounterID // default: a new one
	kind      kiosk.PackageKind // default: encounter
	hit       bool
	real      bool // not training
	templates []kiosk.Template
	bytes     map[string]int // sizes of other parts: "evidence", "record", "image-1"…
	agreement string         // default: the one in force
	recipient func(*kiosk.Part, *kiosk.Recipient)
}

// unknownEngine is a template that no engine of ours compares: for tests that are
// not about matching.
var unknownEngine = []kiosk.Template{{Engine: "test/0", Eye: kiosk.EyeLeft, Data: []byte("nothing")}}

// seal makes a package as the vault does, and puts it into the outbox.
func (v *fakeVault) seal(p packed) *fakeItem {
	v.t.Helper()
	if p.encounter == "" {
		p.encounter = kiosk.NewEncounterID()
	}
	if p.kind == "" {
		p.kind = kiosk.PackageEncounter
	}
	a, digest := v.inForce()
	if p.agreement == "" {
		p.agreement = digest
	}
	if p.templates == nil {
		p.templates = unknownEngine
	}
	if p.bytes == nil {
		p.bytes = map[string]int{"evidence": 20_000, "record": 3_000, "image-1": 150_000}
	}
	plain := map[string][]byte{}
	var err error
	if plain["templates"], err = json.Marshal(kiosk.TemplatesPart{Visit: kiosk.VisitIntake, Templates: p.templates}); err != nil {
		v.t.Fatal(err)
	}
	for name, n := range p.bytes {
		plain[name] = make([]byte, n)
		rand.NewChaCha8([32]byte{byte(n)}).Read(plain[name])
	}
	m := kiosk.Manifest{Format: 1, Kiosk: v.id.Kiosk, Encounter: p.encounter, Kind: p.kind, Agreement: p.agreement,
		Training: !p.real, Hit: p.hit, Sealed: time.Now().UTC()}
	parts := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(plain)) { // evidence, image-1, record, templates
		parts[name] = v.sealPart(&m, &a, name, plain[name], p.recipient)
	}
	return v.put(m, parts)
}

func (v *fakeVault) sealPart(m *kiosk.Manifest, a *kiosk.Agreement, name string, plain []byte, bend func(*kiosk.Part, *kiosk.Recipient)) []byte {
	part := kiosk.Part{Name: name, Kind: kiosk.PartImages}
	switch name {
	case "templates", "evidence", "record":
		part.Kind = kiosk.PartKind(name)
	}
	var to kiosk.Recipient
	for _, r := range a.Recipients {
		if r.Role == part.Kind.Recipient() {
			to = r
		}
	}
	if bend != nil {
		bend(&part, &to)
	}
	part.KeyID = to.KeyID
	var out bytes.Buffer
	b := seal.Binding{Kiosk: m.Kiosk, Encounter: m.Encounter, Agreement: m.Agreement, KeyID: to.KeyID, Part: name}
	var err error
	if part.Digest, part.Size, err = seal.Seal(&out, bytes.NewReader(plain), to.Key, b, v.key); err != nil {
		v.t.Fatal(err)
	}
	m.Parts = append(m.Parts, part)
	return out.Bytes()
}

// put signs a manifest and adds the package to the outbox.
func (v *fakeVault) put(m kiosk.Manifest, parts map[string][]byte) *fakeItem {
	v.t.Helper()
	signed, err := seal.SignManifest(m, v.key)
	if err != nil {
		v.t.Fatal(err)
	}
	it := &fakeItem{v: v, manifest: signed, parts: parts, receipts: map[kiosk.ReceiptKind][]byte{}, Item: Item{
		ID: seal.Digest(signed), Encounter: m.Encounter, Kind: m.Kind, Hit: m.Hit, State: kiosk.StateSealed, Sealed: m.Sealed, Parts: m.Parts,
	}}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.items[it.ID] = it
	return it
}

// delivered checks that the hub holds exactly these packages, whole and once,
// with the receipts that the kiosk holds.
func (w *world) delivered(items ...*fakeItem) {
	w.t.Helper()
	all := order[[]hub.PackageInfo](w, "packages", nil)
	byDigest := map[string]hub.PackageInfo{}
	encounters := map[kiosk.EncounterID]int{}
	for _, p := range all {
		byDigest[p.Digest] = p
		encounters[p.Encounter]++
	}
	if len(all) != len(items) {
		w.t.Errorf("the hub holds %d packages of %d", len(all), len(items))
	}
	for _, it := range items {
		if p := byDigest[it.ID]; p.State != "complete" || encounters[it.Encounter] != 1 {
			w.t.Errorf("package %s is %q at the hub; its encounter is there %d times", it.ID, p.State, encounters[it.Encounter])
		}
		if it.State != kiosk.StatePurged {
			w.t.Errorf("package %s is %s at the kiosk", it.ID, it.State)
		}
		for _, part := range it.Parts {
			w.holds(it, part)
		}
	}
	if n := order[hub.Status](w, "status", nil).Log; n != int64(2*len(items)) {
		w.t.Errorf("the log has %d receipts for %d packages", n, len(items))
	}
}

func (w *world) holds(it *fakeItem, part kiosk.Part) {
	w.t.Helper()
	k := ""
	if m, _, err := seal.OpenManifest(it.manifest, it.key(w)); err == nil {
		k = string(m.Kiosk)
	}
	b, err := os.ReadFile(filepath.Join(w.dir, "parts", k, part.Digest[:2], part.Digest))
	if err != nil {
		w.t.Error(err)
		return
	}
	sum := sha256.Sum256(b)
	if hex.EncodeToString(sum[:]) != part.Digest {
		w.t.Errorf("part %s is not whole at the hub", part.Name)
	}
}

func (it *fakeItem) key(w *world) ed25519.PublicKey {
	for _, k := range order[[]hub.Kiosk](w, "kiosk list", nil) {
		for _, key := range k.Keys {
			if _, _, err := seal.OpenManifest(it.manifest, key); err == nil {
				return key
			}
		}
	}
	return nil
}
