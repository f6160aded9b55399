"""What the use cases of bookings work with, and what they ask of the rooms beside them. Knows names; does nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mpp.queue.v1 import ticket_pb2
from mpp_chassis.call import Command
from mpp_chassis.privacy import BlindIndex, FieldCipher

from mpp_queue.appointments.agendas import Agendas, Channels
from mpp_queue.appointments.offerers import Offerers
from mpp_queue.appointments.store import AgendaDays, Choices, Claims
from mpp_queue.domain import Admission

# Draws the ticket of a check-in: an idempotent insert by the admission's name.
Admit = Callable[[Admission, Command], ticket_pb2.IssuedTicket]
# Whether a person may book now at a queue, by what happened to the person's tickets there; raises a QueueError.
Check = Callable[[str, str, datetime], None]


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with. `rng` makes codes and cooling times: cryptographic in production."""

    days: AgendaDays
    claims: Claims
    choices: Choices
    agendas: Agendas
    channels: Channels
    offerers: Offerers
    cipher: FieldCipher
    index: BlindIndex
    audit: Any
    rng: random.Random
    clock: Callable[[], datetime]
    admit: Admit
    appointment_of: Callable[[str], str]  # of a ticket; "" when it has none
    state_of: Callable[[str], int]  # of a ticket, as the contract numbers it; 0 when there is none
    check: Check | None = None
