package courier

import "tambo/store"

// What the vault gives and takes, under the names of the road.
type (
	// Identity is what provisioning gave: who the kiosk is, and which hub it
	// trusts.
	Identity = store.Identity
	// Item is a package in the outbox.
	Item = store.OutboxItem
	// Operator is somebody who signed in; a keeper may change the hub.
	Operator = store.Operator
)

var _ Vault = (*store.Vault)(nil)
