# SPDX-License-Identifier: Apache-2.0
"""What tpm2-pytss, another stack's language and templates, thinks of keys, quotes and sealed blobs:
run by Debian's own python3.

    /usr/bin/python3 judge-tpm.py TCTI keys EK-PEM AK-PUB     that this TPM makes these, by itself
    /usr/bin/python3 judge-tpm.py TCTI quote AK-PUB QUOTE SIG NONCE-HEX
                                                              that it is one of the PCRs as they are
    /usr/bin/python3 judge-tpm.py TCTI credential EK-PEM AK-PUB SECRET OUT
                                                              locks a secret for the two
    /usr/bin/python3 judge-tpm.py TCTI unseal CREDENTIAL      opens a credential of systemd's

What is wrong is an exception; `unseal` writes the secret to standard output.
"""
import base64
import hashlib
import struct
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tpm2_pytss import (ESAPI, ESYS_TR, TPM2B_PRIVATE, TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE,
                        TPM2_ALG, TPM2_SE, TPMA_OBJECT, TPML_PCR_SELECTION, TPMS_ATTEST,
                        TPMT_PUBLIC, TPMT_SIGNATURE, TPMT_SYM_DEF)
from tpm2_pytss.utils import NoSuchIndex, create_ek_template, make_credential

EK = 0x300b2        # as the EK credential profile has it
AK = (TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.STCLEAR | TPMA_OBJECT.FIXEDPARENT |
      TPMA_OBJECT.SENSITIVEDATAORIGIN | TPMA_OBJECT.USERWITHAUTH | TPMA_OBJECT.RESTRICTED |
      TPMA_OBJECT.SIGN_ENCRYPT)


def same(got, wanted, what):
    if got != wanted:
        raise ValueError(f"{what}: {got} instead of {wanted}")


def read(path):
    return Path(path).read_bytes()


def ak_of(path):
    area, rest = TPMT_PUBLIC.unmarshal(read(path))
    same(rest, len(read(path)), "bytes of the AK")
    return area


def no_index(index):
    raise NoSuchIndex(index)


def ek_template():
    return create_ek_template("EK-RSA2048", no_index)[1]


def primary(tpm, template, hierarchy):
    return tpm.create_primary(TPM2B_SENSITIVE_CREATE(), template, hierarchy)[:2]


def keys(tpm, ek_pem, ak_pub):
    handle, public = primary(tpm, ek_template(), ESYS_TR.RH_ENDORSEMENT)
    tpm.flush_context(handle)
    same(int(public.publicArea.objectAttributes), EK, "attributes of the EK")
    same(public.to_pem(), read(ek_pem), "the EK")
    given = ak_of(ak_pub)
    same(int(given.objectAttributes), int(AK), "attributes of the AK")
    template = TPM2B_PUBLIC.parse("ecc256:ecdsa-sha256:null", objectAttributes=AK)
    template.publicArea.unique.ecc.x = template.publicArea.unique.ecc.y = bytes(32)
    handle, public = primary(tpm, template, ESYS_TR.RH_ENDORSEMENT)
    tpm.flush_context(handle)
    same(bytes(public.publicArea.get_name()), bytes(given.get_name()), "name of the AK")


