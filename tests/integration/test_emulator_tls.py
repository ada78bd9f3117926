"""The emulator's HTTP face with TLS."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import requests

from razorpay_hardened.emulator import Emulator

OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(OPENSSL is None, reason="no openssl to make a certificate with")
def test_https(tmp_path: Path) -> None:
    """The face is HTTPS with the given certificate; a client that does not know it gets no answer; faults work."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}".split()
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([str(OPENSSL), *make, *name], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Emulator(tls=context) as rz, requests.Session() as session:
        session.trust_env = False
        session.auth = (rz.key_id, rz.key_secret)
        assert rz.url.startswith("https://127.0.0.1:")
        assert session.get(f"{rz.url}/v1/orders", verify=str(certificate), timeout=10).json()["count"] == 0
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"{rz.url}/v1/orders", timeout=10)
        rz.faults.add("on GET /orders: reset_before once")
        with pytest.raises(requests.exceptions.ConnectionError):
            session.get(f"{rz.url}/v1/orders", verify=str(certificate), timeout=10)
        assert session.get(f"{rz.url}/v1/orders", verify=str(certificate), timeout=10).status_code == 200
