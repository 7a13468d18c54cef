// Package absent stands for the controllers of the issuers that are left out. A patch lets cert-manager's list of controllers
// name these constants in place of theirs, so that their clients are not compiled.
package absent

const (
	CRControllerName  = "left-out-of-certificaterequests"
	CSRControllerName = "left-out-of-certificatesigningrequests"
)

// Errors that no code of this build makes.
type (
	AuthenticationFailedError struct{ error }
	ErrorResponse             struct{ error }
	ResponseError             struct{ error }
)
