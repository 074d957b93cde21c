# A tour of the published warehouse, from a conclusion down to the record that proves it.
#
#     UPHELD_HOME=./home marimo run notebooks/tour.py      read it
#     UPHELD_HOME=./home marimo edit notebooks/tour.py     take it apart

import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Upheld: from a conclusion to its evidence",
)


@app.cell
def _():
    import html
    import os
    from datetime import timedelta
    from pathlib import Path

    import altair as alt
    import duckdb
    import marimo as mo
    import polars as pl

    return Path, alt, duckdb, html, mo, os, pl, timedelta


@app.cell
def _(mo):
    mo.md("""
    # From a conclusion to its evidence

    An audit report gives one word per control. This notebook goes the whole way down from that word: which
    **operations** stand behind it, which of them **deviated**, and which **records in which files** say so.

    It only reads the published warehouse: for every question it opens the file, takes what it needs and closes
    it, so a run of `upheld` never waits for this notebook. After a run, *Read again* shows the new build.
    """)
    return


@app.cell
def _(Path, duckdb, os):
    warehouse = Path(os.environ.get("UPHELD_HOME", "./home")).expanduser().resolve() / "warehouse.duckdb"

    def read(sql, **parameters):
        """The answer to one question as a polars frame. Nothing stays open afterwards."""
        # Attached, not connected to: connecting again to a path that this process has open gives the old build.
        connection = duckdb.connect(":memory:")
        try:
            path = str(warehouse).replace("'", "''")
            connection.execute(f"attach '{path}' as warehouse (read_only)")
            connection.execute("use warehouse")
            return connection.execute(sql, parameters).pl()
        finally:
            connection.close()

    return read, warehouse


@app.cell
def _(alt, html, mo, pl):
    # What must be looked at first stands first, here and in every chart.
    OUTCOMES = {
        "deviation": "#b42318",
        "indeterminate": "#6938b8",
        "waived": "#b54708",
        "pending": "#98a2ad",
        "operated": "#7c97ae",
    }
    COLOURS = alt.Scale(domain=list(OUTCOMES), range=list(OUTCOMES.values()))

    @alt.theme.register("upheld", enable=True)
    def theme():
        quiet, rule = "#4a5764", "#e3e8ed"
        return alt.theme.ThemeConfig(
            config={
                "title": {"anchor": "start", "fontSize": 13, "color": "#17212b", "offset": 10},
                "axis": {
                    "labelColor": quiet,
                    "titleColor": quiet,
                    "titleFontWeight": "normal",
                    "gridColor": rule,
                    "domainColor": quiet,
                    "tickColor": rule,
                },
                "legend": {"labelColor": quiet, "symbolType": "square", "offset": 4},
                "view": {"stroke": None},
            }
        )

    CONCLUSIONS = {
        "insufficient_evidence": ("Insufficient evidence", "warn"),
        "exceptions_noted": ("Exceptions noted", "danger"),
        "no_exceptions_noted": ("No exceptions noted", "success"),
        "no_occurrence": ("Nothing to test", "neutral"),
    }

    def said(text):
        """Text from evidence, for use inside HTML. It could hold markup; it must only ever be read."""
        return "" if text is None else html.escape(str(text))

    def rank(column, order):
        """A column's place in `order`, for sorting by importance instead of by alphabet."""
        return pl.col(column).replace_strict({name: at for at, name in enumerate(order)}, default=len(order))

    def instant(value):
        return "–" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"  # noqa: RUF001

    def share(value):
        return "–" if value is None else f"{value:.2%}"  # noqa: RUF001

    def listed(frame):
        """A frame to look through; long text is wrapped instead of cut."""
        return mo.ui.table(
            frame,
            selection=None,
            page_size=10,
            show_data_types=False,
            show_column_summaries=False,
            wrapped_columns=[name for name in ("detail", "reason", "token") if name in frame.columns],
        )

    return COLOURS, CONCLUSIONS, OUTCOMES, instant, listed, rank, said


