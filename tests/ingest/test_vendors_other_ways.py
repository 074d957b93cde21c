"""The other ways in which vendors and their tools write a feed's records: interfaces, downloads, languages."""

from __future__ import annotations

import json
from typing import Any

import pytest


def _file(content: Any) -> bytes:
    return json.dumps(content).encode()


def _personio(label: str, value: Any) -> dict[str, Any]:
    return {"label": label, "value": value, "type": "standard", "universal_id": label}


LEAVER = ("17", "2020-01-01", "2024-02-29", "ann@x.example")

EMPLOYEES = {
    "Workday report": {
        "Report_Entry": [
            {"Employee_ID": "16", "Worker": "Bo Stays", "Hire_Date": "2020-01-01"},
            {"Employee_ID": "17", "Worker": "Ann Lee", "Hire_Date": "2020-01-01", "Termination_Date": "2024-02-29", "Email_-_Work": "ann@x.example"},
        ]
    },
    "BambooHR report": {
        "title": "Report",
        "fields": [{"id": "hireDate", "type": "date", "name": "Hire Date"}],
        "employees": [
            {"id": "16", "firstName": "Bo", "lastName": "Stays", "terminationDate": "0000-00-00", "status": "Active"},
            {"id": "17", "firstName": "Ann", "workEmail": "ann@x.example", "hireDate": "2020-01-01", "terminationDate": "2024-02-29"},
        ],
    },
    "Personio": {
        "success": True,
        "metadata": {"total_pages": 1},
        "data": [
            {
                "type": "Employee",
                "attributes": {
                    "id": _personio("ID", 17),
                    "email": _personio("Email", "ann@x.example"),
                    "hire_date": _personio("Hire date", "2020-01-01"),
                    "termination_date": _personio("Termination date", "2024-02-29"),
                    "last_working_day": _personio("Last day of work", None),
                },
            }
        ],
    },
    "HiBob": {
        "employees": [
            {
                "id": "332",
                "email": "ann@x.example",
                "work": {"startDate": "2020-01-01", "employeeIdInCompany": "17"},
                "internal": {"status": "Inactive", "terminationDate": "2024-02-29"},
            }
        ]
    },
    "ADP": {
        "workers": [
            {
                "associateOID": "G3",
                "workerID": {"idValue": "17"},
                "person": {"legalName": {"givenName": "Ann", "formattedName": "Lee, Ann"}},
                "workerDates": {"originalHireDate": "2020-01-01", "terminationDate": "2024-02-29"},
                "workerStatus": {"statusCode": {"codeValue": "Terminated"}},
            }
        ]
    },
}


@pytest.mark.parametrize("vendor", EMPLOYEES)
def test_employees_are_read_as_hr_systems_answer(read, vendor):
    found = read(_file(EMPLOYEES[vendor]), "hr/employees")
    assert found.result.rejected == 0
    row = found.rows[-1]
    number, hired, left, email = LEAVER
    assert (row["employee_id"], row["hire_date"], row["termination_date"]) == (number, hired, left)
    assert row["work_email"] in (email, None)


def test_a_list_that_never_says_who_left_is_refused_in_json_too(read):
    found = read(_file({"Report_Entry": [{"Employee_ID": "17", "Worker": "Ann Lee"}]}), "hr/employees")
    assert found.result.status == "rejected"
    assert "no record has termination_date or last_day_of_work or status" in found.result.reject_reason


@pytest.mark.parametrize(
    ("record", "feed", "looks_like"),
    [
        ({"id": "00u1", "status": "ACTIVE", "created": "2020-01-01T00:00:00Z", "lastLogin": None, "profile": {"login": "a@x.example", "email": "a@x.example"}}, "hr/employees", "okta/users"),
        ({"id": "7", "key": "OPS-1", "fields": {"summary": "s", "status": {"name": "Open"}, "created": "2020-01-01T00:00:00.000+0000"}}, "hr/employees", "jira/issues"),
        ({"id": "00u1", "status": "ACTIVE", "created": "2020-01-01T00:00:00Z", "activated": "x", "statusChanged": "x", "passwordChanged": "x", "profile": {"login": "a", "email": "a", "firstName": "A", "lastName": "B"}}, "okta/api_tokens", "okta/users"),
    ],
)
def test_an_id_makes_no_employee_of_another_feed_s_record(read, record, feed, looks_like):
    found = read(_file([record]), feed)
    assert found.result.status == "rejected"
    assert f"this looks like {looks_like}" in found.result.reject_reason


def test_headings_repeated_in_a_second_row_are_no_employee(read):
    found = read(b"EMPID,STATUS,HIREDATE\nEmployee Id,Status,Hire Date\n17,active,01/01/2020\n", "hr/employees")
    assert (found.result.parsed, found.result.rejected) == (1, 1)
    assert "found the heading Employee Id again" in found.faults[1]


def test_okta_s_csv_download_is_read(read):
    found = read(
        b"severity,event_type,uuid,timestamp,outcome.result,actor.id,actor.type,actor.alternate_id,target0.id,target0.type\n"
        b"INFO,user.lifecycle.suspend,1-2,2026-03-02T09:00:00.000Z,SUCCESS,00u1,User,ann@x.example,00u2,User\n",
        "okta/system_log",
    )
    assert (found.result.parsed, found.result.rejected) == (1, 0)
    row = found.rows[0]
    assert (row["uuid"], row["event_type"], row["published"]) == ("1-2", "user.lifecycle.suspend", "2026-03-02T09:00:00.000Z")
    assert (row["actor_id"], row["actor_alternate_id"], row["target0_id"], row["targets"]) == ("00u1", "ann@x.example", "00u2", None)


