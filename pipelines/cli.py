"""The command line. Thin: each command calls one function. What is heavy is imported by the command that needs it."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.home import Home

DONE, DONE_WITH_FINDINGS, USERS_MISTAKE, OUR_BUG, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="upheld",
    help="Evidence warehouse for SOC 2 Type 2: proves that identity controls operated over the whole audit period.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="T", help="Use only evidence collected by this instant (RFC 3339). Default: now."
    ),
]

Json = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


@app.callback(invoke_without_command=True)
def _globals(
    context: typer.Context,
    home: Annotated[
        Path,
        typer.Option(
            "--home", metavar="DIR", envvar="UPHELD_HOME", help="Where evidence and reports are kept."
        ),
    ] = Path("home"),
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    from pipelines.home import Home

    if version:
        from pipelines import __version__

        typer.echo(f"upheld {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit
    context.obj = Home.at(home)


@app.command()
def run(
    context: typer.Context,
    period: Annotated[str | None, typer.Option(metavar="P", help="Report on this audit period only.")] = None,
    as_of: AsOf = None,
) -> int:
    """Do everything: ingest, build, check, report.

    Where nothing changed since the last run, says so and does nothing.

    Example:  upheld run --as-of 2026-07-20T06:00:00Z
    """
    from pipelines.orchestration import whole_run
    from pipelines.terminal import TerminalProgress, show_outcome

    home: Home = context.obj
    cut_off = _instant(as_of)
    done = whole_run.unchanged(home, period, cut_off)
    changed = done is None
    if done is None:
        with TerminalProgress() as progress:
            done = whole_run.run(home, period, cut_off, progress)
    show_outcome(done, changed)
    return done.status


@app.command()
def ingest(context: typer.Context) -> int:
    """Take in what landed: hash, keep, register, read.

    Example:  upheld ingest
    """
    from pipelines.orchestration import steps
    from pipelines.terminal import TerminalProgress, show_problems

    with TerminalProgress() as progress:
        problems = steps.ingest(context.obj, progress)
    show_problems(problems)
    return DONE_WITH_FINDINGS if problems else DONE


@app.command()
def build(context: typer.Context, as_of: AsOf = None) -> int:
    """Compute control operations from the evidence.

    Judging them is the next step: `upheld check`.

    Example:  upheld build
    """
    from pipelines.orchestration import steps
    from pipelines.terminal import TerminalProgress

    with TerminalProgress() as progress:
        steps.build(context.obj, _instant(as_of), progress)
    return DONE


@app.command()
def check(context: typer.Context) -> int:
    """Judge completeness, conclude and publish.

    Judges whether the evidence of the last build is whole, computes coverage and conclusions, publishes the warehouse.

    Example:  upheld check
    """
    from pipelines.orchestration import steps
    from pipelines.terminal import TerminalProgress, show_problems

    with TerminalProgress() as progress:
        problems = steps.check(context.obj, progress)
    show_problems(problems)
    return DONE_WITH_FINDINGS if problems else DONE


@app.command()
def report(
    context: typer.Context,
    period: Annotated[str, typer.Argument(metavar="PERIOD")],
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="T", help="Knowledge cut-off (RFC 3339). Default: that of the warehouse."
        ),
    ] = None,
) -> int:
    """Write one audit period's bundle.

    From the published warehouse; with --as-of, that is first built, judged and published as of then.

    Example:  upheld report 2026-H1
    """
    from pipelines.orchestration import steps
    from pipelines.terminal import TerminalProgress, show_outcome

    with TerminalProgress() as progress:
        done = steps.report(context.obj, period, _instant(as_of), progress)
    show_outcome(done, changed=True)
    return done.status


@app.command()
def seal(context: typer.Context, period: Annotated[str, typer.Argument(metavar="PERIOD")]) -> int:
    """Freeze one audit period's bundle for ever.

    The period must have ended by the warehouse's cut-off, and every gap in its evidence be closed or accepted; what is in
    the way is listed, one line each. UPHELD_SIGNING_KEY names an Ed25519 key (PEM) to sign with.

    Example:  upheld seal 2026-H1
    """
    from pipelines.orchestration.sealing import seal as sealed
    from pipelines.terminal import TerminalProgress

    with TerminalProgress() as progress:
        done = sealed(context.obj, period, progress)
    for line in done.lines(period):
        typer.echo(line)
    return DONE_WITH_FINDINGS if done.blockers else DONE


@app.command()
def sample(
    context: typer.Context,
    period: Annotated[str, typer.Argument(metavar="PERIOD")],
    control: Annotated[str, typer.Argument(metavar="CONTROL")],
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Which sample. Default: that of the bundle.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many. Default: by frequency and population.")
    ] = None,
    json: Json = False,
) -> int:
    """Draw a sample of a control's operations.

    The same seed draws the same items, each with its evidence records as the vendor wrote them, masked where their feed may
    hold secrets.

    Example:  upheld sample 2026-H1 ROT --seed 7
    """
    from pipelines.orchestration.sampling import sample as draw

    drawn = draw(context.obj, period, control, seed, size)
    if json:
        _print_json(drawn.as_plain())
    else:
        for line in drawn.lines():
            typer.echo(line)
    return DONE


@app.command()
def verify(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(metavar="[BUNDLE_OR_HOME]", help="Default: the home.")
    ] = None,
    trusted_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The signer's public key (PEM), from elsewhere than the bundle."),
    ] = None,
    manifest_sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="The SHA-256 of the bundle's manifest, as noted elsewhere."),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A ledger, or a home with one, to hold a bundle against."),
    ] = None,
    json: Json = False,
) -> int:
    """Prove that a home or a bundle is unaltered.

    Hashes every file and original again, follows the ledger's chain, checks the signature and computes the figures of
    bundles anew from their rows. Needs no warehouse and no network.

    Example:  upheld verify home/reports/2026-H1 --trusted-key signer.pem
    """
    from pipelines.orchestration.verification import verify as verified

    found = verified(path or context.obj.root, trusted_key, manifest_sha256, ledger)
    if json:
        _print_json(found.as_plain())
    else:
        for finding in found.findings:
            typer.echo(str(finding))
        for note in found.notes:
            typer.echo(f"Note: {note}")
        count = len(found.findings)
        typer.echo(f"{found.what}: {f'{count} faults' if count != 1 else '1 fault'}.")
    return DONE_WITH_FINDINGS if found.findings else DONE


@app.command()
def trace(
    context: typer.Context,
    operation_id: Annotated[str, typer.Argument(metavar="OPERATION_ID")],
    json: Json = False,
) -> int:
    """Show an operation, its rule and its evidence.

    Evidence records are shown as the vendor wrote them, masked where their feed may hold secrets.

    Example:  upheld trace 5f0c3a9e2b714d68
    """
    from pipelines.orchestration.tracing import rule_of, trace_operation

    found = trace_operation(context.obj, operation_id)
    if json:
        _print_json(found.as_dict())
    else:
        for line in (*found.lines(), "", *rule_of(found.row["control_id"])):
            typer.echo(line)
    return DONE


@app.command()
def sources(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> int:
    """List feeds: files, time covered, gaps, rejects.

    Example:  upheld sources --json
    """
    from pipelines.orchestration.sources import as_plain, summarise_sources

    found = summarise_sources(context.obj)
    if json:
        _print_json([as_plain(source) for source in found])
    else:
        from pipelines.terminal import show_sources

        show_sources(found)
    return DONE


def _print_json(content: Any) -> None:
    import json

    typer.echo(json.dumps(content, indent=1, ensure_ascii=False))


def _instant(text: str | None) -> str | None:
    """RFC 3339 UTC with microseconds, so that two spellings of one instant are the same argument."""
    if text is None:
        return None
    from pipelines.errors import UserMistake
    from pipelines.evidence import instants

    try:
        return instants.written(instants.read(text))
    except ValueError as problem:
        raise UserMistake(f"--as-of: {problem}") from None


def main(arguments: list[str] | None = None) -> Any:
    """The entry point of `upheld`: runs a command and exits with its status."""
    from pipelines.errors import UpheldError, UserMistake
    from pipelines.settings import keep_quiet

    keep_quiet()
    # dbt and Dagster make objects by the million and keep them to the end: looking through them again and again for
    # what could be freed takes a tenth of a run.
    gc.set_threshold(50_000, 20, 20)
    try:
        status = app(args=arguments, prog_name="upheld", standalone_mode=False)
    except (UserMistake, typer.TyperException) as mistake:
        text = mistake.format_message() if isinstance(mistake, typer.TyperException) else str(mistake)
        typer.echo(f"upheld: {text}", err=True)
        status = USERS_MISTAKE
    except UpheldError as finding:
        typer.echo(f"upheld: {finding}", err=True)
        status = DONE_WITH_FINDINGS
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output went away (`upheld sources | head`). Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = DONE
    except Exception:
        import traceback

        traceback.print_exc()
        typer.echo("upheld: this is a bug in upheld, not in your evidence.", err=True)
        status = OUR_BUG
    sys.exit(status or DONE)


if __name__ == "__main__":
    main()
