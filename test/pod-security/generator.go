package main

import (
	"math/rand/v2"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// generator makes pods with a mix of fields that the Pod Security Standards allow and forbid. Most fields are usually missing
// or allowed: a pod in which everything is forbidden does not test individual checks.
type generator struct{ *rand.Rand }

// localProfile is the name in a profile of type Localhost.
var localProfile = "profiles/app.json"

// seldom is true in one of n calls.
func (g generator) seldom(n int) bool { return g.IntN(n) == 0 }

// one returns a random element of a list.
func one[T any](g generator, items ...T) T { return items[g.IntN(len(items))] }

// maybe returns a value in one of n calls, and nil otherwise.
func maybe[T any](g generator, n int, make func() T) *T {
	if !g.seldom(n) {
		return nil
	}
	value := make()
	return &value
}

// some makes up to n items.
func some[T any](g generator, n int, make func(int) T) []T {
	var items []T
	for i := range g.IntN(n + 1) {
		items = append(items, make(i))
	}
	return items
}

// flag is a boolean that is missing, false or true.
func (g generator) flag(n int) *bool { return maybe(g, n, func() bool { return g.seldom(2) }) }

func (g generator) pod() *corev1.Pod {
	compliant := g.seldom(2)
	spec := corev1.PodSpec{
		HostNetwork:     g.seldom(25),
		HostPID:         g.seldom(40),
		HostIPC:         g.seldom(40),
		HostUsers:       g.flag(10),
		OS:              maybe(g, 10, func() corev1.PodOS { return corev1.PodOS{Name: one(g, corev1.Linux, corev1.Windows)} }),
		SecurityContext: g.podContext(compliant),
		Volumes:         some(g, 3, g.volume),
	}
	named := func(prefix string) func(int) corev1.Container {
		return func(i int) corev1.Container { return g.container(prefix+strconv.Itoa(i), compliant) }
	}
	spec.Containers = append(some(g, 2, named("c")), named("last")(0))
	if g.seldom(3) {
		spec.InitContainers = some(g, 2, named("init"))
	}
	if g.seldom(5) {
		spec.EphemeralContainers = some(g, 2, func(i int) corev1.EphemeralContainer {
			return corev1.EphemeralContainer{
				EphemeralContainerCommon: corev1.EphemeralContainerCommon(named("debug")(i)),
			}
		})
	}
	return &corev1.Pod{ObjectMeta: object(g.annotations()), Spec: spec}
}

func (g generator) annotations() map[string]string {
	if !g.seldom(8) {
		return nil
	}
	prefix := one(g, "container.apparmor.security.beta.kubernetes.io/", "seccomp.security.alpha.kubernetes.io/", "example.com/")
	value := one(g, "", "runtime/default", "localhost/profile", "unconfined", "localhost", "runtime/default ")
	return map[string]string{prefix + "c0": value}
}

func (g generator) podContext(compliant bool) *corev1.PodSecurityContext {
	if !compliant && g.seldom(3) {
		return nil
	}
	context := &corev1.PodSecurityContext{
		AppArmorProfile: g.appArmor(),
		RunAsUser:       maybe(g, 6, g.id),
		RunAsNonRoot:    g.flag(3),
		SELinuxOptions:  g.seLinux(),
		SeccompProfile:  g.seccomp(3),
		WindowsOptions:  g.windows(),
	}
	if g.seldom(6) {
		context.Sysctls = some(g, 2, func(int) corev1.Sysctl { return corev1.Sysctl{Name: g.sysctl(), Value: "1"} })
	}
	if compliant && !g.seldom(8) {
		context.RunAsNonRoot = new(bool)
		*context.RunAsNonRoot = true
		context.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
	}
	return context
}

func (g generator) container(name string, compliant bool) corev1.Container {
	container := corev1.Container{
		Name:            name,
		Image:           "registry.example/app",
		SecurityContext: g.containerContext(compliant),
		LivenessProbe:   maybe(g, 40, g.probe),
		ReadinessProbe:  maybe(g, 40, g.probe),
		StartupProbe:    maybe(g, 40, g.probe),
	}
	if g.seldom(20) {
		container.Lifecycle = &corev1.Lifecycle{PostStart: maybe(g, 2, g.hook), PreStop: maybe(g, 2, g.hook)}
	}
	if g.seldom(6) {
		container.Ports = some(g, 2, func(i int) corev1.ContainerPort {
			return corev1.ContainerPort{ContainerPort: int32(8080 + i), HostPort: one[int32](g, 0, 0, 0, 80)}
		})
	}
	return container
}

func (g generator) containerContext(compliant bool) *corev1.SecurityContext {
	if !compliant && g.seldom(3) {
		return nil
	}
	context := &corev1.SecurityContext{
		AllowPrivilegeEscalation: g.flag(2),
		AppArmorProfile:          g.appArmor(),
		Capabilities:             g.capabilities(),
		Privileged:               g.flag(15),
		ProcMount: maybe(g, 15, func() corev1.ProcMountType {
			return one(g, corev1.DefaultProcMount, corev1.UnmaskedProcMount, "")
		}),
		RunAsNonRoot:   g.flag(5),
		RunAsUser:      maybe(g, 8, g.id),
		SELinuxOptions: g.seLinux(),
		SeccompProfile: g.seccomp(8),
		WindowsOptions: g.windows(),
	}
	if compliant && !g.seldom(12) {
		context.AllowPrivilegeEscalation = new(bool)
		context.Capabilities = &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}
	}
	return context
}

