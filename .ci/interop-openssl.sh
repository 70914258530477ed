#!/usr/bin/env bash
# Our `acme` against our `acme-ca`, judged by OpenSSL: chains, requests, CRLs. Needs openssl, curl,
# python3, and acme, acme-ca and dns_server in $RELEASE_BINARIES.
set -euo pipefail

# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"

PARTY=openssl
VERSION=$(openssl version | awk '{ print $2 }')
end_with_work
start_dns
start_ca

STATE=$WORK/acme
acme() { timeout 150 "$RELEASE_BINARIES/acme" --dir "$STATE" "$@"; }
issue() { acme issue --server "$SERVER" --ca-file "$ROOT" --agree-tos "$@"; }

issued() {
    local made=$STATE/certificates/$1/current
    shift
    certified "$made/cert.pem" "$made/chain.pem" "$made/privkey.pem" "$@"
}

cat >"$WORK/hook" <<'SH'
#!/bin/sh
case $1 in present) verb=add ;; *) verb=remove ;; esac
exec curl -sf --data "$verb $2 TXT $3" "$DNS_CONTROL"
SH
chmod +x "$WORK/hook"

http_01() {
    dns add http.example A 127.0.0.1
    dns add www.http.example A 127.0.0.1
    issue http.example www.http.example --standalone --http-port "$HTTP_PORT"
    issued http.example http.example www.http.example
}

tls_alpn_01() {
    dns add tls.example A 127.0.0.1
    issue tls.example 127.0.0.1 --tls-port "$TLS_PORT" --key-type rsa2048
    issued tls.example tls.example
    openssl x509 -in "$STATE/certificates/tls.example/current/cert.pem" -noout -checkip 127.0.0.1 |
        grep -v 'NOT match'
}

dns_01() {
    issue dns.example '*.dns.example' --dns-hook "$WORK/hook" --key-type ec384
    issued dns.example dns.example any.dns.example
}

renew() {
    local made=$STATE/certificates/http.example/current/cert.pem before
    before=$(serial "$made")
    acme renew http.example --force
    issued http.example http.example www.http.example
    [ "$before" != "$(serial "$made")" ]
}

revoke() {
    local made=$STATE/certificates/dns.example/current
    not_revoked "$made/cert.pem" "$made/chain.pem"
    acme revoke dns.example --reason superseded
    revoked "$made/cert.pem" "$made/chain.pem"
    made=$STATE/certificates/http.example/current
    not_revoked "$made/cert.pem" "$made/chain.pem"
}

scenario "http-01, two names, P-256: chain and names" http_01
scenario "tls-alpn-01, a name and an address, RSA: chain and names" tls_alpn_01
scenario "dns-01, a name and its wildcard, P-384: chain and names" dns_01
scenario "renew" renew
scenario "revoke; crl and verify -crl_check" revoke
scenario "the CA is well afterwards" ca_is_well
finish_scenarios
