package words

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/health"
)

// load returns the strings of a language: by key, by plural form.
func load(t *testing.T, l Language) map[string]map[string]string {
	t.Helper()
	b, err := files.ReadFile(string(l) + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for k, v := range raw {
		all[k] = map[string]string{}
		switch v := v.(type) {
		case string:
			all[k]["other"] = v
		case map[string]any:
			for form, s := range v {
				all[k][form], _ = s.(string)
			}
		}
	}
	return all
}

var hole = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

func holes(s string) []string {
	var l []string
	for _, m := range hole.FindAllStringSubmatch(s, -1) {
		l = append(l, m[1])
	}
	slices.Sort(l)
	return slices.Compact(l)
}

// TestLanguagesAgree: both languages have the same keys, forms and
// placeholders, and nothing is empty.
func TestLanguagesAgree(t *testing.T) {
	es, en := load(t, Spanish), load(t, English)
	for k := range es {
		if en[k] == nil {
			t.Errorf("%s is not in English", k)
		}
	}
	for k, forms := range en {
		if es[k] == nil {
			t.Errorf("%s is not in Spanish", k)
			continue
		}
		for form, s := range forms {
			o := es[k][form]
			if s == "" || o == "" {
				t.Errorf("%s (%s) is empty or has other forms", k, form)
			}
			if !slices.Equal(holes(s), holes(o)) {
				t.Errorf("%s (%s): placeholders %v and %v", k, form, holes(s), holes(o))
			}
			for _, x := range []string{s, o} {
				if strings.Contains(strings.ReplaceAll(hole.ReplaceAllString(x, ""), "**", ""), "{") || strings.TrimSpace(x) != x || strings.Contains(x, "  ") {
					t.Errorf("%s (%s): %q is not tidy", k, form, x)
				}
			}
		}
	}
	t.Logf("%d keys in both languages", len(en))
}

// family returns every key that a value of the vocabulary asks for.
func family[T ~string](prefix string, values ...T) (keys []string) {
	for _, v := range values {
		keys = append(keys, prefix+string(v))
	}
	return keys
}

// families are the keys that are made of a prefix and a word of the
// vocabulary. Each must exist, and counts as used.
var families = [][]string{
	family("step.", kiosk.StepArrival, kiosk.StepIrises, kiosk.StepDocument, kiosk.StepIdentity, kiosk.StepFace, kiosk.StepDecision, kiosk.StepReview),
	family("next.", kiosk.StepArrival, kiosk.StepIrises, kiosk.StepDocument, kiosk.StepIdentity, kiosk.StepFace, kiosk.StepDecision, kiosk.StepReview),
	family("role.", kiosk.RoleOfficer, kiosk.RoleSupervisor, kiosk.RoleTechnician, kiosk.RoleKeeper),
	family("band.", kiosk.BandAdult, kiosk.Band14To17, kiosk.BandUnder14, kiosk.BandUnknown),
	family("basis.", kiosk.AgeDocument, kiosk.AgeStated, kiosk.AgeEstimated),
	family("flag.", kiosk.FlagPregnant, kiosk.FlagDisability, kiosk.FlagAsylum, kiosk.FlagVictim, kiosk.FlagMinorAlone),
	family("modality.", kiosk.ModalityIris, kiosk.ModalityFace, kiosk.ModalityDocument),
	family("except.", kiosk.ExceptMissing, kiosk.ExceptProsthetic, kiosk.ExceptBandaged, kiosk.ExceptCannotOpen, kiosk.ExceptRefuses, kiosk.ExceptNoDocument, kiosk.ExceptUnreadable, kiosk.ExceptDevice),
	family("park.", kiosk.ParkCalledAway, kiosk.ParkMedical, kiosk.ParkDevice, kiosk.ParkLater, kiosk.ParkLocked, kiosk.ParkUnclean),
	family("verdict.", kiosk.VerdictSame, kiosk.VerdictDifferent, kiosk.VerdictUnsure),
	family("second.", kiosk.SecondHit, kiosk.SecondBelow, kiosk.SecondException, kiosk.SecondAbandon, kiosk.SecondNoIrises, kiosk.SecondDestroy, kiosk.SecondDisagree, kiosk.SecondProtected),
	family("source.", kiosk.SourceChip, kiosk.SourceMRZ, kiosk.SourcePage, kiosk.SourceOfficer),
	family("check.", kiosk.FieldChecked, kiosk.FieldRead, kiosk.FieldDoubtful, kiosk.FieldMismatch, kiosk.FieldMalformed, kiosk.FieldAbsent),
	family("field.", "surname", "given", "birth", "sex", "nationality", "documentType", "documentNumber", "issuer", "expiry"),
	family("eye.", kiosk.EyeRight.String(), kiosk.EyeLeft.String()),
	family("missing.", kiosk.EyeRight.String(), kiosk.EyeLeft.String()),
	family("found.eyeKept.", kiosk.EyeRight.String(), kiosk.EyeLeft.String()),
	family("irises.kept.", kiosk.EyeRight.String(), kiosk.EyeLeft.String()),
	// The sentences of guidance are those of the iris engine (its Guidance),
	// for nobody in particular and for each eye.
	guidance(),
	family("likely.", health.Causes()...), likelyDo(), family("figure.", health.AllFigures()...), family("worked.", health.AllWorked()...),
	family("health.", health.PartCamera, health.PartFace, health.PartScanner, health.PartChip, health.PartHub, health.PartQueue, health.PartKeys, health.PartVault,
		health.PartDisk, health.PartClock, health.PartPower, health.PartPrinter, health.PartUnknown),
	family("diag.failed.", "camera", "scanner", "seal", "verdict"),
	family("month.", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"),
}

// likelyDo: every cause says what to do next.
func likelyDo() (keys []string) {
	for _, c := range health.Causes() {
		keys = append(keys, "likely."+string(c)+".do")
	}
	return keys
}

// TestVerdictIsWhole: a verdict says its port, its count and its time, and leaves
// no hole.
func TestVerdictIsWhole(t *testing.T) {
	now := time.Date(2026, 11, 22, 11, 33, 0, 0, time.UTC)
	b := New(English)
	what, do := b.Verdict(health.Finding{Part: health.PartCamera, Cause: health.CauseCable, Port: "1-4", Count: 12, At: now.Add(-2 * time.Minute)}, now)
	if what != "Most likely: iris camera cable, port 1-4." || do != "Packets lost: 12, at 11:31. Change the cable, then Test." {
		t.Errorf("%q %q", what, do)
	}
	slow := func(p health.Part) string {
		_, do := b.Verdict(health.Finding{Part: p, Cause: health.CauseSlowCamera, Port: "1-4", Count: 6}, now)
		return do
	}
	if iris, face := slow(health.PartCamera), slow(health.PartFace); !strings.Contains(iris, "needs 12,") || !strings.Contains(face, "needs 8,") {
		t.Errorf("floors: %q, %q", iris, face)
	}
	if s := b.Worked(health.Worked{What: health.WorkedFrames, Part: health.PartFace}); s != "Whole frames came, face camera" {
		t.Error(s)
	}
	for _, l := range All {
		b.Set(l)
		for _, c := range health.Causes() {
			what, do := b.Verdict(health.Finding{Part: health.PartScanner, Cause: c, Port: "1-4", Count: 12, Name: "hub.example", At: now, Span: 26 * time.Hour}, now)
			for _, s := range []string{what, do} {
				if strings.Contains(s, "<no value>") || strings.Contains(s, "[") || strings.Contains(s, "{") || !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "?") {
					t.Errorf("%s in %s: %q", c, l, s)
				}
			}
		}
	}
}

func guidance() (keys []string) {
	for _, g := range []string{"here", "one", "closer", "further", "centre", "light", "glare", "even", "straight", "level", "sharp", "still"} {
		keys = append(keys, "guide.face-"+g) // of package face
	}
	for _, g := range []string{"closer", "further", "open-wider", "look-here", "remove-glasses", "hold-still"} {
		keys = append(keys, "guide."+g, "guide."+g+".right", "guide."+g+".left")
	}
	return keys
}

func TestVocabularyHasWords(t *testing.T) {
	b := New(Spanish)
	for _, f := range families {
		for _, k := range f {
			for _, l := range All {
				b.Set(l)
				if s := b.Say(k); s == "["+k+"]" {
					t.Errorf("%s has no words in %s", k, l)
				}
			}
		}
	}
}

// TestKeysAreUsed reads the window's sources: what they say exists, and what
// exists is said.
func TestKeysAreUsed(t *testing.T) {
	known := load(t, English)
	used := map[string]bool{}
	for _, f := range families {
		for _, k := range f {
			used[k] = true
		}
	}
	prefixes := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, ok := literal(n); ok {
					used[s] = true
				}
			case *ast.CallExpr:
				said(t, path, n, known, prefixes)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var unsaid []string
	for k := range known {
		base := strings.TrimSuffix(strings.TrimSuffix(k, ".short"), ".least") // shorter words of the same thing
		byPrefix := slices.ContainsFunc(slices.Collect(mapKeys(prefixes)), func(p string) bool { return strings.HasPrefix(k, p) })
		if !used[k] && !used[base] && !byPrefix {
			unsaid = append(unsaid, k)
		}
	}
	slices.Sort(unsaid)
	if len(unsaid) > 0 {
		t.Errorf("never said: %v", unsaid)
	}
}

func mapKeys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func literal(e ast.Expr) (string, bool) {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(b.Value)
	return s, err == nil
}

// said checks the key of a call of Say, Count or coded: a literal must be known;
// of a sum that begins with a literal the prefix is used.
func said(t *testing.T, path string, call *ast.CallExpr, known map[string]map[string]string, prefixes map[string]bool) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if name, plain := call.Fun.(*ast.Ident); plain && name.Name == "coded" || ok && f.Sel.Name == "coded" {
		for _, a := range call.Args { // coded(book, "category.", code) says "category."+code
			if s, ok := literal(a); ok && strings.HasSuffix(s, ".") {
				prefixes[s] = true
			}
		}
	}
	if !ok || f.Sel.Name != "Say" && f.Sel.Name != "Count" || len(call.Args) == 0 {
		return
	}
	arg := call.Args[0]
	if s, ok := literal(arg); ok {
		if known[s] == nil && strings.Contains(s, ".") {
			t.Errorf("%s says %q, which has no words", path, s)
		}
		return
	}
	for {
		sum, ok := arg.(*ast.BinaryExpr)
		if !ok {
			break
		}
		arg = sum.X
	}
	if s, ok := literal(arg); ok && strings.Contains(s, ".") {
		prefixes[s] = true
	}
}

