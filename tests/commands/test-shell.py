# SPDX-License-Identifier: Apache-2.0
"""`slipway shell`, as the medium opens its own: the TPM's keys are given up first."""
from lib import expect, main, need, test

TYPED = "echo in-$((40+2)); exit 9\n"
ENCRYPTED = [("  layout: node", "  layout: encrypted\n  recovery: none")]


@test("with a TPM the shell opens when the keys are given up, and no install encrypts after it")
def _(case):
    need("swtpm")
    case.create()
    shell = expect(case.on("shell", stdin=TYPED), 9, "in-42", "keeps what is sealed until")
    assert shell.out == "in-42\n", shell
    refused = expect(case.on("install", "--answers", case.answers(replace=ENCRYPTED)), 4,
                     "a rescue shell was opened since this system started")
    assert "restart the machine" in refused.err, refused
    # What seals nothing goes on.
    expect(case.on("install", "--answers", case.answers(name="plain.yaml")), 0)


@test("without a TPM it says so and opens the shell")
def _(case):
    case.create(extra=("--no-tpm",))
    expect(case.on("shell", stdin=TYPED), 9, "in-42", "There is no TPM here")


@test("captured facts have no shell")
def _(case):
    case.create()
    facts = case.dir / "facts.json"
    facts.write_text(case.on("facts", "--json").out)
    refused = expect(case.run("--facts", facts, "shell", stdin=TYPED), 4, "have no shell")
    assert "in-42" not in refused.out, refused


main()
