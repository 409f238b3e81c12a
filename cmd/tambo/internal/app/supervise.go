package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// childMark tells a program that it is the one with the window.
const childMark = "TAMBO_WINDOW_OF"

// Crashes come with a pause, and not for ever.
const maxCrashes = 5

var within = 2 * time.Minute

// supervise runs this program again as a child that has the window, and again
// when that ends by itself. What was confirmed is in the vault; after signing in,
// home shows the draft. It ends when the window is closed, when ctx ends, or when
// it crashes too often.
func supervise(ctx context.Context, args []string, log string, stdout, stderr io.Writer) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintf(stderr, "tambo: %v\n", err)
		return 1
	}
	var crashes []time.Time
	for {
		how, code := runChild(ctx, self, args, log, stdout, stderr)
		if how == "" || ctx.Err() != nil {
			return code
		}
		now := time.Now()
		crashes = append(crashes, now)
		if n := len(crashes); n >= maxCrashes && now.Sub(crashes[n-maxCrashes]) < within {
			fmt.Fprintf(stderr, "tambo: the window ended by itself %d times in %s (%s): see %s\n", maxCrashes, within, how, log)
			return 1
		}
		fmt.Fprintf(stderr, "tambo: the window ended by itself (%s); it is started again. What was confirmed is kept.\n", how)
		select {
		case <-ctx.Done():
			return 1
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// runChild runs the window once. how is empty when it ended as it should.
func runChild(ctx context.Context, self string, args []string, log string, stdout, stderr io.Writer) (how string, code int) {
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", childMark, os.Getpid()), "GOTRACEBACK=single")
	if os.Getenv("FYNE_CACHE") == "" {
		cmd.Env = append(cmd.Env, "FYNE_CACHE="+drawn.String()) // the toolkit reads it before main
	}
	cmd.Stdout, cmd.Stdin = stdout, os.Stdin
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintf(stderr, "tambo: %v\n", err)
		return "", 1
	}
	ended := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			cmd.Process.Signal(syscall.SIGTERM)
		case <-ended:
		}
	}()
	var crash crashLog
	crash.take(said, stderr)
	err = cmd.Wait()
	close(ended)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", 0
	case !errors.As(err, &exit):
		return "", 1
	case exit.ExitCode() == 1:
		return "", 1 // it said why
	}
	how = exit.ProcessState.String()
	if ctx.Err() == nil {
		if err := crash.write(log, time.Now(), how); err != nil {
			fmt.Fprintf(stderr, "tambo: crash log: %v\n", err)
		}
	}
	return how, 1
}
