"""The benchmark of access asks what it says: real servers, every credential good, and the open one without any."""

from pathlib import Path

from benchmarks.access import measure


def test_every_credential_is_let_in_and_costs_little(tmp_path: Path) -> None:
    told: list[str] = []
    result = measure(tmp_path, 60, told.append)
    assert told[0] == "asking in 3 ways, 60 times each …"
    assert set(result) == {
        *(f"{way}_extra_ms" for way in ("authorised", "session", "token", "ticket", "basic")),
        "open_ms",
        "noise_ms",
        "sign_in_ms",
    }
    worst = max(result[f"{way}_extra_ms"] for way in ("session", "token", "ticket"))
    assert result["authorised_extra_ms"] == worst
    assert result["open_ms"] > 0
    assert result["sign_in_ms"] > 10, "passwords are hashed for real, which no machine does in less"
