#!/usr/bin/env bash
# Our `acme` command against pebble, the small ACME server of Let's Encrypt, with real validation:
# pebble asks pebble-challtestsrv for addresses and TXT records, and connects to our listeners.
# Many good nonces are refused on purpose, and no authorization is used twice.
#
#   .ci/interop-pebble.sh PATH_TO_ACME
#
# Prints a line per scenario; fails if one of them does.
set -euo pipefail

# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"

ACME=$(realpath "${1:?usage: .ci/interop-pebble.sh PATH_TO_ACME}")

PACKAGES=(pebble openssl curl python3)
missing=()
for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi
VERSION=$(dpkg-query -W -f '${Version}' pebble)

WORK=$(mktemp -d)
finish() {
    stop_own_processes
    rm -rf "$WORK"
}
trap finish EXIT

mapfile -t PORTS < <(free_ports 7)
DIRECTORY_PORT=${PORTS[0]} MANAGEMENT_PORT=${PORTS[1]} HTTP_PORT=${PORTS[2]}
TLS_PORT=${PORTS[3]} DNS_PORT=${PORTS[4]} ZONE_PORT=${PORTS[5]} EAB_PORT=${PORTS[6]}
SERVER=https://localhost:$DIRECTORY_PORT/dir

# Pebble's certificate, by a root made for this run.
make_certificate() (
    cd "$WORK"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
        -subj "/CN=pebble interop root" -keyout root.key -out root.pem
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
        -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA root.pem -CAkey root.key -set_serial 2 -days 1 \
        -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out server.pem
) >/dev/null 2>&1
make_certificate

# configuration FILE DIRECTORY_PORT MANAGEMENT_PORT BINDING_REQUIRED
configuration() {
    cat >"$1" <<JSON
{ "pebble": {
    "listenAddress": "127.0.0.1:$2",
    "managementListenAddress": $3,
    "certificate": "$WORK/server.pem",
    "privateKey": "$WORK/server.key",
    "httpPort": $HTTP_PORT,
    "tlsPort": $TLS_PORT,
    "ocspResponderURL": "",
    "externalAccountBindingRequired": $4,
    "externalAccountMACKeys": { "kid-1": "$EAB_KEY" },
    "domainBlocklist": ["blocked.example"]
} }
JSON
}
EAB_KEY=$(openssl rand 32 | basenc --base64url | tr -d '=')
configuration "$WORK/pebble.json" "$DIRECTORY_PORT" "\"127.0.0.1:$MANAGEMENT_PORT\"" false
configuration "$WORK/bound.json" "$EAB_PORT" '""' true

start "$WORK/challtestsrv.log" pebble-challtestsrv -http01 "" -https01 "" -tlsalpn01 "" \
    -dns01 "127.0.0.1:$DNS_PORT" -management "127.0.0.1:$ZONE_PORT" \
    -defaultIPv4 127.0.0.1 -defaultIPv6 ""
export PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=30
start "$WORK/pebble.log" pebble -config "$WORK/pebble.json" -dnsserver "127.0.0.1:$DNS_PORT"
PEBBLE=$STARTED
start "$WORK/bound.log" pebble -config "$WORK/bound.json" -dnsserver "127.0.0.1:$DNS_PORT"
for port in "$DIRECTORY_PORT" "$EAB_PORT"; do
    wait_until 10 "pebble on port $port" \
        curl -sf --cacert "$WORK/root.pem" "https://localhost:$port/dir"
done
management() { curl -sfk "https://127.0.0.1:$MANAGEMENT_PORT/$1"; }
management roots/0 >"$WORK/issuer-root.pem"

cat >"$WORK/hook" <<'SH'
#!/bin/sh
# acme's DNS hook: sets and clears TXT records of pebble-challtestsrv.
[ "$1 $2 $3" = "$ACME_ACTION $ACME_DNS_NAME $ACME_DNS_VALUE" ] || exit 3
case $1 in
present) path=set-txt body="{\"host\":\"$2.\",\"value\":\"$3\"}" ;;
retract) path=clear-txt body="{\"host\":\"$2.\"}" ;;
esac
exec curl -sf -d "$body" "$ACME_TEST_ZONE/$path"
SH
chmod +x "$WORK/hook"
export ACME_TEST_ZONE=http://127.0.0.1:$ZONE_PORT

