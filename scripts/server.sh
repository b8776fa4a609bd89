# What scripts that start servers for tests share; sourced by them.

# end ends the process whose id is in the file $1, gives it ten seconds for that, and removes the file.
end() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$1"
}

# free_ports prints as many ports as $1 says, all different, that nothing listens on at the address $2 (127.0.0.1).
free_ports() {
  python3 - "$1" "${2:-127.0.0.1}" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind((sys.argv[2], 0))
print(*[s.getsockname()[1] for s in held])
PY
}

# bring has a command fill the directory $1, once: it is given a new one as its last argument. What is there is whole, though
# several bring it at the same time or one of them is interrupted.
bring() (
  dir=$1
  shift
  [ ! -e "$dir" ] || exit 0
  mkdir -p "$(dirname "$dir")"
  new=$(mktemp -d "$dir.new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  "$@" "$new" >&2
  chmod -R a+rX "$new"
  mv -T "$new" "$dir" 2>/dev/null || [ -e "$dir" ] # another was faster
)

# unprivileged runs a command as somebody who is not root: postgres, or nobody where there is no such user.
unprivileged() {
  local user
  if [ "$(id -u)" -ne 0 ]; then
    "$@"
  else
    user=$(id -un postgres 2>/dev/null || echo nobody)
    setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
  fi
}

# there tells whether all of the programs are.
there() { [ "$(command -v "$@" 2>/dev/null | wc -l)" -eq $# ]; }

# may_lack tells whether tests may do without what is not there: nobody may install it here, and this is not continuous
# integration.
may_lack() { [ -z "${CI:-}" ] && { [ "$(id -u)" -ne 0 ] || ! there apt-get; }; }