@app.cell
def _(mo):
    read_again = mo.ui.button(label="Read again", value=0, on_click=lambda times: times + 1)
    return (read_again,)


@app.cell
def _(mo, read, read_again, warehouse):
    read_again.value  # noqa: B018 - pressing the button runs this cell, and all that follows from it
    mo.stop(
        not warehouse.is_file(),
        mo.callout(
            mo.md(
                f"There is no warehouse at `{warehouse}`. Run `upheld run` first, or set `UPHELD_HOME` to the home to look at."
            ),
            kind="warn",
        ),
    )
    periods = read("select * from rpt_periods order by end_at, period_id")
    mo.stop(periods.is_empty(), mo.callout("The warehouse has no audit period yet.", kind="warn"))
    busiest = read(
        """
        select period_id from rpt_control_coverage
        group by period_id order by sum(tested) desc, period_id limit 1
        """
    )
    choose_period = mo.ui.dropdown(
        options=periods["period_id"].to_list(),
        value=busiest["period_id"][0] if len(busiest) else periods["period_id"][-1],
        label="Audit period",
    )
    mo.hstack([choose_period, read_again], justify="start", gap=1)
    return choose_period, periods


@app.cell
def _(choose_period, instant, mo, periods, pl, read, said):
    period = periods.filter(pl.col("period_id") == choose_period.value).row(0, named=True)
    coverage = read(
        "select * from rpt_control_coverage where period_id = $period order by control_id",
        period=period["period_id"],
    )
    not_assessed = read("select control_id, title from rpt_controls where not assessed order by control_id")
    _running = (
        ""
        if period["as_of"] >= period["end_at"]
        else f" The period is still running: judged up to {instant(period['cutoff_at'])}."
    )
    mo.vstack(
        [
            mo.md("## 1 · What the period comes to"),
            # Not markdown: a period's name comes from a file that somebody delivered.
            mo.Html(
                f"""
                <p><bdi>{said(period["period_id"])}</bdi> runs from {instant(period["start_at"])} to
                {instant(period["end_at"])} (<bdi>{said(period["timezone"])}</bdi>), judged with the evidence collected
                by {instant(period["as_of"])}.{_running} <strong>{len(coverage)} of
                {len(coverage) + len(not_assessed)}</strong> controls are assessed.</p>
                """
            ),
        ]
    )
    return coverage, not_assessed, period


@app.cell
def _(CONCLUSIONS, coverage, mo, not_assessed):
    mo.hstack(
        [
            mo.stat(value=coverage.filter(conclusion=code).height, label=title, bordered=True)
            for code, (title, _) in CONCLUSIONS.items()
        ]
        + [mo.stat(value=not_assessed.height, label="Not assessed", bordered=True)],
        widths="equal",
        gap=0.75,
    )
    return


@app.cell
def _(COLOURS, OUTCOMES, alt, coverage, mo, pl, rank):
    _counts = (
        coverage.rename({"deviations": "deviation"})
        .unpivot(
            on=list(OUTCOMES), index=["control_id", "title"], variable_name="outcome", value_name="operations"
        )
        .with_columns(
            (pl.col("control_id") + "  " + pl.col("title")).alias("control"),
            rank("outcome", OUTCOMES).alias("rank"),
        )
        .with_columns(
            (pl.col("operations") / pl.col("operations").sum().over("control_id")).fill_nan(0).alias("share")
        )
        .filter(pl.col("operations") > 0)
    )
    _bars = (
        alt.Chart(_counts, title="What became of every operation")
        .mark_bar(height=16)
        .encode(
            y=alt.Y("control:N", title=None, sort="ascending", axis=alt.Axis(labelLimit=260)),
            x=alt.X("share:Q", title="share of the control's operations", axis=alt.Axis(format="%")),
            color=alt.Color(
                "outcome:N",
                scale=COLOURS,
                legend=alt.Legend(orient="top", title=None),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                "control:N",
                "outcome:N",
                alt.Tooltip("operations:Q", format=","),
                alt.Tooltip("share:Q", format=".2%"),
            ],
        )
        .properties(width="container", height=alt.Step(30))
    )
    mo.vstack(
        [
            mo.md(
                """
                Every bar is the whole population of one control. Missing evidence is never counted as success:
                what cannot be decided is *indeterminate*, what is not due yet is *pending*.
                """
            ),
            _bars,
        ]
    )
    return


