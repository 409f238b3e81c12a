// Package kerneltest is the third test bed of the devices: a virtual machine
// with Debian's own kernel, whose vhci_hcd has our virtual devices plugged in, so
// that the drivers are tried on the real libusb and the real Linux USB stack, and
// programs that others wrote (the kernel's uvcvideo with v4l2-ctl; ipp-usb with
// sane-airscan) judge the virtual devices from outside.
//
// This package makes the machine: packages fetched with apt into a cache outside
// the tree and unpacked without installing them ([Fetch]), an initial file system
// of the test program itself, the modules and the shared libraries that it needs
// ([Image]), the run under QEMU ([Boot]), and the guest's first process ([Init])
// with its hands on vhci_hcd ([Attach]). The checks themselves are its tests; they
// run by `make test-usb`.
//
// It needs neither KVM nor root, changes nothing outside its cache, opens no
// network for the guest, and is never linked into a program. What it measures is
// correctness: an emulated processor says nothing about speed.
package kerneltest
