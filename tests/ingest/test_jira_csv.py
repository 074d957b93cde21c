"""Jira's CSV export: a byte order mark, headings that stand there several times, cells with line ends."""

from __future__ import annotations

import json

EXPORT = (
    "\ufeffSummary,Issue key,Issue id,Issue Type,Status,Reporter,Reporter Id,Created,Labels,Labels,Sprint,Sprint,Comment,Comment,"
    "Custom field (Target)\r\n"
    '"Access, please",OPS-17,10017,Access Request,Approved,Ann Asker,712020:aa,09/Oct/25 1:42 PM,iam,urgent,,,'
    '"09/Oct/25 2:00 PM;712020:bb;two\r\nlines",,svc-etl\r\n'
    "Board,OPS-18,10018,Task,To Do,,,11/Oct/25 10:00 AM,,,,,,,\r\n"
).encode()


def test_repeated_headings_are_one_field_with_several_values(read):
    found = read(EXPORT, "jira/issues", name="jira.csv")
    assert (found.result.parsed, found.result.rejected) == (2, 0)
    row = found.rows[0]
    assert (row["key"], row["issue_type"], row["created"]) == ("OPS-17", "Access Request", "09/Oct/25 1:42 PM")
    assert (row["reporter_id"], row["reporter_name"], row["histories"]) == ("712020:aa", "Ann Asker", None)
    record = json.loads(row["record"])
    assert record["Labels"] == ["iam", "urgent"] and record["Sprint"] == []
    assert record["Comment"] == ["09/Oct/25 2:00 PM;712020:bb;two\r\nlines"]
    assert (record["Custom field (Target)"], record["Issue Type"]) == ("svc-etl", "Access Request")


def test_json_of_the_same_feed_is_told_by_its_content(read):
    issue = {"key": "OPS-17", "fields": {"issuetype": {"name": "Access Request"}, "reporter": {"name": "ann"}}}
    row = read(json.dumps({"issues": [issue]}).encode(), "jira/issues", name="jira.csv").rows[0]
    assert (row["key"], row["issue_type"], row["reporter_name"]) == ("OPS-17", "Access Request", "ann")