@app.cell
def _(alt, coverage, mo, pl):
    _rates = coverage.filter(pl.col("deviation_rate").is_not_null()).with_columns(
        (pl.col("control_id") + "  " + pl.col("title")).alias("control")
    )
    _base = alt.Chart(_rates, title="Deviation rate, and how high it could be").encode(
        y=alt.Y("control:N", title=None, sort="ascending", axis=alt.Axis(labelLimit=260))
    )
    _figures = [
        alt.Tooltip("deviations:Q"),
        alt.Tooltip("deviation_rate:Q", format=".2%"),
        alt.Tooltip("deviation_rate_upper_95:Q", format=".2%"),
    ]
    _limit = _base.mark_bar(height=5, color="#e3b8b3").encode(
        x=alt.X("deviation_rate:Q", title=None, axis=alt.Axis(format="%")),
        x2="deviation_rate_upper_95:Q",
        tooltip=_figures,
    )
    _rate = _base.mark_point(filled=True, size=90, color="#b42318", opacity=1).encode(
        x="deviation_rate:Q", tooltip=_figures
    )
    mo.vstack(
        [
            mo.md(
                """
                The dot is the rate that was found, deviations / (operated + deviations). The bar ends at the exact
                one-sided 95 % upper limit. Two controls without a single deviation are not equally reassuring when
                one was tested four times and the other four hundred times: the bar shows the difference.
                """
            ),
            (_limit + _rate).properties(width="container", height=alt.Step(28)),
        ]
    )
    return


@app.cell
def _(listed, mo, period, pl, read):
    _found = read(
        """
        select expectation, control_id, passed, detail from rpt_expectations
        where period_id = $period or period_id is null
        order by passed, control_id nulls last, expectation
        """,
        period=period["period_id"],
    )
    _failed = _found.filter(~pl.col("passed"))
    _feeds = read(
        """
        select
            system || '/' || feed as feed, instance, kind, evidence_files,
            round(uncovered_seconds / 86400, 2) as days_not_covered, missed_slots, rejected_records, rejected_files
        from rpt_feed_coverage where period_id = $period order by uncovered_seconds + missed_slots desc, feed
        """,
        period=period["period_id"],
    )
    mo.vstack(
        [
            mo.md(
                f"""
                ## 2 · Can the evidence be relied on?

                Before any control is believed, its evidence is challenged: is it there for the whole period, do the
                counts agree, is every account accounted for? **{len(_failed)} of {len(_found)}** such expectations
                failed. A control that depends on a failed one cannot be concluded on.
                """
            ),
            mo.ui.tabs(
                {
                    f"Failed ({len(_failed)})": listed(_failed) if len(_failed) else mo.md("None."),
                    f"Feeds ({len(_feeds)})": listed(_feeds) if len(_feeds) else mo.md("None."),
                    f"All expectations ({len(_found)})": listed(_found),
                }
            ),
        ]
    )
    return


@app.cell
def _(CONCLUSIONS, coverage, mo, pl, rank):
    mo.stop(coverage.is_empty(), mo.callout("No control is assessed in this period.", kind="warn"))
    _ordered = coverage.with_columns(rank("conclusion", CONCLUSIONS).alias("rank")).sort(
        pl.col("deviations") + pl.col("waived") == 0, "rank", "control_id"
    )
    choose_control = mo.ui.dropdown(
        options={
            f"{r['control_id']} · {r['title']}": r["control_id"] for r in _ordered.iter_rows(named=True)
        },
        value=f"{_ordered['control_id'][0]} · {_ordered['title'][0]}",
        label="Control",
    )
    mo.vstack(
        [
            mo.md(
                """
                ## 3 · One control

                A control breaks down into *operations*: the occasions on which it had to operate, starting from what
                should have happened. Choose a control; those with deviations come first.
                """
            ),
            choose_control,
        ]
    )
    return (choose_control,)


