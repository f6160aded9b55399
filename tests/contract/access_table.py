"""Who may what, read from the descriptors of all services: the text of docs/access.md. Knows protos, no service's code.

`python -m tests.contract.access_table` writes the page; a test compares it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import MethodDescriptor
from mpp.options.v1 import options_pb2
from mpp_chassis.policy import Policy, policy_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "access.md"
ROLES = [name.removeprefix("ROLE_").lower() for name in options_pb2.Role.keys()[1:]]
HEAD = """\
# Who may what

Made from the access options in the protos ([ADR 0009](adr/0009-policy-validation-privacy-as-proto-options.md)) by
`python -m tests.contract.access_table`; `tests/contract/test_access.py` fails when it is not true. {rpcs} RPCs,
{roles} roles, {grants} grants; {anonymous} RPCs are open to everyone.

How far a grant reaches: **any** resource; **site**: below the site in the token; **agency**: of the agency in the token, at
that site; **own**: what the caller owns. `*` everyone, also without a token. `!` changes something (repeatable by its
request_id). Another site or agency is refused with PERMISSION_DENIED: the chassis checks sites from every name in a request,
each use case its agency; both are tested over all RPCs.

- A citizen's and a platform_admin's token is bound to no site. Every other role is.
- `city_viewer` sees overviews and reports of the site in its token, and no person; and of each site in the token's list
  `sites`, for a command centre that watches a whole city or region. One site a call. The list opens nothing to another role.
- `display` needs a token only to ask for a display's data: what screens watch is open to everyone.
"""


def methods() -> Iterator[MethodDescriptor]:
    """Every RPC of every service that is in services/, in the order of the protos."""
    for service in sorted(p.parent.name for p in (ROOT / "services").glob("*/pyproject.toml")):
        for file in sorted((ROOT / "proto" / "mpp" / service / "v1").glob("*_service.proto")):
            module = importlib.import_module(f"mpp.{service}.v1.{file.stem}_pb2")
            for descriptor in module.DESCRIPTOR.services_by_name.values():
                yield from descriptor.methods


def page() -> str:
    """The whole page."""
    known = {method: policy_of(method) for method in methods()}
    numbers = {
        "rpcs": len(known),
        "roles": len(ROLES),
        "grants": sum(len(p.grants) for p in known.values()),
        "anonymous": sum(p.anonymous for p in known.values()),
    }
    parts, service = [HEAD.format(**numbers)], ""
    for method, policy in known.items():
        if method.containing_service.full_name != service:
            service = method.containing_service.full_name
            parts.append(f"\n## {service}\n\n| RPC | Who, and how far |\n|---|---|\n")
        parts.append(f"| {method.name}{' !' if policy.mutating else ''} | {_who(policy)} |\n")
    return "".join(parts)


def _who(policy: Policy) -> str:
    if policy.anonymous:
        return "*"
    return ", ".join(f"{role} ({policy.grants[role]})" for role in ROLES if role in policy.grants)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
