"""Which of the robots' credentials lie in Vault, and since when: the cast of VLT, as plain values.

Each item is a secret of its own that names the credential it holds in its custom_metadata. What lies in it is rotated where it
comes from, so the item itself may grow old.
"""

from __future__ import annotations

# item, credential, key of the custom_metadata, written, deleted
ITEMS = (
    ("nhi/ci-deployer-a", "AKIACIDEPLOYAEXAMPLE", "access_key_id", "2025-12-01T08:00", None),
    ("nhi/ci-deployer-b", "AKIACIDEPLOYBEXAMPLE", "access_key_id", "2026-02-10T12:00", None),
    ("nhi/ci-deployer-c", "AKIACIDEPLOYCEXAMPLE", "access_key_id", "2026-05-05T07:00", None),  # as the first day ends
    ("nhi/svc-reports-b", "AKIAREPORTSBZEXAMPLE", "access_key_id", "2026-02-08T08:00", None),  # a week after its creation
    ("nhi/svc-backup-a", "AKIABACKUPAZZEXAMPLE", "access_key_id", "2025-12-10T08:00", "2026-03-01T08:00"),  # gone before it
    ("nhi/svc-backup-c", "AKIABACKUPCZZEXAMPLE", "access_key_id", "2026-05-19T08:00", None),
    # Known only by its slot in the credential report.
    ("nhi/svc-legacy", "arn:aws:iam::111122223333:user/svc-legacy#1", "key_slot", "2025-03-03T12:00", None),
    ("nhi/svc-etl-a", "AKIAETLAZZZZZEXAMPLE", "access_key_id", "2026-03-10T12:00", None),
    ("nhi/svc-etl-b", "AKIAETLBZZZZZEXAMPLE", "access_key_id", "2026-03-20T12:00", None),
    ("nhi/svc-etl-c", "AKIAETLCZZZZZEXAMPLE", "access_key_id", "2026-05-30T12:00", None),
    ("nhi/svc-migrate", "AKIAMIGRATEZZEXAMPLE", "access_key_id", "2026-02-02T12:00", None),
    ("nhi/ci-runner-1", "tok-ci-1", "credential_id", "2026-01-15T10:00", None),
    ("nhi/ci-runner-2", "tok-ci-2", "credential_id", "2026-04-10T10:00", None),
    ("nhi/ci-runner-3", "tok-ci-3", "credential_id", "2026-06-27T10:00", None),
    ("nhi/ci-runner-hook", "hook-secret", "credential_id", "2025-12-20T10:00", None),
)

# edge, credential, creation or beginning of its time outside, outcome, reason, both periods
STATED = (
    ("in the vault on its first day", "AKIACIDEPLOYBEXAMPLE", "2026-02-10T07:00:00", "operated", "", True),
    ("in the vault as the first day ends", "AKIACIDEPLOYCEXAMPLE", "2026-05-04T07:00:00", "operated", "", True),
    ("never in a vault", "AKIAREPORTSAZEXAMPLE", "2025-11-21T08:00:00", "deviation", "outside_vault", True),
    ("a week without a vault", "AKIAREPORTSBZEXAMPLE", "2026-02-02T08:00:00", "deviation", "outside_vault", False),
    ("taken out while it was active", "AKIABACKUPAZZEXAMPLE", "2026-03-01T08:00:00", "deviation", "outside_vault", False),
    ("outside with a waiver", "AKIABACKUPBZZEXAMPLE", "2026-03-30T06:00:00", "waived", "outside_vault", True),
    ("a longer grace of its own, not yet over", "deploy-prod", "2026-05-20T10:00:00", "pending", "", True),
    ("a versioned secret of another system", "hook-secret", "2025-12-20T09:00:00", "operated", "", True),
    ("older than any log", "arn:aws:iam::111122223333:user/svc-legacy#1", "2025-03-03T11:00:00", "operated", "", True),
)
