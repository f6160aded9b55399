"""A private RabbitMQ on loopback. Knows RabbitMQ's scripts and settings; knows nothing of queues or messages.

Not guaranteed: anything that needs more than one node, or users other than guest on loopback. TLS when it is asked for,
beside the plain port, with a throw-away certificate.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from mpp_devstack import certificates, packages, processes
from mpp_devstack.errors import FetchError, NotStartedError, StartError
from mpp_devstack.ports import LOOPBACK, PortBook
from mpp_devstack.processes import Part
from mpp_devstack.progress import Reporter

START_TIMEOUT = 90.0  # seconds; 4 s alone on 2 cores, far more when all cores are busy
STOP_TIMEOUT = 20.0
AMQP_GREETING = b"AMQP\x00\x00\x09\x01"  # protocol header of AMQP 0-9-1; the broker answers with Connection.Start


@dataclass(frozen=True)
class Installation:
    """Where the broker's scripts and Erlang are; `libraries` is empty when they are the machine's own."""

    scripts: Path
    erlang_bin: Path | None
    libraries: Path | None


def find_installation(report: Reporter) -> Installation:
    """RabbitMQ of this machine, else Debian's packages unpacked privately. Raises FetchError."""
    for pattern in ("usr/lib/rabbitmq/lib/*/sbin", "usr/lib/rabbitmq/sbin"):
        for scripts in sorted(Path("/").glob(pattern), reverse=True):
            if (scripts / "rabbitmq-server").exists() and shutil.which("erl"):
                return Installation(scripts, None, None)
    prefix = packages.ensure(_wanted(), report)
    unpacked = sorted(prefix.glob("usr/lib/rabbitmq/lib/*/sbin"))
    if not unpacked:
        raise FetchError(f"no RabbitMQ scripts under {prefix}: remove that folder and try again")
    libs = prefix / "usr/lib" / f"{os.uname().machine}-linux-gnu"
    return Installation(unpacked[-1], prefix / "usr/lib/erlang/bin", libs)


def _wanted() -> packages.PackageSet:
    def keep(name: str) -> bool:
        return name.startswith(("erlang-", "rabbitmq-")) or (name.startswith("lib") and not packages.installed(name))

    return packages.PackageSet("rabbitmq", "rabbitmq-server", packages.machine_release(), keep, _point_erlang_home)


def _point_erlang_home(root: Path, final: Path) -> None:
    """Erlang's start scripts carry the absolute path of the installation."""
    here = re.compile(r"^(\s*)(ROOTDIR|ERL_ROOT)=.*$", re.MULTILINE)
    for script in (*root.glob("usr/lib/erlang/bin/*"), *root.glob("usr/lib/erlang/erts-*/bin/*")):
        if script.is_file() and not script.is_symlink() and script.read_bytes()[:2] == b"#!":
            script.write_text(here.sub(rf'\1\2="{final}/usr/lib/erlang"', script.read_text()))


