"""The watch over the whole suite works: a secret that leaks is found in every form."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from razorpay_hardened import Secret
from support import canary

PLANTED = "p1anted/Canary+for=tests"


@pytest.mark.parametrize(
    "form",
    [
        lambda secret: secret,
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: secret.encode().hex(),
        lambda secret: quote(secret, safe=""),
        lambda secret: json.dumps({"secret": secret}),
        lambda secret: secret[12:] + secret[:12],
    ],
    ids=["raw", "base64", "hex", "url", "json", "halves"],
)
def test_a_secret_is_found_in_every_form(form: object) -> None:
    """Whoever makes a secret has planted it."""
    Secret(PLANTED)
    assert callable(form)

    assert canary.found_in(f"before {form(PLANTED)} after", log=False) == f"a secret of {len(PLANTED)} characters"


def test_what_is_harmless_passes() -> None:
    """Ids and prose are no secrets; personal data may be printed on demand, and not logged."""
    Secret(PLANTED)

    assert canary.found_in("order_RB58MiP5SPFYyM was paid", log=True) is None
    assert canary.found_in("contact +919812345670", log=False) is None
    assert canary.found_in("contact +919812345670", log=True) == "personal data"
