#include "textflag.h"

// The kernels of kernel.go. Eight codes are rows of 128 bytes (code, then mask;
// a lane is a column of 8 bytes): 8 rows are a head, 32 a block. The probe table has for each word 15 rotations of 16 bytes (code, mask),
// 240 bytes a word; then for each rotation the 8 words of the head again, 128
// bytes a rotation. See slab.go.

#define HEADROWS 8
#define TAILROWS 24
#define ROTATIONS 15
#define ROW 128        // bytes of a row
#define HEAD 1024      // bytes of a head
#define WORDBYTES 240  // bytes of a word in the probe table
#define SIEVETABLE 7680 // where the words by rotation begin in the probe table
#define TURN 128       // bytes of a rotation there
#define GROUP5 80      // bytes of five rotations of a word
#define GROUP3 48      // bytes of three
#define MINBITS 160    // iris.MinSearchBits

// One word at one rotation: n += ones(m), d += ones((code^probe) & m) with
// m = mask & probe's mask. Z0 holds the entries' code, Z1 their mask.
#define STEP512(off, n, d, t, u) \
	VPANDQ.BCST off+8(R9), Z1, t \
	VPOPCNTQ t, u \
	VPTERNLOGQ.BCST $0x60, off(R9), Z0, t \
	VPADDQ u, n, n \
	VPOPCNTQ t, t \
	VPADDQ t, d, d

#define CLEAR512 \
	VPXORQ Z2, Z2, Z2 \
	VPXORQ Z3, Z3, Z3 \
	VPXORQ Z4, Z4, Z4 \
	VPXORQ Z5, Z5, Z5 \
	VPXORQ Z6, Z6, Z6 \
	VPXORQ Z7, Z7, Z7 \
	VPXORQ Z8, Z8, Z8 \
	VPXORQ Z9, Z9, Z9 \
	VPXORQ Z10, Z10, Z10 \
	VPXORQ Z11, Z11, Z11

#define WORD512 \
	VMOVDQU64 (R8), Z0 \
	VMOVDQU64 64(R8), Z1 \
	STEP512(0, Z2, Z7, Z12, Z13) \
	STEP512(16, Z3, Z8, Z14, Z15) \
	STEP512(32, Z4, Z9, Z16, Z17) \
	STEP512(48, Z5, Z10, Z18, Z19) \
	STEP512(64, Z6, Z11, Z20, Z21) \
	ADDQ $ROW, R8 \
	ADDQ $WORDBYTES, R9

// One word of the sieve at one rotation, as STEP512 but with the entries' code
// and mask kept in registers: u = ones(m), t = ones((code^probe) & m).
#define SIEVE512(w, c, m, t, u) \
	VPANDQ.BCST 16*w+8(R9), m, t \
	VPOPCNTQ t, u \
	VPTERNLOGQ.BCST $0x60, 16*w(R9), c, t \
	VPOPCNTQ t, t

// func sieveAVX512(h *head, n int, t *table, weights uint32, pass *uint8)
TEXT ·sieveAVX512(SB), NOSPLIT, $0-40
	MOVQ h+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ t+16(FP), DI
	ADDQ $SIEVETABLE, DI
	MOVL weights+24(FP), AX
	VPBROADCASTD AX, Z30
	MOVQ pass+32(FP), DX
	VPXORQ Z29, Z29, Z29
	MOVL $0x7fffffff, AX
	VPBROADCASTD AX, Z28

head512:
	VMOVDQU64 (SI), Z0
	VMOVDQU64 64(SI), Z8
	VMOVDQU64 128(SI), Z1
	VMOVDQU64 192(SI), Z9
	VMOVDQU64 256(SI), Z2
	VMOVDQU64 320(SI), Z10
	VMOVDQU64 384(SI), Z3
	VMOVDQU64 448(SI), Z11
	VMOVDQU64 512(SI), Z4
	VMOVDQU64 576(SI), Z12
	VMOVDQU64 640(SI), Z5
	VMOVDQU64 704(SI), Z13
	VMOVDQU64 768(SI), Z6
	VMOVDQU64 832(SI), Z14
	VMOVDQU64 896(SI), Z7
	VMOVDQU64 960(SI), Z15
	VMOVDQA64 Z28, Z31
	MOVQ DI, R9
	MOVQ $ROTATIONS, R11
	LEAQ (4*HEAD)(SI), R13 // what is read four heads on
	PREFETCHT0 (R13)