func (g generator) id() int64 { return one[int64](g, 0, 1, 1000, 65532) }

func (g generator) appArmor() *corev1.AppArmorProfile {
	return maybe(g, 12, func() corev1.AppArmorProfile {
		profile := corev1.AppArmorProfile{Type: one(g, corev1.AppArmorProfileTypeRuntimeDefault,
			corev1.AppArmorProfileTypeLocalhost, corev1.AppArmorProfileTypeUnconfined, "")}
		if profile.Type == corev1.AppArmorProfileTypeLocalhost {
			profile.LocalhostProfile = &localProfile
		}
		return profile
	})
}

func (g generator) seccomp(n int) *corev1.SeccompProfile {
	return maybe(g, n, func() corev1.SeccompProfile {
		profile := corev1.SeccompProfile{Type: one(g, corev1.SeccompProfileTypeRuntimeDefault,
			corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeUnconfined, "")}
		if profile.Type == corev1.SeccompProfileTypeLocalhost {
			profile.LocalhostProfile = &localProfile
		}
		return profile
	})
}

func (g generator) seLinux() *corev1.SELinuxOptions {
	return maybe(g, 12, func() corev1.SELinuxOptions {
		return corev1.SELinuxOptions{
			Type: one(g, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t", "spc_t"),
			User: one(g, "", "", "", "system_u"),
			Role: one(g, "", "", "", "system_r"),
		}
	})
}

func (g generator) windows() *corev1.WindowsSecurityContextOptions {
	return maybe(g, 15, func() corev1.WindowsSecurityContextOptions {
		return corev1.WindowsSecurityContextOptions{HostProcess: g.flag(2)}
	})
}

func (g generator) capabilities() *corev1.Capabilities {
	return maybe(g, 3, func() corev1.Capabilities {
		add := func(int) corev1.Capability {
			return one[corev1.Capability](g, "NET_BIND_SERVICE", "NET_BIND_SERVICE", "CHOWN", "SYS_CHROOT", "NET_RAW", "SYS_ADMIN", "ALL", "chown")
		}
		drop := func(int) corev1.Capability { return one[corev1.Capability](g, "ALL", "ALL", "NET_RAW", "all") }
		return corev1.Capabilities{Add: some(g, 2, add), Drop: some(g, 2, drop)}
	})
}

func (g generator) sysctl() string {
	return one(g, "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
		"net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports",
		"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
		"net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "kernel.msgmax", "")
}

func (g generator) action() (*corev1.HTTPGetAction, *corev1.TCPSocketAction) {
	host := one(g, "", "", "127.0.0.1", "metadata.internal")
	if g.seldom(2) {
		return &corev1.HTTPGetAction{Port: intstr.FromInt32(8080), Host: host}, nil
	}
	return nil, &corev1.TCPSocketAction{Port: intstr.FromString("http"), Host: host}
}

func (g generator) probe() corev1.Probe {
	http, tcp := g.action()
	return corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: http, TCPSocket: tcp}}
}

func (g generator) hook() corev1.LifecycleHandler {
	http, tcp := g.action()
	return corev1.LifecycleHandler{HTTPGet: http, TCPSocket: tcp}
}
