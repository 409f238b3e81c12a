package kiosk

// Role says what an operator may do. Roles are keys: what a role may read is
// what its slot in the vault unwraps, not what a screen hides.
type Role string

// Roles.
const (
	RoleOfficer    Role = "officer"    // enrols; opens drafts, index cards, lists
	RoleSupervisor Role = "supervisor" // an officer who also answers second, adds operators, confirms destruction
	RoleTechnician Role = "technician" // devices, disk, clock, link; no subject data at all
	RoleKeeper     Role = "keeper"     // provisions the kiosk; no subject data
)

// OpensSubjects reports whether the role's slot wraps the subject key.
func (r Role) OpensSubjects() bool { return r == RoleOfficer || r == RoleSupervisor }

// Valid reports whether r is one of the defined roles.
func (r Role) Valid() bool {
	switch r {
	case RoleOfficer, RoleSupervisor, RoleTechnician, RoleKeeper:
		return true
	}
	return false
}

// Operator is a person who works at the kiosk, named by a label that the hub's
// roster gave ("of-17"), never by a personal name.
type Operator struct {
	Label string `json:"label"`
	Role  Role   `json:"role"`
}

// Roster says which operators may exist. It comes down from the hub, signed;
// a key slot is made at the kiosk by a supervisor, or by the provisioning code
// for the first.
type Roster struct {
	Version   uint64     `json:"version"`
	Operators []Operator `json:"operators"`
	Revoked   []string   `json:"revoked,omitempty"` // labels whose slots must go; the subject key rotates
}
