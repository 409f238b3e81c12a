package kerneltest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Machine is one run of a guest.
type Machine struct {
	Kernel, Image string   // files of the host
	Console       string   // file for the kernel's own messages
	Memory        int      // MiB
	Env           []string // of the first process, NAME=value without spaces
}

// qemu is the emulator; Debian: qemu-system-x86.
const qemu = "qemu-system-x86_64"

// done is the last line of a guest that came to its end.
const done = "GUEST-END "

// Boot runs the machine until its first process ends it, and gives each line of
// the guest to line. It returns the status of what [Init] ran.
//
// One processor that never sleeps, measured to be the quickest without KVM; the
// kernel does not try its timer first, which it takes for broken where the machine
// is so busy that no tick comes in time. The guest has no disk and no network but
// its own loopback.
func Boot(ctx context.Context, m Machine, line func(string)) (status int, err error) {
	cmd := exec.CommandContext(ctx, qemu, "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1",
		"-m", fmt.Sprint(m.Memory), "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
		"-serial", "file:"+m.Console, "-serial", "stdio", "-kernel", m.Kernel, "-initrd", m.Image,
		"-append", "console=ttyS0 panic=-1 quiet loglevel=5 mitigations=off idle=poll no_timer_check "+strings.Join(m.Env, " "))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("%w: %w (Debian: qemu-system-x86)", ErrHost, err)
	}
	ended := false
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		text := strings.TrimRight(in.Text(), "\r")
		if n, e := fmt.Sscanf(text, done+"%d", &status); n == 1 && e == nil {
			ended = true
			continue
		}
		line(text)
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return 0, fmt.Errorf("kerneltest: the guest did not end: %w", ctx.Err())
	case !ended:
		return 0, fmt.Errorf("kerneltest: the guest died (%v); see %s", err, m.Console)
	}
	return status, nil
}
