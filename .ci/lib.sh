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

# fails COMMAND...: it must; `! COMMAND` would not end a function under `set -e`.
fails() {
    if "$@"; then
        echo "did not fail: $*"
        return 1
    fi
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

# --- What the scripts that run a client against `acme-ca serve` share. They set PARTY and VERSION
# --- for their lines, and call `end_with_work` first.

# A folder for this run and what becomes of it: $WORK.
end_with_work() {
    WORK=$(mktemp -d)
    trap 'stop_own_processes; rm -rf "$WORK"' EXIT
}

FAILURES=0

# scenario WHAT FUNCTION: a line about it; what it printed is shown if it failed.
scenario() {
    local code=0
    # Not in a condition, where `set -e` has no meaning.
    set +e
    (
        set -e
        "$2"
    ) >"$WORK/scenario.log" 2>&1
    code=$?
    set -e
    if [ "$code" = 0 ]; then
        result PASS "$PARTY" "$VERSION" "$1"
    else
        sed 's/^/    /' "$WORK/scenario.log"
        [ ! -s "$WORK/ca.err" ] || tail -n 12 "$WORK/ca.err" | sed 's/^/    ca: /'
        result FAIL "$PARTY" "$VERSION" "$1"
        FAILURES=$((FAILURES + 1))
    fi
}

# The testkit's DNS server: $DNS is where to ask, $DNS_CONTROL where to post commands.
start_dns() {
    start "$WORK/dns.out" "$RELEASE_BINARIES/dns_server"
    wait_until 10 "DNS server" grep -q '^control ' "$WORK/dns.out"
    DNS=$(sed -n 's/^dns //p' "$WORK/dns.out")
    DNS_CONTROL=$(sed -n 's/^control //p' "$WORK/dns.out")
    export DNS DNS_CONTROL
}

# dns COMMAND...: for example `dns add example.com A 127.0.0.1`.
dns() { curl -sf --data "$*" "$DNS_CONTROL"; }

# A CA that seeks challenges on $HTTP_PORT and $TLS_PORT: $SERVER is its directory, $ROOT its root.
prepare_ca() {
    local ports
    mapfile -t ports < <(free_ports 4)
    CA_PORT=${ports[0]} PUBLICATION_PORT=${ports[1]} HTTP_PORT=${ports[2]} TLS_PORT=${ports[3]}
    SERVER=https://127.0.0.1:$CA_PORT/directory
    ROOT=$WORK/ca/root.pem
    export CA_PORT PUBLICATION_PORT HTTP_PORT TLS_PORT SERVER ROOT WORK RELEASE_BINARIES
}

run_ca() {
    exec "$RELEASE_BINARIES/acme-ca" serve --data "$WORK/ca" --name "Interop CA" \
        --listen "127.0.0.1:$CA_PORT" --http-listen "127.0.0.1:$PUBLICATION_PORT" \
        --resolver "$DNS" --http-port "$HTTP_PORT" --tls-port "$TLS_PORT" \
        --caa-identity ca.example >>"$WORK/ca.out" 2>>"$WORK/ca.err"
}

ca_answers() { curl -sf --cacert "$ROOT" "$SERVER"; }

start_ca() {
    prepare_ca
    start /dev/null run_ca
    CA_PROCESS=$STARTED
    wait_until 20 "acme-ca ($(tail -n 3 "$WORK/ca.err" 2>/dev/null))" ca_answers
}

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }

# certified CERTIFICATE CHAIN KEY NAME...: it leads to the root, is for a server and for these
# names, and the key is its own.
certified() {
    local certificate=$1 chain=$2 key=$3 name
    shift 3
    openssl verify -purpose sslserver -CAfile "$ROOT" -untrusted "$chain" "$certificate"
    for name in "$@"; do
        openssl x509 -in "$certificate" -noout -checkhost "$name" | grep -v 'NOT match'
    done
    diff <(openssl x509 -in "$certificate" -noout -pubkey) <(openssl pkey -in "$key" -pubout)
}

# The CRL that the certificate names, as PEM in $2.
crl_of() {
    local url
    url=$(openssl x509 -in "$1" -noout -ext crlDistributionPoints | sed -n 's/.*URI://p')
    [ -n "$url" ] && curl -sf -o "$2.der" "$url" && openssl crl -inform DER -in "$2.der" -out "$2"
}

lists() {
    crl_of "$1" "$2" && openssl crl -in "$2" -noout -text | grep -i "Serial Number: $(serial "$1")"
}

# revoked CERTIFICATE CHAIN: soon the CRL that it names lists it; the CRL verifies under its issuer,
# and OpenSSL refuses the certificate because of it and of nothing else.
revoked() {
    local crl=$WORK/crl.pem
    wait_until 30 "a CRL with serial $(serial "$1")" lists "$1" "$crl"
    openssl crl -in "$crl" -noout -CAfile <(cat "$2" "$ROOT") 2>&1 | grep 'verify OK'
    openssl crl -in "$crl" -noout -text
    fails openssl verify -crl_check -CAfile "$ROOT" -untrusted "$2" -CRLfile "$crl" "$1" \
        >"$WORK/refusal" 2>&1
    grep 'certificate revoked' "$WORK/refusal"
}

# not_revoked CERTIFICATE CHAIN: by the CRL that it names.
not_revoked() {
    wait_until 30 "a CRL" crl_of "$1" "$WORK/crl.pem"
    openssl verify -crl_check -CAfile "$ROOT" -untrusted "$2" -CRLfile "$WORK/crl.pem" "$1"
}

# ca_is_well: the CA has not died, and logged no error of its own.
ca_is_well() {
    kill -0 "$CA_PROCESS" && ca_answers
    fails grep -E ' ERROR |panicked' "$WORK/ca.err"
}

finish_scenarios() {
    [ "$FAILURES" = 0 ] || die "$FAILURES scenarios of $PARTY"
}
