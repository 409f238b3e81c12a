// Package install is what `make install` puts into a system besides the programs:
// systemd units, udev rules, the kiosk's user and folders. It holds files and
// their tests, and never any code of the kiosk.
package install
