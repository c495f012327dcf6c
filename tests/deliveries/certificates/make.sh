#!/bin/sh
# Makes the certificates of this folder anew: an authority that only our tests believe, and three
# servers that it vouches for. Needs openssl; the tests need nothing but the files.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index"
cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = tests
[tests]
database = $work/index
new_certs_dir = $work
default_md = sha256
policy = any
rand_serial = yes
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
CNF
openssl ecparam -genkey -name prime256v1 -noout -out "$work/ca.key"
openssl req -new -key "$work/ca.key" -subj "/CN=Digest tests" -out "$work/csr"
openssl ca -batch -notext -config "$work/ca.cnf" -keyfile "$work/ca.key" -selfsign \
    -extensions authority -startdate 20200101000000Z -enddate 21200101000000Z \
    -in "$work/csr" -out authority.pem 2>/dev/null

vouch() { # NAME SUBJECT-ALT-NAMES START END
    cat > "$work/ext" <<CNF
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $2
CNF
    openssl ecparam -genkey -name prime256v1 -noout -out "$work/key"
    openssl req -new -key "$work/key" -subj "/CN=$1" -out "$work/csr"
    openssl ca -batch -notext -config "$work/ca.cnf" -keyfile "$work/ca.key" -cert authority.pem \
        -extfile "$work/ext" -startdate "$3" -enddate "$4" -in "$work/csr" -out "$work/crt" 2>/dev/null
    cat "$work/key" "$work/crt" > "$1.pem"
}

vouch good "DNS:localhost, IP:127.0.0.1" 20200101000000Z 21200101000000Z
vouch elsewhere "DNS:elsewhere.example" 20200101000000Z 21200101000000Z
vouch expired "DNS:localhost, IP:127.0.0.1" 20200101000000Z 20210101000000Z
