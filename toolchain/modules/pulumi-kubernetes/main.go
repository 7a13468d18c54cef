// The Kubernetes provider's own main package needs generated files that its module does not carry.
// This one serves the same provider with the schema that the module does carry; the build maps it
// to schema.json beside this file (see ../../pins.ts).
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

func main() { provider.Serve("kubernetes", "4.18.1", schema, []byte("{}")) }
