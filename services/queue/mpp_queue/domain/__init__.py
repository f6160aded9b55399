"""The queue's rules: pure, standard library only.

Never knows the store, the transport, other services or the time of day. `ticket.py` a ticket's life, `policy.py` the
order of the line, `spec.py` a queue as the catalogue describes it, `admission.py` what it takes to get in, `ahead.py`
people ahead, `errors.py` what is refused. The names below are what the rest of the service imports from here.
"""

from mpp_queue.domain.admission import Admission as Admission
from mpp_queue.domain.ahead import estimated_wait as estimated_wait
from mpp_queue.domain.ahead import people_ahead as people_ahead
from mpp_queue.domain.ahead import visit_length as visit_length
from mpp_queue.domain.errors import *  # noqa: F403
from mpp_queue.domain.policy import *  # noqa: F403
from mpp_queue.domain.spec import *  # noqa: F403
from mpp_queue.domain.ticket import *  # noqa: F403
