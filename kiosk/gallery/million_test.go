package gallery

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"tambo/kiosk"
	"tambo/kiosk/gallery/synthetic"
	"tambo/kiosk/iris"
)

// cupboard hands out templates made from a person's number, as many as asked
// for, and counts.
type cupboard struct {
	asked atomic.Int64
	who   sync.Map // for whom
	err   error
}

func (c *cupboard) Templates(_ context.Context, id ID) ([]kiosk.Template, error) {
	c.asked.Add(1)
	c.who.Store(id, true)
	if c.err != nil {
		return nil, c.err
	}
	n, err := strconv.Atoi(string(id[1:]))
	if err != nil {
		return nil, err
	}
	return []kiosk.Template{
		template(kiosk.EyeRight, uint64(2*n), 0, 0),
		template(kiosk.EyeLeft, uint64(2*n+1), 0, 0),
	}, nil
}

// A gallery that fetches answers as one that keeps.
func TestFetchedTemplatesGiveTheSameAnswer(t *testing.T) {
	n := 900
	if testing.Short() {
		n = 60
	}
	kept, c := filled(t, n), &cupboard{}
	g := NewFetching(c)
	for k := range n {
		add(t, g, Entry{person(k), kiosk.EyeRight, template(kiosk.EyeRight, uint64(2*k), 0, 0)})
		add(t, g, Entry{person(k), kiosk.EyeLeft, template(kiosk.EyeLeft, uint64(2*k+1), 0, 0)})
	}
	for _, k := range []int{0, 17, n - 1, n + 3} {
		c.asked.Store(0)
		want, err := kept.Search(context.Background(), both(k, 0.15), strict)
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.Search(context.Background(), both(k, 0.15), strict)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("person %d: %+v, %v; kept: %+v", k, got, err, want)
		}
		if a := c.asked.Load(); a > verifyLimit {
			t.Errorf("asked for the templates of %d persons", a)
		}
	}
	c.err = errors.New("cupboard is locked")
	if a, err := g.Search(context.Background(), both(1, 0), strict); !errors.Is(err, c.err) || a.Complete {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestNoMoreThanAThousandAreFetched(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand full comparisons")
	}
	c := &cupboard{}
	g := NewFetching(c)
	s := synthetic.New(3)
	for k := range 3000 {
		for i, e := range kiosk.BothEyes {
			if err := g.AddCodes(person(k), e, []iris.SearchCode{s.Code(uint64(2*k + i))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, err := g.Search(context.Background(), both(5000, 0), strict)
	if err != nil || !a.Complete || a.Compared != 6000 {
		t.Errorf("%+v, %v", a, err)
	}
	if n := c.asked.Load(); n > verifyLimit || n < verifyLimit/2 {
		t.Errorf("asked for %d persons", n)
	}
	// A second look asks for no more in all, and for nobody again.
	c.asked.Store(0)
	c.who.Clear()
	o := strict
	o.Aslant = true
	if a, err := g.Search(context.Background(), both(5000, 0), o); err != nil || !a.Complete || a.Compared != 6000 || len(a.Candidates) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	different := int64(0)
	c.who.Range(func(any, any) bool { different++; return true })
	if n := c.asked.Load(); n > verifyLimit || n <= verifyUpright || n != different {
		t.Errorf("asked %d times for %d persons", n, different)
	}
}

// Time and memory of a search grow linearly with the gallery: a code costs the
// same among ten thousand as among a million.
func BenchmarkSearch(b *testing.B) {
	source := synthetic.New(1)
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			before := held()
			g := NewFetching(&cupboard{})
			for k := range n {
				c := source.Code(uint64(k))
				if err := g.AddCodes(ID(fmt.Sprintf("p%07d", k)), kiosk.EyeRight, []iris.SearchCode{c}); err != nil {
					b.Fatal(err)
				}
			}
			size := held() + uint64(len(g.chunks))*uint64(unsafe.Sizeof(slab{})) - before
			c := source.Code(1 << 40)
			probe := probeEye{side: sideOf(0, kiosk.EyeRight), turned: []*table{newTable(iris.NewSearchProbe(&c))}}
			var rated bool
			spent := processTime()
			for b.Loop() {
				probes := []probeEye{probe}
				if _, seen, _, err := g.scan(context.Background(), g.view(nil), probes, nil); err != nil || seen != n {
					b.Fatal(seen, err)
				}
				rated = probes[0].sieve
			}
			codes := float64(b.N) * float64(n)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/codes, "ns/code")
			// of processor time, which a busy machine disturbs less
			b.ReportMetric(codes/(processTime()-spent).Seconds()/1e6, "M/s/core")
			b.ReportMetric(float64(size)/float64(n), "B/code")
			if !rated {
				b.Log("without the sieve")
			}
			runtime.KeepAlive(g)
		})
	}
}

// processTime is the time that this process has had of the processors.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func held() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
