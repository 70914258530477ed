#!/usr/bin/env bash
# SIGKILL in the middle of an order: `acme-ca serve` dies without a word, starts again on the same
# folder and port, and the client that was at it finishes; then the same for the client. Needs
# certbot, openssl, curl, python3, and acme, acme-ca and dns_server in $RELEASE_BINARIES.
set -euo pipefail

# shellcheck source=.ci/lib.sh
source "$(dirname "$0")/lib.sh"

PARTY=crash
VERSION=$("$RELEASE_BINARIES/acme-ca" --version | awk '{ print $2 }')
end_with_work
start_dns
prepare_ca

# A CA that is started again whenever it dies, until the file says otherwise.
supervise() {
    local running
    trap 'kill "$running" 2>/dev/null; exit' TERM
    while [ -e "$WORK/serve" ]; do
        (run_ca) &
        running=$!
        echo "$running" >"$WORK/ca.pid"
        wait "$running" || true
        sleep 0.2
    done
}

touch "$WORK/serve" "$WORK/kills"
start "$WORK/supervisor.out" supervise
wait_until 20 "acme-ca" ca_answers
cp "$ROOT" "$WORK/first-root.pem"
export REQUESTS_CA_BUNDLE=$ROOT

# The hook of both clients: it is asked for a record when the order is placed and nothing is proved
# yet. It kills the CA, waits for the next one, and only then publishes.
cat >"$WORK/kill-and-publish" <<'SH'
#!/bin/sh
# present NAME VALUE, retract NAME VALUE
set -eu
if [ "$1" = retract ]; then
    exec curl -sf --data "remove $2 TXT $3" "$DNS_CONTROL"
fi
old=$(cat "$WORK/ca.pid")
kill -9 "$old"
echo "killed $old" >>"$WORK/kills"
tries=0
until [ "$(cat "$WORK/ca.pid")" != "$old" ] && curl -sf -o /dev/null --cacert "$ROOT" "$SERVER"; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ]
    sleep 0.1
done
exec curl -sf --data "add $2 TXT $3" "$DNS_CONTROL"
SH
chmod +x "$WORK/kill-and-publish"
export RELEASE_BINARIES

kills() { wc -l <"$WORK/kills"; }

certbot_finishes() {
    timeout 200 certbot certonly --server "$SERVER" --non-interactive --agree-tos \
        --register-unsafely-without-email --config-dir "$WORK/certbot" \
        --work-dir "$WORK/certbot-work" --logs-dir "$WORK/certbot-logs" \
        --manual --preferred-challenges dns -d bot.example \
        --manual-auth-hook \
        "$WORK/kill-and-publish present _acme-challenge.\$CERTBOT_DOMAIN \$CERTBOT_VALIDATION" \
        --manual-cleanup-hook \
        "$WORK/kill-and-publish retract _acme-challenge.\$CERTBOT_DOMAIN \$CERTBOT_VALIDATION"
    local made=$WORK/certbot/live/bot.example
    certified "$made/cert.pem" "$made/chain.pem" "$made/privkey.pem" bot.example
    [ "$(kills)" -ge 1 ]
}

issue() {
    timeout 300 "$RELEASE_BINARIES/acme" --dir "$WORK/acme" issue --server "$SERVER" \
        --ca-file "$ROOT" --agree-tos "$@"
}

issued() {
    local made=$WORK/acme/certificates/$1/current
    shift
    certified "$made/cert.pem" "$made/chain.pem" "$made/privkey.pem" "$@"
}

acme_finishes() {
    local before
    before=$(kills)
    issue our.example '*.our.example' --dns-hook "$WORK/kill-and-publish"
    issued our.example our.example any.our.example
    [ "$(kills)" -gt "$before" ]
}

# Killed while it validates: the name's addresses don't come, so the attempt lasts; the CA that
# starts next finds the job and its lease, and goes on where the other one was.
killed_while_validating() {
    local asked
    dns add slow.example A 127.0.0.1
    dns fault slow.example A silence
    asked=$(curl -sf "$DNS_CONTROL" | grep -c ' slow.example 1$' || true)
    issue slow.example --standalone --http-port "$HTTP_PORT" >"$WORK/slow.log" 2>&1 &
    local client=$!
    asked_again() { [ "$(curl -sf "$DNS_CONTROL" | grep -c ' slow.example 1$')" -gt "$asked" ]; }
    wait_until 30 "the validation" asked_again
    kill -9 "$(cat "$WORK/ca.pid")"
    dns heal slow.example
    wait "$client" || {
        cat "$WORK/slow.log"
        return 1
    }
    issued slow.example slow.example
}

# The client is killed at ever later moments, the CA at some of them as well.
both_killed() {
    local delay
    dns add both.example A 127.0.0.1
    for delay in 0.05 0.1 0.2 0.3 0.5 0.8 1.2; do
        timeout -s KILL "$delay" "$RELEASE_BINARIES/acme" --dir "$WORK/acme" issue both.example \
            --server "$SERVER" --ca-file "$ROOT" --agree-tos \
            --standalone --http-port "$HTTP_PORT" || true
        kill -9 "$(cat "$WORK/ca.pid")"
        wait_until 20 "acme-ca" ca_answers
    done
    issue both.example --standalone --http-port "$HTTP_PORT"
    issued both.example both.example
}

nothing_lost() {
    # Certificates of before the kills are still known: they can be revoked, and the CRL says so.
    local made=$WORK/acme/certificates/our.example/current
    kill -9 "$(cat "$WORK/ca.pid")"
    wait_until 20 "acme-ca" ca_answers
    timeout 60 "$RELEASE_BINARIES/acme" --dir "$WORK/acme" revoke our.example
    kill -9 "$(cat "$WORK/ca.pid")"
    wait_until 20 "acme-ca" ca_answers
    revoked "$made/cert.pem" "$made/chain.pem"
    cmp "$ROOT" "$WORK/first-root.pem"
    fails grep panicked "$WORK/ca.err"
}

scenario "the CA killed in an order, certbot finishes" certbot_finishes
scenario "the CA killed in an order, acme finishes" acme_finishes
scenario "the CA killed while it validates, acme finishes" killed_while_validating
scenario "both killed at seven moments, acme finishes" both_killed
scenario "what was acknowledged before the kills still stands" nothing_lost
rm "$WORK/serve"
finish_scenarios
