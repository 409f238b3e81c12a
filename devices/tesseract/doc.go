// Package tesseract reads the print on a page by running the program tesseract,
// where one is installed: a picture goes in through standard input, words come
// out through standard output.
//
// It never writes a file, since what stands on the page is somebody's; it never
// waits longer than it was told, and it never believes what it is sent: output is
// bounded, and what does not decode is an error. Without the program there is no
// reader, and a kiosk works without one.
package tesseract
