package ui

import "tambo/kiosk"

// What tests may look at.

// Unfinished is the order of unfinished work at home.
var Unfinished = unfinished

// Except shows the exception sheet.
func (c *Controller) Except(m kiosk.Modality, eyes ...kiosk.Eye) { c.showException(m, "", eyes...) }

// Busy reports that an act is under way.
func (c *Controller) Busy() bool { return c.busy }

// Looking reports that a device is at work for this window.
func (c *Controller) Looking() bool { return c.capture != nil }

// Shielded reports that a touch would do nothing yet.
func (c *Controller) Shielded() bool { return !c.shield.gone }

// Page names what is shown.
func (c *Controller) Page() string { return c.page.name }
