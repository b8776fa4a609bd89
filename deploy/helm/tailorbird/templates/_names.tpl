{{- define "tailorbird.name" -}}
{{- printf "%s" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "tailorbird.selector" -}}
app.kubernetes.io/name: tailorbird
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tailorbird.labels" -}}
{{ include "tailorbird.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}
