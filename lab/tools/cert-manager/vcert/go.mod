// No module proxy serves this module, which cert-manager's go.mod requires. Nothing of it is compiled: only its Venafi issuer,
// which is left out, imports it.
module github.com/Venafi/vcert/v5

go 1.26.0