func TestSwitch(t *testing.T) {
	b := New("quechua") // not a language of the window: Spanish
	if s := b.Say("step.face"); s != "Rostro" {
		t.Errorf("says %q", s)
	}
	b.Set(English)
	if s := b.Say("guide.open-wider.left"); s != "Their left eye: open wider." {
		t.Errorf("says %q", s)
	}
	if s := b.Say("no.such"); s != "[no.such]" {
		t.Errorf("says %q", s)
	}
	for _, c := range []struct {
		l    Language
		n    int
		want string
	}{{English, 1, "1 answer needed"}, {English, 2, "2 answers needed"}, {English, 0, "0 answers needed"}, {Spanish, 1, "Falta 1 respuesta"}, {Spanish, 12000, "Faltan 12\u00a0000 respuestas"}, {Spanish, 1000000, "Faltan 1\u00a0000\u00a0000 respuestas"}} {
		b.Set(c.l)
		if s := b.Count("missing.answers", c.n); s != c.want {
			t.Errorf("%d in %s: %q", c.n, c.l, s)
		}
	}
}

func TestFormats(t *testing.T) {
	en, es := New(English), New(Spanish)
	day := time.Date(1974, 8, 12, 6, 58, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{en.Number(184210), "184,210"}, {es.Number(184210), "184_210"}, {es.Number(1234), "1234"}, {en.Number(-1234), "-1,234"},
		{en.Date(day), "12_Aug_1974"}, {es.Date(day), "12_ago_1974"}, {es.Clock(day), "06:58"},
		{en.When(day, day.Add(time.Hour)), "06:58"}, {en.When(day, day.Add(24*time.Hour)), "12_Aug_1974_06:58"},
		{en.DateText("1974-08-12"), "12_Aug_1974"}, {en.DateText("1987-XX-XX"), "1987"}, {es.DateText("1987-03-XX"), "mar_1987"}, {en.DateText("soon"), "soon"},
		{en.Span(-time.Hour), "under_a_minute"}, {en.Span(14 * time.Minute), "14_min"}, {es.Span(31 * time.Hour), "31_h"}, {es.Span(5 * 24 * time.Hour), "5_días"}, {es.Span(10 * 366 * 24 * time.Hour), "10_años"},
		{en.Rarity(40000), "40,000"}, {en.Rarity(9.4e6), "9_million"}, {es.Rarity(1.2e6), "1_millón"}, {es.Rarity(12345), "12_000"}, {en.Rarity(0), "1"}, {en.Rarity(5e12), "more than a thousand million"},
	} {
		if want := strings.ReplaceAll(c.want, "_", "\u00a0"); c.got != want {
			t.Errorf("%q, want %q", c.got, want)
		}
	}
}
