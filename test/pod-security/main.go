// Command pod-security evaluates random or given pods, and writes one JSON line for each with the result of every check of the
// Pod Security admission controller, for comparison with the rules in policy/rules/pod-security.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"io"
	"iter"
	"log"
	"math/rand/v2"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// line is one pod and the names of the checks that deny it, for each level.
type line struct {
	Pod        *corev1.Pod `json:"pod"`
	Baseline   []string    `json:"baseline"`
	Restricted []string    `json:"restricted"`
}

func main() {
	seed := flag.Uint64("seed", 1, "seed of the random numbers")
	count := flag.Int("count", 20000, "number of pods")
	given := flag.Bool("given", false, "evaluate the pods of standard input, instead of random ones")
	minor := flag.Int("minor", 34, "minor version of Kubernetes")
	flag.Parse()

	judge := newJudge(api.MajorMinorVersion(1, *minor))
	pods := random(*seed, *count)
	if *given {
		pods = read(os.Stdin)
	}
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for pod := range pods {
		setDefaults(pod)
		result := line{
			Pod:        pod,
			Baseline:   judge.forbidding(api.LevelBaseline, pod),
			Restricted: judge.forbidding(api.LevelRestricted, pod),
		}
		if err := encoder.Encode(result); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func random(seed uint64, count int) iter.Seq[*corev1.Pod] {
	source := generator{rand.New(rand.NewPCG(seed, 0))}
	return func(yield func(*corev1.Pod) bool) {
		for range count {
			if !yield(source.pod()) {
				return
			}
		}
	}
}

// read yields pods from a stream of JSON objects.
func read(from io.Reader) iter.Seq[*corev1.Pod] {
	decoder := json.NewDecoder(from)
	return func(yield func(*corev1.Pod) bool) {
		for {
			pod := new(corev1.Pod)
			if err := decoder.Decode(pod); err == io.EOF {
				return
			} else if err != nil {
				log.Fatal(err)
			}
			if !yield(pod) {
				return
			}
		}
	}
}

// judge evaluates the checks one by one, because the evaluator of the module returns results without names. It
// verifies that both agree on every pod.
type judge struct {
	version   api.Version
	evaluator policy.Evaluator
	checks    []policy.Check
}

func newJudge(version api.Version) judge {
	checks := policy.DefaultChecks()
	evaluator, err := policy.NewEvaluator(checks)
	if err != nil {
		log.Fatal(err)
	}
	return judge{version, evaluator, checks}
}

// at returns the revision of a check for the version.
func (j judge) at(check policy.Check) *policy.VersionedCheck {
	var current *policy.VersionedCheck
	for i := range check.Versions {
		if !j.version.Older(check.Versions[i].MinimumVersion) {
			current = &check.Versions[i]
		}
	}
	return current
}

// inForce returns the checks of a level, without overridden ones.
func (j judge) inForce(level api.Level) map[policy.CheckID]policy.CheckPodFn {
	checks := map[policy.CheckID]policy.CheckPodFn{}
	var overridden []policy.CheckID
	for _, check := range j.checks {
		current := j.at(check)
		if current == nil || (level == api.LevelBaseline && check.Level == api.LevelRestricted) {
			continue
		}
		checks[check.ID] = current.CheckPod
		overridden = append(overridden, current.OverrideCheckIDs...)
	}
	for _, id := range overridden {
		delete(checks, id)
	}
	return checks
}

// forbidding returns the names of the checks that deny a pod.
func (j judge) forbidding(level api.Level, pod *corev1.Pod) []string {
	names := []string{}
	for id, check := range j.inForce(level) {
		if !check(&pod.ObjectMeta, &pod.Spec).Allowed {
			names = append(names, string(id))
		}
	}
	results := j.evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: j.version}, &pod.ObjectMeta, &pod.Spec)
	if policy.AggregateCheckResults(results).Allowed != (len(names) == 0) {
		log.Fatalf("the evaluator and its checks disagree on %v", pod)
	}
	return names
}

// setDefaults sets the defaults of the API server that the checks use.
func setDefaults(pod *corev1.Pod) {
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].VolumeSource == (corev1.VolumeSource{}) {
			pod.Spec.Volumes[i].EmptyDir = new(corev1.EmptyDirVolumeSource)
		}
	}
}

func object(annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: "subject", Annotations: annotations}
}
