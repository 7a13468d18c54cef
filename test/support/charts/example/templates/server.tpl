apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {{ include "labels" . | nindent 4 }}
spec:
  selector:
    matchLabels: { app.kubernetes.io/name: example }
  template:
    metadata:
      labels: {{ include "labels" . | nindent 8 }}
    spec:
      {{- include "pod" . | nindent 6 }}
      initContainers:
        - name: prepare
          image: {{ .Values.setupImage }}
          command: {{ toJson .Values.setupCommand }}
          {{- include "container" . | nindent 10 }}
      containers:
        - name: server
          image: {{ .Values.image }}
          command: {{ toJson .Values.command }}
          args: ["--worker-image={{ .Values.workerImage }}", "--port=8080"]
          {{- include "container" . | nindent 10 }}
          {{- if .Values.probes }}
          livenessProbe: { httpGet: { path: /healthz, port: 8080 } }
          readinessProbe: { httpGet: { path: /readyz, port: 8080 } }
          {{- end }}
