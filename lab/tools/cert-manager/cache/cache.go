// Package cache is client-go's package of the same name in the version of the other tools, with the names that generated
// informers of newer versions need. They name informers for metrics, which that version does not have.
package cache

import (
	"context"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

type (
	Indexers            = cache.Indexers
	ListWatch           = cache.ListWatch
	SharedIndexInformer = cache.SharedIndexInformer
	TransformFunc       = cache.TransformFunc
	DoneChecker         = cache.InformerSynced
)

const NamespaceIndex = cache.NamespaceIndex

var MetaNamespaceIndexFunc = cache.MetaNamespaceIndexFunc

// InformerName names nothing.
type InformerName struct{}

// WithResource gives no identifier.
func (*InformerName) WithResource(schema.GroupVersionResource) *InformerName { return nil }

// Release has nothing to release.
func (*InformerName) Release() {}

// SharedIndexInformerOptions are client-go's with an identifier, which is ignored.
type SharedIndexInformerOptions struct {
	ResyncPeriod time.Duration
	Indexers     Indexers
	Identifier   *InformerName
}

// NewSharedIndexInformerWithOptions makes an informer.
func NewSharedIndexInformerWithOptions(source cache.ListerWatcher, example runtime.Object,
	options SharedIndexInformerOptions) SharedIndexInformer {
	return cache.NewSharedIndexInformerWithOptions(source, example, cache.SharedIndexInformerOptions{
		ResyncPeriod: options.ResyncPeriod,
		Indexers:     options.Indexers,
	})
}

// ToListWatcherWithWatchListSemantics returns the source itself: only clients of tests have other semantics.
func ToListWatcherWithWatchListSemantics(source *ListWatch, _ any) cache.ListerWatcher { return source }

// SyncResult tells which informers have synchronized, and the reason if some have not.
type SyncResult struct {
	Synced map[reflect.Type]bool
	Err    error
}

// WaitFor waits until all checks are true, or the context ends.
func WaitFor(ctx context.Context, _ string, checks ...DoneChecker) bool {
	return cache.WaitForCacheSync(ctx.Done(), checks...)
}