@app.cell
def _(CONCLUSIONS, choose_control, mo, period, read, said, share):
    # Read anew together with its operations, so that figures and rows are of one build.
    control = read(
        "select * from rpt_control_coverage where period_id = $period and control_id = $control",
        period=period["period_id"],
        control=choose_control.value,
    ).row(0, named=True)
    _claim = read(
        "select * from rpt_controls where control_id = $control", control=control["control_id"]
    ).row(0, named=True)
    _title, _kind = CONCLUSIONS.get(control["conclusion"], (control["conclusion"], "neutral"))
    _limit = control["deviation_rate_upper_95"]
    _at_most = "" if _limit is None else f", at most {share(_limit)} with 95 % confidence"
    mo.callout(
        mo.Html(
            f"""
            <div style="line-height:1.55">
              <strong style="font-size:1.15em">{_title}</strong> <code>{said(control["conclusion"])}</code><br>
              {control["tested"]:,} tested: {control["operated"]:,} operated, {control["deviations"]:,} deviated,
              {control["waived"]:,} waived, {control["indeterminate"]:,} indeterminate; {control["pending"]:,} pending.
              Deviation rate {share(control["deviation_rate"])}{_at_most}.
              <p style="margin:.6em 0 0"><em>Objective:</em> {said(_claim["objective"])}<br>
              <em>One operation:</em> {said(_claim["operation_is"])}<br>
              <em>Operated when:</em> {said(_claim["operated_when"])}</p>
            </div>
            """
        ),
        kind=_kind,
    )
    return (control,)


@app.cell
def _(OUTCOMES, control, period, pl, rank, read):
    operations = (
        read(
            """
            select operations.*, deviations.began_at
            from rpt_control_operations as operations
            left join rpt_deviations as deviations using (operation_id, period_id)
            where operations.period_id = $period and operations.control_id = $control
            """,
            period=period["period_id"],
            control=control["control_id"],
        )
        .with_columns(rank("outcome", OUTCOMES).alias("rank"))
        .sort("rank", pl.coalesce("began_at", "due_at", "opened_at"), "operation_id", nulls_last=True)
        .drop("rank")
    )
    return (operations,)


