"""HR: the list of workers, first as a Workday custom report, later as BambooHR writes it."""

from __future__ import annotations

import csv
import io
from datetime import date

from ..plan import Export
from ..story import PEOPLE, employment_at

BAMBOO_FROM = date(2026, 4, 13)


def employees(export: Export) -> tuple[bytes, int]:
    moment = export.collected_at
    text = io.StringIO()
    bamboo = moment.date() >= BAMBOO_FROM
    writer = csv.writer(text, lineterminator="\r\n")
    if bamboo:
        writer.writerow(["Employee #", "First Name", "Last Name", "Work Email", "Hire Date", "Termination Date",
                         "Status", "Employment Type"])  # fmt: skip
    else:
        writer.writerow(["Employee_ID", "Worker", "Primary_Work_Email", "Hire_Date", "Termination_Date",
                         "Last_Day_of_Work", "Worker_Status", "Worker_Type"])  # fmt: skip
    count = 0
    for person in PEOPLE:
        job = employment_at(person, moment)
        if job is None:
            continue
        count += 1
        if bamboo:
            writer.writerow([person.employee_id, person.first_name, person.last_name, person.email, job.hired,
                             job.last_day or "0000-00-00", "Active" if job.active else "Inactive",
                             "Contractor" if person.worker_type == "Contractor" else "Full-Time"])  # fmt: skip
        else:
            writer.writerow([person.employee_id, f"{person.last_name}, {person.first_name}", person.email, job.hired,
                             job.last_day or "", job.last_day or "", "Active" if job.active else "Terminated",
                             "Contingent Worker" if person.worker_type == "Contractor" else "Employee"])  # fmt: skip
    # Workday's CSV starts with a byte order mark.
    return (b"" if bamboo else b"\xef\xbb\xbf") + text.getvalue().encode(), count
