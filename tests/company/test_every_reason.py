"""Every reason a row may have is somebody's story at Larkfield, or needs a company that Larkfield is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import oracle

# Deviations and what can't be decided, control by control, as the semantics list them.
REASONS = {
    "ROT": ("late", "overdue", "unknown_origin"),
    "REV": ("no_campaign", "not_in_campaign", "no_decision", "late_decision", "self_review", "population_unknown"),
    "RVF": ("not_removed", "late", "regranted", "removal_unobservable"),
    "OFF": ("late", "not_disabled", "used_after_deadline", "termination_time_unknown"),
    "DEC": ("not_revoked", "late", "used_after_revocation", "monitoring_gap"),
    "APR": ("no_ticket", "approved_after_grant", "self_approved", "stale_approval", "not_approved", "too_few_approvers",
            "ticket_source_gap"),
    "LOG": ("no_events", "not_collected"),
    "DOR": ("dormant_enabled", "disabled_late", "usage_unobserved"),
    "OWN": ("no_owner", "owner_left", "owner_register_gap"),
    "INC": ("not_contained", "late", "used_after_containment", "not_evidenced", "logs_missing"),
    "VLT": ("outside_vault", "vault_inventory_gap"),
    "CHG": ("no_approval", "self_approved", "approved_after", "review_source_gap"),
    "EVD": ("collected_late", "not_collected"),
}  # fmt: skip

# What takes a whole company without the evidence: the unit test that shows it instead.
ELSEWHERE = {
    ("OWN", "owner_register_gap"): "nhi_ownership/nhi_ownership.yml",
    ("VLT", "vault_inventory_gap"): "vault_custody/vault_custody.yml",
}
CONTROLS = Path(__file__).parents[2] / "dbt_project" / "models" / "controls"


@pytest.fixture(scope="module")
def told() -> set[tuple[str, str]]:
    return {(row.control_id, row.reason) for row in oracle.expected_operations()}


@pytest.mark.parametrize(("control_id", "reason"), [(c, r) for c, reasons in REASONS.items() for r in reasons])
def test_a_reason_has_a_subject(told: set[tuple[str, str]], control_id: str, reason: str) -> None:
    if (control_id, reason) in told:
        return
    assert (control_id, reason) in ELSEWHERE, "nobody at Larkfield shows it: add a member to the cast"
    unit_tests = (CONTROLS / ELSEWHERE[control_id, reason]).read_text(encoding="utf-8").partition("unit_tests:")[2]
    assert f"reason: {reason}" in unit_tests


def test_what_is_shown_elsewhere_is_not_shown_here(told: set[tuple[str, str]]) -> None:
    assert not told & set(ELSEWHERE), "it has a subject by now: take it off the list"
