"""Requests and replies as values: nothing merged, nothing guessed, nothing shown that could be a credential."""

from __future__ import annotations

import copy
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened import errors
from razorpay_hardened.errors import ConfigError, FieldInvalid, FormMalformed, RawBodyRequired
from razorpay_hardened.web import (
    MAX_BODY_BYTES,
    SECURITY_HEADERS,
    Headers,
    Reply,
    Request,
    checkout_csp,
    customer_message,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(body: bytes = b"{}", headers=(), **options) -> Request:
    return Request("POST", headers, body, **options)


# --- headers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        [("X-A", "1"), ("x-a", "2"), ("B", "3")],
        {"X-A": ["1", "2"], "B": "3"},
        {"X-A": ("1", "2"), "B": "3"},
        [(b"x-a", b"1"), (b"X-A", b" 2\t"), (b"B", b"3")],
        Headers([("X-A", "1"), ("X-A", "2"), ("B", "3")]),
    ],
)
def test_headers_keep_every_line(source):
    """Lines are found whatever their case, in order, and none is merged or dropped."""
    headers = Headers(source)

    assert headers.get("X-a") == "1"
    assert headers.get_all("x-A") == ["1", "2"]
    assert headers.get_all("b") == ["3"]
    assert [value for _, value in headers] == [value for _, value in headers.items()] == ["1", "2", "3"]
    assert len(headers) == 3
    assert "x-A" in headers
    assert "C" not in headers
    assert 5 not in headers
    assert (headers.get("c"), headers.get("c", "d"), headers.get_all("c")) == (None, "d", [])


def test_an_underscore_is_another_name():
    """The twin of a name is kept apart, so that whoever cares sees both."""
    headers = Headers([("X_A", "1"), ("X-A", "2")])

    assert (headers.get_all("x_a"), headers.get_all("x-a")) == (["1"], ["2"])


@pytest.mark.parametrize("source", [[("A", None)], [(5, "a")], {"A": 5}, {"A": [None]}])
def test_headers_are_text(source):
    """Anything else than text or bytes is refused."""
    with pytest.raises(FieldInvalid):
        Headers(source)


def test_values_are_immutable():
    """Headers, requests and replies cannot be changed; a copy is the value itself."""
    for value, name in ((Headers({"A": "1"}), "_pairs"), (post(), "body"), (Reply(200), "status")):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(value, name, None)
        with pytest.raises(AttributeError, match="cannot be changed"):
            delattr(value, name)
        assert copy.copy(value) is copy.deepcopy(value) is value
        with pytest.raises(TypeError):
            vars(value)


def test_a_header_list_cannot_be_changed_through_what_it_gives():
    """The lists that are handed out are copies."""
    headers = Headers({"A": "1"})
    headers.get_all("a").append("2")
    headers.items().clear()

    assert headers.get_all("a") == ["1"]
    assert len(headers) == 1


def test_nothing_prints_a_value():
    """repr shows names and sizes; a header's value, the query and the body can be credentials (FAULTS P6)."""
    request = post(
        b"body-canary", {"X-Razorpay-Signature": "tag-canary"}, query="razorpay_signature=query-canary", path="/p"
    )
    text = f"{request!r} {request} {request.headers!r} {Reply.text(200, 'reply-canary')!r}"

    assert "canary" not in text
    assert repr(request) == "<Request POST /p 11 bytes>"
    assert repr(request.headers) == "<Headers X-Razorpay-Signature>"
    assert repr(Reply(204)) == "<Reply 204 0 bytes>"


# --- requests ------------------------------------------------------------------------------------------------------


def test_a_request():
    """A request holds what the framework knows; an empty peer address is none."""
    request = Request("POST", {"A": "1"}, b"x", "10.0.0.1", "http", "/hook", "a=1")

    assert (request.method, request.body, request.remote_addr) == ("POST", b"x", "10.0.0.1")
    assert (request.scheme, request.path, request.query) == ("http", "/hook", "a=1")
    assert request.headers.get("a") == "1"
    assert (post().scheme, post().path, post().query, post(remote_addr="").remote_addr) == ("https", "/", "", None)
    assert Request("GET", request.headers, b"").headers is request.headers


