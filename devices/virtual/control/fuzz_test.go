package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// script is a connection that has been sent everything already.
type script struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }

// Whatever is written to the socket, each request that is carried out gets
// exactly one answer, and nothing that a request says can pass for an answer's
// end.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("person 3\nvisit 2\n"))
	f.Add([]byte("fault camera drop=0.1\r\n\n  list  \nok\nerror x"))
	f.Add(bytes.Repeat([]byte("x"), 2*maxLine))
	f.Fuzz(func(t *testing.T, in []byte) {
		asked := 0
		c := &script{in: bytes.NewReader(in)}
		answer(context.Background(), c, func(_ context.Context, words []string) ([]string, error) {
			asked++
			if len(words) == 0 || strings.ContainsAny(strings.Join(words, ""), " \n") {
				t.Errorf("words %q", words)
			}
			if asked%2 == 0 {
				return nil, errors.New(strings.Join(words, "\nok\n"))
			}
			return []string{strings.Join(words, "\nok\n")}, nil
		})
		ends := 0
		for line := range strings.Lines(c.out.String()) {
			if len(line) > maxLine {
				t.Errorf("a line of %d bytes", len(line))
			}
			if !strings.HasPrefix(line, " ") {
				ends++
			}
		}
		if ends != asked {
			t.Errorf("%d requests, %d answers in %q", asked, ends, c.out.String())
		}
	})
}