@app.cell
def _(COLOURS, OUTCOMES, alt, mo, operations, period, pl, timedelta):
    _begin, _end = period["start_at"], period["end_at"]
    _week, _instant = timedelta(days=7), timedelta(microseconds=1)
    _placed = operations.with_columns(
        pl.when(pl.col("outcome") == "operated")
        .then(pl.coalesce("performed_at", "due_at"))
        .when(pl.col("outcome").is_in(["deviation", "waived"]))
        .then(pl.coalesce("began_at", "due_at", "opened_at"))
        .otherwise(pl.coalesce("due_at", "opened_at"))
        # What lies outside the period is drawn at its edge.
        .clip(_begin, _end - _instant)
        .alias("placed_at")
    )
    _weeks = (
        _placed.drop_nulls("placed_at")
        .with_columns(
            ((pl.col("placed_at") - _begin).dt.total_microseconds() // (_week // _instant)).alias("n")
        )
        .group_by("n", "outcome")
        .len("operations")
        .with_columns(
            (_begin + pl.col("n") * _week).alias("from"),
            pl.min_horizontal(_begin + (pl.col("n") + 1) * _week, pl.lit(_end)).alias("to"),
        )
        .sort("n", "outcome")
    )
    _undated = _placed["placed_at"].null_count()
    _over_time = (
        alt.Chart(_weeks, title="Over the period, by week")
        .mark_rect(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X(
                "from:T",
                title=None,
                scale=alt.Scale(domain=[_begin.isoformat(), _end.isoformat()]),
                axis=alt.Axis(format="%b %Y", tickCount="month"),
            ),
            x2="to:T",
            y=alt.Y(
                "operations:Q",
                title=None,
                axis=alt.Axis(tickCount=2, tickMinStep=1, format=",d"),
                scale=alt.Scale(zero=True),
            ),
            y2=alt.Y2Datum(0),
            row=alt.Row(
                "outcome:N",
                title=None,
                sort=list(OUTCOMES),
                spacing=14,
                header=alt.Header(
                    labelAngle=0, labelAlign="left", labelFontWeight="bold", labelColor="#17212b"
                ),
            ),
            color=alt.Color("outcome:N", scale=COLOURS, legend=None),
            tooltip=[alt.Tooltip("from:T", title="week of"), "outcome:N", "operations:Q"],
        )
        .properties(width=760, height=58)
        .resolve_scale(y="independent")
    )
    mo.vstack(
        [
            mo.md(
                """
                A control that operated *over the period* leaves operations all along the axis. Look for weeks
                without any, and for deviations that begin together. Each row has a scale of its own.
                """
            ),
            mo.md(f"Without a date and not drawn: {_undated:,}." if _undated else ""),
            _over_time if len(_weeks) else mo.md("_No operation has a date to draw._"),
        ]
    )
    return


@app.cell
def _(COLOURS, alt, mo, operations, pl):
    _measured = operations.drop_nulls("measure_value")
    _allowed = (
        _measured.drop_nulls("threshold_value").select("threshold_value").unique().sort("threshold_value")
    )
    if _measured.is_empty():
        _view = mo.md("_This control has nothing to measure: an operation either took place or it did not._")
    else:
        _name, _unit = _measured["measure_name"][0] or "measure", _measured["unit"][0]
        _values = [*_measured["measure_value"], *_allowed["threshold_value"]]
        _low, _high = min(_values), max(_values)
        _step = (_high - _low) / 40 or 1.0
        _bins = (
            _measured.with_columns(((pl.col("measure_value") - _low) / _step).floor().clip(0, 39).alias("n"))
            .group_by("n", "outcome")
            .len("operations")
            .with_columns(
                (pl.col("n") * _step + _low).alias("from"), ((pl.col("n") + 1) * _step + _low).alias("to")
            )
            .sort("n", "outcome")
        )
        _bars = (
            alt.Chart(_bins)
            .mark_bar(stroke="white", strokeWidth=0.5)
            .encode(
                x=alt.X(
                    "from:Q",
                    title=f"{_name.replace('_', ' ')}, {_unit}" if _unit else _name.replace("_", " "),
                    bin="binned",
                    scale=alt.Scale(zero=False),
                ),
                x2="to:Q",
                y=alt.Y("operations:Q", title="operations", axis=alt.Axis(tickMinStep=1, format=",d")),
                color=alt.Color("outcome:N", scale=COLOURS, legend=alt.Legend(orient="top", title=None)),
                tooltip=[
                    "outcome:N",
                    "operations:Q",
                    alt.Tooltip("from:Q", format=".2f"),
                    alt.Tooltip("to:Q", format=".2f"),
                ],
            )
        )
        _rule = (
            alt.Chart(_allowed)
            .mark_rule(strokeDash=[5, 3], size=1.5)
            .encode(x="threshold_value:Q", tooltip=[alt.Tooltip("threshold_value:Q", title="allowed")])
        )
        _view = mo.vstack(
            [
                mo.md(
                    """
                    How close did it come? The dashed line is what policy allowed at the time. Operations that crowd
                    just before it are a process that runs on its last reserves.
                    """
                ),
                (_bars + _rule).properties(
                    width="container", height=170, title="What was measured, and what was allowed"
                ),
            ]
        )
    _view  # noqa: B018 - what the cell shows
    return


@app.cell
def _(control, mo, operations):
    choose_operation = mo.ui.table(
        operations.select(
            *("outcome", "subject_name", "subject_id", "reason_text", "due_at"),
            *("performed_at", "opened_at", "reason", "operation_id"),
        ),
        selection="single",
        initial_selection=[0] if len(operations) else None,
        page_size=8,
        wrapped_columns=["reason_text"],
        freeze_columns_left=["outcome"],
        show_column_summaries=False,
        show_data_types=False,
    )
    mo.vstack(
        [
            mo.md(
                f"""
                ## 4 · Its operations

                All {len(operations):,} operations of {control["control_id"]}, deviations first. Search, sort and
                filter; **select one row** to see what proves it.
                """
            ),
            choose_operation,
        ]
    )
    return (choose_operation,)


@app.cell
def _(choose_operation, mo, operations, pl):
    mo.stop(operations.is_empty(), mo.md("_This control had no occasion to operate in the period._"))
    _selected = choose_operation.value
    _id = _selected["operation_id"][0] if len(_selected) else operations["operation_id"][0]
    operation = operations.filter(pl.col("operation_id") == _id).row(0, named=True)
    return (operation,)


@app.cell
def _(OUTCOMES, alt, instant, mo, operation, period, pl, said):
    _marks = {
        "opened": "opened_at",
        "began to deviate": "began_at",
        "due": "due_at",
        "performed": "performed_at",
    }
    _events = pl.DataFrame(
        [{"what": name, "at": operation[column]} for name, column in _marks.items() if operation[column]],
        schema={"what": pl.String, "at": pl.Datetime("us")},
    )
    _span = pl.DataFrame({"from": [period["start_at"]], "to": [period["end_at"]]})
    _colour = OUTCOMES.get(operation["outcome"], "#4a5764")
    _clock = (
        alt.Chart(_span)
        .mark_rect(color="#e9eef3")
        .encode(x=alt.X("from:T", title=None, axis=alt.Axis(format="%b %Y", labelOverlap=True)), x2="to:T")
        + alt.Chart(_events)
        .mark_point(filled=True, size=130, opacity=1, color=_colour)
        .encode(
            x="at:T",
            y=alt.Y("what:N", title=None, sort=list(_marks), axis=alt.Axis(grid=True)),
            tooltip=["what:N", alt.Tooltip("at:T", format="%Y-%m-%d %H:%M:%S")],
        )
    ).properties(
        width="container", height=alt.Step(26), title="Its clock; the shaded part is the audit period"
    )
    _waiver = f"<br>Waiver <strong>{said(operation['waiver_id'])}</strong>" if operation["waiver_id"] else ""
    _reason = f"<code>{said(operation['reason'])}</code>" if operation["reason"] else ""
    mo.vstack(
        [
            mo.md("## 5 · One operation"),
            mo.Html(
                f"""
                <div style="border-left:4px solid {_colour};padding:.2rem 0 .2rem 1rem;line-height:1.6">
                  <strong style="font-size:1.1em"><bdi>{said(operation["subject_name"] or operation["subject_id"])}</bdi></strong>
                  <code><bdi>{said(operation["subject_id"])}</bdi></code> in <bdi>{said(operation["system"])}</bdi><br>
                  <strong style="color:{_colour}">{said(operation["outcome"])}</strong> {_reason}
                  <bdi>{said(operation["reason_text"])}</bdi>{_waiver}<br>
                  <small>opened {instant(operation["opened_at"])} · due {instant(operation["due_at"])}
                  · performed {instant(operation["performed_at"])}</small>
                </div>
                """
            ),
            _clock if len(_events) else mo.md("_It has no dated events: a state that held all along._"),
        ]
    )
    return


@app.cell
def _(operation, pl, read):
    _tokens = (operation["evidence"] or "").split()
    evidence = (
        pl.DataFrame({"token": _tokens}, schema={"token": pl.String})
        .with_columns(
            pl.col("token").str.split(":").list.first().alias("sha256"),
            pl.col("token").str.split(":").list.get(1, null_on_oob=True).alias("record"),
        )
        .join(
            # One file may have been delivered more than once; the earliest delivery is the one that counts.
            read(
                """
                select sha256, system || '/' || feed as feed, original_name as file, collected_at, window_start, window_end
                from rpt_evidence_files
                where list_contains($files, sha256)
                qualify row_number() over (partition by sha256 order by collected_at, original_name) = 1
                """,
                files=[token.split(":")[0] for token in _tokens],
            ),
            on="sha256",
            how="left",
            maintain_order="left",
        )
        .select("file", "record", "feed", "collected_at", "token", "window_start", "window_end")
    )
    return (evidence,)


@app.cell
def _(alt, evidence, listed, mo, operation, pl, timedelta):
    _files = (
        evidence.drop_nulls("collected_at")
        .unique("file", maintain_order=True)
        .with_columns(
            pl.coalesce("window_start", pl.col("collected_at") - timedelta(hours=12)).alias("from"),
            pl.coalesce("window_end", "collected_at").alias("to"),
        )
    )
    _by_file = alt.Y("file:N", title=None, sort=_files["file"].to_list(), axis=alt.Axis(labelLimit=280))
    _reach = (
        alt.Chart(_files, title="The time each cited file covers, and (diamond) when it was collected")
        .mark_bar(height=9, color="#b9c7d4")
        .encode(
            x=alt.X("from:T", title=None),
            x2="to:T",
            y=_by_file,
            tooltip=["file:N", "feed:N", "window_start:T", "window_end:T"],
        )
        + alt.Chart(_files)
        .mark_point(shape="diamond", filled=True, size=80, color="#1d4f7c", opacity=1)
        .encode(x="collected_at:T", y=_by_file, tooltip=["file:N", "collected_at:T"])
    ).properties(width="container", height=alt.Step(24))
    mo.vstack(
        [
            mo.md(
                f"""
                ### The records that prove it

                {len(evidence)} {"citation" if len(evidence) == 1 else "citations"}, each a file's SHA-256 and the
                number of a record in it, counted from 1 in the file's own unit. The files themselves lie unchanged in
                `evidence/originals`.
                """
            ),
            listed(evidence) if len(evidence) else mo.md("_No evidence is cited._"),
            _reach if len(_files) else mo.md(""),
            mo.md("To read the records as the vendor wrote them, in a terminal:"),
            mo.md(f"```\nupheld trace {operation['operation_id']}\n```"),
        ]
    )
    return


@app.cell
def _(listed, mo, period, read):
    _late = read(
        "select kind, decision_id, governs_from, first_collected_at, detail from rpt_late_decisions where period_id = $period order by all",
        period=period["period_id"],
    )
    _unlinked = read("select kind, system, native_id, name, tried from rpt_unlinked order by all")
    _rejected = read(
        "select system || '/' || feed as feed, original_name as file, record_number, reason from rpt_rejected_records order by all"
    )
    mo.vstack(
        [
            mo.md(
                """
                ## 6 · What all of this leaves out

                No picture is complete without its edges: decisions that arrived after the fact, records that no rule
                could link to an identity, and records that could not be used at all.
                """
            ),
            mo.ui.tabs(
                {
                    f"{title} ({len(frame)})": listed(frame) if len(frame) else mo.md("None.")
                    for title, frame in (
                        ("Late decisions", _late),
                        ("Unlinked", _unlinked),
                        ("Rejected records", _rejected),
                    )
                }
            ),
        ]
    )
    return


@app.cell
def _(mo):
    mo.md("""
    ---
    **From here.** Every table of the warehouse whose name begins with `rpt_` has a contract and stays as it is;
    `fct_` and `dim_` tables hold the steps before them: credential intervals, account spells, review decisions.
    `read("select … from fct_…")` in a new cell asks your own question.
    """)
    return


if __name__ == "__main__":
    app.run()
