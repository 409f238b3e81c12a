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

// row is one word of eight codes: the eight words of code, then the eight of
// mask. A half is one cache line and one vector register, so that eight codes
// are compared at once and nothing has to be added up across a register.
type row [2][lanes]uint64

// The sieve looks at every fourth column of every row of a search code, 512
// bits in sieveWords words. A search code is a wave whose neighbouring columns
// mostly agree, so that a quarter of its columns tells nearly as much as all
// of them; and as they are spread over the whole ring, a lid or a badly found
// edge spoils them as much as it spoils the whole code, and no more.
const (
	sieveEvery = 4
	sieveWords = codeWords / sieveEvery
)

// head is what the sieve reads of eight codes; heads lie side by side, so that
// a scan reads memory from one end to the other. rest is what else belongs to
// one code: few are looked at, each on its own.
type (
	head [sieveWords]row
	rest [codeWords - sieveWords][2]uint64
)

// slab is the codes of a chunk, outside the collected heap where the system
// allows it: it holds no pointers, and half a gigabyte of it would let as much
// garbage gather before it is collected.
type slab struct {
	heads [blocks]head
	rests [chunkSize]rest
}

// put writes c into slot k.
func (s *slab) put(k int, c *iris.SearchCode) {
	h, t, l := &s.heads[k/lanes], &s.rests[k], k%lanes
	code, mask := combed(c[:codeWords]), combed(c[codeWords:])
	for i := range h {
		h[i][0][l], h[i][1][l] = code[i], mask[i]
	}
	for i := range t {
		t[i] = [2]uint64{code[sieveWords+i], mask[sieveWords+i]}
	}
}

// block is eight whole codes side by side.
type block struct {
	head head
	tail [codeWords - sieveWords]row
}

// take copies the code of slot k into lane l.
func (b *block) take(l int, s *slab, k int) {
	h, from := &s.heads[k/lanes], k%lanes
	for i := range b.head {
		b.head[i][0][l], b.head[i][1][l] = h[i][0][from], h[i][1][from]
	}
	t := &s.rests[k]
	for i := range b.tail {
		b.tail[i][0][l], b.tail[i][1][l] = t[i][0], t[i][1]
	}
}

// touch reads a word of each cache line that take will read of these slots'
// rests. Nothing waits for anything here, so that memory answers for many at once.
func (s *slab) touch(slots []int32) (sum uint64) {
	for _, k := range slots {
		t := &s.rests[k]
		sum += t[0][0] + t[4][0] + t[8][0] + t[12][0] + t[16][0] + t[20][0]
	}
	return sum
}

// combed sorts the columns of a code (or a mask): first every fourth of all
// rows from column 0 on, then those from column 1 on, and so forth. Rows are two words
// of 64 columns.
func combed(w []uint64) (out [codeWords]uint64) {
	for k := range sieveEvery {
		for i := range sieveWords {
			v := comb(w[4*i]>>k) | comb(w[4*i+1]>>k)<<16 | comb(w[4*i+2]>>k)<<32 | comb(w[4*i+3]>>k)<<48
			out[k*sieveWords+i] = v
		}
	}
	return out
}

// comb gathers every fourth bit of v, from bit 0 on, in the low 16 bits.
func comb(v uint64) uint64 {
	v &= 0x1111111111111111
	v = (v | v>>3) & 0x0303030303030303
	v = (v | v>>6) & 0x000f000f000f000f
	v = (v | v>>12) & 0x000000ff000000ff
	return (v | v>>24) & 0xffff
}

// table is a search probe as the kernels read it: code and mask of each word
// in the order of combed at each rotation. Its layout is known to the assembly.
type table struct {
	words [codeWords][rotations][2]uint64
	sieve [rotations][sieveWords][2]uint64 // the first of them, by rotation
}

func newTable(p *iris.SearchProbe) *table {
	t := new(table)
	for r := range rotations {
		c := p.Turned(r)
		code, mask := combed(c[:codeWords]), combed(c[codeWords:])
		for i := range codeWords {
			t.words[i][r] = [2]uint64{code[i], mask[i]}
		}
		for i := range sieveWords {
			t.sieve[r][i] = t.words[i][r]
		}
	}
	return t
}

// alignedSlab is a slab on the heap that begins at a cache line.
func alignedSlab() *slab {
	raw := make([]byte, unsafe.Sizeof(slab{})+63)
	p := unsafe.Pointer(unsafe.SliceData(raw))
	return (*slab)(unsafe.Add(p, -uintptr(p)&63))
}

func headsFrom(h *head, n int) []head   { return unsafe.Slice(h, n) }
func bytesFrom(p *uint8, n int) []uint8 { return unsafe.Slice(p, n) }