@pytest.mark.parametrize("body", ["{}", {}, None, bytearray(b"{}"), memoryview(b"{}")])
def test_a_request_needs_raw_bytes(body):
    """A body that something has parsed or decoded is refused where it comes in."""
    with pytest.raises(RawBodyRequired):
        post(body)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0", 0),
        ("5", 5),
        (None, None),
        ("", None),
        ("abc", None),
        ("-1", None),
        ("+5", None),
        ("1_0", None),
        ("५", None),
        ("5, 5", None),
        ("9" * 16, None),
    ],
)
def test_announced_length(text, length):
    """An announced length is digits and nothing else."""
    assert post(headers={} if text is None else {"Content-Length": text}).content_length == length


def test_too_large():
    """A body is too large one byte past the limit, be it announced or there (FAULTS P7)."""
    assert not post(b"x" * 10).too_large(10)
    assert post(b"x" * 11).too_large(10)
    assert not post(b"", {"Content-Length": str(MAX_BODY_BYTES)}).too_large()
    assert post(b"", {"Content-Length": str(MAX_BODY_BYTES + 1)}).too_large()
    assert not post(b"", {"Content-Length": "lots"}).too_large()


def test_a_form():
    """Fields come in order, with duplicates and empty values, decoded as UTF-8."""
    body = b"a=1&a=2&b=&c=x+y%20z&d=%C3%A9&razorpay_payment_id%5B%5D=pay"

    assert post(body, FORM).form() == [
        ("a", "1"),
        ("a", "2"),
        ("b", ""),
        ("c", "x y z"),
        ("d", "é"),
        ("razorpay_payment_id[]", "pay"),
    ]
    assert post(body).form() == post(body, {"Content-Type": f"{FORM['Content-Type']}; charset=utf-8"}).form()
    assert post(b"", FORM).form() == []
    assert post(b"&".join([b"a=1"] * 100), FORM).form() == [("a", "1")] * 100


@pytest.mark.parametrize(
    "body",
    [
        b"a",
        b"a=1&&b=2",
        b"a=%",
        b"a=%4",
        b"a=%zz",
        b"a=%ff",
        b"a=%C0%AF",
        "a=é".encode(),
        b"&".join([b"a=1"] * 101),
        b"a=" + b"x" * 65536,
        b'{"a":1}',
    ],
)
def test_bad_forms(body):
    """Where the standard parser would guess, or a form is too large, it is malformed."""
    with pytest.raises(FormMalformed):
        post(body, FORM).form()


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_other_content_types_are_no_form(kind):
    """A browser's cross-site tricks with other content types do not pass as a form."""
    with pytest.raises(FormMalformed):
        post(b"a=1", {"Content-Type": kind}).form()


def test_query_fields():
    """A payment link's query is read under the same rules."""
    assert post(query="a=1&b=%C3%A9").query_fields() == [("a", "1"), ("b", "é")]
    assert post().query_fields() == []
    for query in ("a=é", "a=%zz", "a"):
        with pytest.raises(FormMalformed):
            post(query=query).query_fields()


@given(st.binary(max_size=200), st.text(max_size=100))
def test_hostile_forms_have_a_typed_end(body, query):
    """Any bytes are fields or FormMalformed (FAULTS P8)."""
    for read in (post(body, FORM).form, post(query=query).query_fields):
        try:
            fields = read()
        except FormMalformed:
            continue
        assert all(type(name) is type(value) is str for name, value in fields)


# --- WSGI ------------------------------------------------------------------------------------------------------------


class Trickle(io.BytesIO):
    """A stream that gives three bytes at a time, whatever is asked."""

    def read(self, size=-1):
        return super().read(min(size, 3))


class Generous:
    """A stream that gives more than was asked."""

    def read(self, size=-1):
        return b"x" * (size + 7)


def environ(body=b"{}", **extra):
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/shop",
        "PATH_INFO": "/hook",
        "QUERY_STRING": "a=1",
        "REMOTE_ADDR": "10.0.0.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_RAZORPAY_SIGNATURE": "tag",
        **extra,
    }


def test_a_wsgi_request():
    """A WSGI request keeps its raw body, its peer and its headers under their own names."""
    request = Request.from_wsgi(environ())

    assert (request.method, request.body, request.remote_addr, request.scheme) == ("POST", b"{}", "10.0.0.1", "https")
    assert (request.path, request.query) == ("/shop/hook", "a=1")
    assert dict(request.headers) == {
        "Content-Length": "2",
        "Content-Type": "application/json",
        "X-Razorpay-Signature": "tag",
    }


