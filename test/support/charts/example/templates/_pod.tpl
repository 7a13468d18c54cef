{{- define "labels" -}}
app.kubernetes.io/name: example
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: ml-platform
ml-platform/owner: team
{{- end -}}

{{- define "container" -}}
resources:
  requests: &amounts { cpu: 10m, memory: 16Mi, ephemeral-storage: 16Mi }
  limits: *amounts
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{- define "pod" -}}
serviceAccountName: {{ .Release.Name }}
automountServiceAccountToken: false
hostNetwork: {{ .Values.hostNetwork }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- end -}}
