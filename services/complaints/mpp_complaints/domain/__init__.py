"""The rules of complaints: pure, standard library only.

Never knows calendars (moments that are due come in as `Terms`), encryption, stores or messages. `lifecycle.py` the states
and steps, `complaint.py` the aggregate, `deadlines.py` what is due as values, `visibility.py` who reads what,
`overcharge.py` a report of too much asked, `texts.py` names and texts in the clear, `errors.py` what is refused.
The names below are what the rest of the service imports from here.
"""

from mpp_complaints.domain.complaint import (
    Advanced,
    Complaint,
    DomainEvent,
    Entry,
    Filed,
    NewComplaint,
    WentOverdue,
    file,
)
from mpp_complaints.domain.deadlines import Limits, Terms
from mpp_complaints.domain.errors import (
    AgencyNeeded,
    ComplaintError,
    InvalidField,
    LimitReached,
    NobodyToAsk,
    NotAboveFee,
    WindowClosed,
    WrongState,
)
from mpp_complaints.domain.lifecycle import (
    CLOCK,
    ENDS,
    HANDLED,
    TRANSITIONS,
    WAITING,
    Class,
    Kind,
    Party,
    Rule,
    State,
    Step,
)
from mpp_complaints.domain.overcharge import Overcharge
from mpp_complaints.domain.texts import COMPLAINT_NAME, holds_nik, holds_phone, plain_text, some_text
from mpp_complaints.domain.visibility import OVERCHARGE_WORDS_FOR, PERSON_FOR, WORDS_FOR, Reader, Visibility

__all__ = [
    "CLOCK",
    "COMPLAINT_NAME",
    "ENDS",
    "HANDLED",
    "OVERCHARGE_WORDS_FOR",
    "PERSON_FOR",
    "TRANSITIONS",
    "WAITING",
    "WORDS_FOR",
    "Advanced",
    "AgencyNeeded",
    "Class",
    "Complaint",
    "ComplaintError",
    "DomainEvent",
    "Entry",
    "Filed",
    "InvalidField",
    "Kind",
    "LimitReached",
    "Limits",
    "NewComplaint",
    "NobodyToAsk",
    "NotAboveFee",
    "Overcharge",
    "Party",
    "Reader",
    "Rule",
    "State",
    "Step",
    "Terms",
    "Visibility",
    "WentOverdue",
    "WindowClosed",
    "WrongState",
    "file",
    "holds_nik",
    "holds_phone",
    "plain_text",
    "some_text",
]