class Broker:
    """One private broker node. All methods are idempotent."""

    def __init__(self, home: Path, ports: PortBook, *, management: bool, tls: bool = False, report: Reporter) -> None:
        self._home = home
        self._dir = home / "broker"
        self._ports = ports
        self._management = management
        self._tls = tls
        self._report = report
        self._node = Part("broker", home)
        self._epmd = Part("epmd", home)

    @property
    def uri(self) -> str:
        """amqp URI of the default virtual host; raises NotStartedError before the first start."""
        port = self._ports.get("amqp")
        if port is None:
            raise NotStartedError("the broker has never been started: no port yet")
        return f"amqp://guest:guest@{LOOPBACK}:{port}//"

    @property
    def tls_uri(self) -> str | None:
        """amqps URI that names the authority (`cacertfile`, as RabbitMQ's own URIs do) when TLS is switched on."""
        port, folder = self._ports.get("amqps"), self._dir / "tls"
        if port is None or not folder.exists():
            return None
        return f"amqps://guest:guest@{LOOPBACK}:{port}//?cacertfile={certificates.ensure(folder).ca}"

    @property
    def management_uri(self) -> str | None:
        """HTTP URI of the management plugin when it is enabled."""
        port = self._ports.get("management")
        enabled = (self._dir / "enabled_plugins").exists() and "management" in (
            self._dir / "enabled_plugins"
        ).read_text()
        return f"http://guest:guest@{LOOPBACK}:{port}" if port and enabled else None

    def ready(self) -> bool:
        """Is our node alive and does it answer an AMQP greeting within a second?"""
        port = self._ports.get("amqp")
        return port is not None and self._node.main_pid() is not None and _greets(port)

    def start(self) -> None:
        """Start and wait until the broker answers. Raises StartError, FetchError."""
        if self.ready():
            return
        self.kill()
        self._report.step("starting RabbitMQ", 0)
        install = find_installation(self._report)
        self._configure()
        env = self._environment(install)
        server = str(install.scripts / "rabbitmq-server")
        self._start_epmd(env)
        self._node.spawn([server], env=env, cwd=self._dir)
        port = self._ports.get("amqp")
        assert port is not None  # claimed by _configure
        if (
            not processes.wait_until(lambda: self._node.main_pid() is None or _greets(port), START_TIMEOUT)
            or not self.ready()
        ):
            raise StartError(f"RabbitMQ did not start; {self._node.log}:\n{self._node.log_tail()}")
        self._remember_beam()
        self._report.step("starting RabbitMQ", 100)

    def stop(self) -> None:
        """End the broker in order (SIGTERM: it closes its queues), then our epmd. Leaves no process."""
        beam = self._node.main_pid()
        processes.end(self._node.processes, grace=STOP_TIMEOUT, only=beam)
        processes.end(self._epmd.processes, grace=1)

    def restart(self) -> None:
        """stop, then start."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL the node and its helpers; what was confirmed must survive this."""
        processes.end(self._node.processes, grace=5, first=signal.SIGKILL)
        processes.end(self._epmd.processes, grace=5, first=signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP the node: connections stay open and nothing answers."""
        processes.freeze(self._node.processes())

    def thaw(self) -> None:
        """SIGCONT the node."""
        processes.send(self._node.processes(), signal.SIGCONT)

    def pids(self) -> list[int]:
        """Every live process of the broker, epmd included."""
        return self._node.processes() + self._epmd.processes()

    def _start_epmd(self, env: dict[str, str]) -> None:
        epmd = shutil.which("epmd", path=env["PATH"])
        if epmd is None:
            raise StartError("Erlang's epmd is not on PATH beside erl")
        self._epmd.spawn([epmd, "-address", LOOPBACK, "-port", env["ERL_EPMD_PORT"]], env=env, cwd=self._dir)
        port = int(env["ERL_EPMD_PORT"])
        if not processes.wait_until(lambda: _accepts(port), 10):
            raise StartError(f"epmd did not start; {self._epmd.log}:\n{self._epmd.log_tail()}")

    def _remember_beam(self) -> None:
        """The script starts the Erlang machine as a child or by exec, by version: signals must reach the machine."""
        for pid in self._node.processes():
            if processes.command_name(pid).startswith("beam"):
                self._node.remember(pid)

    def _configure(self) -> None:
        self._dir.mkdir(parents=True, exist_ok=True)
        for name in (
            "amqp",
            "epmd",
            "dist",
            *(["management"] if self._management else []),
            *(["amqps"] if self._tls else []),
        ):
            self._ports.claim(name)
        plugins = "rabbitmq_management" if self._management else ""
        (self._dir / "enabled_plugins").write_text(f"[{plugins}].\n")
        lines = [
            f"listeners.tcp.default = {LOOPBACK}:{self._ports.get('amqp')}",
            "loopback_users.guest = true",
            "disk_free_limit.absolute = 200MB",
            "vm_memory_high_watermark.absolute = 1GB",
            "log.file = false",
            "log.console = true",
            "log.console.level = info",
            "raft.wal_max_size_bytes = 67108864",  # default 512 MiB: too much memory for one machine's development
            "channel_max = 2047",
            "collect_statistics_interval = 10000",
        ]
        if self._management:
            lines += [f"management.tcp.ip = {LOOPBACK}", f"management.tcp.port = {self._ports.get('management')}"]
        if self._tls:
            files = certificates.ensure(self._dir / "tls")
            lines += [
                f"listeners.ssl.default = {LOOPBACK}:{self._ports.get('amqps')}",
                f"ssl_options.cacertfile = {files.ca}",
                f"ssl_options.certfile = {files.certificate}",
                f"ssl_options.keyfile = {files.key}",
                "ssl_options.verify = verify_none",
                "ssl_options.fail_if_no_peer_cert = false",
            ]
        (self._dir / "rabbitmq.conf").write_text("\n".join(lines) + "\n")

    def _environment(self, install: Installation) -> dict[str, str]:
        port = {name: str(self._ports.get(name)) for name in ("amqp", "epmd", "dist")}
        name = hashlib.sha256(str(self._home).encode()).hexdigest()[:8]
        env = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        env |= {
            "HOME": str(self._dir),  # the Erlang cookie lives there
            "RABBITMQ_HOME": str(install.scripts.parent),
            "RABBITMQ_NODENAME": f"mpp-{name}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": port["amqp"],
            "RABBITMQ_DIST_PORT": port["dist"],
            "RABBITMQ_MNESIA_BASE": str(self._dir / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._dir),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self._dir / "rabbitmq.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._dir / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self._dir / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self._dir / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": port["epmd"],
            "ERL_CRASH_DUMP_BYTES": "0",
            # idle schedulers must sleep, not spin: the machine has two cores and ten other processes
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2 "
            "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        if install.erlang_bin is not None:
            env["PATH"] = f"{install.erlang_bin}:{env.get('PATH', '')}"
            env["LD_LIBRARY_PATH"] = str(install.libraries)
        return env


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), 1).close()
    except OSError:
        return False
    return True


def _greets(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), 1) as link:
            link.settimeout(1)
            link.sendall(AMQP_GREETING)
            return link.recv(1) == b"\x01"  # a method frame: Connection.Start
    except OSError:
        return False
