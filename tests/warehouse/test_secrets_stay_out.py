"""A Vault log with raw values: none of them may leave the kept original."""

from __future__ import annotations

from .raw_log import CANARIES


def test_raw_values_of_a_vault_log_are_nowhere_but_in_the_original(spoiled):
    home, done = spoiled
    home.upheld("sources")
    files = [path for path in home.root.rglob("*") if path.is_file()]
    kept = [path for path in files if {"landing", "originals"} & set(path.relative_to(home.root).parts)]
    assert any(CANARIES["token"].encode() in path.read_bytes() for path in kept)
    leaks = [
        (str(path.relative_to(home.root)), name)
        for path in set(files) - set(kept)
        for name, canary in CANARIES.items()
        if canary.encode() in path.read_bytes()
    ]
    assert leaks == []
    assert not [canary for canary in CANARIES.values() if canary in done.stdout + done.stderr]
