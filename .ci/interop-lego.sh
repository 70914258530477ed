#!/usr/bin/env bash
# lego against `acme-ca serve`: it obtains by tls-alpn-01, http-01 and dns-01, renews and revokes, and
# OpenSSL judges what came out. As interop-certbot.sh otherwise.
set -euo pipefail

# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"

PARTY=lego
# Debian's lego says "dev" of itself.
VERSION=$(dpkg-query -W -f '${Version}' lego 2>/dev/null || lego --version | awk '{ print $3 }')
end_with_work
start_dns
start_ca
export LEGO_CA_CERTIFICATES=$ROOT

MADE=$WORK/lego/certificates

lego_run() {
    timeout 150 lego --server "$SERVER" --accept-tos --email admin@lego.example \
        --path "$WORK/lego" "$@"
}

obtained() {
    local name=$1
    shift
    # lego writes the chain in one file, and the issuers in another.
    certified "$MADE/$name.crt" "$MADE/$name.issuer.crt" "$MADE/$name.key" "$@"
}

tls_alpn_01() {
    dns add tls.example A 127.0.0.1
    dns add www.tls.example A 127.0.0.1
    lego_run --tls --tls.port "127.0.0.1:$TLS_PORT" --key-type ec384 \
        --domains tls.example --domains www.tls.example run
    obtained tls.example tls.example www.tls.example
}

http_01() {
    dns add http.example A 127.0.0.1
    lego_run --http --http.port "127.0.0.1:$HTTP_PORT" --key-type rsa2048 \
        --domains http.example run
    obtained http.example http.example
}

dns_01() {
    # The program that lego's provider `exec` calls: present NAME VALUE, cleanup NAME VALUE.
    cat >"$WORK/hook" <<'SH'
#!/bin/sh
case $1 in present) verb=add ;; *) verb=remove ;; esac
exec curl -sf --data "$verb ${2%.} TXT $3" "$DNS_CONTROL"
SH
    chmod +x "$WORK/hook"
    EXEC_PATH=$WORK/hook lego_run --dns exec --dns.resolvers "$DNS" --dns.disable-cp \
        --domains '*.dns.example' run
    obtained _.dns.example any.dns.example
}

csr() {
    dns add csr.example A 127.0.0.1
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/csr.key" \
        -subj /CN=csr.example -addext subjectAltName=DNS:csr.example -out "$WORK/csr.pem"
    openssl req -in "$WORK/csr.pem" -noout -verify
    lego_run --http --http.port "127.0.0.1:$HTTP_PORT" --csr "$WORK/csr.pem" run
    certified "$MADE/csr.example.crt" "$MADE/csr.example.issuer.crt" "$WORK/csr.key" csr.example
}

renew() {
    local before
    before=$(serial "$MADE/http.example.crt")
    lego_run --http --http.port "127.0.0.1:$HTTP_PORT" --domains http.example renew --days 10000 --no-random-sleep
    obtained http.example http.example
    [ "$before" != "$(serial "$MADE/http.example.crt")" ]
}

revoke() {
    lego_run --domains http.example revoke --keep --reason 4
    revoked "$MADE/http.example.crt" "$MADE/http.example.issuer.crt"
    not_revoked "$MADE/tls.example.crt" "$MADE/tls.example.issuer.crt"
}

scenario "tls-alpn-01, two names, P-384 key" tls_alpn_01
scenario "http-01, RSA key" http_01
scenario "dns-01 by program, a wildcard" dns_01
scenario "http-01 with a request made by OpenSSL" csr
scenario "renew" renew
scenario "revoke by account; CRL" revoke
scenario "the CA is well afterwards" ca_is_well
finish_scenarios
