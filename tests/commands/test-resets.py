# SPDX-License-Identifier: Apache-2.0
"""A server that is never well: half a minute of retries, so it has a program of its own."""
from lib import MiB, Server, expect, head, main, same, sha256, tail, test


@test("a server that always resets is exit 10 and nothing was written")
def _(case):
    case.create()
    server = Server(case.dir, cut_at=1000)
    before = sha256(head(case.disk())) + sha256(tail(case.disk(), 8 * MiB))
    try:
        answers = case.answers(kernel=f"{server.url}/vmlinuz", initrd=f"{server.url}/initrd")
        expect(case.on("install", "--answers", answers), 10, "vmlinuz")
    finally:
        server.close()
    same(sha256(head(case.disk())) + sha256(tail(case.disk(), 8 * MiB)), before, "disk")


if __name__ == "__main__":
    main()
