"""Devices at the point of sale: a checkout is begun and closed on one (documents of the official Python SDK).

Razorpay is shown the key id without its secret here, as the official SDK does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._body import choice, priced, said, text
from razorpay_hardened.client.resources._read import DEVICE_ACTIVITY
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.domain.ids import order_id as check_order_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import DeviceActivity

__all__ = ["AsyncDevices", "Devices"]

_MODES = ("wired", "wireless")
_HEADER = "X-Razorpay-Device-Mode"
_INITIATE = "initiate_checkout"


def _create_activity(
    action: str,
    *,
    mode: Literal["wired", "wireless"],
    device_id: str | None = None,
    initiate_checkout: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[DeviceActivity]:
    """What the device was asked to do: ``initiate_checkout`` or ``close_checkout``.

    ``mode`` is how you reach the device; a wireless one needs ``device_id``. ``initiate_checkout`` is what it shows:
    ``name``, ``amount`` (Money), ``description`` and ``order_id``, and perhaps ``type`` and ``prefill``.

    Look at the ``status``: a device that is not connected is no error but an activity that ``failed``. Nothing is sent
    twice: after :class:`OutcomeUnknown` the device may show the checkout.
    """
    headers = _mode(mode)
    if mode == "wireless" and device_id is None:
        raise FieldInvalid("a wireless device needs device_id")
    if (action == _INITIATE) != (initiate_checkout is not None):
        raise FieldInvalid("initiate_checkout says what the device is to show, for the action of that name only")
    shown = None if initiate_checkout is None else _checkout(initiate_checkout)
    body = said(
        {
            "device_id": text("device_id", device_id, 255),
            "action": text("action", action, 40),
            "initiate_checkout": shown,
            "notes": None if notes is None else check_notes(notes),
        },
        extra,
        needs=("action",),
    )

    def parse(answer: Any) -> DeviceActivity:
        activity = DEVICE_ACTIVITY.echoing(action=action)(answer)
        told = activity.initiate_checkout
        if shown is not None and told is not None:
            for name in ("amount", "currency", "order_id"):
                read.echo(name, getattr(told, name, None), shown[name])
        return activity

    return Ask(Call(op.DEVICE_ACTIVITY_CREATE, data=body, headers=headers), parse)


def _activity(activity_id: str, *, mode: Literal["wired", "wireless"]) -> Ask[DeviceActivity]:
    """What became of it: ``status`` is processing, completed or failed; ``error`` says why."""
    headers = _mode(mode)
    activity_id = check_id("device.activity", activity_id)
    call = Call(op.DEVICE_ACTIVITY_FETCH, (activity_id,), headers=headers)
    return Ask(call, DEVICE_ACTIVITY.echoing(id=activity_id))


def _mode(mode: str) -> dict[str, str]:
    checked = choice("mode", mode, _MODES)
    if checked is None:
        raise FieldInvalid("mode must be given")
    return {_HEADER: checked}


def _checkout(checkout: Mapping[str, Any]) -> dict[str, Any]:
    shown = priced(_INITIATE, checkout, needs=("name", "amount", "description", "order_id"))
    check_order_id(shown["order_id"])
    return shown


class Devices(Resource):
    """``client.devices``."""

    create_activity = sync(_create_activity)
    activity = sync(_activity)


class AsyncDevices(AsyncResource):
    """``client.devices``, awaited."""

    create_activity = awaited(_create_activity)
    activity = awaited(_activity)
