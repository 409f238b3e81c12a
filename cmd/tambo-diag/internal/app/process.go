package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that the walk started and stops again.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error
	tail *tail
}

// programPath finds a program beside this one.
func programPath(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	p := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(p); err != nil {
		return "", fmt.Errorf("%s is not beside %s: run `make build` first", name, filepath.Base(self))
	}
	return p, nil
}

// start starts a program. What it says goes to log.
func start(name string, log io.Writer, args ...string) (*process, error) {
	path, err := programPath(name)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: exec.Command(path, args...), done: make(chan struct{}), tail: &tail{}}
	p.cmd.Stdout, p.cmd.Stderr = io.MultiWriter(log, p.tail), io.MultiWriter(log, p.tail)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	return p, nil
}

// stop asks the program to end, and kills it after five seconds.
func (p *process) stop() {
	if p == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		p.kill()
	}
}

// kill ends the program without warning, as a power cut would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// run runs a program to its end and returns what it printed.
func run(ctx context.Context, name string, args ...string) (string, error) {
	path, err := programPath(name)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// waitFile waits until a program has written a file (its address), and
// returns what is in it.
func (p *process) waitFile(ctx context.Context, path string) (string, error) {
	for {
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			return strings.TrimSpace(string(b)), nil
		} else if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		select {
		case <-p.done:
			return "", fmt.Errorf("%s ended at once: %v: %s", p.name, p.err, p.tail)
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not say where it listens: %w", p.name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// tail keeps the last words of a program.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - 2000; over > 0 {
		t.b = t.b[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
