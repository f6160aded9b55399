"""Print buf/validate/validate.proto from the descriptor inside the installed ``protovalidate`` package.

The package carries the compiled schema only, and no schema registry is reachable, while ``buf lint`` and
``protoc`` want the source. Run by hand when ``protovalidate`` is upgraded; the result is committed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2 as d
from google.protobuf import descriptor_pool, duration_pb2, field_mask_pb2, message_factory, text_format, timestamp_pb2

TYPES = {v: k.removeprefix("TYPE_").lower() for k, v in d.FieldDescriptorProto.Type.items()}
LABELS = {2: "required ", 3: "repeated ", 1: "optional "}


def main(out: Path) -> None:
    import protovalidate

    source = (Path(protovalidate.__file__).parent / "_gen/buf/validate/validate_pb.py").read_text()
    literal = re.search(r"^\s+(b'\\n\\x1bbuf/validate/validate\.proto.*')", source, re.M)
    if literal is None:
        sys.exit("protovalidate no longer carries its descriptor as a bytes literal")
    raw: bytes = eval(literal.group(1))  # noqa: S307  a literal of a pinned, hashed package
    pool = descriptor_pool.DescriptorPool()
    for dep in (d, duration_pb2, field_mask_pb2, timestamp_pb2):
        pool.AddSerializedFile(dep.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(raw)
    # Re-read with extensions known, so that option values print by name.
    cls = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto"))
    message_factory.GetMessageClassesForFiles(["buf/validate/validate.proto"], pool)
    file = cls.FromString(raw)
    lines = [
        "// Copyright 2023-2026 Buf Technologies, Inc.  Licensed under the Apache License, Version 2.0.",
        "// Printed by tools/protos/print_validate.py from the PyPI package protovalidate. Do not edit.",
        f'syntax = "{file.syntax or "proto2"}";',
        f"package {file.package};",
        *(f'import "{x}";' for x in file.dependency),
    ]
    for ext in file.extension:
        lines += [f"extend {ext.extendee.lstrip('.')} {{", field(ext, "", file.syntax), "}"]
    for enum in file.enum_type:
        lines += print_enum(enum, "")
    for msg in file.message_type:
        lines += print_message(msg, "", file.syntax)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n")


def options(opts: object) -> str:
    text = []
    for f, value in opts.ListFields():  # type: ignore[attr-defined]
        if f.is_extension:
            text.append(f"({f.full_name}) = {{ {text_format.MessageToString(value, as_one_line=True)} }}")
        elif f.name == "deprecated":
            text.append("deprecated = true")
    return f" [{', '.join(text)}]" if text else ""


def field(f: d.FieldDescriptorProto, pad: str, syntax: str) -> str:
    kind = f.type_name.lstrip(".") if f.type in (11, 14) else TYPES[f.type]
    keep = f.label == 3 or syntax != "proto3" or f.proto3_optional
    label = "" if f.HasField("oneof_index") and not f.proto3_optional else (LABELS[f.label] if keep else "")
    return f"{pad}  {label}{kind} {f.name} = {f.number}{options(f.options)};"


def print_enum(e: d.EnumDescriptorProto, pad: str) -> list[str]:
    body = [f"{pad}  reserved {r.start}{'' if r.end == r.start else f' to {r.end}'};" for r in e.reserved_range]
    body += [f'{pad}  reserved "{n}";' for n in e.reserved_name]
    return [f"{pad}enum {e.name} {{", *body, *(f"{pad}  {v.name} = {v.number};" for v in e.value), f"{pad}}}"]


def print_message(m: d.DescriptorProto, pad: str, syntax: str) -> list[str]:
    out = [f"{pad}message {m.name} {{"]
    for r in m.reserved_range:
        out.append(f"{pad}  reserved {r.start}{'' if r.end == r.start + 1 else f' to {r.end - 1}'};")
    out += [f'{pad}  reserved "{n}";' for n in m.reserved_name]
    for r in m.extension_range:
        out.append(f"{pad}  extensions {r.start} to {'max' if r.end >= 536870912 else r.end - 1};")
    for i, oneof in enumerate(m.oneof_decl):
        members = [f for f in m.field if f.HasField("oneof_index") and f.oneof_index == i and not f.proto3_optional]
        if members:
            out += [f"{pad}  oneof {oneof.name} {{", *(field(f, pad + "  ", syntax) for f in members), f"{pad}  }}"]
    out += [field(f, pad, syntax) for f in m.field if not f.HasField("oneof_index") or f.proto3_optional]
    return [*out, f"{pad}}}"]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "proto/third_party/buf/validate/validate.proto"))
