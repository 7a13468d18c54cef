apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-setup
  labels: {{ include "labels" . | nindent 4 }}
spec:
  activeDeadlineSeconds: 600
  backoffLimit: 1
  template:
    metadata:
      labels: {{ include "labels" . | nindent 8 }}
    spec:
      {{- include "pod" . | nindent 6 }}
      restartPolicy: Never
      containers:
        - name: setup
          image: {{ .Values.setupImage }}
          command: {{ toJson .Values.setupCommand }}
          {{- include "container" . | nindent 10 }}
