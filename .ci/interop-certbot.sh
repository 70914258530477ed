#!/usr/bin/env bash
# certbot against `acme-ca serve`: it obtains, renews and revokes, and OpenSSL judges what came out.
# Everything is on loopback; names are those of the testkit's DNS server. Needs certbot, openssl,
# curl, python3, and acme-ca and dns_server in $RELEASE_BINARIES (.ci/run builds them).
set -euo pipefail

# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"

PARTY=certbot
VERSION=$(certbot --version 2>/dev/null | awk '{ print $2 }')
end_with_work
start_dns
start_ca
# What Python's requests trusts instead of the system's roots.
export REQUESTS_CA_BUNDLE=$ROOT

LIVE=$WORK/certbot/live

bot() {
    timeout 150 certbot "$@" --server "$SERVER" --non-interactive \
        --config-dir "$WORK/certbot" --work-dir "$WORK/certbot-work" --logs-dir "$WORK/certbot-logs"
}

obtain() { bot certonly --agree-tos --register-unsafely-without-email "$@"; }

# obtained NAME HOST...: the lineage is there and right.
obtained() {
    local lineage=$LIVE/$1
    shift
    certified "$lineage/cert.pem" "$lineage/chain.pem" "$lineage/privkey.pem" "$@"
}

webroot() {
    dns add web.example A 127.0.0.1
    dns add www.web.example CNAME web.example
    mkdir -p "$WORK/www"
    python3 -m http.server --directory "$WORK/www" --bind 127.0.0.1 "$HTTP_PORT" &
    local server=$!
    # shellcheck disable=SC2064 # The number as it is now.
    trap "kill $server" EXIT
    wait_until 10 "web server" curl -sf "http://127.0.0.1:$HTTP_PORT/"
    obtain --webroot -w "$WORK/www" -d web.example -d www.web.example
    obtained web.example web.example www.web.example
    not_revoked "$LIVE/web.example/cert.pem" "$LIVE/web.example/chain.pem"
    local before
    before=$(serial "$LIVE/web.example/cert.pem")
    bot renew --force-renewal --no-random-sleep-on-renew --cert-name web.example
    obtained web.example web.example www.web.example
    [ "$before" != "$(serial "$LIVE/web.example/cert.pem")" ]
}

standalone() {
    dns add alone.example A 127.0.0.1
    obtain --standalone --http-01-address 127.0.0.1 --http-01-port "$HTTP_PORT" \
        --key-type rsa --rsa-key-size 2048 -d alone.example
    obtained alone.example alone.example
}

dns_01() {
    obtain --manual --preferred-challenges dns -d dns.example -d '*.dns.example' \
        --manual-auth-hook 'curl -sf --data "add _acme-challenge.$CERTBOT_DOMAIN TXT $CERTBOT_VALIDATION" "$DNS_CONTROL"' \
        --manual-cleanup-hook 'curl -sf --data "remove _acme-challenge.$CERTBOT_DOMAIN TXT $CERTBOT_VALIDATION" "$DNS_CONTROL"'
    obtained dns.example dns.example any.dns.example
}

revoke_by_account() {
    bot revoke --cert-name alone.example --reason superseded --no-delete-after-revoke
    revoked "$LIVE/alone.example/cert.pem" "$LIVE/alone.example/chain.pem"
    not_revoked "$LIVE/dns.example/cert.pem" "$LIVE/dns.example/chain.pem"
}

revoke_by_key() {
    bot revoke --cert-path "$LIVE/dns.example/cert.pem" --key-path "$LIVE/dns.example/privkey.pem" \
        --reason keycompromise --no-delete-after-revoke
    revoked "$LIVE/dns.example/cert.pem" "$LIVE/dns.example/chain.pem"
}

# not_certified NAME VERDICT OPTION...: certbot gets nothing for the name, because the CA looked and
# did not like what it saw. A failed attempt may be tried again by the client, which certbot never
# does: it waits, so its wait is cut short here.
not_certified() {
    local name=$1 verdict=$2
    shift 2
    if timeout -s KILL 15 certbot certonly --server "$SERVER" --non-interactive --agree-tos \
        --register-unsafely-without-email --config-dir "$WORK/refused" \
        --work-dir "$WORK/refused-work" --logs-dir "$WORK/refused-logs" -d "$name" "$@"; then
        echo "certified: $name"
        return 1
    fi
    wait_until 30 "a look at $name" grep "identifier=dns:$name $verdict" "$WORK/ca.err"
    [ ! -e "$WORK/refused/live/$name" ]
}

refused() {
    dns add nobody.example A 127.0.0.1
    mkdir -p "$WORK/nothing"
    not_certified nobody.example control=false --webroot -w "$WORK/nothing"
    dns add forbidden.example A 127.0.0.1
    dns add forbidden.example CAA issue other.example
    not_certified forbidden.example 'control=true caa=Some(false)' \
        --standalone --http-01-address 127.0.0.1 --http-01-port "$HTTP_PORT"
}

account() {
    bot update_account --email admin@web.example --no-eff-email
    bot unregister
}

scenario "http-01 by web root, two names; renew" webroot
scenario "http-01 standalone, RSA key" standalone
scenario "dns-01 by hooks, a name and its wildcard" dns_01
scenario "revoke by account; CRL" revoke_by_account
scenario "revoke by certificate key; CRL" revoke_by_key
scenario "unreachable names and foreign CAA are refused" refused
scenario "update and deactivate the account" account
scenario "the CA is well afterwards" ca_is_well
finish_scenarios
