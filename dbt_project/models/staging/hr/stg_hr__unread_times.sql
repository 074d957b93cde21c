-- First days of work that are there and can't be read. A last day that can't be read has a rule of its own: the person
-- left, and when is unknown.
select * from {{ unread_times('hr', 'employees', evidence_records('hr', 'employees'), [
    {'name': 'hire_date', 'text': 'hire_date', 'read': calendar_date(without_midnight('hire_date'))},
], is_shown=true) }}
