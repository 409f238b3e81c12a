#include "textflag.h"

// The kernels of kernel.go. A block is 32 rows pairs of 64 bytes (code, mask),
// a lane a column of 8 bytes; the probe table has, for each word, 15 rotations
// of 16 bytes (code, mask), 240 bytes in all. See slab.go.

#define WORDS 32
#define SIEVEWORDS 16
#define ROW 128        // bytes of a word's two rows
#define WORDBYTES 240  // bytes of a word in the probe table
#define GROUP5 80      // bytes of five rotations
#define GROUP3 48      // bytes of three
#define BLOCK 4096
#define MINBITS 159    // iris.MinSearchBits - 1

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

// Score of a rotation: n·(-share) + d·ruleScale, smallest into Z31.
#define SCORE512(n, d) \
	VPSLLQ $16, d, d \
	VPORQ n, d, d \
	VPMADDWD Z30, d, d \
	VPMINSD d, Z31, Z31

// func sieveAVX512(b *block, n int, t *table, weights uint32, slack int32, pass *uint8)
TEXT ·sieveAVX512(SB), NOSPLIT, $0-40
	MOVQ b+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ t+16(FP), DI
	MOVL weights+24(FP), AX
	VPBROADCASTD AX, Z30
	MOVL slack+28(FP), AX
	VPBROADCASTD AX, Y29
	MOVQ pass+32(FP), DX
	MOVL $0x7fffffff, AX
	VPBROADCASTD AX, Z28

block512:
	VMOVDQA64 Z28, Z31
	MOVQ DI, R10
	MOVQ $3, R11
	LEAQ BLOCK(SI), R13

group512:
	CLEAR512
	MOVQ SI, R8
	MOVQ R10, R9
	MOVQ $SIEVEWORDS, R12

word512:
	// The next block's 32 rows, sixteen in each of the first two groups
	// and once more in the third.
	PREFETCHT0 (R13)
	ADDQ $64, R13
	WORD512
	DECQ R12
	JNZ word512

	SCORE512(Z2, Z7)
	SCORE512(Z3, Z8)
	SCORE512(Z4, Z9)
	SCORE512(Z5, Z10)
	SCORE512(Z6, Z11)
	ADDQ $GROUP5, R10
	CMPQ R11, $2
	JNE next512
	LEAQ BLOCK(SI), R13

next512:
	DECQ R11
	JNZ group512

	VPMOVQD Z31, Y31
	VPCMPD $2, Y29, Y31, K1
	KMOVW K1, AX
	MOVB AX, (DX)
	INCQ DX
	ADDQ $BLOCK, SI
	DECQ CX
	JNZ block512
	VZEROUPPER
	RET

// Share of a rotation, 0 where n ≤ MINBITS, smallest into Z31.
#define SHARE512(n, d) \
	VPCMPGTD Z30, n, K1 \
	VCVTDQ2PS n, n \
	VCVTDQ2PS d, d \
	VDIVPS.Z n, d, K1, d \
	VMINPS d, Z31, Z31

// func distancesAVX512(b *block, t *table, out *[8]float32)
TEXT ·distancesAVX512(SB), NOSPLIT, $0-24
	MOVQ b+0(FP), SI
	MOVQ t+8(FP), R10
	MOVQ out+16(FP), DX
	MOVL $MINBITS, AX
	VPBROADCASTD AX, Z30
	MOVL $0x3f800000, AX
	VPBROADCASTD AX, Z31
	MOVQ $3, R11

dgroup512:
	CLEAR512
	MOVQ SI, R8
	MOVQ R10, R9
	MOVQ $WORDS, R12

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
	MOVQ AX, X15 \
	VPBROADCASTD X15, Y15

#define SCORE256(n, d) \
	VPSLLQ $16, d, d \
	VPOR n, d, d \
	VPMADDWD Y8, d, d \
	VPMINSD d, Y12, Y12

// func sieveAVX2(b *block, n int, t *table, weights uint32, slack int32, pass *uint8)
TEXT ·sieveAVX2(SB), NOSPLIT, $0-40
	MOVQ b+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ t+16(FP), DI
	MOVQ pass+32(FP), DX
	CONSTANTS256

block256:
	XORQ BX, BX // lanes that do not pass
	MOVQ $4, R14 // first lane of the half

half256:
	MOVL $0x7fffffff, AX
	MOVQ AX, X12
	VPBROADCASTD X12, Y12
	MOVQ DI, R10
	MOVQ $5, R11

group256:
	CLEAR256
	LEAQ (SI)(R14*8), R8
	MOVQ R10, R9
	MOVQ $SIEVEWORDS, R12

word256:
	WORD256
	DECQ R12
	JNZ word256

	VPXOR Y13, Y13, Y13
	SUMS256
	MOVL weights+24(FP), AX
	MOVQ AX, X8
	VPBROADCASTD X8, Y8
	SCORE256(Y2, Y5)
	SCORE256(Y3, Y6)
	SCORE256(Y4, Y7)
	ADDQ $GROUP3, R10
	DECQ R11
	JNZ group256

	MOVL slack+28(FP), AX
	MOVQ AX, X8
	VPBROADCASTD X8, Y8
	VPCMPGTD Y8, Y12, Y12
	VPSLLQ $32, Y12, Y12
	VMOVMSKPD Y12, AX
	SHLQ $4, BX // the upper half is done first
	ORQ AX, BX
	SUBQ $4, R14
	JGE half256

	NOTQ BX
	MOVB BX, (DX)
	INCQ DX
	ADDQ $BLOCK, SI
	DECQ CX
	JNZ block256
	VZEROUPPER
	RET

// Packs a rotation's sums into lanes of d<<16|n.
#define PACK256(n, d) \
	VPSLLQ $16, d, d \
	VPOR n, d, d

// Share of a rotation from its packed sums p, 0 where n ≤ MINBITS, smallest
// into Y12.
#define SHARE256(p) \
	VPSRLQ $16, p, Y8 \
	VPSLLQ $48, p, Y9 \
	VPSRLQ $48, Y9, Y9 \
	VPCMPGTD Y11, Y9, Y10 \
	VCVTDQ2PS Y8, Y8 \
	VCVTDQ2PS Y9, Y9 \
	VDIVPS Y9, Y8, Y8 \
	VANDPS Y10, Y8, Y8 \
	VMINPS Y8, Y12, Y12

// func distancesAVX2(b *block, t *table, out *[8]float32)
TEXT ·distancesAVX2(SB), NOSPLIT, $96-24
	MOVQ b+0(FP), SI
	MOVQ t+8(FP), DI
	MOVQ out+16(FP), DX
	CONSTANTS256
	MOVL $MINBITS, AX
	MOVQ AX, X11
	VPBROADCASTD X11, Y11
	MOVQ $2, R14

dhalf256:
	MOVL $0x3f800000, AX
	MOVQ AX, X12
	VPBROADCASTD X12, Y12
	MOVQ DI, R10
	MOVQ $5, R11

dgroup256:
	// Two halves of the code: a counter of bytes holds 31 words.
	CLEAR256
	MOVQ SI, R8
	MOVQ R10, R9
	MOVQ $(WORDS/2), R12

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
	MOVQ $(WORDS/2), R12

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
