// Package codegen declares the one type of pulumi-dotnet that the docker-build provider uses: that
// module is not served by module proxies. It is only ever marshalled into a schema for .NET.
package codegen

type CSharpPackageInfo struct {
	RespectSchemaVersion bool
	PackageReferences    map[string]string
}
