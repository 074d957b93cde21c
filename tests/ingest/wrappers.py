"""What tools put around records: each way of ENVELOPES around one, each of PAGES around many."""

from __future__ import annotations

import json
from typing import Any


def syslog(record: Any) -> str:
    return "<190>May 22 12:05:54 host audit: " + json.dumps(record)


def insights(record: Any) -> list[dict[str, str]]:
    """A row as CloudWatch Logs Insights answers it."""
    row = {"@timestamp": "2026-03-02 09:00:00.000", "@message": json.dumps(record), "@ptr": "Ci4K"}
    return [{"field": field, "value": value} for field, value in row.items()]


def table(records: list[Any]) -> dict[str, Any]:
    """Records as the APIs of log stores answer them: the columns' names apart from the rows."""
    names = list(dict.fromkeys(name for record in records for name in record))
    rows = [[record.get(name) for name in names] for record in records]
    return {"name": "PrimaryResult", "columns": [{"name": name, "type": "dynamic"} for name in names], "rows": rows}


# One record each.
ENVELOPES = {
    "none": lambda record: record,
    "eventbridge": lambda record: {"version": "0", "detail-type": "x", "detail": record, "resources": []},
    "event": lambda record: {"event": record, "time": 1},
    "event as text": lambda record: {"event": json.dumps(record)},
    "elasticsearch": lambda record: {"_index": "logs", "_id": "1", "_score": None, "_source": record},
    "splunk": lambda record: {"_time": "t", "_raw": json.dumps(record), "host": "h"},
    "splunk export": lambda record: {"preview": False, "result": {"_raw": json.dumps(record)}},
    "cribl": lambda record: {"_raw": syslog(record), "source": "s"},
    "message": lambda record: {"message": json.dumps(record, ensure_ascii=False), "@timestamp": "t"},
    "lookup-events": lambda record: {"EventId": "1", "CloudTrailEvent": json.dumps(record)},
    "airbyte": lambda record: {"type": "RECORD", "record": {"stream": "s", "emitted_at": 1, "data": record}},
    "airbyte table": lambda record: {"_airbyte_ab_id": "1", "_airbyte_data": json.dumps(record)},
    "log analytics": lambda record: {"time": "t", "category": "c", "properties": record},
    "log analytics as text": lambda record: {"time": "t", "properties": json.dumps(record)},
    "aks": lambda record: {"category": "kube-audit", "properties": {"log": json.dumps(record), "stream": "stdout"}},
    "cloud logging": lambda record: {"insertId": "i", "jsonPayload": record, "resource": {"type": "x"}},
    "cloud logging text": lambda record: {"insertId": "i", "textPayload": json.dumps(record)},
    "sns": lambda record: {"Type": "Notification", "Message": json.dumps({"detail": record})},
    "an unknown tool": lambda record: {"ingested": 1, "vendor_original": record},
    "three deep": lambda record: {"a_tool": {"message": json.dumps({"event": record})}},
}
OF_NO_KNOWN_TOOL = frozenset({"an unknown tool", "three deep"})
"""Envelopes under a key that no tool is known to use."""
TABLES = frozenset({"workspace", "sql answer"})
"""Pages in which a record has all keys of all records, so that one without an id of its own has another hash."""
# Many records.
PAGES = {
    "Records": lambda records: {"Records": records},
    "graph page": lambda records: {"@odata.context": "c", "value": records},
    "elasticsearch hits": lambda records: {"hits": {"total": 1, "hits": [{"_source": record} for record in records]}},
    "lookup-events": lambda records: {"Events": [{"CloudTrailEvent": json.dumps(record)} for record in records]},
    "cloudwatch": lambda records: {"messageType": "D", "logEvents": [{"id": "1", "message": json.dumps(r)} for r in records]},
    "logs insights": lambda records: {"results": [insights(record) for record in records], "status": "Complete"},
    "workspace": lambda records: {"tables": [table(records)]},
    "sql answer": lambda records: table(records),
    "aws-cli example": lambda records: {"_command": "aws x", "response": {"Events": records}},
    "array": lambda records: list(records),
    "array in text": lambda records: {"_raw": json.dumps(records)},
}
