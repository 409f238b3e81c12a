package glyph

import (
	_ "embed" // the weights
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
)

// The network: one convolution (ConvK×ConvK, stride 2, edges filled with
// paper) of ConvC channels, then Hidden units, then a score a class;
// rectifiers between. About 100,000 multiplications a cell.
const (
	ConvK  = 5
	ConvC  = 8
	ConvW  = CellW / 2
	ConvH  = CellH / 2
	ConvN  = ConvC * ConvW * ConvH
	Hidden = 80
)

// Net holds the weights. It does not change once made and may be used from
// several goroutines.
type Net struct {
	Conv   [ConvC][ConvK * ConvK]float32
	ConvB  [ConvC]float32
	Dense  [Hidden][ConvN]float32
	DenseB [Hidden]float32
	Out    [Classes][Hidden]float32
	OutB   [Classes]float32
	// Shape is the printed form of each character: the mean of its cells.
	Shape [None]Cell
}

// Scores are the network's outputs before normalisation, one a class.
type Scores [Classes]float32

// padded is a cell with two rows and columns of paper around it.
const (
	padW = CellW + ConvK - 1
	padH = CellH + ConvK - 1
)

// Activations are the intermediate values of one cell, kept by the trainer.
type Activations struct {
	Pad  [padW * padH]float32
	Conv [ConvN]float32
	Hid  [Hidden]float32
	Out  Scores
}

// Run scores a normalised cell.
func (n *Net) Run(c *Cell, a *Activations) *Scores {
	for j := range CellH {
		copy(a.Pad[(j+ConvK/2)*padW+ConvK/2:][:CellW], c[j*CellW:][:CellW])
	}
	for k := range ConvC {
		w := &n.Conv[k]
		for y := range ConvH {
			for x := range ConvW {
				s := n.ConvB[k]
				for j := range ConvK {
					row := a.Pad[(2*y+j)*padW+2*x:][:ConvK]
					f := w[j*ConvK:][:ConvK]
					s += row[0]*f[0] + row[1]*f[1] + row[2]*f[2] + row[3]*f[3] + row[4]*f[4]
				}
				a.Conv[(k*ConvH+y)*ConvW+x] = max(s, 0)
			}
		}
	}
	for i := range Hidden {
		a.Hid[i] = max(n.DenseB[i]+dot(n.Dense[i][:], a.Conv[:]), 0)
	}
	for i := range Classes {
		a.Out[i] = n.OutB[i] + dot(n.Out[i][:], a.Hid[:])
	}
	return &a.Out
}

// dot is the inner product of two slices of one length, a multiple of 4.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	for i := 0; i+3 < len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	return s0 + s1 + s2 + s3
}

// weightsMagic begins the weights file: name and version of the encoding.
const weightsMagic = "tambo-ocrb/1\n"

// Rows lists the weights row by row, in the order of the file.
func (n *Net) Rows() [][]float32 {
	var r [][]float32
	for i := range n.Conv {
		r = append(r, n.Conv[i][:])
	}
	r = append(r, n.ConvB[:])
	for i := range n.Dense {
		r = append(r, n.Dense[i][:])
	}
	r = append(r, n.DenseB[:])
	for i := range n.Out {
		r = append(r, n.Out[i][:])
	}
	r = append(r, n.OutB[:])
	for i := range n.Shape {
		r = append(r, n.Shape[i][:])
	}
	return r
}

// Encode writes the weights: the magic, then each row as a little-endian
// float32 scale and one signed byte a weight.
func (n *Net) Encode() []byte {
	out := []byte(weightsMagic)
	for _, row := range n.Rows() {
		top := float32(1e-9)
		for _, v := range row {
			top = max(top, v, -v)
		}
		scale := top / 127
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(scale))
		for _, v := range row {
			out = append(out, byte(int8(math.Round(float64(v/scale)))))
		}
	}
	return out
}

// ErrWeights: the weights file is not what this version of the package reads.
var ErrWeights = errors.New("glyph: not a weights file of this version")

// Decode reads what Encode wrote.
func Decode(b []byte) (*Net, error) {
	if len(b) < len(weightsMagic) || string(b[:len(weightsMagic)]) != weightsMagic {
		return nil, ErrWeights
	}
	b = b[len(weightsMagic):]
	n := new(Net)
	for _, row := range n.Rows() {
		if len(b) < 4+len(row) {
			return nil, fmt.Errorf("%w: cut short", ErrWeights)
		}
		scale := math.Float32frombits(binary.LittleEndian.Uint32(b))
		for i := range row {
			row[i] = float32(int8(b[4+i])) * scale
		}
		b = b[4+len(row):]
	}
	if len(b) != 0 {
		return nil, fmt.Errorf("%w: %d bytes too many", ErrWeights, len(b))
	}
	return n, nil
}

// The weights were made by
//
//go:generate go run ../train -out weights.bin
//go:embed weights.bin
var weights []byte

// Default is the network that ships with this package.
var Default = sync.OnceValue(func() *Net {
	n, err := Decode(weights)
	if err != nil {
		panic(err) // the file is part of the build and its test decodes it
	}
	return n
})