STATE=$WORK/state
FAILURES=0

acme() { "$ACME" --dir "$STATE" "$@"; }
issue() { acme issue --server "$SERVER" --ca-file "$WORK/root.pem" --agree-tos "$@"; }

# scenario WHAT FUNCTION: a line about it; what it printed is shown if it failed.
scenario() {
    local code=0
    # Not in a condition, where `set -e` has no meaning.
    set +e
    (set -e; "$2") >"$WORK/scenario.log" 2>&1
    code=$?
    set -e
    if [ "$code" = 0 ]; then
        result PASS pebble "$VERSION" "$1"
    else
        sed 's/^/    /' "$WORK/scenario.log"
        result FAIL pebble "$VERSION" "$1"
        FAILURES=$((FAILURES + 1))
    fi
}

# installed NAME: the files are there, fit each other, lead to the root, and the key is private.
installed() {
    local folder=$STATE/certificates/$1/current
    openssl verify -CAfile "$WORK/issuer-root.pem" -untrusted "$folder/chain.pem" \
        "$folder/cert.pem"
    diff <(openssl x509 -in "$folder/cert.pem" -noout -pubkey) \
        <(openssl pkey -in "$folder/privkey.pem" -pubout)
    [ "$(stat -c %a "$folder/privkey.pem")" = 600 ]
    [ ! -e "$STATE/certificates/$1/pending" ]
}

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
revoked() { management "cert-status-by-serial/$(serial "$1")" | grep '"Status": *"Revoked"'; }
names() { openssl x509 -in "$1" -noout -ext subjectAltName; }

http_01() {
    issue one.example www.one.example --standalone --http-port "$HTTP_PORT" \
        --email admin@one.example
    installed one.example
    names "$STATE/certificates/one.example/current/cert.pem" | grep www.one.example
}

again_is_harmless() {
    local before after
    before=$(readlink "$STATE/certificates/one.example/current")
    issue one.example www.one.example --standalone --http-port "$HTTP_PORT"
    after=$(readlink "$STATE/certificates/one.example/current")
    [ "$before" = "$after" ]
    acme renew --all
    [ "$before" = "$(readlink "$STATE/certificates/one.example/current")" ]
}

webroot() {
    mkdir -p "$WORK/www"
    python3 -m http.server --directory "$WORK/www" --bind 127.0.0.1 "$HTTP_PORT" &
    local server=$!
    trap 'kill $server' RETURN
    wait_until 5 "web server" curl -sf "http://127.0.0.1:$HTTP_PORT/"
    issue webroot.example --webroot "$WORK/www" --key-type rsa2048
    installed webroot.example
    [ -z "$(ls -A "$WORK/www/.well-known/acme-challenge")" ]
}

tls_alpn_01() {
    issue tls.example 127.0.0.1 --tls-port "$TLS_PORT" --key-type ec384
    installed tls.example
}

dns_01() {
    issue dns.example '*.dns.example' --dns-hook "$WORK/hook" --account-key-type ec256
    installed dns.example
    names "$STATE/certificates/dns.example/current/cert.pem" | grep -F '*.dns.example'
}

renew() {
    local before folder=$STATE/certificates/one.example
    before=$(serial "$folder/current/cert.pem")
    acme renew one.example --force
    installed one.example
    [ "$before" != "$(serial "$folder/current/cert.pem")" ]
    [ "$before" = "$(serial "$folder/versions/0001/cert.pem")" ]
}

