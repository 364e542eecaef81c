"""Who may ask: the token, the host, the origin, and no path but those of the page."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette")

from support.viewer import ORIGIN, PORT, TOKEN, client_of

from ferdata.viewer.shown import Shown

ADDRESSES = ["/", "/viewer.js", "/report.css", "/api/about", "/api/rows", "/api/row/0", "/image/0"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_asks_for_the_token(shown: Shown, address: str) -> None:
    assert client_of(shown).get(address).status_code == 200
    assert client_of(shown, token=None).get(f"{address}?token={TOKEN}").status_code == 200
    for token in (None, "", "another", TOKEN[:-1], TOKEN + "x", "tøken"):
        client = client_of(shown, token=None)
        parameters = {} if token is None else {"token": token}
        assert client.get(address, params=parameters).status_code == 403, token


def test_the_page_leaves_the_token_in_a_cookie(shown: Shown) -> None:
    client = client_of(shown, token=None)
    cookie = client.get("/", params={"token": TOKEN}).headers["set-cookie"]
    assert cookie.startswith(f"ferdata-view-{PORT}={TOKEN};")
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert client.get("/api/about").status_code == 200  # the client keeps it


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:1", ""])
def test_another_host_is_refused(shown: Shown, host: str) -> None:
    answer = client_of(shown).get("/api/about", headers={"Host": host})
    assert (answer.status_code, "host" in answer.text) == (403, True)
    local = {"Host": f"localhost:{PORT}"}
    assert client_of(shown).get("/api/about", headers=local).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": f"http://127.0.0.1:{PORT + 1}"},
        {"Origin": "null"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_other_pages_change_nothing(shown: Shown, headers: dict[str, str]) -> None:
    client, request = client_of(shown), {"rows": [0], "mark": "drop"}
    for address in ("/api/marks", "/api/save/patch"):
        assert client.post(address, json=request, headers=headers).status_code == 403
    assert (len(shown.marks), shown.marks.path.exists()) == (0, False)
    assert client.post("/api/marks", json=request).status_code == 200
    assert len(shown.marks) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/viewer.py", "/guard.py", "/static/viewer.js", "/../guard.py", "/..%2fguard.py",
        "/%2e%2e/%2e%2e/pyproject.toml", "//etc/passwd", "/etc/passwd", "/image/-1", "/image/x",
        "/image/..%2f0", "/build.json", "/docs", "/openapi.json",
    ],
)  # fmt: skip
def test_there_are_no_other_files(shown: Shown, path: str) -> None:
    answer = client_of(shown).get(ORIGIN + path)
    assert answer.status_code == 404


def test_every_answer_has_the_policy(shown: Shown) -> None:
    for client, status in ((client_of(shown), 200), (client_of(shown, token=None), 403)):
        for address in ADDRESSES:
            answer = client.get(address)
            policy = answer.headers["content-security-policy"]
            assert (answer.status_code, "default-src 'none'" in policy) == (status, True)
            assert "http" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert "server" not in answer.headers


def test_errors_are_one_sentence(shown: Shown) -> None:
    client = client_of(shown)
    wrong = [
        client.get("/api/rows", params={"splitt": "train"}),
        client.get("/api/rows", params={"least": "2"}),
        client.get("/api/row/14"),
        client.get("/image/14"),
        client.post("/api/marks", json={"rows": [99], "mark": "drop"}),
        client.post("/api/marks", json={"rows": [0], "mark": "label", "label": "joy"}),
        client.post("/api/marks", json={"rows": [0], "mark": "label"}),
        client.post("/api/marks", content="{", headers={"Content-Type": "application/json"}),
    ]
    assert {each.status_code for each in wrong} == {400}
    assert "did you mean split?" in wrong[0].json()["error"]
    assert all(each.json()["error"] for each in wrong)
