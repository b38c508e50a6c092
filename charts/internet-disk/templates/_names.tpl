{{/* One release a cluster: the names of cluster-wide objects and of the leader's Lease are fixed. */}}
{{- define "internet-disk.name" -}}internet-disk-operator{{- end }}

{{- define "internet-disk.selector" -}}
app.kubernetes.io/name: internet-disk
app.kubernetes.io/component: operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "internet-disk.labels" -}}
{{ include "internet-disk.selector" . }}
app.kubernetes.io/part-of: internet-disk
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "internet-disk.version" -}}{{ .Values.image.tag | default .Chart.AppVersion }}{{- end }}
