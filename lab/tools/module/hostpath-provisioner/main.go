// Command hostpath-provisioner gives every claim of the lab's storage class a folder of its own on the lab's only
// node, and takes the folder away with the volume.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisionerName is what a StorageClass calls this program.
const provisionerName = "lab.local/hostpath"

// hostPath makes volumes as folders of one folder; the path is the same in its pod and on the node.
type hostPath struct {
	folder string
}

// Provision makes the folder and describes it as a volume of the selected node.
func (p hostPath) Provision(_ context.Context, options controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	claim := options.PVC.Spec
	if claim.Selector != nil {
		return nil, controller.ProvisioningFinished, errors.New("a claim with a selector is not supported: remove spec.selector")
	}
	if claim.VolumeMode != nil && *claim.VolumeMode == v1.PersistentVolumeBlock {
		return nil, controller.ProvisioningFinished, errors.New("block volumes are not supported: use volumeMode Filesystem")
	}
	path := filepath.Join(p.folder, options.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	// Pods of any user write here, and Kubernetes does not apply fsGroup to a host path. Chmod, as the umask holds MkdirAll back.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return describe(options, path), controller.ProvisioningFinished, nil
}

func describe(options controller.ProvisionOptions, path string) *v1.PersistentVolume {
	kind := v1.HostPathDirectory
	volume := &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   options.PVC.Spec.AccessModes,
			MountOptions:                  options.StorageClass.MountOptions,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: options.PVC.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource:        v1.PersistentVolumeSource{HostPath: &v1.HostPathVolumeSource{Path: path, Type: &kind}},
		},
	}
	if options.SelectedNodeName != "" {
		volume.Spec.NodeAffinity = &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
			MatchExpressions: []v1.NodeSelectorRequirement{{
				Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{options.SelectedNodeName},
			}},
		}}}}
	}
	return volume
}

// Delete removes the folder, and refuses a path that is not a direct child of its own.
func (p hostPath) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	source := volume.Spec.HostPath
	if source == nil || filepath.Dir(source.Path) != filepath.Clean(p.folder) {
		return fmt.Errorf("volume %s is not a folder of %s", volume.Name, p.folder)
	}
	return os.RemoveAll(source.Path)
}

func run(ctx context.Context, folder string) error {
	if !filepath.IsAbs(folder) {
		return fmt.Errorf("-folder %q: give an absolute path", folder)
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	// One replica: no election, hence no right to leases.
	provisioner := controller.NewProvisionController(ctx, client, provisionerName, hostPath{folder}, controller.LeaderElection(false))
	provisioner.Run(ctx)
	return nil
}

func main() {
	folder := flag.String("folder", "", "absolute path of the folder that holds the volumes, in the pod as on the node")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(klog.NewContext(ctx, klog.Background()), *folder); err != nil {
		klog.Fatal(err)
	}
}
