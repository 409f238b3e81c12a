// Package devicetest is the conformance suite of the device interfaces: what
// [devices.IrisCamera] and [devices.DocumentScanner] promise, tried against any
// driver and any device, software or real. It knows no driver and never looks
// at what an image shows, except through a check that the rig brings.
package devicetest
