#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The plain attestation exchange with tpm2-tools, curl and openssl, as a shell client of safeboot
# does it: endorsement key, attestation key, quote over PCR 0 to 16, POST, credential, overlay. The
# TPM is that of TPM2TOOLS_TCTI, without a resource manager: what was loaded is flushed each time.
#
#   attest.sh URL CA OUT     in an empty directory
set -eu
url=$1 ca=$2 out=$3
attributes='fixedtpm|stclear|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'

tpm2_createek -Q -c ek.ctx -G rsa -u ek.pub -f pem
tpm2_flushcontext -Q -t
tpm2_createprimary -Q -C e -G ecc256:ecdsa-sha256:null -a "$attributes" -c ak.ctx
tpm2_flushcontext -Q -t
tpm2_readpublic -Q -c ak.ctx -f tpmt -o ak.pub -n ak.name
tpm2_flushcontext -Q -t
printf '%08x' "$(date +%s)" >nonce
tpm2_quote -Q -c ak.ctx -l sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -q "$(cat nonce)" \
	-m quote -s sig -o pcr
tpm2_flushcontext -Q -t
curl -sSf --cacert "$ca" -F ek.pub=@ek.pub -F ak.pub=@ak.pub -F nonce=@nonce -F quote=@quote \
	-F sig=@sig -F pcr=@pcr -o answer "$url"

# 8 bytes of head, an ID_OBJECT of 102, a SECRET of 258; the HMAC; the overlay.
head -c 368 answer >credential
tail -c +369 answer | head -c 32 >mac
tail -c +401 answer >cipher
tpm2_startauthsession -Q -S session --policy-session
tpm2_policysecret -Q -S session -c e
tpm2_activatecredential -Q -c ak.ctx -C ek.ctx -P session:session -i credential -o keys
tpm2_flushcontext -Q session
tpm2_flushcontext -Q -t
hex=$(od -An -v -tx1 keys | tr -d ' \n')
key=$(echo "$hex" | cut -c1-64) iv=$(echo "$hex" | cut -c65-96) mac=$(echo "$hex" | cut -c97-128)
openssl dgst -sha256 -binary -mac hmac -macopt "hexkey:$mac" -out wanted cipher
cmp -s wanted mac
openssl enc -d -aes-256-cbc -K "$key" -iv "$iv" -in cipher -out overlay
mkdir "$out"
tar -C "$out" -xzf overlay
