#include "textflag.h"

// The counts of tally.go. A row of a code is 32 bytes, eight sectors of 32 bits;
// a band is two rows, 64 bytes; a scale is 16 bands. The mask lies MASK bytes
// behind the bits. A zone is four bands of both scales.

#define MASK 2048
#define SCALE 1024
#define ZONE 256  // bytes of a zone within a scale
#define COUNTS 128 // where n begins in a tally

// Adds a band to n (Z2) and d (Z3), the sectors of its two rows side by side.
// Z28 and Z29 say which words are shifted together, Z30 by how much.
#define BAND512(off) \
	VPERMQ off(DI), Z28, Z4 \
	VPERMQ off(DI), Z29, Z5 \
	VPERMQ off+MASK(DI), Z28, Z6 \
	VPERMQ off+MASK(DI), Z29, Z7 \
	VPSHRDVQ Z30, Z5, Z4 \
	VPSHRDVQ Z30, Z7, Z6 \
	VPANDQ off+MASK(SI), Z6, Z6 \
	VPOPCNTD Z6, Z7 \
	VPTERNLOGQ $0x60, off(SI), Z4, Z6 \
	VPADDD Z7, Z2, Z2 \
	VPOPCNTD Z6, Z6 \
	VPADDD Z6, Z3, Z3

// func countAVX512(out *tally, a, b *code, t *turning)
TEXT ·countAVX512(SB), NOSPLIT, $0-32
	MOVQ out+0(FP), DX
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DI
	MOVQ t+24(FP), R8
	VMOVDQU64 (R8), Z28
	VMOVDQU64 64(R8), Z29
	VPBROADCASTQ 192(R8), Z30
	MOVQ $4, CX

zone512:
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	BAND512(0)
	BAND512(64)
	BAND512(128)
	BAND512(192)
	BAND512(SCALE+0)
	BAND512(SCALE+64)
	BAND512(SCALE+128)
	BAND512(SCALE+192)
	VEXTRACTI64X4 $1, Z2, Y4
	VEXTRACTI64X4 $1, Z3, Y5
	VPADDD Y4, Y2, Y2
	VPADDD Y5, Y3, Y3
	VMOVDQU Y3, (DX)
	VMOVDQU Y2, COUNTS(DX)
	ADDQ $32, DX
	ADDQ $ZONE, SI
	ADDQ $ZONE, DI
	DECQ CX
	JNZ zone512
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

// Adds a row to the counters of bytes n (Y2) and d (Y3). Y12 and Y13 say which
// words are shifted together, X10 and X11 by how much.
#define ROW256(off) \
	VPERMD off(DI), Y12, Y4 \
	VPERMD off(DI), Y13, Y5 \
	VPERMD off+MASK(DI), Y12, Y6 \
	VPERMD off+MASK(DI), Y13, Y7 \
	VPSRLQ X10, Y4, Y4 \
	VPSLLQ X11, Y5, Y5 \
	VPSRLQ X10, Y6, Y6 \
	VPSLLQ X11, Y7, Y7 \
	VPOR Y5, Y4, Y4 \
	VPOR Y7, Y6, Y6 \
	VPXOR off(SI), Y4, Y4 \
	VPAND off+MASK(SI), Y6, Y6 \
	VPAND Y6, Y4, Y4 \
	ONES256(Y6, Y5, Y2) \
	ONES256(Y4, Y5, Y3)

// func countAVX2(out *tally, a, b *code, t *turning)
TEXT ·countAVX2(SB), NOSPLIT, $0-32
	MOVQ out+0(FP), DX
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DI
	MOVQ t+24(FP), R8
	VMOVDQU 128(R8), Y12
	VMOVDQU 160(R8), Y13
	VMOVQ 192(R8), X10
	VMOVQ 200(R8), X11
	VBROADCASTI128 nibbles<>(SB), Y14
	MOVL $0x0f0f0f0f, AX
	VMOVQ AX, X15
	VPBROADCASTD X15, Y15
	MOVL $0x01010101, AX
	VMOVQ AX, X8
	VPBROADCASTD X8, Y8
	MOVL $0x00010001, AX
	VMOVQ AX, X9
	VPBROADCASTD X9, Y9
	MOVQ $4, CX

zone256:
	// Sixteen rows: a counter of bytes reaches 128 at most.
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	ROW256(0)
	ROW256(32)
	ROW256(64)
	ROW256(96)
	ROW256(128)
	ROW256(160)
	ROW256(192)
	ROW256(224)
	ROW256(SCALE+0)
	ROW256(SCALE+32)
	ROW256(SCALE+64)
	ROW256(SCALE+96)
	ROW256(SCALE+128)
	ROW256(SCALE+160)
	ROW256(SCALE+192)
	ROW256(SCALE+224)
	VPMADDUBSW Y8, Y2, Y2
	VPMADDUBSW Y8, Y3, Y3
	VPMADDWD Y9, Y2, Y2
	VPMADDWD Y9, Y3, Y3
	VMOVDQU Y3, (DX)
	VMOVDQU Y2, COUNTS(DX)
	ADDQ $32, DX
	ADDQ $ZONE, SI
	ADDQ $ZONE, DI
	DECQ CX
	JNZ zone256
	VZEROUPPER
	RET
