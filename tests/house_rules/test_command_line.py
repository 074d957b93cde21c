"""Every command is documented where a person looks for it."""

from __future__ import annotations

import typer

from pipelines.cli import app


def commands() -> dict[str, typer.core.TyperCommand]:
    return dict(typer.main.get_command(app).commands)


def test_every_command_has_a_sentence_and_an_example():
    for name, command in commands().items():
        first, *_, last = [line.strip() for line in (command.help or "").strip().splitlines()]
        assert first.endswith("."), f"{name}: the first line is one sentence"
        assert last.startswith(f"Example:  upheld {name}"), f"{name}: ends in an example that can be typed"
        assert len(first) <= 60, f"{name}: the sentence is cut off in the list of commands"


def test_every_option_says_what_it_does():
    for name, command in commands().items():
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{name}: {parameter.name}"