turn512:
	ADDQ $64, R13
	PREFETCHT0 (R13)
	SIEVE512(0, Z0, Z8, Z16, Z18)
	SIEVE512(1, Z1, Z9, Z17, Z19)
	VPADDQ Z17, Z16, Z16
	VPADDQ Z19, Z18, Z18
	SIEVE512(2, Z2, Z10, Z20, Z21)
	SIEVE512(3, Z3, Z11, Z22, Z23)
	VPADDQ Z22, Z20, Z20
	VPADDQ Z23, Z21, Z21
	SIEVE512(4, Z4, Z12, Z17, Z19)
	SIEVE512(5, Z5, Z13, Z22, Z23)
	VPADDQ Z22, Z17, Z17
	VPADDQ Z23, Z19, Z19
	SIEVE512(6, Z6, Z14, Z24, Z25)
	SIEVE512(7, Z7, Z15, Z26, Z27)
	VPADDQ Z26, Z24, Z24
	VPADDQ Z27, Z25, Z25
	VPADDQ Z20, Z16, Z16
	VPADDQ Z21, Z18, Z18
	VPADDQ Z24, Z17, Z17
	VPADDQ Z25, Z19, Z19
	VPADDQ Z16, Z17, Z17
	VPADDQ Z18, Z19, Z19

	// d·ruleScale - n·share, smallest into Z31
	VPSLLQ $16, Z17, Z17
	VPORQ Z19, Z17, Z17
	VPMADDWD Z30, Z17, Z17
	VPMINSD Z17, Z31, Z31
	ADDQ $TURN, R9
	DECQ R11
	JNZ turn512

	VPMOVQD Z31, Y31
	VPCMPD $2, Y29, Y31, K1
	KMOVW K1, AX
	MOVB AX, (DX)
	INCQ DX
	ADDQ $HEAD, SI
	DECQ CX
	JNZ head512
	VZEROUPPER
	RET

// Share of a rotation, half differing for each of MINBITS that is missing;
// smallest into Z31.
#define SHARE512(n, d) \
	VPSUBD n, Z30, Z12 \
	VPMAXSD Z29, Z12, Z12 \
	VPADDD d, d, d \
	VPADDD Z12, d, d \
	VPADDD Z12, n, n \
	VPADDD n, n, n \
	VCVTDQ2PS n, n \
	VCVTDQ2PS d, d \
	VDIVPS n, d, d \
	VMINPS d, Z31, Z31

// func distancesAVX512(b *block, t *table, out *[8]float32)
TEXT ·distancesAVX512(SB), NOSPLIT, $0-24
	MOVQ b+0(FP), SI
	MOVQ t+8(FP), R10
	MOVQ out+16(FP), DX
	MOVL $MINBITS, AX
	VPBROADCASTD AX, Z30
	VPXORQ Z29, Z29, Z29
	MOVL $0x3f800000, AX
	VPBROADCASTD AX, Z31
	MOVQ $3, R11

dgroup512:
	CLEAR512
	MOVQ SI, R8
	MOVQ R10, R9
	MOVQ $(HEADROWS+TAILROWS), R12

dword512:
	WORD512
	DECQ R12
	JNZ dword512

	SHARE512(Z2, Z7)
	SHARE512(Z3, Z8)
	SHARE512(Z4, Z9)
	SHARE512(Z5, Z10)
	SHARE512(Z6, Z11)
	ADDQ $GROUP5, R10
	DECQ R11
	JNZ dgroup512

	VPMOVQD Z31, Y31
	VMOVDQU32 Y31, (DX)
	VZEROUPPER
	RET

DATA nibbles<>+0(SB)/8, $0x0302020102010100
DATA nibbles<>+8(SB)/8, $0x0403030203020201
GLOBL nibbles<>(SB), RODATA|NOPTR, $16

// Adds the ones of each byte of t to acc. Y15 is 0x0f in every byte, Y14 the
// number of ones of each nibble; u is scratch.
#define ONES256(t, u, acc) \
	VPAND Y15, t, u \
	VPSRLQ $4, t, t \
	VPSHUFB u, Y14, u \
	VPAND Y15, t, t \
	VPADDB u, acc, acc \
	VPSHUFB t, Y14, t \
	VPADDB t, acc, acc

// As STEP512 on four lanes, into counters of bytes.
#define STEP256(off, n, d, t, u, v) \
	VPBROADCASTQ off+8(R9), t \
	VPBROADCASTQ off(R9), u \
	VPAND Y1, t, t \
	VPXOR Y0, u, u \
	VPAND t, u, u \
	ONES256(t, v, n) \
	ONES256(u, v, d)

#define WORD256 \
	VMOVDQU (R8), Y0 \
	VMOVDQU 64(R8), Y1 \
	STEP256(0, Y2, Y5, Y8, Y9, Y10) \
	STEP256(16, Y3, Y6, Y8, Y9, Y10) \
	STEP256(32, Y4, Y7, Y8, Y9, Y10) \
	ADDQ $ROW, R8 \
	ADDQ $WORDBYTES, R9

#define CLEAR256 \
	VPXOR Y2, Y2, Y2 \
	VPXOR Y3, Y3, Y3 \
	VPXOR Y4, Y4, Y4 \
	VPXOR Y5, Y5, Y5 \
	VPXOR Y6, Y6, Y6 \
	VPXOR Y7, Y7, Y7

// Sums of the bytes of each lane; Y13 is zero.
#define SUMS256 \
	VPSADBW Y13, Y2, Y2 \
	VPSADBW Y13, Y3, Y3 \
	VPSADBW Y13, Y4, Y4 \
	VPSADBW Y13, Y5, Y5 \
	VPSADBW Y13, Y6, Y6 \
	VPSADBW Y13, Y7, Y7

