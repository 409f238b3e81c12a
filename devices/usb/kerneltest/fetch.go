package kerneltest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// ErrHost says that this machine cannot make the guest: it is not a Debian on
// amd64, or a tool is missing.
var ErrHost = errors.New("kerneltest: this machine cannot make the guest")

// Kit is what packages gave: unpacked, not installed.
type Kit struct {
	Release string // of the kernel, for instance 6.1.0-56-amd64
	Kernel  string // path of vmlinuz
	Modules string // folder of the modules
	Root    string // where the other packages were unpacked
}

// kernelPackage depends on the newest kernel of the distribution, the generic
// one: the cloud flavour has no USB.
const kernelPackage = "linux-image-amd64"

// Fetch downloads the distribution's kernel and programs with what they depend
// on (libraries only), and unpacks them below cache. A second call with the same
// versions downloads nothing. say, which may be nil, is told what happens.
func Fetch(ctx context.Context, cache string, programs []string, say func(string)) (*Kit, error) {
	if say == nil {
		say = func(string) {}
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("%w: it takes Debian on amd64", ErrHost)
	}
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%w: %s is missing: it takes Debian on amd64", ErrHost, tool)
		}
	}
	deps, err := depends(ctx, []string{kernelPackage})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(deps, func(p string) bool { return strings.HasPrefix(p, "linux-image-") })
	if i < 0 {
		return nil, fmt.Errorf("%w: apt knows no kernel behind %s: run apt-get update", ErrHost, kernelPackage)
	}
	kernel, err := unpacked(ctx, cache, "kernel", []string{deps[i]}, say)
	if err != nil {
		return nil, err
	}
	closure, err := libraries(ctx, programs)
	if err != nil {
		return nil, err
	}
	root, err := unpacked(ctx, cache, "programs", closure, say)
	if err != nil {
		return nil, err
	}
	k := &Kit{Release: strings.TrimPrefix(deps[i], "linux-image-"), Root: root}
	k.Kernel = filepath.Join(kernel, "boot", "vmlinuz-"+k.Release)
	k.Modules = filepath.Join(kernel, "lib", "modules", k.Release)
	if _, err := os.Stat(k.Modules); err != nil {
		k.Modules = filepath.Join(kernel, "usr", "lib", "modules", k.Release)
	}
	for _, p := range []string{k.Kernel, k.Modules} {
		if _, err := os.Stat(p); err != nil {
			return nil, fmt.Errorf("kerneltest: package %s: %w", deps[i], err)
		}
	}
	return k, nil
}

// depends lists the packages that apt says these depend on.
func depends(ctx context.Context, packages []string) ([]string, error) {
	args := append([]string{"depends", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"}, packages...)
	out, err := command(ctx, "", "apt-cache", args...)
	if err != nil {
		return nil, err
	}
	var deps []string
	for line := range strings.Lines(out) {
		_, name, ok := strings.Cut(line, "Depends: ")
		if name = strings.TrimSpace(name); ok && !strings.HasPrefix(name, "<") {
			deps = append(deps, strings.TrimSuffix(name, ":any"))
		}
	}
	return deps, nil
}

// libraries adds to packages the libraries that they need, and theirs. What is
// no library (daemons, installation scripts) is left out.
func libraries(ctx context.Context, packages []string) ([]string, error) {
	all := slices.Clone(packages)
	for next := packages; len(next) > 0; {
		deps, err := depends(ctx, next)
		if err != nil {
			return nil, err
		}
		next = nil
		for _, d := range deps {
			if strings.HasPrefix(d, "lib") && !slices.Contains(all, d) {
				all = append(all, d)
				next = append(next, d)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// unpacked returns a folder with those packages in their present versions.
func unpacked(ctx context.Context, cache, name string, packages []string, say func(string)) (string, error) {
	policy, err := command(ctx, "", "apt-cache", append([]string{"policy"}, packages...)...)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for line := range strings.Lines(policy) {
		if !strings.HasPrefix(line, " ") || strings.Contains(line, "Candidate:") {
			sum.Write([]byte(line))
		}
	}
	dir := filepath.Join(cache, name+"-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	say(fmt.Sprintf("downloading %s (%d packages) to %s; nothing is installed", packages[0], len(packages), cache))
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	debs, err := os.MkdirTemp(cache, "debs-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(debs)
	if _, err := command(ctx, debs, "apt-get", append([]string{"-qq", "download"}, packages...)...); err != nil {
		return "", err
	}
	files, _ := filepath.Glob(filepath.Join(debs, "*.deb"))
	if len(files) != len(packages) {
		return "", fmt.Errorf("kerneltest: %d of %d packages were downloaded", len(files), len(packages))
	}
	half, err := os.MkdirTemp(cache, "half-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(half)
	for _, f := range files {
		if _, err := command(ctx, "", "dpkg-deb", "-x", f, half); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(half, 0o755); err != nil {
		return "", err
	}
	return dir, os.Rename(half, dir)
}

// command runs a program and returns what it printed.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("kerneltest: %s: %w: %s", name, err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.String(), nil
}
