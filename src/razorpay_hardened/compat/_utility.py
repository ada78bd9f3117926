"""``client.utility``: the SDK's signature checks, which here cannot be passed by an empty secret or a missing field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from razorpay_hardened.compat._errors import as_theirs
from razorpay_hardened.errors import ConfigError, RazorpayHardenedError, SignatureError
from razorpay_hardened.signing import verify_checkout, verify_payment_link, verify_subscription, verify_webhook
from razorpay_hardened.signing.keys import Secret

__all__ = ["Utility"]


class Utility:
    """Each check returns True, or raises the SDK's ``SignatureVerificationError``; none returns False."""

    def __init__(self, key_secret: Secret) -> None:
        self._key_secret = key_secret

    def verify_payment_signature(self, parameters: Mapping[str, Any]) -> bool:
        """What Checkout returned. Take the order id from your own database."""
        return _checked(
            lambda: verify_checkout(
                order_id=parameters.get("razorpay_order_id"),
                payment_id=parameters.get("razorpay_payment_id"),
                signature=parameters.get("razorpay_signature"),
                secret=self._key_secret,
            )
        )

    def verify_subscription_payment_signature(self, parameters: Mapping[str, Any]) -> bool:
        """What a subscription's Checkout returned."""
        return _checked(
            lambda: verify_subscription(
                payment_id=parameters.get("razorpay_payment_id"),
                subscription_id=parameters.get("razorpay_subscription_id"),
                signature=parameters.get("razorpay_signature"),
                secret=parameters.get("secret", self._key_secret),
            )
        )

    def verify_payment_link_signature(self, parameters: Mapping[str, Any]) -> bool:
        """What came with a payment link's callback."""
        return _checked(
            lambda: verify_payment_link(
                payment_link_id=parameters.get("payment_link_id"),
                reference_id=parameters.get("payment_link_reference_id"),
                status=parameters.get("payment_link_status"),
                payment_id=parameters.get("razorpay_payment_id"),
                signature=parameters.get("razorpay_signature"),
                secret=parameters.get("secret", self._key_secret),
            )
        )

    def verify_webhook_signature(self, body: str | bytes, signature: Any, secret: Any) -> bool:
        """The raw body of a webhook, as bytes or as the text that was decoded from them."""
        return _checked(lambda: verify_webhook(_raw(body), signature, secret=secret))

    def verify_signature(self, body: str | bytes, signature: Any, key: Any) -> bool:
        """The same under the SDK's other name."""
        return self.verify_webhook_signature(body, signature, key)


def _raw(body: Any) -> Any:
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body


def _checked(check: Any) -> bool:
    """True, or an error that is the SDK's too. A secret that is missing is a mistake of the code, not of a sender."""
    try:
        check()
    except ConfigError:
        raise
    except SignatureError as error:
        failed = as_theirs(error)
    except RazorpayHardenedError as error:
        failed = as_theirs(SignatureError(error.message))
    else:
        return True
    raise failed
