# SPDX-License-Identifier: Apache-2.0
"""The museum's nodes whose TPM no longer opens what is sealed to it. They run from their slot."""
import shutil

from lib import expect, need
from museum import exhibit, make, run_from
from swtpm import Tpm

RECOVERY = b"a recovery key that is long enough to be one"


def make_sealed(case):
    """With a secret that the TPM keeps, and started from its newer slot."""
    make(case)
    key = case.dir / "recovery"
    key.write_bytes(RECOVERY)
    expect(case.on("secret", "seal", "join", "--recovery-file", key, stdin="what is secret"), 0)
    run_from(case, "b")


def tpm_of(b):
    """The machine's TPM, which then outlives single commands."""
    need("swtpm")
    return Tpm(b.case)


# The count of promotes comes before: somebody has to look, and no repair takes that away.
@exhibit("the TPM was cleared", "tpm-count", repair=False, make=make_sealed, kind="sealed")
def tpm_cleared(b):
    tpm_of(b).tool("tpm2_clear", "-c", "p")


@exhibit("something was measured into PCR 7", "secret-join", make=make_sealed, kind="sealed",
         given=RECOVERY)
def pcr_extended(b):
    tpm_of(b).tool("tpm2_pcrextend", "7:sha256=" + "5a" * 32)


@exhibit("the board has another TPM", "tpm-count", repair=False, make=make_sealed, kind="sealed")
def tpm_replaced(b):
    shutil.rmtree(b.dir / "tpm")
    (b.dir / "tpm").mkdir()
    tpm_of(b)


@exhibit("the admission was refused", "admission-attest", make=make_sealed, kind="sealed",
         mends=False)
def admission_refused(b):
    done = b.case.on("admit", "--url", "https://127.0.0.1:1/", "--wait", "0")
    assert done.code == 10, done


@exhibit("somebody tried passwords until the TPM locked itself", "tpm", repair=False,
         make=make_sealed, kind="sealed", says="locked after 3 wrong attempts")
def tpm_locked(b):
    tpm, key = tpm_of(b), b.case.dir / "primary"
    tpm.tool("tpm2_dictionarylockout", "--setup-parameters", "--max-tries=3",
             "--recovery-time=86400", "--lockout-recovery-time=86400")
    tpm.tool("tpm2_createprimary", "-C", "o", "-p", "right", "-c", key)
    for _ in range(4):
        tpm.tool("tpm2_create", "-C", key, "-P", "wrong", "-u", b.case.dir / "public", "-r",
                 b.case.dir / "private", check=False)
        tpm.tool("tpm2_flushcontext", "-t")


@exhibit("the firmware setup turned the TPM's storage off", "tpm", repair=False, make=make_sealed,
         kind="sealed", says="storage hierarchy is turned off")
def tpm_storage_off(b):
    tpm_of(b).tool("tpm2_hierarchycontrol", "-C", "p", "shEnable", "clear")


@exhibit("the TPM that the secrets are sealed to is switched off", "tpm-gone", repair=False,
         make=make_sealed, kind="sealed")
def tpm_absent(b):
    b.yaml("tpm: true", "tpm: false")


# ---- an encrypted state on a mirror ----

def make_mirror(case):
    """Two disks; the TPM and a key file open the state, and nothing else needs the TPM."""
    case.payload()
    case.create("serial=NODE07SYS,size=1400M,model=Alpha,transport=nvme",
                "serial=DATA4711,size=1400M,model=Beta,transport=sata")
    layout = case.own_layout("mirror")
    with open(layout / "40-state.conf", "a", encoding="utf-8") as file:
        file.write("Encrypt=key-file+tpm2\n")
    (case.dir / "state.key").write_bytes(RECOVERY)
    answers = case.answers(replace=[
        ("  kind: attest\n  url: https://attest.example/v1\n", "  kind: none\n"),
        ("  layout: node\n", f"  layout: {layout}\n  keyfile: {case.dir}/state.key\n"),
        ("  wipe: any\n", "  wipe: any\n  more: [{match: {serial: DATA4711}, wipe: any}]\n")])
    expect(case.on("--yes", "install", "--answers", answers), 0)
    expect(case.on("promote", "--kernel", case.dir / "vmlinuz", "--initrd", case.dir / "initrd",
                   "--cmdline", "console=ttyS0 second", "--trust", "none"), 0)
    run_from(case, "b")


@exhibit("something was measured into PCR 7 of a node with an encrypted mirror", "seal-state",
         make=make_mirror, kind="sealed", given=RECOVERY, keeps=False)
def mirror_pcr_extended(b):
    tpm_of(b).tool("tpm2_pcrextend", "7:sha256=" + "5a" * 32)


@exhibit("a node needs its TPM for nothing but an encrypted mirror, and it is switched off",
         "tpm-gone", repair=False, make=make_mirror, kind="sealed",
         says="its state is sealed to the TPM")
def mirror_tpm_absent(b):
    b.yaml("tpm: true", "tpm: false")