#define CONSTANTS256 \
	VBROADCASTI128 nibbles<>(SB), Y14 \
	MOVL $0x0f0f0f0f, AX \
	VMOVQ AX, X15 \
	VPBROADCASTD X15, Y15

#define SCORE256(n, d) \
	VPSLLQ $16, d, d \
	VPOR n, d, d \
	VPMADDWD Y8, d, d \
	VPMINSD d, Y12, Y12

// func sieveAVX2(h *head, n int, t *table, weights uint32, pass *uint8)
TEXT ·sieveAVX2(SB), NOSPLIT, $0-40
	MOVQ h+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ t+16(FP), DI
	MOVQ pass+32(FP), DX
	CONSTANTS256

block256:
	XORQ BX, BX // lanes that do not pass
	MOVQ $4, R14 // first lane of the half

half256:
	MOVL $0x7fffffff, AX
	VMOVQ AX, X12
	VPBROADCASTD X12, Y12
	MOVQ DI, R10
	MOVQ $5, R11

group256:
	CLEAR256
	LEAQ (SI)(R14*8), R8
	MOVQ R10, R9
	MOVQ $HEADROWS, R12

word256:
	WORD256
	DECQ R12
	JNZ word256

	VPXOR Y13, Y13, Y13
	SUMS256
	MOVL weights+24(FP), AX
	VMOVQ AX, X8
	VPBROADCASTD X8, Y8
	SCORE256(Y2, Y5)
	SCORE256(Y3, Y6)
	SCORE256(Y4, Y7)
	ADDQ $GROUP3, R10
	DECQ R11
	JNZ group256

	VPCMPGTD Y13, Y12, Y12
	VPSLLQ $32, Y12, Y12
	VMOVMSKPD Y12, AX
	SHLQ $4, BX // the upper half is done first
	ORQ AX, BX
	SUBQ $4, R14
	JGE half256

	NOTQ BX
	MOVB BX, (DX)
	INCQ DX
	ADDQ $HEAD, SI
	DECQ CX
	JNZ block256
	VZEROUPPER
	RET

// Packs a rotation's sums into lanes of d<<16|n.
#define PACK256(n, d) \
	VPSLLQ $16, d, d \
	VPOR n, d, d

// Share of a rotation from its packed sums p, as SHARE512, smallest into Y12.
// Y11 is MINBITS, Y13 zero.
#define SHARE256(p) \
	VPSRLQ $16, p, Y8 \
	VPSLLQ $48, p, Y9 \
	VPSRLQ $48, Y9, Y9 \
	VPSUBD Y9, Y11, Y10 \
	VPMAXSD Y13, Y10, Y10 \
	VPADDD Y8, Y8, Y8 \
	VPADDD Y10, Y8, Y8 \
	VPADDD Y10, Y9, Y9 \
	VPADDD Y9, Y9, Y9 \
	VCVTDQ2PS Y8, Y8 \
	VCVTDQ2PS Y9, Y9 \
	VDIVPS Y9, Y8, Y8 \
	VMINPS Y8, Y12, Y12

// func distancesAVX2(b *block, t *table, out *[8]float32)
TEXT ·distancesAVX2(SB), NOSPLIT, $96-24
	MOVQ b+0(FP), SI
	MOVQ t+8(FP), DI
	MOVQ out+16(FP), DX
	CONSTANTS256
	MOVL $MINBITS, AX
	VMOVQ AX, X11
	VPBROADCASTD X11, Y11
	MOVQ $2, R14

dhalf256:
	MOVL $0x3f800000, AX
	VMOVQ AX, X12
	VPBROADCASTD X12, Y12
	MOVQ DI, R10
	MOVQ $5, R11

dgroup256:
	// Head and tail on their own: a counter of bytes holds 31 words.
	CLEAR256
	MOVQ SI, R8
	MOVQ R10, R9
	MOVQ $HEADROWS, R12

dfirst256:
	WORD256
	DECQ R12
	JNZ dfirst256

	VPXOR Y13, Y13, Y13
	SUMS256
	PACK256(Y2, Y5)
	PACK256(Y3, Y6)
	PACK256(Y4, Y7)
	VMOVDQU Y5, sums-96(SP)
	VMOVDQU Y6, sums-64(SP)
	VMOVDQU Y7, sums-32(SP)
	CLEAR256
	MOVQ $TAILROWS, R12

dsecond256:
	WORD256
	DECQ R12
	JNZ dsecond256

	SUMS256
	PACK256(Y2, Y5)
	PACK256(Y3, Y6)
	PACK256(Y4, Y7)
	VPADDD sums-96(SP), Y5, Y5
	VPADDD sums-64(SP), Y6, Y6
	VPADDD sums-32(SP), Y7, Y7
	SHARE256(Y5)
	SHARE256(Y6)
	SHARE256(Y7)
	ADDQ $GROUP3, R10
	DECQ R11
	JNZ dgroup256

	VEXTRACTF128 $1, Y12, X8
	VSHUFPS $0x88, X8, X12, X12
	VMOVUPS X12, (DX)
	ADDQ $16, DX
	ADDQ $32, SI
	DECQ R14
	JNZ dhalf256
	VZEROUPPER
	RET