def test_a_bare_wsgi_request():
    """What a server leaves out has the defaults of PEP 3333."""
    request = Request.from_wsgi({})

    assert (request.method, request.body, request.remote_addr, request.scheme) == ("GET", b"", None, "http")
    assert (request.path, request.query, len(request.headers)) == ("/", "", 0)


@pytest.mark.parametrize("length", ["", "abc", "-5"])
def test_wsgi_without_a_length(length):
    """Without a length nothing is read: reading could block for ever."""
    assert Request.from_wsgi(environ(CONTENT_LENGTH=length)).body == b""


def test_wsgi_streams():
    """A stream may give less or more at a time than asked; what follows the body is not read."""
    stream = io.BytesIO(b"0123456789next request")

    assert Request.from_wsgi(environ(CONTENT_LENGTH="10", **{"wsgi.input": stream})).body == b"0123456789"
    assert stream.read() == b"next request"
    trickle = Trickle(b"0123456789")
    assert Request.from_wsgi(environ(CONTENT_LENGTH="10", **{"wsgi.input": trickle})).body == b"0123456789"
    assert Request.from_wsgi(environ(CONTENT_LENGTH="10", **{"wsgi.input": Generous()})).body == b"x" * 10


def test_a_short_wsgi_body():
    """A body shorter than announced is kept as it is; its tag will not match."""
    assert Request.from_wsgi(environ(b"{}", CONTENT_LENGTH="10")).body == b"{}"


def test_a_consumed_wsgi_body():
    """A body that was announced and is gone was read by something in front of us: said so, never verified as empty."""
    with pytest.raises(RawBodyRequired):
        Request.from_wsgi(environ(b"", CONTENT_LENGTH="10"))
    assert Request.from_wsgi(environ(b"", CONTENT_LENGTH="0")).body == b""


def test_a_large_wsgi_body():
    """A body announced past the limit is not read at all; at the limit it is."""
    stream = io.BytesIO(b"x" * 64)
    request = Request.from_wsgi(environ(CONTENT_LENGTH=str(MAX_BODY_BYTES + 1), **{"wsgi.input": stream}))

    assert (request.body, request.too_large(), stream.tell()) == (b"", True, 0)
    assert len(Request.from_wsgi(environ(b"x" * MAX_BODY_BYTES)).body) == MAX_BODY_BYTES


def test_a_chunked_wsgi_body():
    """Without a length but with the server's promise of an end, reading stops one byte past the limit."""
    extra = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert Request.from_wsgi(environ(b"{}", **extra)).body == b"{}"

    stream = io.BytesIO(b"x" * (MAX_BODY_BYTES + 100))
    request = Request.from_wsgi(environ(**{**extra, "wsgi.input": stream}))

    assert len(request.body) == stream.tell() == MAX_BODY_BYTES + 1
    assert request.too_large()


# --- replies ---------------------------------------------------------------------------------------------------------


def test_a_reply_has_safe_headers():
    """Every reply is neither cached, sniffed nor framed, unless it says otherwise by name."""
    assert Reply(200).headers.items() == list(SECURITY_HEADERS)
    reply = Reply(200, {"cache-control": "max-age=60"})
    assert reply.headers.get_all("Cache-Control") == ["max-age=60"]
    assert len(reply.headers) == len(SECURITY_HEADERS)


