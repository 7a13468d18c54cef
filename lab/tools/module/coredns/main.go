// Command coredns is CoreDNS with the plugins that the lab's Corefile uses, as its documentation describes for a build of
// one's own: https://coredns.io/2017/07/25/compile-time-enabling-or-disabling-plugins/.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

func main() {
	// The order in which a query passes the plugins: that of CoreDNS' own plugin.cfg.
	dnsserver.Directives = []string{"reload", "health", "ready", "errors", "cache", "loop", "kubernetes", "forward"}
	coremain.Run()
}
