package app

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

// crashLog keeps, of what a program says while it ends by itself, the kind of
// fault and the lines of code that led there. What a panic says in words is left
// out, because it could quote something about a person; so are the values of
// arguments.
type crashLog struct {
	lines []string
}

const crashLines = 200 // of one crash

var (
	callLine   = regexp.MustCompile(`^((?:[\w.\-]+/)*[\w.\-]+(?:\.\(\*?\w+(?:\[[^\]]*\])?\))?(?:\.[\w\[\].]+)+)\(.*\)$`)
	placeLine  = regexp.MustCompile(`^\t(?:.*/)?([\w.\-@]+/[\w.\-]+\.go:\d+)(?: \+0x[0-9a-f]+)?$`)
	faultLine  = regexp.MustCompile(`^(panic: runtime error: (?:invalid memory address or nil pointer dereference|index out of range|slice bounds out of range|integer divide by zero|makeslice: len out of range|hash of unhashable type)|fatal error: (?:all goroutines are asleep - deadlock!|concurrent map (?:writes|read and map write|iteration and map write)|stack overflow)|signal: [a-z ]+|SIG[A-Z]+: [a-z ]+)`)
	goroutines = regexp.MustCompile(`^goroutine \d+ `)
)

// take reads what the program says until it ends, passing everything on.
func (c *crashLog) take(r io.Reader, pass io.Writer) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), 1<<20)
	inside := false
	for s.Scan() {
		line := s.Text()
		fmt.Fprintln(pass, line)
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") || strings.HasPrefix(line, "SIG") {
			inside, c.lines = true, nil
			if m := faultLine.FindString(line); m != "" {
				c.add(m)
			} else {
				kind, _, _ := strings.Cut(line, ":")
				c.add(kind + " (its words are left out)")
			}
			continue
		}
		if !inside {
			continue
		}
		switch {
		case goroutines.MatchString(line):
			c.add(goroutines.FindString(line))
		case callLine.MatchString(line):
			c.add("  " + callLine.FindStringSubmatch(line)[1])
		case placeLine.MatchString(line):
			c.add("    " + placeLine.FindStringSubmatch(line)[1])
		}
	}
	io.Copy(pass, r) // a line longer than the buffer
}

func (c *crashLog) add(line string) {
	if len(c.lines) < crashLines {
		c.lines = append(c.lines, line)
	}
}

// write appends the crash to the log.
func (c *crashLog) write(path string, at time.Time, how string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(f, "%s the window ended: %s\n", at.UTC().Format(time.RFC3339), how)
	for _, l := range c.lines {
		fmt.Fprintln(f, l)
	}
	return f.Sync()
}
