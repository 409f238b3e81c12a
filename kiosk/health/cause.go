package health

// Cause is what is most likely wrong. Its words are under "likely." in package
// words.
type Cause string

// Weight says what a cause stops.
type Weight int

// Weights.
const (
	Well Weight = iota
	Hint        // worth knowing
	Care        // works, badly or not for long
	Stop        // something cannot be done
)

// Causes.
const (
	CauseDiskRefuses   Cause = "disk-refuses"
	CauseDiskReadOnly  Cause = "disk-read-only"
	CauseDiskFull      Cause = "disk-full"
	CauseVaultDamaged  Cause = "vault-damaged"
	CauseVaultKey      Cause = "vault-key"
	CauseVaultMissing  Cause = "vault-missing"
	CauseVaultClosed   Cause = "vault-closed"
	CauseClockWrong    Cause = "clock-wrong"
	CauseBus           Cause = "bus"
	CauseBusTraining   Cause = "bus-training"
	CauseUSBHub        Cause = "usb-hub"
	CauseDeviceGone    Cause = "device-gone"   // was there, went
	CauseDeviceNever   Cause = "device-never"  // never seen here
	CauseDeviceAccess  Cause = "device-access" // udev
	CauseDeviceDriver  Cause = "device-driver" // one is there that no driver takes, and ours is missing
	CauseDeviceStalled Cause = "device-stalled"
	CauseDeviceBusy    Cause = "device-busy"
	CauseCable         Cause = "cable"
	CauseDescriptors   Cause = "descriptors"
	CauseSlowPort      Cause = "slow-port"
	CauseSlowKiosk     Cause = "slow-kiosk"
	CauseSlowCamera    Cause = "slow-camera"
	CauseSwapped       Cause = "swapped"
	CauseDark          Cause = "dark"
	CauseBright        Cause = "bright"
	CauseUneven        Cause = "uneven"
	CauseBlurred       Cause = "blurred"
	CauseScanScale     Cause = "scan-scale"
	CauseScanDirty     Cause = "scan-dirty"
	CauseNoHub         Cause = "no-hub"
	CauseNoAgreement   Cause = "no-agreement"
	CauseAgreementOver Cause = "agreement-over"
	CauseAgreementSoon Cause = "agreement-soon"
	CauseCertOver      Cause = "cert-over"
	CauseCertSoon      Cause = "cert-soon"
	CauseLink          Cause = "link"
	CauseName          Cause = "name"
	CauseNoWay         Cause = "no-way"
	CauseRefused       Cause = "refused"
	CauseTimeout       Cause = "timeout"
	CauseImpostor      Cause = "impostor"
	CauseHubCert       Cause = "hub-cert"
	CauseRejected      Cause = "rejected"
	CauseHubError      Cause = "hub-error"
	CauseCut           Cause = "cut"
	CausePackages      Cause = "packages" // the hub refused some
	CauseQueueOld      Cause = "queue-old"
	CauseClockUnsure   Cause = "clock-unsure"
	CauseVaultFiles    Cause = "vault-files"  // open, and some files cannot be read
	CauseDiskDying     Cause = "disk-dying"   // it says so itself
	CauseDiskFailing   Cause = "disk-failing" // errors were counted
	CauseDiskWorn      Cause = "disk-worn"
	CauseDiskLow       Cause = "disk-low"
	CauseBattery       Cause = "battery"
	CauseUnclean       Cause = "unclean"
	CauseNoDriver      Cause = "no-driver"
	CauseNoPrinter     Cause = "no-printer"
)

// causes lists every cause with its weight, in the order in which they are
// named first: what stops all work, then what stops a device, then the road
// (enrolling goes on without it), then what will be wrong soon.
var causes = []struct {
	Cause  Cause
	Weight Weight
}{
	{CauseDiskRefuses, Stop}, {CauseDiskReadOnly, Stop}, {CauseDiskFull, Stop},
	{CauseVaultDamaged, Stop}, {CauseVaultKey, Stop}, {CauseVaultMissing, Stop}, {CauseVaultClosed, Stop},
	{CauseClockWrong, Stop},
	{CauseBus, Stop}, {CauseBusTraining, Stop}, {CauseUSBHub, Stop},
	{CauseDescriptors, Stop}, {CauseDeviceAccess, Stop}, {CauseDeviceDriver, Stop}, {CauseDeviceGone, Stop}, {CauseDeviceNever, Stop},
	{CauseDeviceStalled, Stop}, {CauseDeviceBusy, Stop},
	{CauseNoHub, Stop}, {CauseNoAgreement, Stop}, {CauseAgreementOver, Stop},
	{CauseSwapped, Stop},

	{CauseCable, Care}, {CauseSlowPort, Care}, {CauseSlowKiosk, Care}, {CauseSlowCamera, Care},
	{CauseDark, Care}, {CauseBright, Care}, {CauseUneven, Care}, {CauseBlurred, Care}, {CauseScanScale, Care}, {CauseScanDirty, Care},
	{CauseDiskDying, Care}, {CauseDiskFailing, Care}, {CauseVaultFiles, Care},
	{CauseCertOver, Care},
	{CauseLink, Care}, {CauseName, Care}, {CauseNoWay, Care}, {CauseRefused, Care}, {CauseTimeout, Care}, {CauseImpostor, Care},
	{CauseHubCert, Care}, {CauseRejected, Care}, {CauseHubError, Care}, {CauseCut, Care},
	{CausePackages, Care}, {CauseQueueOld, Care}, {CauseClockUnsure, Care},
	{CauseDiskLow, Care}, {CauseBattery, Care}, {CauseDiskWorn, Care}, {CauseCertSoon, Care}, {CauseAgreementSoon, Care},

	{CauseUnclean, Hint}, {CauseNoDriver, Hint}, {CauseNoPrinter, Hint},
}

// Causes lists every cause there is, the gravest first.
func Causes() []Cause {
	var out []Cause
	for _, c := range causes {
		out = append(out, c.Cause)
	}
	return out
}

// rank is the place and the weight of a cause.
func rank(c Cause) (int, Weight) {
	for i, x := range causes {
		if x.Cause == c {
			return i, x.Weight
		}
	}
	return len(causes), Hint
}
