"""Executes docs/api/examples.yaml, whoever carries the calls. Knows the examples; knows no transport.

What a sample reply holds (`keep`) is replaced in later steps by what the real reply held, and each sample `requestId`
by a fresh one.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mpp_apidocs.examples import Example

PATIENCE = 20.0  # seconds for an event's effect to be seen


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any  # parsed JSON; the first message of a stream
    text: str


# operation, path parameters, query, body, token's claims -> answer
Send = Callable[[str, Mapping[str, str], Mapping[str, Any], Any, Mapping[str, Any] | None], Answer]


@dataclass
class Execution:
    """One run of the file from its top."""

    send: Send
    secret: Callable[[Example, Mapping[str, str]], str]
    known: dict[str, str] = field(default_factory=dict)

    def run(self, examples: Sequence[Example]) -> Iterator[tuple[Example, Answer]]:
        for example in examples:
            yield example, self.step(example)

    def step(self, example: Example) -> Answer:
        path = self.fill(example.path)
        body = self._fresh(self.fill(example.body))
        if example.secret:
            body = {**body, example.secret: self.secret(example, path)}
        query, end = self._fresh(self.fill(example.query)), time.monotonic() + PATIENCE
        while True:
            answer = self.send(example.operation, path, query, body, example.caller)
            if not example.wait or self._complete(example, answer) or time.monotonic() > end:
                break
            time.sleep(0.1)
        if answer.status == example.status == 200:
            for place in example.keep:
                self._learn(str(dig(example.message, place)), str(dig(answer.body, place)))
        return answer

    def fill(self, value: Any) -> Any:
        """The value with what is known of this run in the place of what the sample holds."""
        if isinstance(value, Mapping):
            return {k: self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if isinstance(value, str):
            for sample in sorted(self.known, key=len, reverse=True):
                value = value.replace(sample, self.known[sample])
        return value

    def _fresh(self, body: Any) -> Any:
        if not isinstance(body, Mapping) or "requestId" not in body:
            return body
        fresh = self.known.setdefault(f"request {body['requestId']}", str(uuid.uuid4()))
        return {**body, "requestId": fresh}

    def _learn(self, sample: str, real: str) -> None:
        assert len(sample) >= 8, f"{sample!r} is too short to be found again in later steps"
        self.known[sample] = real
        if "/" in sample:
            self.known[sample.rsplit("/", 1)[1]] = real.rsplit("/", 1)[1]

    @staticmethod
    def _complete(example: Example, answer: Answer) -> bool:
        try:
            return answer.status == example.status and all(dig(answer.body, place) for place in example.keep)
        except LookupError:
            return False


def dig(value: Any, place: str) -> Any:
    """`ticket.name`, `notifications.0.name`. Raises LookupError."""
    for step in place.split("."):
        value = value[int(step)] if re.fullmatch(r"\d+", step) else value[step]
    return value