def pcr_digest(tpm, which):
    """Over the PCRs of a selection with one bank, each read by itself."""
    digest = hashlib.sha256()
    for pcr in range(24):
        if which.pcrSelect[pcr // 8] >> pcr % 8 & 1:
            values = tpm.pcr_read(TPML_PCR_SELECTION.parse(f"sha256:{pcr}"))[2]
            digest.update(bytes(values[0]))
    return digest.digest()


def quote(tpm, ak_pub, message, signature, nonce):
    TPMT_SIGNATURE.unmarshal(read(signature))[0].verify_signature(ak_of(ak_pub), read(message))
    said = TPMS_ATTEST.unmarshal(read(message))[0]
    same((said.magic, said.type), (0xff544347, 0x8018), "a quote by a TPM")
    same(bytes(said.extraData).hex(), nonce, "nonce")
    which = said.attested.quote.pcrSelect
    same((which.count, which[0].hash), (1, TPM2_ALG.SHA256), "banks")
    same(bytes(said.attested.quote.pcrDigest).hex(), pcr_digest(tpm, which[0]).hex(), "PCRs")


def credential(_tpm, ek_pem, ak_pub, secret, out):
    public = TPM2B_PUBLIC.from_pem(read(ek_pem))
    template = ek_template().publicArea
    public.publicArea.objectAttributes = template.objectAttributes
    public.publicArea.authPolicy = template.authPolicy
    public.publicArea.parameters.rsaDetail = template.parameters.rsaDetail
    locked, seed = make_credential(public, read(secret), ak_of(ak_pub).get_name())
    Path(out).write_bytes(struct.pack(">II", 0xbadcc0de, 1) + locked.marshal() + seed.marshal())


def storage_key(tpm):
    """The key that systemd seals under."""
    kind = "ecc256:aes128cfb"
    attributes = (TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.FIXEDPARENT | TPMA_OBJECT.USERWITHAUTH |
                  TPMA_OBJECT.SENSITIVEDATAORIGIN | TPMA_OBJECT.RESTRICTED | TPMA_OBJECT.DECRYPT)
    template = TPM2B_PUBLIC.parse(kind, objectAttributes=attributes)
    return primary(tpm, template, ESYS_TR.RH_OWNER)[0]


def unsealed(tpm, blob, pcrs):
    private, length = TPM2B_PRIVATE.unmarshal(blob)
    public = TPM2B_PUBLIC.unmarshal(blob[length:])[0]
    same(int(public.publicArea.objectAttributes),
         int(TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.FIXEDPARENT | TPMA_OBJECT.NODA),
         "attributes of what is sealed")
    parent = storage_key(tpm)
    item = tpm.load(parent, private, public)
    session = tpm.start_auth_session(ESYS_TR.NONE, ESYS_TR.NONE, TPM2_SE.POLICY,
                                     TPMT_SYM_DEF(algorithm=TPM2_ALG.NULL), TPM2_ALG.SHA256)
    tpm.policy_pcr(session, b"", TPML_PCR_SELECTION.parse(
        "sha256:" + ",".join(str(n) for n in range(24) if pcrs >> n & 1)))
    same(bytes(tpm.policy_get_digest(session)), bytes(public.publicArea.authPolicy), "policy")
    secret = bytes(tpm.unseal(item, session1=session))
    for handle in (item, parent, session):
        tpm.flush_context(handle)
    return secret


def unseal(tpm, path):
    """systemd's format: an id, four sizes, IV; PCRs, bank, kind of key, sizes, blob, policy;
    encrypted: times, name, secret."""
    data = base64.b64decode(read(path))
    same(struct.unpack_from("<4I", data, 16), (32, 1, 12, 16), "sizes")
    at = (32 + 12 + 7) // 8 * 8
    pcrs, bank, kind, size, policy = struct.unpack_from("<QHHII", data, at)
    same((bank, kind, policy), (0x000b, 0x0023, 32), "bank, kind of key, size of the policy")
    end = (at + 20 + size + policy + 7) // 8 * 8
    # As systemd has it: the cipher's key is the hash of what the TPM keeps.
    key = hashlib.sha256(unsealed(tpm, data[at + 20:at + 20 + size], pcrs)).digest()
    plain = AESGCM(key).decrypt(data[32:44], data[end:], data[:end])
    skip = (20 + struct.unpack_from("<I", plain, 16)[0] + 7) // 8 * 8
    sys.stdout.buffer.write(plain[skip:])


def main():
    what = {"keys": keys, "quote": quote, "credential": credential, "unseal": unseal}[sys.argv[2]]
    with ESAPI(sys.argv[1]) as tpm:
        what(tpm, *sys.argv[3:])


if __name__ == "__main__":
    main()