def test_okta_users_are_read_without_a_profile_around_their_fields(read):
    found = read(_file([{"id": "00u1", "status": "ACTIVE", "login": "a", "email": "a@x.example", "last_login": "2026-03-02T09:00:00Z"}]), "okta/users")
    row = found.rows[0]
    assert (row["login"], row["email"], row["last_login"]) == ("a", "a@x.example", "2026-03-02T09:00:00Z")


def test_vault_lines_without_a_request_id_are_evidence_too(read):
    written = {"time": "2026-03-02T09:00:00Z", "type": "response", "request": {"id": "r1", "operation": "update", "path": "secret/data/a"}}
    help_asked = {"time": "2026-03-02T09:01:00Z", "type": "request", "request": {"operation": "help", "path": "ca/roles/a"}}
    kmip = {"time": "2026-03-02T09:02:00Z", "type": "kmip-request", "request": {"client_certificate_serial_number": "79", "data": {}}}
    found = read("\n".join(map(json.dumps, [written, help_asked, kmip])).encode(), "hashicorp_vault/audit_log")
    assert (found.result.parsed, found.result.rejected) == (3, 0)
    assert [row["request_id"] for row in found.rows] == ["r1", None, None]


def test_kv_metadata_may_hold_the_whole_answer_of_vault(read):
    answer = {"request_id": "r", "data": {"current_version": 2, "versions": {"2": {"created_time": "2026-03-02T09:00:00Z"}}}}
    row = read(_file({"mount": "kv", "path": "a", "data": answer}), "hashicorp_vault/kv_metadata").rows[0]
    assert (row["current_version"], list(row["versions"])) == (2, ["2"])


def test_github_s_log_is_read_as_graphql_answers(read):
    def node(action: str, **fields: str) -> dict[str, Any]:
        entry = {"action": action, "actorLogin": "bo", "createdAt": "2026-03-02T09:00:00.000Z", "organizationName": "acme"}
        return {"node": entry | fields}

    edges = [node("org.add_member", userLogin="ann", permission="ADMIN"), node("team.add_member", userLogin="ann", teamName="acme/ops")]
    found = read(_file({"data": {"organization": {"auditLog": {"edges": edges, "pageInfo": {"hasNextPage": False}}}}}), "github/audit_log")
    assert (found.result.parsed, found.result.rejected) == (2, 0)
    seen = [(row["action"], row["actor"], row["user"], row["org"], row["permission"], row["team"]) for row in found.rows]
    assert seen == [
        ("org.add_member", "bo", "ann", '"acme"', "ADMIN", None),
        ("team.add_member", "bo", "ann", '"acme"', None, "acme/ops"),
    ]


def test_reviews_are_read_in_edges_too(read):
    review = {"node": {"author": {"login": "cy"}, "state": "APPROVED", "submittedAt": "2026-03-02T09:00:00Z", "commit": {"oid": "f00"}}}
    pull_request = {"number": 1, "baseRefName": "main", "author": {"login": "bo"}, "reviews": {"edges": [review]}}
    answer = {"data": {"repository": {"pullRequests": {"edges": [{"node": pull_request}]}}}}
    row = read(_file(answer), "github/pull_requests").rows[0]
    assert row["reviews"] == [{"reviewer_id": "cy", "state": "APPROVED", "submitted_at": "2026-03-02T09:00:00Z", "commit_id": "f00"}]


@pytest.mark.parametrize(
    "headings",
    [
        "Zusammenfassung;Vorgangsschlüssel;Vorgangs-ID;Vorgangstyp;Status;Projektschlüssel;Autor;Erstellt;Aktualisiert",
        "Resumen;Clave de incidencia;ID de la incidencia;Tipo de Incidencia;Estado;Clave del proyecto;Informador;Creada;Actualizada",
    ],
)
def test_a_jira_export_is_read_in_its_users_language(read, headings):
    found = read(f"{headings}\nAccess;OPS-1;10001;Task;Done;OPS;Mia;09/Oct/25 1:42 PM;10/Oct/25 1:42 PM\n".encode(), "jira/issues")
    row = found.rows[0]
    assert (row["key"], row["id"], row["issue_type"], row["status"], row["project_key"]) == ("OPS-1", "10001", "Task", "Done", "OPS")
    assert (row["summary"], row["reporter_name"], row["created"], row["updated"]) == ("Access", "Mia", "09/Oct/25 1:42 PM", "10/Oct/25 1:42 PM")


XML = b'<?xml version="1.0"?>\n<unload><incident><number>INC1</number></incident></unload>\n'


@pytest.mark.parametrize(
    ("content", "feed", "told"),
    [
        (XML, "servicenow/tickets", "expected CSV with a heading row, found XML or HTML"),
        (XML, "hashicorp_vault/audit_log", "expected JSON (lines, an array), found XML or HTML"),
        (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(200)), "hr/employees", "found a ZIP archive, such as an .xlsx workbook"),
        (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n", "github/audit_log", "found a PDF"),
    ],
)
def test_what_is_neither_csv_nor_json_is_told_for_what_it_is(read, content, feed, told):
    found = read(content, feed)
    assert found.result.status == "rejected" and told in found.result.reject_reason
