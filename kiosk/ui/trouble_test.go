package ui

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tambo/kiosk/session"
	"tambo/kiosk/ui/words"
)

// troubles reads every Trouble that package session knows.
func troubles(t *testing.T) (all []session.Trouble) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "session", "trouble.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Trouble" {
				s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, session.Trouble(s))
			}
		}
		return true
	})
	if len(all) < 20 {
		t.Fatalf("%d troubles were found", len(all))
	}
	return all
}

// TestEveryTroubleHasASentence of its own, in both languages: never a code, and
// "that did not work" only for what is not known.
func TestEveryTroubleHasASentence(t *testing.T) {
	for _, l := range words.All {
		b := words.New(l)
		general := b.Say("fault.title")
		for _, x := range troubles(t) {
			got := troubleOf(b, session.Explained{Trouble: x, Left: 2, Until: time.Now().Add(time.Hour), Missing: []string{"authority"}}).Title
			plain := x == session.TroubleNone || x == session.TroubleStopped || x == session.TroubleOther
			if got == general != plain || strings.ContainsAny(got, "[]{}") || got == "" {
				t.Errorf("%s: %q says %q", l, x, got)
			}
		}
	}
}

// TestNoErrorTextInASentence: an error that nobody has sorted is shown without a
// word of its own.
func TestNoErrorTextInASentence(t *testing.T) {
	raw := errors.New("bolt: page 7: checksum error at /var/lib/tambo")
	for _, err := range []error{raw, fmt.Errorf("seal: %w", raw), fmt.Errorf("%w: %w", session.ErrDamaged, raw), &session.PasswordError{Left: 1}, &session.LockedOutError{Until: time.Now().Add(time.Minute)}} {
		for _, l := range words.All {
			x := troubleOf(words.New(l), session.Explain(err))
			for _, bad := range []string{"bolt", "checksum", "/var", "seal:", "tries left", "wait until"} {
				if strings.Contains(x.Title+x.Detail, bad) {
					t.Errorf("%s: %v is shown as %q %q", l, err, x.Title, x.Detail)
				}
			}
		}
	}
}

// TestNoErrorReachesAScreen reads the window's sources: nothing turns an error
// into text, but for the log, which is no screen.
func TestNoErrorReachesAScreen(t *testing.T) {
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "uitest") {
			return err
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		for _, bad := range errorTexts(f) {
			t.Errorf("%s: an error becomes text", fset.Position(bad))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(fset, "mutant.go", "package p\nfunc f() { a(err.Error()); b(fmt.Sprintf(\"%v\", err)); c.Say(\"x\", \"Why\", err); log.Info(\"x\", \"err\", err) }", 0)
	if err != nil || len(errorTexts(f)) != 3 {
		t.Fatalf("of three mistakes made on purpose %d are found, %v", len(errorTexts(f)), err)
	}
}

// errorTexts finds where an error becomes text: a call of Error, or err given to
// a function that formats or says.
func errorTexts(f *ast.File) (bad []token.Pos) {
	asked := map[ast.Expr]bool{} // err := pdf.Error() asks for an error, and makes no text
	ast.Inspect(f, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok {
			if id, ok := a.Lhs[0].(*ast.Ident); ok && id.Name == "err" {
				asked[a.Rhs[0]] = true
			}
		}
		c, ok := n.(*ast.CallExpr)
		if !ok || asked[c] {
			return true
		}
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == "panic" {
			return false // nobody sees that either
		}
		s, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if s.Sel.Name == "Error" && len(c.Args) == 0 {
			bad = append(bad, c.Pos())
		}
		for _, a := range c.Args {
			id, isErr := a.(*ast.Ident)
			if isErr = isErr && (id.Name == "err" || strings.HasSuffix(id.Name, "Err")); isErr && (strings.HasPrefix(s.Sel.Name, "Sprint") || s.Sel.Name == "Say" || s.Sel.Name == "Count") {
				bad = append(bad, c.Pos())
			}
		}
		return true
	})
	return bad
}
