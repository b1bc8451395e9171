"""Keys sealed by systemd-creds: what the seal is worth, and that nothing is said that is not so.

The tests put a small script of that name on the path: it seals by writing base64 under the header
of whatever kind ``$SEAL`` names, and refuses to open what carries another name.
"""

from __future__ import annotations

import base64
import os

import pytest

from appliance import sealing, vault
from appliance.errors import VaultError
from appliance.sealing import Worth

HOST = "5a1c6a86df9d4096b1d5a65e0862f19a"
NOTHING = "058469daf6f54324800549da0f8ea2fb"
BOTH = "93a894094874449090caf2fc93cab553"


@pytest.fixture
def creds(tmp_path, monkeypatch):
    """A systemd-creds that knows no cryptography; returns where it notes how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script, notes = folder / "systemd-creds", tmp_path / "calls"
    script.write_text(f"""#!/usr/bin/python3 -IS
import base64, os, sys
name = [a for a in sys.argv if a.startswith("--name=")][0].encode()
given = sys.stdin.buffer.read()
with open({str(notes)!r}, "a") as notes:
    notes.write(" ".join(sys.argv[1:]) + chr(10))
if sys.argv[1] == "encrypt":
    head = bytes.fromhex(os.environ.get("SEAL", "{BOTH}"))
    print(base64.encodebytes(head + name + b"|" + given[::-1]).decode())
else:
    plain = base64.b64decode(given)[16:]
    if not plain.startswith(name + b"|") or os.environ.get("SEAL") == "lost":
        sys.exit(1)
    sys.stdout.buffer.write(plain[len(name) + 1:][::-1])
""")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return notes


def seal(box, name="site"):
    """Puts the sealed key in the place of the plain one, as a unit's first start does."""
    plain = box.device.state_dir / "keys" / f"{name}.key"
    secret = plain.read_bytes()
    sealed = plain.with_suffix(".cred")
    sealed.write_bytes(sealing.sealed(name, secret))
    sealed.chmod(0o600)
    plain.unlink()
    return secret


def test_a_sealed_key_is_opened_by_the_machine_and_never_lies_plain(box, creds):
    secret = seal(box)
    assert vault.key(box, "site") == secret
    assert secret not in (box.device.state_dir / "keys" / "site.cred").read_bytes()
    assert vault.place(box, "site").name == "site.cred"
    assert vault.make_missing(box) == ()
    assert secret.hex() not in creds.read_text()
    assert "--with-key=auto --name=site.key - -" in creds.read_text()


def test_a_seal_of_another_name_or_machine_does_not_open(box, creds, monkeypatch):
    seal(box)
    folder = box.device.state_dir / "keys"
    folder.joinpath("reads.key").unlink()
    folder.joinpath("site.cred").rename(folder / "reads.cred")
    with pytest.raises(VaultError, match="decrypt"):
        vault.key(box, "reads")


def test_without_the_tool_a_sealed_key_stays_closed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VaultError, match="encrypt"):
        sealing.sealed("site", b"s" * 32)


@pytest.mark.parametrize(("content", "worth"), [
    (base64.encodebytes(bytes.fromhex(HOST) + b"rest of it"), Worth.HOST),
    (base64.encodebytes(bytes.fromhex(NOTHING) + b"rest of it"), Worth.NOTHING),
    (base64.encodebytes(bytes.fromhex(BOTH) + b"rest of it"), Worth.HOST_AND_TPM2),
    (base64.encodebytes(bytes.fromhex("0c7cc07b117645919c4b0bea08bc20fe")), Worth.TPM2),
    (base64.encodebytes(b"of a later version, perhaps"), Worth.UNKNOWN),
    (b"?!", Worth.UNKNOWN),
    (b"", Worth.UNKNOWN),
])
def test_a_seal_is_worth_what_its_header_says(tmp_path, content, worth):
    path = tmp_path / "x.cred"
    path.write_bytes(content)
    assert sealing.worth(path) is worth
    assert sealing.worth(tmp_path / "none") is Worth.UNKNOWN


def test_what_systemd_itself_writes_is_understood(tmp_path):
    """The first line of a credential sealed to nothing, made by systemd 252 on 2026-11-22."""
    path = tmp_path / "x.cred"
    path.write_text("BYRp2vb1QySABUnaD46i+yAAAAABAAAADAAAABAAAAAc940vFw9FQgI7ep8AAAAATlWdH9sN\n")
    assert sealing.worth(path) is Worth.NOTHING
