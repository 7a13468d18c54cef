package main

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

var claim = corev1.PersistentVolumeClaimTemplate{Spec: corev1.PersistentVolumeClaimSpec{
	AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
	Resources: corev1.VolumeResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
	},
}}

// allowed are the sources that the level restricted allows.
var allowed = []corev1.VolumeSource{
	{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}},
	{CSI: &corev1.CSIVolumeSource{Driver: "secrets-store.csi.k8s.io"}},
	{DownwardAPI: &corev1.DownwardAPIVolumeSource{}},
	{EmptyDir: &corev1.EmptyDirVolumeSource{}},
	{Ephemeral: &corev1.EphemeralVolumeSource{VolumeClaimTemplate: &claim}},
	{Image: &corev1.ImageVolumeSource{Reference: "registry.example/model"}},
	{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}},
	{Projected: &corev1.ProjectedVolumeSource{}},
	{Secret: &corev1.SecretVolumeSource{SecretName: "key"}},
}

// forbidden are all other sources, and a volume without a source.
var forbidden = []corev1.VolumeSource{
	{},
	{AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{}},
	{AzureDisk: &corev1.AzureDiskVolumeSource{}},
	{AzureFile: &corev1.AzureFileVolumeSource{}},
	{CephFS: &corev1.CephFSVolumeSource{}},
	{Cinder: &corev1.CinderVolumeSource{}},
	{FC: &corev1.FCVolumeSource{}},
	{FlexVolume: &corev1.FlexVolumeSource{}},
	{Flocker: &corev1.FlockerVolumeSource{}},
	{GCEPersistentDisk: &corev1.GCEPersistentDiskVolumeSource{}},
	{GitRepo: &corev1.GitRepoVolumeSource{}},
	{Glusterfs: &corev1.GlusterfsVolumeSource{}},
	{HostPath: &corev1.HostPathVolumeSource{Path: "/var/run/docker.sock"}},
	{ISCSI: &corev1.ISCSIVolumeSource{}},
	{NFS: &corev1.NFSVolumeSource{}},
	{PhotonPersistentDisk: &corev1.PhotonPersistentDiskVolumeSource{}},
	{PortworxVolume: &corev1.PortworxVolumeSource{}},
	{Quobyte: &corev1.QuobyteVolumeSource{}},
	{RBD: &corev1.RBDVolumeSource{}},
	{ScaleIO: &corev1.ScaleIOVolumeSource{}},
	{StorageOS: &corev1.StorageOSVolumeSource{}},
	{VsphereVolume: &corev1.VsphereVirtualDiskVolumeSource{}},
}

func (g generator) volume(index int) corev1.Volume {
	source := one(g, allowed...)
	if g.seldom(12) {
		source = one(g, forbidden...)
	}
	return corev1.Volume{Name: "v" + strconv.Itoa(index), VolumeSource: source}
}
