package gallery

import (
	"unsafe"

	"tambo/kiosk/iris"
)

const (
	lanes     = 8                    // codes in a block
	codeWords = iris.SearchWords / 2 // words of code, and as many of mask
	rotations = iris.SearchRotations
	chunkSize = 4096              // codes in a chunk: 2 MiB
	blocks    = chunkSize / lanes // blocks in a chunk
)

// block holds the search codes of eight entries side by side: for each word of
// the code, in the order of wordOrder, the eight words of code and then the
// eight of mask. One 64-byte row is one cache line and one vector register, so
// that eight entries are compared at once and nothing has to be added up
// across a register.
type block [codeWords][2][lanes]uint64

// sieveWords is the number of words, the first of a block, that the sieve
// looks at: half the code.
const sieveWords = codeWords / 2

// wordOrder says which word of a search code stands where in a block. First
// come the inner bands of the ring (2 to 5 of 8), which neither the edge of
// the pupil nor the lids reach as easily.
var wordOrder = func() (o [codeWords]int) {
	n := 0
	for _, band := range []int{2, 3, 4, 5, 0, 1, 6, 7} {
		for w := range codeWords / 8 {
			o[n] = band*codeWords/8 + w
			n++
		}
	}
	return o
}()

// put writes c into lane l.
func (b *block) put(l int, c *iris.SearchCode) {
	for i, w := range wordOrder {
		b[i][0][l] = c[w]
		b[i][1][l] = c[codeWords+w]
	}
}

// copyLane writes lane from of src into lane l.
func (b *block) copyLane(l int, src *block, from int) {
	for i := range b {
		b[i][0][l] = src[i][0][from]
		b[i][1][l] = src[i][1][from]
	}
}

// table is a search probe as the kernels read it: for each word of a block's
// order the code and mask at each rotation.
type table [codeWords][rotations][2]uint64

func newTable(p *iris.SearchProbe) *table {
	t := new(table)
	for r := range rotations {
		c := p.Turned(r)
		for i, w := range wordOrder {
			t[i][r] = [2]uint64{c[w], c[codeWords+w]}
		}
	}
	return t
}

// slab is the codes of a chunk, outside the collected heap where the system
// allows it: it holds no pointers, and half a gigabyte of it would let as much
// garbage gather before it is collected.
type slab [blocks]block

// alignedSlab is a slab on the heap that begins at a cache line.
func alignedSlab() *slab {
	raw := make([]byte, unsafe.Sizeof(slab{})+63)
	p := unsafe.Pointer(unsafe.SliceData(raw))
	return (*slab)(unsafe.Add(p, -uintptr(p)&63))
}

func blocksFrom(b *block, n int) []block { return unsafe.Slice(b, n) }
func bytesFrom(p *uint8, n int) []uint8  { return unsafe.Slice(p, n) }
