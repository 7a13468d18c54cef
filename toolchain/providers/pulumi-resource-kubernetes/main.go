// Command pulumi-resource-kubernetes is the Kubernetes provider. Its own main package needs files that its module does not
// carry; this one serves the same provider with the schema that the module does carry, which the build maps to schema.json
// beside this file (see ../../../pins.ts).
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema.json
var schema []byte

func main() { provider.Serve("kubernetes", version.Version, schema, []byte("{}")) }
