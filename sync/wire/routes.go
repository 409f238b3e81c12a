package wire

import "tambo/store/seal"

// Routes of the hub. All but [RouteProvision] need a client certificate, whose
// kiosk id scopes everything that the route shows or changes.
const (
	// RouteProvision takes a [ProvisionRequest] (POST) and gives a
	// [ProvisionAnswer].
	RouteProvision = "/v1/provision"
	// RouteRenew takes a [RenewRequest] (POST) and gives a [RenewAnswer].
	RouteRenew = "/v1/renew"
	// RoutePackages takes a signed manifest (POST, [TypeManifest]) and gives a
	// [PackageAnswer]: where the package stands, what is missing, which receipts
	// there are. It is idempotent; posting again is how a kiosk asks.
	RoutePackages = "/v1/packages"
	// RouteUploads is the tus 1.0 endpoint. Creation is POST with the metadata
	// "part" = hex digest of the part; the id is [UploadID].
	RouteUploads = "/v1/uploads/"
	// RouteDown gives a [DownAnswer] (GET); each "have" in the query is a
	// [Have].
	RouteDown = "/v1/down"
	// RouteAlerts takes an [AlertWord] (POST): somebody saw an alert, or is done
	// with it.
	RouteAlerts = "/v1/alerts"
	// RouteProof gives a [ProofAnswer] (GET ?index=N): that a receipt is in the
	// hub's log.
	RouteProof = "/v1/log/proof"
)

// Media types.
const (
	TypeJSON     = "application/json"
	TypeProblem  = "application/problem+json" // RFC 9457
	TypeManifest = "application/vnd.tambo.manifest"
	TypeChunk    = "application/offset+octet-stream" // tus 1.0.0
)

// Bounds. A message beyond its bound is refused before it is read whole.
const (
	MaxManifest  = seal.MaxManifest
	MaxMessage   = 64 << 10 // any other JSON request, bytes
	MaxAnswer    = 64 << 20 // any JSON answer, bytes; lists are the large ones
	MaxReceipt   = 4 << 10  // signed note, bytes
	MaxParts     = seal.MaxParts
	MaxPart      = seal.MaxPart
	MaxPackage   = 4 << 30 // bytes of one package
	MaxReason    = 400     // bytes of a refusal's reason
	MaxHave      = 200     // documents that a kiosk may say it has
	maxListName  = 40
	maxNameBytes = 100
)

// ServerName is the name in the hub's certificate. A kiosk pins the hub's own
// certificate authority and checks this name, so that the hub may be reached by
// any address.
const ServerName = "hub.tambo"