killed() {
    # Killed at ever later moments, run again each time: one certificate in the end, with its key.
    local delay
    for delay in 0.03 0.06 0.1 0.2 0.4 0.7 1.0 1.3; do
        timeout -s KILL "$delay" "$ACME" --dir "$STATE" issue killed.example \
            --server "$SERVER" --ca-file "$WORK/root.pem" --agree-tos \
            --standalone --http-port "$HTTP_PORT" || true
    done
    issue killed.example --standalone --http-port "$HTTP_PORT"
    installed killed.example
}

bound_account() {
    local bound=(issue bound.example --server "https://localhost:$EAB_PORT/dir"
        --ca-file "$WORK/root.pem" --agree-tos --standalone --http-port "$HTTP_PORT")
    ! "$ACME" --dir "$WORK/bound" "${bound[@]}" 2>"$WORK/unbound.log"
    grep -e --eab-kid "$WORK/unbound.log"
    # The key with the paddings and letters of the other alphabet, as some CAs hand it out.
    ACME_EAB_HMAC_KEY=$(tr -- '-_' '+/' <<<"$EAB_KEY")= \
        "$ACME" --dir "$WORK/bound" "${bound[@]}" --eab-kid kid-1
}

revoke_by_account() {
    local certificate=$STATE/certificates/one.example/current/cert.pem
    acme revoke one.example --reason superseded
    revoked "$certificate"
    acme list | grep revoked
    acme renew one.example --force
    revoked "$STATE/certificates/one.example/current/cert.pem"
}

revoke_by_key() {
    local folder=$STATE/certificates/tls.example/current
    "$ACME" --dir "$WORK/elsewhere" revoke --certificate "$folder/fullchain.pem" \
        --key "$folder/privkey.pem" --server "$SERVER" --ca-file "$WORK/root.pem" \
        --reason keyCompromise
    revoked "$folder/cert.pem"
}

# complains WORD COMMAND...: it fails with one message that has the word.
complains() {
    local word=$1
    shift
    if "$@" 2>"$WORK/complaint.log"; then
        echo "no failure"
        return 1
    fi
    cat "$WORK/complaint.log"
    [ "$(grep -c '^acme: ' "$WORK/complaint.log")" = 1 ]
    grep -F -e "$word" "$WORK/complaint.log"
}

messages() {
    local alone=(--standalone --http-port "$HTTP_PORT")
    complains "rejectedIdentifier" issue blocked.example "${alone[@]}"
    complains "Connection refused" "$ACME" --dir "$WORK/x" issue a.example \
        --server "https://localhost:$TLS_PORT/dir" "${alone[@]}"
    complains "--ca-file" "$ACME" --dir "$WORK/x" issue a.example --server "$SERVER" "${alone[@]}"
    complains "can't listen" issue a.example --standalone --http-port "$DIRECTORY_PORT"
    complains "hook" issue a.example --dns-hook "$WORK/no-such-hook"
    complains "no such folder" issue a.example --webroot "$WORK/no-such-folder"
    complains "--agree-tos" "$ACME" --dir "$WORK/y" issue a.example --server "$SERVER" \
        --ca-file "$WORK/root.pem" "${alone[@]}"
    complains "state folder" "$ACME" --dir /proc/acme issue a.example --server "$SERVER" "${alone[@]}"
    mkdir -p "$WORK/empty"
    complains "serves" issue unserved.example --webroot "$WORK/empty"
}

scenario "http-01 standalone, two names" http_01
scenario "a finished command again changes nothing" again_is_harmless
scenario "http-01 by web root, RSA key" webroot
scenario "tls-alpn-01, a name and an address" tls_alpn_01
scenario "dns-01 by hook, a name and its wildcard" dns_01
scenario "renew" renew
scenario "killed at eight moments, finished by running again" killed
scenario "external account binding" bound_account
scenario "revoke by account" revoke_by_account
scenario "revoke by certificate key" revoke_by_key
scenario "what fails says what, on what, and what to do" messages

kill -0 "$PEBBLE" || die "pebble died: $(tail -5 "$WORK/pebble.log")"
[ "$FAILURES" = 0 ] || die "$FAILURES scenarios"
