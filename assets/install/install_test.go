package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// installed runs `make install-files` into an empty root.
func installed(t *testing.T, prefix string) string {
	t.Helper()
	root := t.TempDir()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	cmd := exec.Command("make", "--no-print-directory", "-C", filepath.Join("..", ".."), "install-files", "DESTDIR="+root, "PREFIX="+prefix)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return root
}

func files(t *testing.T, root string) (out []string) {
	t.Helper()
	filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, p)
			out = append(out, rel)
		}
		return err
	})
	return out
}

// TestInstallAndUninstall: everything lands below DESTDIR and PREFIX, names the
// programs where they are, and goes again.
func TestInstallAndUninstall(t *testing.T) {
	for _, prefix := range []string{"/usr/local", "/usr"} {
		root := installed(t, prefix)
		got := files(t, root)
		if len(got) < 6 {
			t.Errorf("%s: only %q", prefix, got)
		}
		for _, f := range got {
			if !strings.HasPrefix("/"+f, prefix+"/") {
				t.Errorf("%s: %s lies outside", prefix, f)
			}
			b, err := os.ReadFile(filepath.Join(root, f))
			if err != nil {
				t.Fatal(err)
			}
			if regexp.MustCompile(`@[A-Z]+@`).Match(b) && strings.HasSuffix(f, ".service") {
				t.Errorf("%s: a place was not filled in", f)
			}
			if strings.Contains(string(b), root) {
				t.Errorf("%s names DESTDIR", f)
			}
			if strings.HasSuffix(f, ".service") && !strings.Contains(string(b), "ExecStart="+prefix+"/bin/tambo") {
				t.Errorf("%s does not start a program below %s", f, prefix)
			}
		}
		cmd := exec.Command("make", "--no-print-directory", "-C", filepath.Join("..", ".."), "uninstall", "DESTDIR="+root, "PREFIX="+prefix)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if left := files(t, root); len(left) > 0 {
			t.Errorf("%s: uninstall left %q", prefix, left)
		}
	}
}

// TestUnitsVerify has systemd itself read the units, with programs in their places.
func TestUnitsVerify(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed: the units are not verified")
	}
	root := installed(t, "/usr/local")
	var units []string
	for _, u := range []string{"tambo.service", "tambo-courier.service", "tambo-disk.service", "tambo-disk.timer"} {
		b, err := os.ReadFile(filepath.Join(root, "usr/local/lib/systemd/system", u))
		if err != nil {
			t.Fatal(err)
		}
		// verify wants programs that exist on this machine
		at := filepath.Join(root, u)
		if err := os.WriteFile(at, regexp.MustCompile(`/usr/local/bin/tambo\S*`).ReplaceAll(b, []byte("/bin/true")), 0o644); err != nil {
			t.Fatal(err)
		}
		units = append(units, at)
	}
	out, err := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	for _, l := range strings.Split(string(out), "\n") {
		if strings.Contains(l, "tambo") {
			t.Errorf("systemd-analyze: %s", l)
		}
	}
	if err != nil && !t.Failed() {
		t.Logf("systemd-analyze could not judge here: %v\n%s", err, out)
	}
}

var (
	ruleKey  = regexp.MustCompile(`^(?:ACTION|SUBSYSTEM|GROUP|MODE|TAG|GOTO|LABEL|ENV\{[A-Z_]+\}|ATTR\{id(?:Vendor|Product)\})(==|!=|\+=|=)"([^"]*)"$`)
	vendorID = regexp.MustCompile(`^[0-9a-f]{4}$`)
)

// TestUdevRules reads the rules as udev does: match, assign, label; every GOTO has
// its label, every assignment is for matched devices only, and nothing is opened to
// everybody.
func TestUdevRules(t *testing.T) {
	b, err := os.ReadFile("60-tambo.rules")
	if err != nil {
		t.Fatal(err)
	}
	labels, gotos := map[string]bool{}, []string{}
	opened := 0
	for n, l := range strings.Split(string(b), "\n") {
		if l == "" || l[0] == '#' {
			continue
		}
		matches, assigns := 0, 0
		for _, pair := range strings.Split(l, ", ") {
			m := ruleKey.FindStringSubmatch(pair)
			if m == nil {
				t.Errorf("line %d: %q is no pair of a rule", n+1, pair)
				continue
			}
			key, op, value := pair[:strings.IndexAny(pair, "=!+")], m[1], m[2]
			switch {
			case op == "==" || op == "!=":
				matches++
			case key == "LABEL":
				labels[value] = true
				matches++
			case key == "GOTO":
				gotos = append(gotos, value)
			default:
				assigns++
			}
			if key == "MODE" && value != "0660" {
				t.Errorf("line %d: mode %s", n+1, value)
			}
			if strings.HasPrefix(key, "ATTR{id") && !vendorID.MatchString(value) {
				t.Errorf("line %d: %q is no number of four hexadecimal digits in small letters, as sysfs writes it", n+1, value)
			}
		}
		if matches == 0 {
			t.Errorf("line %d matches everything", n+1)
		}
		if assigns > 0 {
			opened++
		}
	}
	for _, g := range gotos {
		if !labels[g] {
			t.Errorf("no label %s", g)
		}
	}
	if opened < 2 {
		t.Errorf("%d rules open something", opened)
	}
	if _, err := exec.LookPath("udevadm"); err == nil {
		if out, err := exec.Command("udevadm", "verify", "60-tambo.rules").CombinedOutput(); err != nil && !strings.Contains(string(out), "Unknown") && !strings.Contains(string(out), "missing or unknown command") {
			t.Errorf("udevadm: %v\n%s", err, out)
		}
	}
}