def test_json_and_text():
    """JSON is compact ASCII, text is UTF-8, header names are written with underscores."""
    reply = Reply.json(503, {"message": "später"}, Retry_After="5")

    assert (reply.status, reply.body) == (503, b'{"message":"sp\\u00e4ter"}')
    assert (reply.headers.get("Retry-After"), reply.headers.get("Content-Type")) == ("5", "application/json")
    text = Reply.text(200, "ok é \ud800", Allow="POST")
    assert (text.body, text.headers.get("allow")) == ("ok é ?".encode(), "POST")
    assert text.headers.get("content-type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("status", [199, 600, 0, "200", True, None, 200.0])
def test_bad_statuses(status):
    """A reply's status is a plain number from 200 to 599."""
    with pytest.raises(FieldInvalid):
        Reply(status)
    assert [Reply(limit).status for limit in (200, 599)] == [200, 599]


@pytest.mark.parametrize(
    ("name", "value"), [("A", "1\r\nSet-Cookie: x"), ("A", "1\n"), ("A\r\nB", "1"), ("", "1"), ("A", "€"), ("A B", "1")]
)
def test_a_header_cannot_split_the_reply(name, value):
    """A header with a line break, or that is no header, never leaves."""
    with pytest.raises(FieldInvalid):
        Reply(200, [(name, value)])


def test_a_reply_is_bytes():
    """A reply's body is bytes; text goes through Reply.text."""
    with pytest.raises(RawBodyRequired):
        Reply(200, (), "text")


def test_to_wsgi():
    """A reply goes through a WSGI server with its length and a reason."""
    heard = []

    body = Reply.json(202, {"state": "pending"}).to_wsgi(lambda *args: heard.append(args))
    Reply(599).to_wsgi(lambda *args: heard.append(args))

    assert json.loads(b"".join(body)) == {"state": "pending"}
    assert heard[0][0] == "202 Accepted"
    assert ("Content-Length", str(len(body[0]))) in heard[0][1]
    assert heard[1][0] == "599 Status"


def test_checkout_csp():
    """The policy allows Checkout's hosts and the page itself; inline scripts only with a nonce."""
    policy = dict(part.split(" ", 1) for part in checkout_csp().split("; "))

    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self' https://checkout.razorpay.com https://cdn.razorpay.com"
    assert "https://api.razorpay.com" in policy["frame-src"]
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert "'unsafe-inline'" not in policy["script-src"]
    with_nonce = checkout_csp("r4nd0mN0nce1234567890==")
    assert "script-src 'self' 'nonce-r4nd0mN0nce1234567890==' https" in with_nonce
    for nonce in ("short", "x" * 200, "a" * 16 + "'; script-src *", "a" * 16 + "\n"):
        with pytest.raises(ConfigError):
            checkout_csp(nonce)


def test_checkout_csp_allows_the_script_of_an_emulator():
    """Its origin alone, for the script and for what the script asks; Razorpay's own script changes nothing."""
    emulated = checkout_csp(script="http://127.0.0.1:8765/v1/checkout.js")
    policy = dict(part.split(" ", 1) for part in emulated.split("; "))

    assert policy["script-src"].endswith(" http://127.0.0.1:8765")
    assert policy["connect-src"].endswith(" http://127.0.0.1:8765")
    assert emulated.count("8765") == 2
    assert checkout_csp(script="https://checkout.razorpay.com/v1/checkout.js") == checkout_csp()
    for script in (
        "",
        "checkout.js",
        "javascript:alert(1)/",
        "https://a; script-src */",
        "https://user@host/",
        "http://",
    ):
        with pytest.raises(ConfigError):
            checkout_csp(script=script)


# --- what a customer may read ----------------------------------------------------------------------------------------


def test_known_reasons():
    """A known reason has its sentence, through an error of the API as well."""
    sentence = "You cancelled the payment. You can try again when you are ready."

    assert customer_message("payment_cancelled") == sentence
    assert customer_message(errors.ApiBadRequest(reason="payment_cancelled")) == sentence


@given(st.one_of(st.text(), st.integers(), st.none(), st.binary(), st.lists(st.text())))
def test_nothing_sent_is_repeated(reason):
    """For anything at all there is a sentence, and it never holds what was sent."""
    sentence = customer_message(reason)

    assert sentence.endswith(".")
    if isinstance(reason, str) and len(reason) > 12:
        assert reason not in sentence


def test_unknown_things():
    """An unknown reason is the customer's to retry; anything odd is our fault; our errors have their own sentence."""
    again = "The payment did not go through. Please try again, or use another way to pay."

    assert customer_message("some_new_reason") == customer_message(None) == again
    assert customer_message(5).startswith("Something went wrong on our side")
    assert customer_message(errors.FormMalformed("x")) == errors.FormMalformed.customer_message
    assert customer_message(errors.ApiServerError(reason="new_reason")) == errors.ApiServerError.customer_message
    error = errors.ApiServerError()
    error.reason = ["x"]
    assert customer_message(error) == errors.ApiServerError.customer_message
