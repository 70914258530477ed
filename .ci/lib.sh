# Shared by the scripts in this folder; sourced, never run. Everything here binds to loopback, takes
# ports from the kernel, and ends the processes it started when the script ends.

# Debian keeps pebble and others in places that a minimal PATH may lack.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export LC_ALL=C.UTF-8 TZ=UTC
export no_proxy=127.0.0.1,localhost,::1 NO_PROXY=127.0.0.1,localhost,::1

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${CARGO_TARGET_DIR:=$REPOSITORY/target}"
: "${RELEASE_BINARIES:=$CARGO_TARGET_DIR/release}"

# A line per checked thing, kept for the table of .ci/run where it asks for one:
#   result PASS|FAIL|SKIP party version what
result() {
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"
    if [ -n "${INTEROP_RESULTS:-}" ]; then
        printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$INTEROP_RESULTS"
    fi
}

say() { printf -- '-- %s\n' "$*"; }

die() {
    printf 'failed: %s\n' "$*" >&2
    exit 1
}

# Free TCP ports of loopback, one per line. All are held at once, so they differ; another process
# may take one before we do, which the caller sees as a busy port.
free_ports() {
    python3 - "$1" <<'PY'
import socket, sys
held = []
for _ in range(int(sys.argv[1])):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    held.append(s)
    print(s.getsockname()[1])
PY
}

OWN_PROCESSES=()

# start LOG COMMAND...: runs in the background, ends with the script. The process id is in $STARTED.
start() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 &
    STARTED=$!
    OWN_PROCESSES+=("$STARTED")
}

stop_own_processes() {
    local process
    for process in "${OWN_PROCESSES[@]:-}"; do
        [ -n "$process" ] && kill "$process" 2>/dev/null
    done
    wait 2>/dev/null
    return 0
}

# wait_until SECONDS WHAT COMMAND...: until the command succeeds.
wait_until() {
    local limit=$1 what=$2 end
    shift 2
    end=$((SECONDS + limit))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || die "$what: not within $limit s"
        sleep 0.1
    done
}
