// Command train makes the weights of package glyph from nothing but renderings
// of the OCR-B font. The same seed and counts give the same file on machines
// of one architecture.
//
//	go run ./kiosk/document/internal/train -out kiosk/document/internal/glyph/weights.bin
//
// It is no part of the product and reads no picture of any document.
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"sync"
	"time"

	"tambo/assets"
	"tambo/assets/cff"
	"tambo/kiosk/document/internal/glyph"
)

const (
	shards = 2  // fixed, so that sums do not depend on the machine
	batch  = 64 // samples a step
)

func main() {
	out := flag.String("out", "weights.bin", "file to write")
	steps := flag.Int("steps", 30000, "training steps of 64 samples")
	seed := flag.Uint64("seed", 1, "first sample")
	flag.Parse()
	if err := run(*out, *steps, *seed); err != nil {
		log.Fatal(err)
	}
}

func run(out string, steps int, seed uint64) error {
	f, err := cff.Parse(assets.OCRB)
	if err != nil {
		return err
	}
	var printers [shards]*printer
	for i := range printers {
		if printers[i], err = newPrinter(f); err != nil {
			return err
		}
	}
	t := newTrainer(seed)
	start := time.Now()
	loss, wrong := 0.0, 0
	for step := range steps {
		l, w := t.step(printers, seed<<40+uint64(step)*batch, rate(step, steps))
		loss, wrong = loss+l, wrong+w
		if (step+1)%500 == 0 {
			fmt.Printf("step %d: loss %.4f, wrong %.3f %%, %s\n", step+1, loss/500, float64(wrong)/(500*batch)*100, time.Since(start).Round(time.Second))
			loss, wrong = 0, 0
		}
		if (step+1)%4000 == 0 || step+1 == steps {
			shapes(&t.net, printers[0])
			if err := os.WriteFile(out, t.net.Encode(), 0o644); err != nil {
				return err
			}
		}
	}
	n, err := glyph.Decode(t.net.Encode())
	if err != nil {
		return err
	}
	report(n, printers[0])
	return nil
}

// rate is the learning rate: a short rise, then half a cosine.
func rate(step, steps int) float64 {
	if step < 200 {
		return 2e-3 * float64(step+1) / 200
	}
	return 1e-5 + 2e-3*0.5*(1+math.Cos(math.Pi*float64(step)/float64(steps)))
}

// shapes sets the printed form of each character.
func shapes(n *glyph.Net, p *printer) {
	for k, ch := range glyph.Alphabet {
		var mean glyph.Cell
		for i := range 8 {
			r := newRand(uint64(i))
			var c glyph.Cell
			p.print([3]rune{' ', ch, ' '}, pure, false, r)
			p.cut(pure, &c)
			for j, v := range c {
				mean[j] += v / 8
			}
		}
		n.Shape[k] = mean
	}
}

// report says how the stored network does on samples it was not trained on,
// by the margin asked between the best and the second score.
func report(n *glyph.Net, p *printer) {
	const count = 60000
	var c glyph.Cell
	var a glyph.Activations
	margins := []float32{0, 2, 4, 6, 8, 10}
	right, wrong := make([]int, len(margins)), make([]int, len(margins))
	total := 0
	for i := range uint64(count) {
		class := p.sample(1<<63+i, &c)
		s := n.Run(&c, &a)
		best, second := top(s)
		if class != glyph.None {
			total++
		}
		for j, m := range margins {
			if best == glyph.None || s[best]-s[second] < m {
				continue
			}
			if best == class {
				right[j]++
			} else {
				wrong[j]++
			}
		}
	}
	for j, m := range margins {
		fmt.Printf("margin %4.1f: %.3f %% of characters read, %d of %d samples wrong\n", m, 100*float64(right[j])/float64(total), wrong[j], count)
	}
}

// top is the best and the second class.
func top(s *glyph.Scores) (best, second int) {
	second = -1
	for i := range s {
		switch {
		case s[i] > s[best]:
			best, second = i, best
		case i != best && (second < 0 || s[i] > s[second]):
			second = i
		}
	}
	return best, second
}

// step draws a batch, and moves the weights. It returns the mean loss and the
// number wrong.
func (t *trainer) step(printers [shards]*printer, first uint64, lr float64) (loss float64, wrong int) {
	var wg sync.WaitGroup
	for s := range shards {
		wg.Go(func() { t.work[s].run(&t.net, printers[s], first+uint64(s*batch/shards), batch/shards) })
	}
	wg.Wait()
	for s := range shards {
		loss += t.work[s].loss / batch
		wrong += t.work[s].wrong
	}
	t.adam(lr)
	return loss, wrong
}
