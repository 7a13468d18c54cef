// Package java declares the one type of pulumi-java that the docker-build provider uses: that
// module is not served by module proxies. It is only ever marshalled into a schema for Java.
package java

type PackageInfo struct {
	BuildFiles                      string
	GradleNexusPublishPluginVersion string
	Dependencies                    map[string]string
}
