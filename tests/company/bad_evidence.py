"""Evidence that is damaged, and what must become of each piece. Kept out of the company's own landing folder: there it
would spoil the completeness of feeds that other tests rely on."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from .exports import okta, vault
from .exports.ids import compact, lines
from .plan import okta_system_log, vault_audit_log


@dataclass(frozen=True)
class BadFile:
    """`status` is of the file; parsed and rejected are records. `says` is what a reason has to be about."""

    path: str
    data: bytes
    status: str
    parsed: int
    rejected: int
    says: str


def _vault_lines() -> list[bytes]:
    content, _ = vault.audit_log(vault_audit_log()[0])
    return content.splitlines(keepends=True)


def bad_files() -> list[BadFile]:
    """Everything in `bad_landing/`, with what reading it must come to."""
    log = _vault_lines()
    packed = _stored_gzip(b"".join(log))
    broken = log[0] + b'{"time":"2026-01-02T02:10:13Z","type":"response","auth":{"disp\n' + log[1]
    blank = log[0] + b"\n" + log[1]
    okta_page = compact([{"uuid": "0f2c", "published": "2026-01-05T08:00:00.000Z", "eventType": "user.session.start"}])
    half_array = okta_page[:-1] + ',{"uuid":"0f2d",'
    accounts = "system,user_name,enabled\ngitea,carla,true\n"
    policies = (
        "control_id,parameter,value,scope,valid_from,valid_to,approved_by,reason\n"
        "ROT,max_age_days,90,,2025-01-01,,carla.chief@larkfield.example,Company standard\n"
        "XYZ,max_age_days,30,,2025-01-01,,carla.chief@larkfield.example,No such control\n"
        "ROT,max_age,30,,2025-01-01,,carla.chief@larkfield.example,No such parameter\n"
    )
    waivers = (
        "waiver_id,control_id,system,subject_id,first_day,last_day,approved_by,approved_at,reason\n"
        "W-1,ROT,gitea,tok-ci-1,2026-13-01,2026-04-30,carla.chief@larkfield.example,2026-01-01T00:00:00Z,No such month\n"
    )
    reviews = (
        "campaign_id,campaign_name,launched_at,due_at,system,instance,account_id,entitlement,reviewer_email,decision,"
        "decided_at,comment\n"
        "C-1,One,2026-03-02T08:00:00Z,2026-03-27T17:00:00Z,gitea,,gt-101,,b@larkfield.example,approve,2026-03-18T09:00:00Z,\n"
        "C-1,One,2026-03-02T08:00:00Z,2026-03-27T17:00:00Z,gitea,,gt-102,,b@larkfield.example,maybe,2026-03-18T09:00:00Z,\n"
    )
    stamp = "20260105T050000Z"
    return [
        BadFile(f"hashicorp_vault/audit_log/truncated_{stamp}.ndjson.gz", packed[: len(packed) // 2], "rejected", 0, 0,
                "the compressed file ends too early"),
        BadFile(f"hashicorp_vault/audit_log/malformed_line_{stamp}.ndjson", broken, "accepted", 2, 1, "record 2 is no JSON"),
        BadFile(f"hashicorp_vault/audit_log/blank_line_{stamp}.ndjson", blank, "accepted", 2, 0, "a blank line is no record"),
        BadFile(f"okta/users/empty_{stamp}.json", b"", "rejected", 0, 0, "the file is empty"),
        BadFile(f"okta/system_log/half_array_{stamp}.json", half_array.encode(), "rejected", 0, 1,
                "a syntax error rejects a JSON document whole"),
        BadFile(f"aws/cloudtrail/foreign_{stamp}.json", okta.system_log(okta_system_log()[1])[0], "rejected", 0, 1,
                "an Okta event is no CloudTrail record"),
        BadFile(f"hr/employees/foreign_{stamp}.csv", b"<!DOCTYPE html><title>Sign in</title>\n<p>Session expired</p>\n",
                "rejected", 0, 1, "a sign-in page instead of the list"),
        BadFile(f"generic/accounts/missing_heading_{stamp}.csv", accounts.encode(), "rejected", 0, 1,
                "no column for account_id"),
        BadFile(f"generic/review_decisions/unknown_word_{stamp}.csv", reviews.encode(), "accepted", 1, 1, "maybe"),
        BadFile(f"decisions/policies/unknown_control_{stamp}.csv", policies.encode(), "accepted", 1, 2, "XYZ"),
        BadFile(f"decisions/waivers/no_such_month_{stamp}.csv", waivers.encode(), "accepted", 0, 1, "2026-13-01"),
        BadFile(f"aws/credential_report/lying_{stamp}.csv", b"user,arn\nx,arn:aws:iam::111122223333:user/x\n", "accepted",
                1, 0, "its sidecar declares 7 records and another hash"),
    ]  # fmt: skip


def _stored_gzip(content: bytes) -> bytes:
    """A gzip file without compression: the same bytes whatever zlib is installed."""
    out = bytearray(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
    blocks = [content[i : i + 65535] for i in range(0, len(content), 65535)] or [b""]
    for n, block in enumerate(blocks):
        out += bytes([n == len(blocks) - 1]) + len(block).to_bytes(2, "little") + (len(block) ^ 0xFFFF).to_bytes(2, "little")
        out += block
    return bytes(out + zlib.crc32(content).to_bytes(4, "little") + (len(content) & 0xFFFFFFFF).to_bytes(4, "little"))


def files() -> dict[str, bytes]:
    """Paths below `bad_landing/` and their bytes."""
    found = {bad.path: bad.data for bad in bad_files()}
    lie = {"collected_at": "2026-01-05T05:00:00Z", "record_count": 7, "sha256": "0" * 64}
    found["aws/credential_report/lying_20260105T050000Z.csv.manifest.json"] = lines([lie])
    return found
