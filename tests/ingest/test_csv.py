"""CSV: headings by synonym, rows isolated, numbers as people count them."""

from __future__ import annotations

import pytest

ACCOUNTS = b"system,account_id,enabled\n"


@pytest.mark.parametrize(
    "headings",
    [
        b"Employee_ID,Worker,Primary_Work_Email,Termination_Date",
        b"employee id,WORKER,primary work email,TERMINATION DATE",
        b"Employee #,Full Name,Work Email,Termination date",
        b"employeeNumber,displayName,workEmail,terminationDate",
        b"Employee-ID,Name,E-mail,End.Date",
        b" Worker ID , Employee Name ,Email - Work,Terminated On",
    ],
)
def test_hr_headings_are_known_by_every_spelling(read, headings):
    found = read(headings + b"\n7,Lena Leaver,lena@example.com,2026-03-02\n", "hr/employees")
    row = found.rows[0]
    assert (row["employee_id"], row["full_name"]) == ("7", "Lena Leaver")
    assert (row["work_email"], row["termination_date"]) == ("lena@example.com", "2026-03-02")


def test_a_missing_heading_is_told_with_what_was_looked_for_and_found_and_where_to_add_it(read):
    reason = read(b"Person,Left on\nLena,2026-03-02\n", "hr/employees").result.reject_reason
    for part in ("employee_id", '"Employee ID"', '"Worker ID"', '"Person"', '"Left on"', "feeds/hr/employees.yml"):
        assert part in reason


def test_a_list_of_people_that_says_nothing_of_leaving_is_refused(read):
    found = read(b"Employee ID,Name\n7,Lena Leaver\n", "hr/employees")
    assert found.result.status == "rejected" and "termination_date" in found.result.reject_reason


def test_of_two_synonyms_the_one_listed_first_counts(read):
    found = read(b"EEID,Employee ID,Status\nwrong,right,Active\n", "hr/employees")
    assert found.rows[0]["employee_id"] == "right"


def test_a_heading_that_stands_there_twice_is_ambiguous(read):
    found = read(b"system,account_id,enabled,account_id\na,b,true,c\n", "generic/accounts")
    assert found.result.status == "rejected" and "account_id" in found.result.reject_reason


def test_columns_that_nobody_described_stay_out(read):
    found = read(b"system,account_id,enabled,password\na,b,true,hunter2\n", "generic/accounts")
    assert "password" not in found.rows[0] and "hunter2" not in str(found.rows)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"a,b", "expected 3 cells"),
        (b"a,b,true,x", "expected 3 cells"),
        (b'a,"b"x,true', "found a fault"),
        (b'a,"b,true', "found a fault"),
        (b"a,\xff,true", "expected UTF-8"),
        (b",,", "account_id: expected a value"),
        (b"a,,true", "account_id: expected a value"),
        (b"a,b,perhaps", 'found "perhaps"'),
        (b"   ", "expected 3 cells"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_bad_row_is_isolated_and_numbered(read, bad, says, end):
    rows = [b"a,1,true", b"a,2,true", bad, b"a,4,true", bad, b"a,6,true"]
    content = ACCOUNTS.strip() + end + end.join(rows) + end
    found = read(content, "generic/accounts")
    assert [row["account_id"] for row in found.usable] == ["1", "2", "4", "6"]
    assert sorted(found.faults) == [3, 5] and says in found.faults[3]
    for record in found.rejected:
        assert content[record["byte_offset"] :][: record["byte_length"]] == bad
        assert record["text"] == bad.decode("utf-8", "replace")


def test_blank_lines_are_no_rows_and_take_no_number(read):
    found = read(b"\n" + ACCOUNTS + b"\na,1,true\n\r\n\na,,true\n\n", "generic/accounts")
    assert (found.result.parsed, list(found.faults)) == (1, [2])


def test_one_open_quote_does_not_swallow_the_rest_of_the_file(read):
    rows = b"".join(b"a,%d,true\n" % number for number in range(2, 5000))
    found = read(ACCOUNTS + b'a,"1,true\n' + rows, "generic/accounts")
    assert (found.result.parsed, list(found.faults)) == (4998, [1])


@pytest.mark.parametrize("cell", [b'5" pipe', b"x" * 100_000, "Zoë 🐙".encode(), b"a\x00b", b"=cmd|' /C calc'!A0", b'" x"""'])
def test_odd_cells_are_text_like_any_other(read, cell):
    found = read(b"system,account_id,enabled,display_name\na,1,true," + cell + b"\na,2,true,x\n", "generic/accounts")
    assert (found.result.parsed, found.result.rejected) == (2, 0)
    assert found.rows[0]["display_name"] == {b'" x"""': ' x"'}.get(cell, cell.decode())


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_line_ends_of_every_system_are_understood(read, end):
    found = read(end.join([b"system,account_id,enabled", b"a,1,true", b"a,2,true"]), "generic/accounts")
    assert (found.result.parsed, found.result.rejected) == (2, 0)


def test_mixed_line_ends_are_understood(read):
    found = read(b"system,account_id,enabled\r\na,1,true\na,2,true\r\na,3,true", "generic/accounts")
    assert (found.result.parsed, found.result.rejected) == (3, 0)


def test_a_heading_row_alone_is_a_file_without_records(read):
    found = read(ACCOUNTS, "generic/accounts")
    assert (found.result.status, found.result.parsed, found.rows) == ("accepted", 0, [])


def test_an_event_without_an_id_gets_the_hash_of_its_record(read):
    event = b"2026-03-02T09:00:00Z,gitea,login,gt-1"
    first = read(b"occurred_at,system,action,account_id\n" + event + b"\n", "generic/events").rows[0]
    again = read(b"account_id,action,system,occurred_at\ngt-1,login,gitea,2026-03-02T09:00:00Z\n", "generic/events").rows[0]
    other = read(b"occurred_at,system,action,account_id\n" + event + b"2\n", "generic/events").rows[0]
    assert first["event_id"] is None and len(first["record_hash"]) == 64
    assert first["record_hash"] == again["record_hash"] != other["record_hash"]


def test_headings_of_a_masked_feed_are_shown_only_when_they_are_headings(read):
    secret = read(b"hvs.CAESIJ0secret,s.token,x\n1,2,3\n", "aws/credential_report").result.reject_reason
    assert "hvs" not in secret and "token" not in secret
    report = b"user_name,arn,user_creation_time,password_enabled,mfa_active,new_column\n"
    reason = read(report, "aws/credential_report").result.reject_reason
    assert '"user_name"' in reason and '"new_column"' in reason


def test_vendors_words_for_nothing_stay_as_they_were_written(read):
    content = b"user,arn,password_last_used,access_key_1_last_used_date\n<root_account>,arn:aws:iam::1:root,no_information,N/A\n"
    row = read(content, "aws/credential_report").rows[0]
    assert (row["password_last_used"], row["access_key_1_last_used_date"]) == ("no_information", "N/A")
